from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pandas as pd
import pytest

from fer_live.backends.backend import Backend
from fer_live.capture.opening import LiveSource
from fer_live.capture.paced import PacedSource
from fer_live.config import Config, RecordingConfig
from fer_live.errors import FerError, ModelError, RecordError, SourceError
from fer_live.pipeline import headless
from fer_live.pipeline.headless import live_session, record_live
from tests.fakes import Act, CodeFinder, FakeDevice, PictureCamera, TableBackend, coded_picture, left_of

# The disk that tests run on may be any.
_CONFIG = Config(recording=RecordingConfig(warn_below_mb=0, stop_below_mb=0))
_PASSWORD = "rtsp://user:secret@host/live"


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> FakeDevice:
    """A camera behind every source, with a finder and a network that fit it."""
    device = FakeDevice()
    _use(monkeypatch, LiveSource("fake", device.open, is_device=True), TableBackend)
    return device


def _use(monkeypatch: pytest.MonkeyPatch, source: LiveSource, open_backend: Callable[[], Backend]) -> None:
    monkeypatch.setattr(headless, "live_source", lambda text, asked: source)
    monkeypatch.setattr(headless, "open_finder", lambda config: CodeFinder())
    monkeypatch.setattr(headless, "open_backend", lambda name, model: open_backend())


def _nothing(seconds: float, text: str) -> None:
    pass


def _unwarned(warning: FerError) -> None:
    raise AssertionError(f"nobody expected: {warning}")


def test_seconds_are_recorded_and_counted(device: FakeDevice, tmp_path: Path) -> None:
    statuses: list[tuple[float, str]] = []
    backends: list[Backend] = []
    counts, folder = record_live(
        "0", tmp_path, _CONFIG, 0.5, lambda *status: statuses.append(status), _unwarned, backends.append
    )
    facts = json.loads((folder / "session.json").read_text())
    assert folder.parent == tmp_path
    assert (facts["state"], facts["counts"]) == ("closed", counts)
    assert counts["frames_captured"] == counts["frames_analysed"] + counts["frames_dropped"] > 5
    assert pd.read_csv(folder / "frames.csv").t_mono_s.iloc[-1] == pytest.approx(0.5, abs=0.4)
    assert statuses[0][0] < 0.1
    assert statuses[-1][0] >= 0.5
    assert "running, 160x120" in statuses[-1][1]
    assert [backend.name for backend in backends] == ["table"]
    assert all(camera.is_closed for camera in device.cameras)


def test_ctrl_c_ends_it_well(device: FakeDevice, tmp_path: Path) -> None:
    def press(seconds: float, text: str) -> None:
        if seconds > 0.2:
            raise KeyboardInterrupt

    counts, folder = record_live("0", tmp_path, _CONFIG, None, press, _unwarned)
    assert json.loads((folder / "session.json").read_text())["state"] == "closed"
    assert counts["frames_analysed"] > 0


def test_file_ends_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = [coded_picture(number) for number in range(30)]
    source = LiveSource("clip", lambda: PacedSource(PictureCamera(pictures, rate_hz=30)), is_device=False)
    _use(monkeypatch, source, TableBackend)
    counts, folder = record_live("clip.mp4", tmp_path, _CONFIG, None, _nothing, _unwarned)
    # Up to three frames are over before recording begins; the last is never lost.
    assert 25 <= counts["frames_captured"] <= 30
    boxes = pd.read_csv(folder / "frames.csv").x
    assert boxes.iloc[-1] == left_of(pictures[-1])


def test_slow_disk_gets_the_last_rows_too(
    device: FakeDevice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logged_warnings: list[str]
) -> None:
    write, warnings, is_free = os.write, [], threading.Event()

    def wait_and_write(file: int, content: bytes) -> int:
        if b",ok," in content:
            is_free.wait(20)
        return write(file, content)

    def on_warning(warning: FerError) -> None:
        warnings.append(str(warning))
        is_free.set()

    monkeypatch.setattr(os, "write", wait_and_write)
    monkeypatch.setattr("fer_live.record.rowfile.FLUSH_S", 0.0)
    counts, folder = record_live("0", tmp_path, _CONFIG, 0.5, _nothing, on_warning)
    assert len(warnings) == 1
    assert "is slow" in warnings[0]
    assert json.loads((folder / "session.json").read_text())["state"] == "closed"
    assert pd.read_csv(folder / "frames.csv").status.tolist().count("ok") == counts["frames_analysed"] > 5
    assert "did not end in time: writer" in logged_warnings.pop()


def test_first_failure_is_raised(device: FakeDevice, tmp_path: Path) -> None:
    device.act = Act.UNPLUGGED
    with pytest.raises(SourceError, match="unplugged"):
        record_live("0", tmp_path, _CONFIG, None, _nothing, _unwarned)
    assert list(tmp_path.iterdir()) == []


def test_network_that_is_missing_is_raised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> Backend:
        raise ModelError("There is no such network.")

    _use(monkeypatch, LiveSource("fake", FakeDevice().open, is_device=True), fail)
    with pytest.raises(ModelError, match="no such network"):
        record_live("0", tmp_path, _CONFIG, None, _nothing, _unwarned)


def test_bug_comes_through_as_itself(
    device: FakeDevice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logged_warnings: list[str]
) -> None:
    monkeypatch.setattr(TableBackend, "infer", lambda self, batch: np.zeros(3) / None)
    with pytest.raises(TypeError):
        record_live("0", tmp_path, _CONFIG, None, _nothing, _unwarned)
    assert "the analysis stage failed" in logged_warnings.pop()


def test_folder_that_cannot_be_written_is_raised(device: FakeDevice, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordError, match="cannot be made"):
        record_live("0", tmp_path / "file", _CONFIG, None, _nothing, _unwarned)


def test_no_frame_is_said_without_the_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    device = FakeDevice()
    device.act = Act.SILENT

    def give_up(seconds: float, text: str) -> None:
        device.act = Act.OVER
        raise KeyboardInterrupt

    _use(monkeypatch, LiveSource("rtsp://host/live", device.open, is_device=True), TableBackend)
    with pytest.raises(SourceError, match="'rtsp://host/live' gave no frame") as raised:
        record_live(_PASSWORD, tmp_path, _CONFIG, None, give_up, _unwarned)
    assert "secret" not in str(raised.value)


def test_session_of_a_stream_has_a_public_name() -> None:
    session = live_session(_PASSWORD, _CONFIG)
    assert session.name == "rtsp://host/live"
    assert not session.is_alive()


def test_little_space_is_told_once(device: FakeDevice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fer_live.record.disk.LOOK_S", 0.05)
    warnings: list[FerError] = []
    config = Config(recording=RecordingConfig(warn_below_mb=1_000_000, stop_below_mb=0))
    counts, _ = record_live("0", tmp_path, config, 0.5, _nothing, warnings.append)
    assert counts["frames_analysed"] > 0
    assert len(warnings) == 1
    assert "MB left" in str(warnings[0])


def test_no_space_ends_it_with_the_reason(device: FakeDevice, tmp_path: Path) -> None:
    config = Config(recording=RecordingConfig(stop_below_mb=1_000_000))
    with pytest.raises(RecordError, match="nothing more is recorded"):
        record_live("0", tmp_path, config, None, _nothing, _unwarned)


def test_picture_is_recorded_when_asked_for(device: FakeDevice, tmp_path: Path) -> None:
    config = Config(recording=RecordingConfig(warn_below_mb=0, stop_below_mb=0, video=True))
    counts, folder = record_live("0", tmp_path, config, 0.5, _nothing, _unwarned)
    facts = json.loads((folder / "session.json").read_text())
    rows = pd.read_csv(folder / "frames.csv")
    with av.open(str(folder / "video.mp4")) as video:
        times = [frame.time for frame in video.decode(video=0)]
    assert facts["video"]["frames"] + facts["video"]["frames_dropped"] == counts["frames_analysed"]
    assert facts["video"]["frames"] == len(times) - 1 > 5
    assert np.isin(np.round(times[1:], 2), np.round(rows.t_mono_s, 2)).mean() > 0.9


def test_picture_that_fails_at_the_very_end_is_told_too(
    device: FakeDevice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise RecordError("'video.mp4' cannot be written (No space left on device).", "Free some space.")

    monkeypatch.setattr("fer_live.record.mp4.Mp4File.close", fail)
    warnings: list[FerError] = []
    config = Config(recording=RecordingConfig(warn_below_mb=0, stop_below_mb=0, video=True))
    record_live("0", tmp_path, config, 0.3, _nothing, warnings.append)
    (warning,) = warnings
    assert "video.mp4" in str(warning)
