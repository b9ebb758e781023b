from __future__ import annotations

import hashlib
from importlib import resources
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from fer_live.capture.demo import DemoSource
from fer_live.errors import SourceError


def _digest(source: DemoSource) -> str:
    digest = hashlib.sha256()
    for frame in iter(source.read, None):
        digest.update(frame.image.tobytes())
    return digest.hexdigest()


def test_it_is_the_same_each_time() -> None:
    assert _digest(DemoSource()) == _digest(DemoSource())


def test_it_moves_like_a_camera() -> None:
    source = DemoSource()
    frames = list(iter(source.read, None))
    assert {frame.image.shape for frame in frames} == {(480, 640, 3)}
    assert frames[-1].captured_at == pytest.approx(239 / 30)
    changes = [np.abs(one.image.astype(int) - other.image).mean() for one, other in pairwise(frames)]
    assert min(changes) > 0
    assert max(changes) < 30  # it pans, it does not cut


def test_missing_photograph_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "files", lambda _: tmp_path)
    with pytest.raises(SourceError, match=r"photograph is missing\. Reinstall matplotlib"):
        DemoSource()
    photograph = tmp_path / "mpl-data/sample_data/grace_hopper.jpg"
    photograph.parent.mkdir(parents=True)
    photograph.write_bytes(b"torn")
    with pytest.raises(SourceError, match="photograph is damaged"):
        DemoSource()
