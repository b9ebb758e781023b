"""Settings, as the user changes and keeps them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pydantic import BaseModel
from PyQt6.QtCore import QObject, pyqtSignal
from PyQt6.QtWidgets import QDialog, QWidget

from fer_live.config import Config, load_config, make_config, save_config
from fer_live.errors import ConfigError
from fer_live.ui.banner import Banner, Tone, Until

_AT_ONCE = ("record_dir", "recording", "markers")
"""What a running session asks for when it needs it."""


class Configuring(QObject):
    """config: gives the settings as they are now. path: the file that they are saved to, the default one if None.

    changed(Config): the user has changed them. restart_wanted(): what runs was started with others.
    """

    changed = pyqtSignal(object)
    restart_wanted = pyqtSignal()

    def __init__(self, banner: Banner, config: Callable[[], Config], path: Path | None, window: QWidget) -> None:
        super().__init__(window)
        self._banner, self._config, self._path, self._window = banner, config, path, window

    def edit(self) -> None:
        """Asks for the settings, and saves those that were changed."""
        from fer_live.ui.settings_dialog import SettingsDialog

        before = self._config()
        dialog = SettingsDialog(before, self._window)
        if dialog.exec() != QDialog.DialogCode.Accepted or dialog.config == before:
            return
        self.changed.emit(dialog.config)
        try:
            # Not all of them: some are of the command line or of the session dialog, for this time only.
            save_config(_with_changes(load_config(self._path), before, dialog.config), self._path)
        except ConfigError as error:
            self._banner.show_message(str(error), Tone.ERROR, Until.CLOSED)
        else:
            if _without_those_at_once(before) != _without_those_at_once(dialog.config):
                self.restart_wanted.emit()


def _with_changes(saved: Config, before: Config, after: Config) -> Config:
    """What is saved, with each setting that differs between two others; raises ConfigError if these do not fit."""
    values = saved.model_dump()
    for name, value in after:
        old = getattr(before, name)
        if isinstance(value, BaseModel):
            values[name] |= {inner: new for inner, new in value if new != getattr(old, inner)}
        elif value != old:
            values[name] = value
    return make_config(values)


def _without_those_at_once(config: Config) -> dict[str, object]:
    return config.model_dump(exclude=set(_AT_ONCE))
