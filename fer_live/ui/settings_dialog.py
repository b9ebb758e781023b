"""All settings, as a form made from their definitions."""

from __future__ import annotations

from typing import Any

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from PyQt6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFormLayout,
    QGroupBox,
    QLineEdit,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from fer_live.backends.registry import BACKENDS, shipped_models
from fer_live.config import Config

_STEP = 0.01


class SettingsDialog(QDialog):
    """Edits a Config; ranges, defaults and descriptions are the config's own."""

    def __init__(self, config: Config, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Settings"))
        self._editors: dict[tuple[str, ...], QWidget] = {}
        layout = QVBoxLayout(self)
        top = QFormLayout()
        layout.addLayout(top)
        for name, field in Config.model_fields.items():
            value = getattr(config, name)
            if isinstance(value, BaseModel):
                group = QGroupBox(name.capitalize())
                form = QFormLayout(group)
                for inner, inner_field in type(value).model_fields.items():
                    self._add(form, (name, inner), inner_field, getattr(value, inner))
                layout.addWidget(group)
            else:
                self._add(top, (name,), field, value)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout.addWidget(buttons)

    def config(self) -> Config:
        """The settings as edited."""
        values: dict[str, Any] = {}
        for path, editor in self._editors.items():
            place = values if len(path) == 1 else values.setdefault(path[0], {})
            place[path[-1]] = _value_of(editor)
        return Config.model_validate(values)

    def _add(self, form: QFormLayout, path: tuple[str, ...], field: FieldInfo, value: Any) -> None:
        editor = _editor(path, field, value)
        editor.setToolTip(field.description or "")
        editor.setAccessibleName(" ".join(path))
        self._editors[path] = editor
        form.addRow(self.tr(path[-1].replace("_", " ")), editor)


def _editor(path: tuple[str, ...], field: FieldInfo, value: Any) -> QWidget:
    if path in (("model",), ("backend",)):
        editor = QComboBox()
        choices = shipped_models() if path == ("model",) else ["auto", *BACKENDS]
        editor.addItems(choices if value in choices else [*choices, value])
        editor.setCurrentText(value)
        return editor
    if isinstance(value, str):
        return QLineEdit(value)
    low, high = _limits(field)
    if isinstance(value, int):
        spin = QSpinBox()
        spin.setRange(int(low), int(high))
        spin.setValue(value)
        return spin
    number = QDoubleSpinBox()
    number.setDecimals(2)
    number.setRange(low, high)
    number.setSingleStep(_STEP if high <= 1 else 1.0)
    number.setValue(value)
    return number


def _limits(field: FieldInfo) -> tuple[float, float]:
    low, high = 0.0, 1e6
    for bound in field.metadata:
        if isinstance(bound, Ge):
            low = float(bound.ge)  # type: ignore[arg-type]
        elif isinstance(bound, Gt):
            low = float(bound.gt) + _STEP  # type: ignore[arg-type]
        elif isinstance(bound, Le):
            high = float(bound.le)  # type: ignore[arg-type]
        elif isinstance(bound, Lt):
            high = float(bound.lt) - _STEP  # type: ignore[arg-type]
    return low, high


def _value_of(editor: QWidget) -> Any:
    if isinstance(editor, QComboBox):
        return editor.currentText()
    if isinstance(editor, QLineEdit):
        return editor.text()
    assert isinstance(editor, QSpinBox | QDoubleSpinBox)
    return editor.value()
