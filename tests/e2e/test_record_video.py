"""`fer-live record --record-video`: the picture beside the rows, and no face to be found in it when asked for."""

from __future__ import annotations

import json
from pathlib import Path

import av
import pytest

from fer_live.config import FinderConfig
from fer_live.core.structs import Frame
from fer_live.pipeline.files import open_finder
from tests.e2e.conftest import Run, Session

pytestmark = pytest.mark.usefixtures("shipped_weights")


def _record(fer_live: Run, media: Path, folder: Path, *arguments: str) -> Session:
    options = ("--out", folder, "--model", "mobilevit_xxs", "--json", "--record-video")
    run = fer_live(["record", media / "single_face.mp4", *options, *arguments])
    assert run.returncode == 0, run.stderr
    return Session(Path(json.loads(run.stdout)["csv"]).parent)


def _faces_found(session: Session) -> list[int]:
    """How many faces a look at each recorded picture finds."""
    with av.open(str(session.folder / "video.mp4")) as video, open_finder(FinderConfig(), is_stills=True) as finder:
        pictures = [picture.to_ndarray(format="bgr24") for picture in video.decode(video=0)]
        return [len(finder.find(Frame(picture, index, index))) for index, picture in enumerate(pictures[::5])]


def test_faces_are_in_the_video(fer_live: Run, media: Path, tmp_path: Path) -> None:
    session = _record(fer_live, media, tmp_path)
    assert session.facts["video"]["frames"] > 10
    found = _faces_found(session)
    assert sum(found) >= 0.9 * len(found)


def test_blurred_faces_cannot_be_found_any_more(fer_live: Run, media: Path, tmp_path: Path) -> None:
    session = _record(fer_live, media, tmp_path, "--blur-faces")
    assert session.facts["video"]["has_blurred_faces"]
    assert session.rows.face_id.notna().sum() > 10
    assert sum(_faces_found(session)) == 0


def test_blurring_a_video_that_is_not_recorded_is_refused(fer_live: Run, tmp_path: Path) -> None:
    run = fer_live(["record", "demo", "--out", tmp_path / "none", "--blur-faces"])
    assert run.returncode == 2
    assert "Add --record-video" in run.stderr
    assert not (tmp_path / "none").exists()
