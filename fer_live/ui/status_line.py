"""The line below: how well it keeps up, what computes, and the recording."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QLabel, QStatusBar, QWidget

from fer_live.pipeline.meters import Meter
from fer_live.pipeline.status import LiveStatus
from fer_live.ui.elided_label import ElidedLabel

if TYPE_CHECKING:
    from fer_live.core.structs import Result
    from fer_live.pipeline.live import LiveSession

_REFRESH_S = 0.5
_INDENT_PX = 8
_MODEL_TITLES = {"mobilevit_xxs": "MobileViT-XXS", "resnet18": "ResNet18"}


class StatusLine(QStatusBar):
    """Rate, age p50/p95, drops, picture, network and backend, live outlets; at the right, the time recorded.

    Its tooltip says why `auto` took no better backend.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text, self._recording = ElidedLabel(Qt.TextElideMode.ElideRight), QLabel()
        self._text.setContentsMargins(_INDENT_PX, 0, 0, 0)
        self.addWidget(self._text, 1)
        self.addPermanentWidget(self._recording)
        self._meter = Meter()
        self._refreshed_at = 0.0
        self._recording_since: float | None = None

    def text(self) -> str:
        """Everything that is shown."""
        return f"{self._text.text()} {self._recording.text()}".strip()

    def count(self, result: Result) -> None:
        """One analysed frame."""
        self._meter.add(result.finished_at, 1000 * (result.finished_at - result.captured_at))

    def show_status(self, status: LiveStatus, session: LiveSession | None) -> None:
        """Shows the state of a session; to be called often, refreshes twice a second."""
        now = time.perf_counter()
        if self._recording_since is not None:
            minutes, seconds = divmod(int(now - self._recording_since), 60)
            self._recording.setText(f"<span style='color:#D02020'>●</span> REC {minutes:02}:{seconds:02}")
        backend = None if session is None else session.backend
        if now - self._refreshed_at < _REFRESH_S or backend is None or session is None:
            return
        reading = self._meter.read(now)
        if not self._text.text() and not reading.rate_hz:
            return
        self._refreshed_at = now
        model = _MODEL_TITLES.get(backend.card.name, backend.card.name)
        parts = (
            f"{reading.rate_hz:.1f} Hz",
            self.tr("age {p50:.0f}/{p95:.0f} ms").format(p50=reading.age_p50_ms, p95=reading.age_p95_ms),
            self.tr("{count} dropped").format(count=status.dropped),
            self._picture(status),
            self.tr("{model} on {device}").format(model=model, device=backend.device),
            self.tr("live: {outlets}").format(outlets=status.live_to) if status.live_to else "",
        )
        self._text.setText(" · ".join(part for part in parts if part))
        in_use = f"{backend.name}: {self.tr('in use')}"
        self._text.setToolTip("\n".join((self._text.text(), *backend.passed_over, in_use)))

    def _picture(self, status: LiveStatus) -> str:
        if not status.asked:
            return status.mode
        return self.tr("asked {asked}, got {mode}").format(asked=status.asked, mode=status.mode)

    def show_recording(self, is_recording: bool) -> None:
        """A recording began or ended."""
        self._recording_since = time.perf_counter() if is_recording else None
        self._recording.setText("")

    def clear(self) -> None:
        """Nothing runs."""
        self._meter = Meter()
        self._refreshed_at = 0.0
        self._text.setText("")
        self._text.setToolTip("")
