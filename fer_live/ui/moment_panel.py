"""One moment of a session: what its row says of a face."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QLabel, QVBoxLayout, QWidget

from fer_live.record.columns import Status
from fer_live.ui.clock import clock_text
from fer_live.ui.face_panel import ProbabilityBars, enlarge
from fer_live.ui.translation import label_word

_WIDTH_CHARS = 44
_TITLE_SCALE = 1.25


class MomentPanel(QWidget):
    """Time, all probabilities, the smoothed label, quality and size."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Values at the chosen time"))
        self.setFixedWidth(_WIDTH_CHARS * self.fontMetrics().averageCharWidth())
        self._title, self._footer = QLabel(), QLabel()
        self._footer.setWordWrap(True)
        self._footer.setAlignment(Qt.AlignmentFlag.AlignTop)
        enlarge(self._title, _TITLE_SCALE)
        self._bars = ProbabilityBars()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._title)
        layout.addWidget(self._bars)
        layout.addWidget(self._footer, stretch=1)

    def show_row(self, time_s: float, row: Mapping[str, Any] | None, labels: Sequence[str]) -> None:
        """row: one of Session.frames by column, or None where the face is not seen."""
        self._title.setText(clock_text(time_s))
        if row is None:
            self._bars.show_values(labels, [0.0] * len(labels))
            self._footer.setText(self.tr("The face is not seen here."))
            return
        self._bars.show_values(labels, [row[f"p_{label}"] for label in labels])
        lines = [
            self.tr("smoothed: {label} {percent:.0f} %").format(
                label=label_word(row["label_smoothed"]), percent=100 * row["confidence_smoothed"]
            ),
            self.tr("{width:.0f} px · frame {index}").format(width=row["w"], index=row["frame_index"]),
        ]
        if row["status"] == Status.LOW_QUALITY:
            lines.insert(0, self.tr("low quality: {reason}").format(reason=label_word(row["reason"] or "")))
        self._footer.setText("\n".join(lines))
