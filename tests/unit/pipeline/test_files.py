from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from fer_live.config import Config
from fer_live.core.structs import Frame, Result
from fer_live.errors import SourceError
from fer_live.pipeline import files
from fer_live.pipeline.files import analyse_source
from tests.fakes import PictureCamera, ScriptedFinder, TableBackend

_BOX = (20, 20, 68, 68)
_HAPPY = np.full((100, 100, 3), 2, np.uint8)
_HAPPY[::2, ::2] = _HAPPY[1::2, 1::2] = 4  # sharp, and 3 in the mean


@pytest.fixture(autouse=True)
def finder(monkeypatch: pytest.MonkeyPatch) -> ScriptedFinder:
    """Finds a face in all frames but the second."""
    finder = ScriptedFinder([[_BOX], [], [_BOX], [_BOX]])
    monkeypatch.setattr(files, "open_finder", lambda *_: finder)
    return finder


def _analyse(folder: Path, source: PictureCamera, on_result: Callable[[Result], None] = lambda _: None) -> None:
    analyse_source(source, folder / "pictures", Config(), TableBackend(), on_result)


def _session(folder: Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    return pd.read_csv(folder / "frames.csv"), json.loads((folder / "session.json").read_text())


def test_a_source_becomes_a_session(tmp_path: Path, finder: ScriptedFinder) -> None:
    seen: list[int] = []
    _analyse(tmp_path, PictureCamera([_HAPPY] * 4), lambda result: seen.append(result.frame_index))
    rows, facts = _session(tmp_path / "pictures")
    assert seen == [0, 1, 2, 3]
    assert rows.status.tolist() == ["ok", "no_face", "ok", "ok"]
    assert rows.label.dropna().unique().tolist() == ["happy"]
    assert facts["state"] == "closed"
    assert facts["kind"] == "analyze"
    assert facts["backend"] == {"name": "table", "device": "memory"}
    assert facts["config"] == Config().model_dump()
    assert facts["model_card"]["name"] == "table"
    assert facts["session_id"] == facts["source"]["sha256"][:16] == rows.session_id[0]
    assert finder.is_closed


def test_stills_stand_alone(tmp_path: Path) -> None:
    _analyse(tmp_path, PictureCamera([_HAPPY] * 4, is_stills=True))
    rows, _ = _session(tmp_path / "pictures")
    assert rows.face_id.dropna().tolist() == [1, 2, 3]
    assert rows.t_mono_s.isna().all()


def test_ctrl_c_keeps_what_was_done(tmp_path: Path, finder: ScriptedFinder) -> None:
    def press_at_third(result: Result) -> None:
        if result.frame_index == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _analyse(tmp_path, PictureCamera([_HAPPY] * 4), press_at_third)
    rows, facts = _session(tmp_path / "pictures")
    assert len(rows) == 3
    assert facts["state"] == "interrupted"
    assert facts["counts"]["rows"] == 3
    assert finder.is_closed


class _Torn(PictureCamera):
    def read(self) -> Frame | None:
        frame = super().read()
        if frame is not None and frame.index == 2:
            raise SourceError("The third picture is torn.")
        return frame


def test_source_that_fails_half_way_keeps_its_rows(tmp_path: Path, finder: ScriptedFinder) -> None:
    with pytest.raises(SourceError, match="third picture"):
        _analyse(tmp_path, _Torn([_HAPPY] * 4))
    rows, facts = _session(tmp_path / "pictures")
    assert len(rows) == 2
    assert facts["state"] == "failed"
    assert finder.is_closed
