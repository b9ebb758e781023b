from __future__ import annotations

import json
import threading
import weakref
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from fer_live.config import Config
from fer_live.core.structs import Faces, Frame, Result
from fer_live.detect.finder import FaceFinder
from fer_live.detect.following import PRESETS
from fer_live.errors import BackendError, RecordError, SourceError
from fer_live.pipeline import files
from fer_live.pipeline.analyser import FRAMES_TOGETHER
from fer_live.pipeline.files import Order, analyse_source
from tests.fakes import CodeFinder, PictureCamera, ScriptedFinder, TableBackend, code_of, coded_picture

_BOX = (20, 20, 68, 68)
_HAPPY = np.full((100, 100, 3), 2, np.uint8)
_HAPPY[::2, ::2] = _HAPPY[1::2, 1::2] = 4  # sharp, and 3 in the mean


@pytest.fixture(autouse=True)
def finder(monkeypatch: pytest.MonkeyPatch) -> ScriptedFinder:
    """Finds a face in all frames but the second."""
    finder = ScriptedFinder([[_BOX], [], [_BOX], [_BOX]])
    monkeypatch.setattr(files, "open_finder", lambda *_: finder)
    return finder


def _analyse(
    folder: Path,
    source: PictureCamera,
    on_result: Callable[[Result], None] = lambda _: None,
    backend: TableBackend | None = None,
    with_video: bool = False,
    cores: int = 2,
) -> None:
    order = Order(Config(), with_video=with_video, cores=cores)
    analyse_source(source, folder / "pictures", order, backend or TableBackend(), on_result)


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


class _Damaged(PictureCamera):
    """Announces ten frames, of which the third, the fourth and those from the sixth on cannot be read."""

    def __init__(self) -> None:
        super().__init__([_HAPPY] * 3)
        self.size = 10

    def read(self) -> Frame | None:
        frame = super().read()
        return replace(frame, index=4) if frame is not None and frame.index == 2 else frame


def test_frames_that_cannot_be_read_are_a_gap_and_said(tmp_path: Path) -> None:
    _analyse(tmp_path, _Damaged())
    rows, facts = _session(tmp_path / "pictures")
    assert rows.frame_index.tolist() == [0, 1, 2, 4]
    assert (rows.status[2], rows.dropped_before[2], rows.reason[2]) == ("dropped", 2, "unreadable")
    assert facts["counts"]["frames_captured"] == 5
    assert (facts["frames_announced"], facts["state"]) == (10, "closed")


def test_a_few_frames_fewer_than_announced_are_nothing_to_say(tmp_path: Path) -> None:
    camera = PictureCamera([_HAPPY] * 40)
    camera.size = 42
    _analyse(tmp_path, camera)
    assert "frames_announced" not in _session(tmp_path / "pictures")[1]


def _use(monkeypatch: pytest.MonkeyPatch, make_finder: Callable[[], FaceFinder]) -> list[FaceFinder]:
    """Has analyses look with these finders, and tells which they opened."""
    opened: list[FaceFinder] = []

    def open_finder(*_: object) -> FaceFinder:
        opened.append(make_finder())
        return opened[-1]

    monkeypatch.setattr(files, "open_finder", open_finder)
    return opened


class _BlindFinder(CodeFinder):
    """Fails at the sixth picture, as MediaPipe would."""

    def find(self, frame: Frame) -> Faces:
        if frame.index == 5:
            raise BackendError("The face finder failed.") from OSError("the cause")
        return super().find(frame)


class _TiredBackend(TableBackend):
    """Fails at the second batch."""

    def infer(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        if self.batch_sizes:
            raise BackendError("The network failed.") from OSError("the cause")
        return super().infer(batch)


_CODED = [coded_picture(number) for number in range(30)]


def test_finder_that_fails_keeps_the_rows_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = _use(monkeypatch, _BlindFinder)
    with pytest.raises(BackendError, match="finder failed") as caught:
        _analyse(tmp_path, PictureCamera(_CODED))
    rows, facts = _session(tmp_path / "pictures")
    assert rows.frame_index.tolist() == [0, 1, 2, 3, 4]
    assert facts["state"] == "failed"
    assert isinstance(caught.value.__cause__, OSError)
    assert [finder.is_closed for finder in opened] == [True, True]  # type: ignore[attr-defined]


def test_network_that_fails_keeps_the_rows_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _use(monkeypatch, CodeFinder)
    with pytest.raises(BackendError, match="network failed") as caught:
        _analyse(tmp_path, PictureCamera(_CODED), backend=_TiredBackend(), cores=1)
    rows, facts = _session(tmp_path / "pictures")
    assert rows.frame_index.tolist() == list(range(FRAMES_TOGETHER))
    assert facts["state"] == "failed"
    assert isinstance(caught.value.__cause__, OSError)


def test_full_disk_keeps_what_it_holds(small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _use(monkeypatch, CodeFinder)
    # However fast the machine is: all rows are in the write that fails.
    monkeypatch.setattr("fer_live.record.rowfile.FLUSH_S", 3600.0)
    with pytest.raises(RecordError, match="No space left on device"):
        _analyse(small_disk, PictureCamera(_CODED * 40))
    table = (small_disk / "pictures" / "frames.csv").read_text()
    assert table.endswith("\n")
    assert 100 < table.count("\n") < 1200


def test_the_number_of_cores_changes_no_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _use(monkeypatch, CodeFinder)
    written = []
    for is_stills in (False, True):
        for cores in (1, 2, 5):
            folder = tmp_path / f"{is_stills}-{cores}"
            _analyse(folder, PictureCamera(_CODED, is_stills=is_stills), cores=cores)
            written.append((folder / "pictures" / "frames.csv").read_bytes())
    assert len(set(written[:3])) == len(set(written[3:])) == 1
    assert written[0] != written[3]


def test_frames_that_follow_one_another_have_two_finders_and_stills_one_a_core(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = _use(monkeypatch, CodeFinder)
    for number, (is_stills, pictures, finders) in enumerate([(False, 9, 2), (True, 9, 3), (True, 2, 2), (True, 1, 1)]):
        opened.clear()
        _analyse(tmp_path / str(number), PictureCamera(_CODED[:pictures], is_stills=is_stills), cores=3)
        assert [finder.is_closed for finder in opened] == [True] * finders  # type: ignore[attr-defined]


class _CrowdedBackend(TableBackend):
    """Counts the threads that are in it at once; with a number to wait for, until so many were."""

    def __init__(self, awaited: int) -> None:
        super().__init__()
        self.most = 0
        self._inside = 0
        self._awaited = awaited
        self._changed = threading.Condition()

    def infer(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        with self._changed:
            self._inside += 1
            self.most = max(self.most, self._inside)
            self._changed.notify_all()
            assert self._changed.wait_for(lambda: self.most >= self._awaited, 20)
        probabilities = super().infer(batch)
        with self._changed:
            self._inside -= 1
        return probabilities


@pytest.mark.parametrize(("is_thread_safe", "most"), [(True, 3), (False, 1)])
def test_only_a_thread_safe_network_is_used_by_several_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_thread_safe: bool, most: int
) -> None:
    _use(monkeypatch, CodeFinder)
    backend = _CrowdedBackend(awaited=most)
    backend.is_thread_safe = is_thread_safe
    _analyse(tmp_path, PictureCamera(_CODED * 3), backend=backend, cores=3)
    assert backend.most == most
    assert sum(backend.batch_sizes) == len(_CODED) * 3


class _WatchedCamera(PictureCamera):
    """Knows how many of its frames somebody still has."""

    alive = 0

    def read(self) -> Frame | None:
        frame = super().read()
        if frame is not None:
            self.alive += 1
            weakref.finalize(frame, self._forget)
        return frame

    def _forget(self) -> None:
        self.alive -= 1


@pytest.mark.parametrize("with_video", [False, True])
@pytest.mark.parametrize("cores", [1, 4])
def test_few_frames_are_held_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cores: int, with_video: bool
) -> None:
    """Those that are decoded and looked at; for a video also those whose faces are in the network, or written next."""
    _use(monkeypatch, CodeFinder)
    camera = _WatchedCamera(_CODED * 3)
    held: list[int] = []
    _analyse(tmp_path, camera, lambda _: held.append(camera.alive), with_video=with_video, cores=cores)
    assert len(held) == len(_CODED) * 3
    waiting = 6 if cores == 1 else 6 + PRESETS["balanced"].full_look_every
    assert max(held) <= (FRAMES_TOGETHER * (cores + 1) + waiting if with_video else waiting)


def test_the_overlaid_video_has_each_frame_in_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _use(monkeypatch, CodeFinder)
    _analyse(tmp_path, PictureCamera(_CODED), with_video=True)
    with av.open(str(tmp_path / "pictures" / "overlay.mp4")) as video:
        shown = [code_of(frame.to_ndarray(format="bgr24")) for frame in video.decode(video=0)]
    assert shown == list(range(len(_CODED)))
