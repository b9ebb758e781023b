"""The live path without a window."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from fer_live.backends.backend import Backend
from fer_live.backends.registry import open_backend
from fer_live.capture.camera import CameraMode
from fer_live.capture.opening import live_source
from fer_live.config import Config
from fer_live.errors import FerError, RecordError, SourceError
from fer_live.outlets.opening import make_outlets
from fer_live.pipeline.files import open_finder
from fer_live.pipeline.live import LiveSession
from fer_live.pipeline.status import LiveState, LiveStatus

_TICK_S = 0.1


def live_session(text: str, config: Config) -> LiveSession:
    """A session on a source as the user named it (capture.opening.live_source), not yet started."""
    asked = CameraMode(config.camera.width, config.camera.height, config.camera.rate_hz)
    return LiveSession(
        config,
        live_source(text, asked),
        lambda: open_finder(config.finder),
        lambda: open_backend(config.backend, config.model),
        outlets=make_outlets(config),
    )


def record_live(
    text: str,
    parent: Path,
    config: Config,
    seconds: float | None,
    on_status: Callable[[float, str], None],
    on_warning: Callable[[FerError], None] = lambda warning: None,
    on_backend: Callable[[Backend], None] = lambda backend: None,
) -> tuple[dict[str, int], Path]:
    """Records a source until seconds are over, it ends or Ctrl-C; returns the counts and the session's folder.

    on_status is called several times a second with the seconds recorded and what is going on. on_warning is called
    once for each thing that goes wrong without ending the recording: an outlet that fails, a disk that gets full.
    on_backend is called as recording begins, with the backend that gives its rows.
    Raises what ended it early; what was recorded until then is kept. Waits for the disk to take the last row, however
    long that lasts; Ctrl-C meanwhile is raised.
    """
    told: set[FerError] = set()

    def warn(warnings: Iterable[FerError]) -> None:
        for warning in warnings:
            if warning not in told:
                told.add(warning)
                on_warning(warning)

    session = live_session(text, config)
    session.start()
    try:
        with suppress(KeyboardInterrupt):
            _record(session, parent, seconds, on_status, warn, on_backend)
    finally:
        recorder = session.recorder
        session.stop()
        if recorder is not None and not recorder.is_over.is_set():
            on_warning(RecordError(f"The disk of '{parent}' is slow and has not got all rows yet.", "Ctrl-C gives up."))
            while not recorder.is_over.wait(_TICK_S):
                continue
        warn(() if recorder is None else recorder.warnings)
    if recorder is not None and recorder.error is not None:
        raise recorder.error
    if recorder is None or recorder.folder is None:
        raise SourceError(f"'{session.name}' gave no frame before recording was stopped.", "See that it has a picture.")
    return recorder.counts, recorder.folder


def _record(
    session: LiveSession,
    parent: Path,
    seconds: float | None,
    on_status: Callable[[float, str], None],
    warn: Callable[[Iterable[FerError]], None],
    on_backend: Callable[[Backend], None],
) -> None:
    started_at: float | None = None
    while True:
        status = session.status()
        if status.error is not None and status.state is LiveState.FAILED:
            raise status.error
        session.start_recording(parent)
        recorder, backend = session.recorder, session.backend
        if recorder is not None and backend is not None and started_at is None:
            started_at = time.monotonic()
            on_backend(backend)
        elapsed_s = 0.0 if started_at is None else time.monotonic() - started_at
        on_status(elapsed_s, _line(status))
        warn((*status.outlet_errors, *(recorder.warnings if recorder else ())))
        is_over = seconds is not None and elapsed_s >= seconds
        if is_over or status.state is LiveState.ENDED or (recorder is not None and recorder.error is not None):
            return
        time.sleep(_TICK_S)


def _line(status: LiveStatus) -> str:
    parts = (status.state.value, status.mode, f"{status.dropped} dropped", status.live_to)
    return ", ".join(part for part in parts if part)
