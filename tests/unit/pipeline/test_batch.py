from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fer_live.backends.backend import Backend
from fer_live.capture.opening import open_source
from fer_live.capture.source import Source
from fer_live.config import LIVE_SETTINGS, Config, make_config
from fer_live.core.modelcard import sha256_of
from fer_live.errors import BackendError, ModelError, RecordError, SourceError
from fer_live.pipeline import files
from fer_live.pipeline.batch import analyse_batch, usable_cpus
from fer_live.pipeline.files import Order, Outcome, Task
from fer_live.record.rowfile import RowFile
from tests.fakes import ScriptedFinder
from tests.media import write_int8, write_network, write_picture

_BOX = (20, 20, 68, 68)


class _Report:
    """Writes down what it is told; presses Ctrl-C at the frame press_at."""

    def __init__(self, press_at: int | None = None) -> None:
        self.backends: list[str] = []
        self.expected: list[int | None] = []
        self.frames = 0
        self.outcomes: list[Outcome] = []
        self._press_at = press_at

    def begin(self, backend: Backend) -> None:
        self.backends.append(backend.name)

    def expect(self, frames: int | None) -> None:
        self.expected.append(frames)

    def frame(self) -> None:
        self.frames += 1
        if self.frames == self._press_at:
            raise KeyboardInterrupt

    def outcome(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)

    @property
    def folders(self) -> list[str]:
        """Names of the folders of the sources, with a star on those that were there."""
        return [Path(str(each.session)).name + "*" * each.is_earlier for each in self.outcomes]


@pytest.fixture(autouse=True)
def _finder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "open_finder", lambda *_: ScriptedFinder([[_BOX]] * 9))


@pytest.fixture
def network(tmp_path: Path) -> Path:
    return write_network(tmp_path / "tiny.onnx")


@pytest.fixture
def album(tmp_path: Path) -> Path:
    return _album(tmp_path / "album")


def _album(folder: Path, shades: range = range(3)) -> Path:
    folder.mkdir(parents=True)
    for shade in shades:
        write_picture(folder / f"{shade}.png", np.full((100, 100, 3), shade, np.uint8))
    return folder


Run = Callable[..., _Report]


@pytest.fixture
def run(tmp_path: Path, network: Path) -> Run:
    """Analyses sources into out/, in this process, with settings as keywords."""

    def analyse(
        *sources: Path, again: bool = False, rate: float | None = None, video: bool = False, **settings: object
    ) -> _Report:
        report = _Report()
        order = Order(make_config({"model": str(network), **settings}), rate, video)
        analyse_batch([str(source) for source in sources], tmp_path / "out", order, report, jobs=1, is_again=again)
        return report

    return analyse


def _interrupt(album: Path, network: Path, out: Path) -> None:
    """Ctrl-C after the second of three pictures."""
    with pytest.raises(KeyboardInterrupt):
        analyse_batch([str(album)], out, Order(make_config({"model": str(network)})), _Report(press_at=2), jobs=1)


def _content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def _state(folder: Path, state: str | None = None) -> str:
    """State of a session; first changed, if one is given."""
    path = folder / "session.json"
    facts = json.loads(path.read_text(encoding="utf-8"))
    if state is not None:
        path.write_text(json.dumps({**facts, "state": state}), encoding="utf-8")
    return str(facts["state"])


def test_each_source_is_expected_counted_and_reported(run: Run, album: Path, tmp_path: Path) -> None:
    picture = write_picture(tmp_path / "one.png", np.zeros((100, 100, 3), np.uint8))
    report = run(album, picture)
    assert (report.expected, report.frames) == ([3, 1], 4)
    assert report.outcomes == [
        Outcome(0, str(album), tmp_path / "out" / "album", 3, 3),
        Outcome(1, str(picture), tmp_path / "out" / "one", 1, 1),
    ]


def test_what_is_finished_is_left_as_it_is(run: Run, album: Path, tmp_path: Path) -> None:
    run(album)
    before = _content(tmp_path / "out" / "album")
    report = run(album)
    assert report.folders == ["album*"]
    assert (report.expected, report.frames) == ([], 0)
    assert _content(tmp_path / "out" / "album") == before


def test_again_analyses_anew_beside_it(run: Run, album: Path, tmp_path: Path) -> None:
    run(album)
    assert run(album, again=True).folders == ["album-2"]
    assert _content(tmp_path / "out" / "album") == _content(tmp_path / "out" / "album-2")


@pytest.mark.parametrize(
    "changed",
    [{"tracking": {"smoothing_ms": 100.0}}, {"rate": 25.0}, {"video": True}],
    ids=["setting", "rate", "video"],
)
def test_what_was_made_otherwise_is_made_anew_beside_it(run: Run, album: Path, changed: dict[str, object]) -> None:
    run(album)
    assert run(album, **changed).folders == ["album-2"]
    assert run(album, **changed).folders == ["album-2*"]
    assert run(album).folders == ["album*"]


def test_a_setting_of_cameras_changes_nothing(run: Run, album: Path) -> None:
    assert set(Config.model_fields) > LIVE_SETTINGS
    run(album)
    assert run(album, camera={"width": 800}).folders == ["album*"]


def test_other_weights_are_another_session(run: Run, album: Path, network: Path) -> None:
    run(album)
    write_network(network, tuple("abcdefg"))
    assert run(album).folders == ["album-2"]


def test_other_versions_are_another_session(run: Run, album: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(album)
    monkeypatch.setattr("fer_live.pipeline.resume.versions", lambda: {"fer-live": "9"})
    assert run(album).folders == ["album-2"]


def test_other_pictures_are_another_session(run: Run, album: Path) -> None:
    run(album)
    (album / "0.png").unlink()
    assert run(album).folders == ["album-2"]


@pytest.mark.parametrize("state", ["interrupted", "failed", "recording", "recovered"])
def test_what_is_half_done_is_made_anew_in_its_place(
    run: Run, album: Path, network: Path, tmp_path: Path, state: str
) -> None:
    _interrupt(album, network, tmp_path / "out")
    folder = tmp_path / "out" / "album"
    assert _state(folder, state) == "interrupted"
    (folder / "frames.csv").write_text("cut off in the midd")
    (folder / "notes.txt").write_text("mine")
    for name in ("report.html", "frames.parquet", "py-feat.csv", "openface.csv"):
        (folder / name).write_text("of the rows before")
    assert run(album).folders == ["album"]
    assert _state(folder) == "closed"
    assert run(album, again=True).folders == ["album-2"]
    assert _content(folder) == {**_content(tmp_path / "out" / "album-2"), "notes.txt": b"mine"}


def test_half_done_with_another_setting_is_kept(run: Run, album: Path, network: Path, tmp_path: Path) -> None:
    _interrupt(album, network, tmp_path / "out")
    assert run(album, finder={"min_score": 0.5}).folders == ["album-2"]
    assert _state(tmp_path / "out" / "album") == "interrupted"


def test_what_somebody_writes_is_left_alone(run: Run, album: Path, network: Path, tmp_path: Path) -> None:
    _interrupt(album, network, tmp_path / "out")
    table = tmp_path / "out" / "album" / "frames.csv"
    table.unlink()
    writing = RowFile(table)
    try:
        assert run(album).folders == ["album-2"]
    finally:
        writing.close()


@pytest.mark.parametrize("names", [(), ("session.json.partial",), ("frames.csv", "session.json.partial")])
def test_a_folder_in_which_nothing_was_begun_is_used(
    run: Run, album: Path, tmp_path: Path, names: tuple[str, ...]
) -> None:
    folder = tmp_path / "out" / "album"
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).write_text("session_id,frame_index\n" if name == "frames.csv" else "{")
    assert run(album).folders == ["album"]
    assert set(_content(folder)) == {"frames.csv", "session.json"}


@pytest.mark.parametrize(("name", "text"), [("frames.csv", "x,y\n1,2\n"), ("a.txt", ""), ("session.json", "[]")])
def test_what_is_not_ours_is_in_the_way(run: Run, album: Path, tmp_path: Path, name: str, text: str) -> None:
    folder = tmp_path / "out" / "album"
    folder.mkdir(parents=True)
    (folder / name).write_text(text)
    assert run(album).folders == ["album-2"]
    assert _content(folder) == {name: text.encode()}


def test_a_finished_session_without_its_rows_is_not_taken_for_one(run: Run, album: Path, tmp_path: Path) -> None:
    run(album)
    (tmp_path / "out" / "album" / "frames.csv").unlink()
    assert run(album).folders == ["album-2"]


def test_a_finished_session_is_found_under_another_name(run: Run, album: Path, tmp_path: Path) -> None:
    run(album)
    (tmp_path / "out" / "album").rename(tmp_path / "out" / "participant 7")
    assert run(album).folders == ["participant 7*"]


def test_equal_names_keep_their_folders(run: Run, album: Path, tmp_path: Path) -> None:
    other = _album(tmp_path / "other" / "album", range(5, 7))
    assert run(album, other, album).folders == ["album", "album-2", "album-3"]
    assert run(album, other, album).folders == ["album*", "album-2*", "album-3*"]
    assert run(other).folders == ["album-2*"]
    _state(tmp_path / "out" / "album", "interrupted")
    assert run(other, album).folders == ["album-2*", "album-3*"]
    assert run(album, other, album).folders == ["album-3*", "album-2*", "album"]


def test_each_file_is_hashed_once(run: Run, album: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[str] = []
    monkeypatch.setattr(
        "fer_live.capture.source.sha256_of", lambda path: (hashed.append(path.name), sha256_of(path))[1]
    )
    assert run(album).folders == ["album"]
    assert hashed == ["0.png", "1.png", "2.png"]


def test_a_file_that_has_changed_since_is_hashed_anew(album: Path, network: Path, tmp_path: Path) -> None:
    class Changing(_Report):
        def expect(self, frames: int | None) -> None:
            write_picture(album / "1.png", np.full((90, 90, 3), 7, np.uint8))

    analyse_batch([str(album)], tmp_path / "out", Order(make_config({"model": str(network)})), Changing(), jobs=1)
    facts = json.loads((tmp_path / "out" / "album" / "session.json").read_text())
    assert facts["source"]["sha256"] == open_source(str(album)).identity


def test_one_bad_source_is_an_outcome(run: Run, album: Path, tmp_path: Path) -> None:
    torn = _album(tmp_path / "torn", range(1, 2))
    (torn / "1.png").write_bytes(b"torn")
    report = run(tmp_path / "absent.mp4", torn, album)
    absent, half, whole = (outcome.session for outcome in report.outcomes)
    assert isinstance(absent, SourceError)
    assert isinstance(half, SourceError)
    assert whole == tmp_path / "out" / "album"
    assert "absent.mp4" in str(absent)
    assert "1.png' is not a picture" in str(half)
    assert _state(tmp_path / "out" / "torn") == "failed"
    assert str(run(torn).outcomes[0].session) == str(half)
    assert not (tmp_path / "out" / "torn-2").exists()


@pytest.mark.parametrize("rate", [None, 25.0])
def test_pictures_that_cannot_be_read_are_gaps_and_named(
    run: Run, album: Path, tmp_path: Path, rate: float | None
) -> None:
    for name in ("0.png", "4.png", "5.png"):
        (album / name).write_bytes(b"torn")
    (outcome,) = run(album, rate=rate).outcomes
    session = tmp_path / "out" / "album"
    assert (outcome.session, outcome.frames, outcome.announced) == (session, 2, None)
    assert [complaint.partition(" ")[0] for complaint in outcome.unreadable] == [
        f"'{album / name}'" for name in ("0.png", "4.png", "5.png")
    ]
    rows = pd.read_csv(session / "frames.csv")
    assert rows.frame_index.tolist() == [0, 1, 2, 3]
    assert rows.source_file.tolist() == ["0.png", "1.png", "2.png", "4.png"]
    dropped = rows[rows.status == "dropped"]
    assert dropped.frame_index.tolist() == [0, 3]
    assert dropped.dropped_before.tolist() == [1, 2]
    assert set(dropped.reason) == {"unreadable"}
    facts = json.loads((session / "session.json").read_text())
    assert (facts["state"], facts["counts"]["frames_captured"]) == ("closed", 5)
    assert "frames_announced" not in facts
    assert run(album, rate=rate).folders == ["album*"]
    write_picture(album / "0.png", np.zeros((100, 100, 3), np.uint8))
    assert run(album, rate=rate).folders == ["album-2"]


def test_a_folder_taken_meanwhile_is_named(album: Path, network: Path, tmp_path: Path) -> None:
    class Rival(_Report):
        def frame(self) -> None:
            _album(tmp_path / "out" / "album", range(1))

    picture = write_picture(tmp_path / "one.png", np.zeros((100, 100, 3), np.uint8))
    order = Order(make_config({"model": str(network)}))
    with pytest.raises(RecordError, match=r"'.*album' was taken by another run"):
        analyse_batch([str(picture), str(album)], tmp_path / "out", order, Rival(), jobs=1)
    assert list(_content(tmp_path / "out" / "album")) == ["0.png"]


def test_what_concerns_all_is_raised(run: Run, album: Path) -> None:
    with pytest.raises(ModelError, match="vgg"):
        run(album, model="vgg")
    with pytest.raises(BackendError, match="abacus"):
        run(album, backend="abacus")


@pytest.mark.parametrize(
    ("jobs", "most", "cores"), [(1, 99, 8), (2, 99, 4), (3, 99, 2), (16, 99, 2), (None, 99, 2), (3, 2, 4), (None, 2, 4)]
)
def test_jobs_share_the_cores(
    album: Path, network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jobs: int | None, most: int, cores: int
) -> None:
    """Three sources on eight cores; most: jobs that the system can wait for."""
    monkeypatch.setattr("fer_live.pipeline.batch._MOST_JOBS", most)
    given: list[int] = []

    def note(source: Source, folder: Path, order: Order, *_: object) -> None:
        given.append(order.cores)

    def run_in_workers(tasks: Sequence[Task], order: Order, *_: object) -> None:
        given.extend([order.cores] * len(tasks))

    monkeypatch.setattr("fer_live.pipeline.batch.usable_cpus", lambda: 8)
    monkeypatch.setattr("fer_live.pipeline.batch.run_in_workers", run_in_workers)
    monkeypatch.setattr(files, "analyse_source", note)
    order = Order(make_config({"model": str(network)}))
    analyse_batch([str(album)] * 3, tmp_path / "out", order, _Report(), jobs)
    assert given == [cores] * 3


def test_names_that_some_disks_take_for_one(run: Run, tmp_path: Path) -> None:
    sources = [_album(tmp_path / str(number) / name) for number, name in enumerate(("Höhe", "ho\u0308he", "HÖHE"))]
    assert run(*sources).folders == ["Höhe", "ho\u0308he-2", "HÖHE-3"]
    assert run(*sources).folders == ["Höhe*", "ho\u0308he-2*", "HÖHE-3*"]


def test_some_cpu_can_be_used() -> None:
    assert usable_cpus() >= 1


def test_another_precision_is_another_session_and_the_same_one_gives_the_same_bytes(
    run: Run, album: Path, network: Path, tmp_path: Path
) -> None:
    write_int8(network)
    assert run(album, backend="onnx-cpu").backends == ["onnx-cpu"]
    first = run(album)
    assert (first.folders, first.backends) == (["album-2"], ["onnx-cpu-int8"])
    assert run(album).folders == ["album-2*"]
    assert run(album, again=True).folders == ["album-3"]
    exact, *reduced = (json.loads(_content(tmp_path / "out" / name)["session.json"]) for name in ("album", "album-2"))
    assert exact["backend"]["name"] == "onnx-cpu"
    assert [each["backend"] for each in reduced] == [{"name": "onnx-cpu-int8", "device": "ONNX Runtime CPU, int8"}]
    assert _content(tmp_path / "out" / "album-2") == _content(tmp_path / "out" / "album-3")
