"""The row above a reviewed session: what it is, how it ended, and what can be done with it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from fer_live.record.session import State
from fer_live.review.reading import Session
from fer_live.ui.banner import COLOURS, Tone
from fer_live.ui.clock import clock_text
from fer_live.ui.elided_label import ElidedLabel
from fer_live.ui.face_panel import enlarge

_TITLE_SCALE = 1.25


class ReviewHead(QWidget):
    """face_picked(int): by id. The other signals are the buttons'."""

    face_picked = pyqtSignal(int)
    report_wanted = pyqtSignal()
    delete_wanted = pyqtSignal()
    close_wanted = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        # Copies and dates differ at the end.
        self._title = ElidedLabel(Qt.TextElideMode.ElideMiddle)
        self._facts, self._badge, self._why = QLabel(), QLabel(), QLabel()
        enlarge(self._title, _TITLE_SCALE)
        self._why.setWordWrap(True)
        background, foreground = COLOURS[Tone.WARNING]
        self._badge.setStyleSheet(f"background: {background}; color: {foreground}; padding: 2px 8px;")
        self._faces = QComboBox()
        # The mouse must not take the single keys from the window.
        self._faces.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._faces.setAccessibleName(self.tr("Face"))
        self._faces.setToolTip(self.tr("Which face is shown ([ and ])"))
        self._faces.activated.connect(lambda index: self.face_picked.emit(self._faces.itemData(index)))
        upper, lower = QHBoxLayout(), QHBoxLayout()
        upper.addWidget(self._title, stretch=1)
        upper.addWidget(self._facts)
        upper.addWidget(self._faces)
        for title, tip, signal in (
            (self.tr("Report"), self.tr("Writes the session's report and opens it"), self.report_wanted),
            (self.tr("Delete…"), self.tr("Deletes the session, after a question"), self.delete_wanted),
            (self.tr("Close"), self.tr("Back to the live picture (Esc)"), self.close_wanted),
        ):
            button = QPushButton(title)
            button.setToolTip(tip)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.clicked.connect(signal)
            upper.addWidget(button)
        lower.addWidget(self._badge)
        lower.addWidget(self._why, stretch=1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(upper)
        column.addLayout(lower)

    def show_session(self, session: Session, length_s: float, faces: Sequence[int]) -> None:
        """faces: those to choose from, by id."""
        self._title.setText(session.folder.name)
        counts = session.facts.get("counts", {})
        seen = self.tr("1 face") if len(faces) == 1 else self.tr("{count} faces").format(count=len(faces))
        parts = [clock_text(length_s, decimals=0), seen]
        if counts.get("frames_captured"):
            share = 100 * counts.get("frames_dropped", 0) / counts["frames_captured"]
            parts.append(self.tr("{percent:.1f} % dropped").format(percent=share))
        self._facts.setText(" · ".join(parts))
        notes = [str(session.facts[name]) for name in ("note", "consent") if session.facts.get(name)]
        for label in (self._title, self._facts):
            label.setToolTip("".join(f"<p>{escape(text)}</p>" for text in (str(session.folder), *notes)))
        self._faces.clear()
        for face_id in faces:
            self._faces.addItem(self.tr("Face {id}").format(id=face_id), face_id)
        self._faces.setEnabled(bool(faces))
        title, why = self._ending(session.facts.get("state"))
        self._badge.setText(title)
        self._why.setText(why)
        for label in (self._badge, self._why):
            label.setVisible(bool(title))

    def show_face(self, face_id: int) -> None:
        """Chooses a face in the list."""
        self._faces.setCurrentIndex(self._faces.findData(face_id))

    def _ending(self, state: str | None) -> tuple[str, str]:
        """What to say of a session that did not end as it should, and why that matters; '' if it did."""
        return {
            State.RECOVERED: (
                self.tr("recovered"),
                self.tr("The program or the computer stopped during this recording. Its last second may be missing."),
            ),
            State.RECORDING: (
                self.tr("still recording"),
                self.tr("This session is still being written; what came after it was opened is not shown."),
            ),
            State.INTERRUPTED: (self.tr("interrupted"), self.tr("This session was ended early by the user.")),
            State.FAILED: (self.tr("failed"), self.tr("An error ended this session early; what is here is whole.")),
        }.get(State(state) if state in set(State) else State.CLOSED, ("", ""))
