"""What a better backend needs is built by another process while the window goes on."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from PyQt6.QtCore import QProcess
from PyQt6.QtWidgets import QPushButton

from fer_live.backends.backend import Backend
from fer_live.errors import BackendError
from fer_live.pipeline.status import LiveState
from fer_live.ui.main_window import MainWindow
from tests.fakes import TableBackend
from tests.gui.conftest import Stage, assert_nothing_clipped, shows, visible_text


class _Gpu(TableBackend):
    name = "tensorrt"
    device = "TensorRT on a GPU"


class Builder:
    """A program in place of the one that builds engines; it says 42 % and ends when it is told to."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._order = folder / "order"
        self.is_built = False
        self.asked: list[tuple[str, str]] = []
        monkeypatch.setattr("fer_live.backends.registry.preparation", self._preparation)

    def _preparation(self, backend: str, model: str) -> list[str] | None:
        self.asked.append((backend, model))
        program = (
            "import os, pathlib, sys, time\n"
            f"order = pathlib.Path({str(self._order)!r})\n"
            "print('[TRT] noise', '42/100 Timing', sep=os.linesep, flush=True)\n"
            "while not order.exists(): time.sleep(0.01)\n"
            "exec(order.read_text())\n"
        )
        return None if self.is_built else ["-c", program]

    def end(self, with_code: str = "sys.exit(0)") -> None:
        """Has it run this code, which ends it."""
        self.is_built = with_code == "sys.exit(0)"
        partial = self._order.with_suffix(".new")
        partial.write_text(with_code)
        partial.replace(self._order)

    def open(self) -> Backend:
        return _Gpu() if self.is_built else TableBackend()


@pytest.fixture
def builder(stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Builder:
    builder = Builder(tmp_path, monkeypatch)
    stage.open_backend = builder.open
    return builder


@pytest.fixture
def window(stage: Stage, builder: Builder) -> MainWindow:
    """A running session with the builder at work."""
    window = stage.run()
    stage.wait(lambda: "42 %" in window.preparing.text())
    return window


def _cancel(window: MainWindow) -> None:
    (button,) = window.preparing.findChildren(QPushButton)
    button.click()


def _device(window: MainWindow) -> str:
    session = window.controller.session
    assert session is not None and session.backend is not None
    return session.backend.device


def test_progress_is_shown_while_frames_go_on(stage: Stage, window: MainWindow) -> None:
    assert window.preparing.text() == "Preparing the GPU: Timing, 42 %"
    assert "Cancel" in visible_text(window)
    assert_nothing_clipped(window)
    before = stage.device.given
    stage.wait(lambda: stage.device.given > before + 5)
    assert shows(window, window.live)
    assert _device(window) == "memory"


def test_the_session_changes_over_and_says_so(stage: Stage, window: MainWindow, builder: Builder) -> None:
    session = window.controller.session
    builder.end()
    stage.wait(lambda: _device(window) == "TensorRT on a GPU")
    stage.wait(lambda: window.banner.text() == "Now computing with TensorRT on a GPU.")
    assert window.controller.session is session
    assert session is not None and session.status().state is LiveState.RUNNING
    assert not window.preparing.isVisible()
    stage.wait(lambda: "TensorRT on a GPU" in window.status_line.text())


def test_cancel_ends_the_program(stage: Stage, window: MainWindow, builder: Builder) -> None:
    process = window.preparing._program._process
    assert process is not None
    _cancel(window)
    assert process.state() is QProcess.ProcessState.NotRunning
    assert not window.preparing.isVisible()
    assert "begins again at the next start" in window.banner.text()
    builder.end()
    assert _device(window) == "memory"


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("os.abort()", "ended unexpectedly (code "),
        ("raise RuntimeError('a bug')", "ended unexpectedly (code 1)"),
        ("sys.exit('error: No room on the GPU. Close other programs.\\n')", "ended unexpectedly"),
        (
            "print('noise\\nerror: No room on the GPU. Close others.', file=sys.stderr); sys.exit(2)",
            "prepared. No room on the GPU. Close others. Everything goes on with memory.",
        ),
    ],
    ids=["crash", "bug", "another code", "refusal"],
)
def test_a_failure_is_told_and_nothing_stops(
    code: str, reason: str, stage: Stage, window: MainWindow, builder: Builder, logged_warnings: list[str]
) -> None:
    builder.end(code)
    stage.wait(lambda: "could not be prepared" in window.banner.text())
    assert reason in window.banner.text()
    assert "goes on with memory" in window.banner.text()
    before = stage.device.given
    stage.wait(lambda: stage.device.given > before + 5)
    assert _device(window) == "memory"
    assert all("preparing the GPU ended with code" in line for line in logged_warnings)
    logged_warnings.clear()


def test_it_can_be_tried_again(stage: Stage, window: MainWindow, builder: Builder, logged_warnings: list[str]) -> None:
    builder.end("sys.exit(1)")
    stage.wait(lambda: "could not be prepared" in window.banner.text())
    logged_warnings.clear()
    builder._order.unlink()
    next(b for b in window.banner.findChildren(QPushButton) if b.text() == "Try again").click()
    stage.wait(lambda: "42 %" in window.preparing.text())
    builder.end()
    stage.wait(lambda: _device(window) == "TensorRT on a GPU")


def test_a_program_that_does_not_start_is_told(
    stage: Stage, builder: Builder, monkeypatch: pytest.MonkeyPatch, logged_warnings: list[str]
) -> None:
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    window = stage.run()
    stage.wait(lambda: "could not be prepared" in window.banner.text())
    assert not window.preparing.isVisible()
    logged_warnings.clear()


def test_another_backend_that_does_not_open_is_told(
    stage: Stage, window: MainWindow, builder: Builder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> Backend:
        raise BackendError("The GPU is gone.")

    session = window.controller.session
    assert session is not None
    session._open_backend = fail
    builder.end()
    stage.wait(lambda: "could not be prepared. The GPU is gone." in window.banner.text())
    assert _device(window) == "memory"


def test_a_session_that_fell_back_again_says_so(stage: Stage, window: MainWindow, builder: Builder) -> None:
    session = window.controller.session
    assert session is not None
    session._open_backend = TableBackend
    builder.end()
    stage.wait(lambda: "The log folder has the reason." in window.banner.text())


def test_a_backend_asked_for_by_name_starts_once_it_is_prepared(stage: Stage, builder: Builder) -> None:
    def open_by_name() -> Backend:
        if not builder.is_built:
            raise BackendError("No engine is built yet.")
        return builder.open()

    stage.open_backend = open_by_name
    stage.config = stage.config.model_copy(update={"backend": "tensorrt"})
    window = stage.open("0")
    stage.wait(lambda: "No engine is built yet." in window.banner.text())
    stage.wait(lambda: "42 %" in window.preparing.text())
    assert window.controller.session is None or not window.live.isVisible()
    builder.end()
    stage.wait(lambda: shows(window, window.live))
    assert _device(window) == "TensorRT on a GPU"


def test_closing_the_window_ends_the_program(window: MainWindow) -> None:
    process = window.preparing._program._process
    assert process is not None
    window.close()
    assert process.state() is QProcess.ProcessState.NotRunning


def test_nothing_is_shown_where_nothing_is_to_prepare(stage: Stage, builder: Builder) -> None:
    builder.is_built = True
    window = stage.run()
    stage.wait(lambda: builder.asked)
    before = stage.device.given
    stage.wait(lambda: stage.device.given > before + 10)
    assert not window.preparing.isVisible()
    assert len(builder.asked) == 1


def test_tooltip_gives_the_reasons_of_the_fallback(stage: Stage, builder: Builder) -> None:
    refusal = "onnx-cuda: no NVIDIA driver is installed here"
    stage.open_backend = lambda: _passing_over(TableBackend(), refusal)
    window = stage.run()
    stage.wait(lambda: window.status_line.text())
    assert window.status_line._text.toolTip().splitlines()[1:] == [refusal, "table: in use"]


def _passing_over(backend: TableBackend, *refusals: str) -> TableBackend:
    backend.passed_over = refusals
    return backend
