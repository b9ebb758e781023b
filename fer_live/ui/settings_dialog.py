"""All settings, as a form made from their definitions."""

from __future__ import annotations

from typing import Any, get_args

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from PyQt6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFormLayout,
    QLabel,
    QLineEdit,
    QSpinBox,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from fer_live.backends.registry import BACKENDS, shipped_models
from fer_live.config import Config, make_config
from fer_live.errors import ConfigError

_STEP, _DECIMALS, _DIGITS = 0.01, 3, 9


class SettingsDialog(QDialog):
    """Edits a Config; ranges, defaults and descriptions are the config's own. config: as accepted last."""

    def __init__(self, config: Config, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Settings"))
        self.config = config
        self._editors: dict[tuple[str, ...], QWidget] = {}
        self._before: dict[tuple[str, ...], tuple[Any, Any]] = {}
        layout = QVBoxLayout(self)
        self._tabs = QTabWidget()
        self._tabs.setUsesScrollButtons(False)
        self._tabs.setAccessibleName(self.tr("Settings"))
        layout.addWidget(self._tabs)
        general = self._add_tab(self.tr("General"))
        for name, field in Config.model_fields.items():
            value = getattr(config, name)
            if isinstance(value, BaseModel):
                title = self.tr(name)
                form = self._add_tab(title[:1].upper() + title[1:])
                for inner, inner_field in type(value).model_fields.items():
                    self._add(form, (name, inner), inner_field, getattr(value, inner))
            else:
                self._add(general, (name,), field, value)
        self._problem = QLabel()
        self._problem.setWordWrap(True)
        self._problem.hide()
        layout.addWidget(self._problem)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout.addWidget(buttons)

    def accept(self) -> None:
        """Closes if the settings fit together, else says what does not."""
        try:
            self.config = make_config(self._values())
        except ConfigError as error:
            self._problem.setText(str(error))
            self._problem.show()
        else:
            super().accept()

    def _values(self) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for path, editor in self._editors.items():
            place = values if len(path) == 1 else values.setdefault(path[0], {})
            shown, value = self._before[path]
            # An editor may show less than a value has, and what the user left alone stays.
            place[path[-1]] = value if _value_of(editor) == shown else _value_of(editor)
        return values

    def _add_tab(self, title: str) -> QFormLayout:
        page = QWidget()
        self._tabs.addTab(page, title)
        return QFormLayout(page)

    def _add(self, form: QFormLayout, path: tuple[str, ...], field: FieldInfo, value: Any) -> None:
        editor = _editor(path, field, value)
        title = self.tr(path[-1].replace("_", " "))
        editor.setToolTip(self.tr(field.description or ""))
        editor.setAccessibleName(title)
        self._editors[path] = editor
        self._before[path] = _value_of(editor), value
        form.addRow(title, editor)


def _editor(path: tuple[str, ...], field: FieldInfo, value: Any) -> QWidget:
    if choices := _choices(path, field):
        editor = QComboBox()
        editor.addItems(choices if value in choices else [*choices, value])
        editor.setCurrentText(value)
        return editor
    if field.annotation is str:
        return QLineEdit(value)
    if field.annotation is bool:
        box = QCheckBox()
        box.setChecked(value)
        return box
    low, high = _limits(field)
    if field.annotation is int:
        spin = QSpinBox()
        spin.setRange(int(low), int(high))
        spin.setValue(value)
        return spin
    number = _Number()
    number.setDecimals(_DECIMALS)
    number.setRange(low, high)
    number.setSingleStep(_STEP if high <= 1 else 1.0)
    number.setValue(value)
    return number


def _choices(path: tuple[str, ...], field: FieldInfo) -> list[str]:
    if path == ("model",):
        return shipped_models()
    return ["auto", *BACKENDS] if path == ("backend",) else [*get_args(field.annotation)]


class _Number(QDoubleSpinBox):
    """Shows no digit more than a number has."""

    def textFromValue(self, value: float) -> str:
        return self.locale().toString(value, "g", _DIGITS)


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
    if isinstance(editor, QCheckBox):
        return editor.isChecked()
    if isinstance(editor, QLineEdit):
        return editor.text()
    assert isinstance(editor, QSpinBox | QDoubleSpinBox)
    return editor.value()
