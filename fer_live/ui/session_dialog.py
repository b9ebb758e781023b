"""What the next recordings hold, and what is said of them."""

from __future__ import annotations

from PyQt6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from fer_live.config import RecordingConfig
from fer_live.record.notes import Notes

_LINES = 3


class SessionDialog(QDialog):
    """Edits Notes and RecordingConfig; both are as accepted last."""

    def __init__(self, notes: Notes, settings: RecordingConfig, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Session"))
        self.notes, self.settings = notes, settings
        explanation = QLabel(self.tr("This holds for recordings that begin from now on, until the window is closed."))
        explanation.setWordWrap(True)
        self._consent = self._text(
            self.tr("Consent"), self.tr("Who agreed to what, and when; written into session.json"), notes.consent
        )
        self._note = self._text(
            self.tr("Note"), self.tr("Such as the participant's code; written into session.json"), notes.note
        )
        self._video = QCheckBox(self.tr("Record the picture as well"))
        self._video.setToolTip(self.tr("Writes video.mp4; without it, only rows are kept"))
        self._video.setChecked(settings.video)
        self._blur = QCheckBox(self.tr("Make faces in it unrecognizable"))
        self._blur.setToolTip(self.tr("Blurs every face that is found"))
        self._blur.setChecked(settings.blur_faces)
        self._blur.setEnabled(settings.video)
        self._video.toggled.connect(self._blur.setEnabled)
        form = QFormLayout()
        form.addRow(self.tr("Consent"), self._consent)
        form.addRow(self.tr("Note"), self._note)
        form.addRow(self._video)
        form.addRow(self._blur)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(explanation)
        layout.addLayout(form)
        layout.addWidget(buttons)

    def accept(self) -> None:
        """Takes over what was entered."""
        self.notes = Notes(self._consent.toPlainText().strip(), self._note.toPlainText().strip())
        changes = {"video": self._video.isChecked(), "blur_faces": self._blur.isChecked()}
        self.settings = self.settings.model_copy(update=changes)
        super().accept()

    def _text(self, name: str, tip: str, text: str) -> QPlainTextEdit:
        editor = QPlainTextEdit(text)
        editor.setAccessibleName(name)
        editor.setToolTip(tip)
        editor.setPlaceholderText(tip)
        editor.setTabChangesFocus(True)
        editor.setFixedHeight((_LINES + 1) * editor.fontMetrics().lineSpacing())
        return editor
