"""Every word of the window can be translated, and German is complete."""

from __future__ import annotations

import ast
import json
import string
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel
from PyQt6.QtCore import QCoreApplication
from PyQt6.QtWidgets import QPushButton, QTableWidget, QTabWidget

from fer_live import ui
from fer_live.config import Config
from fer_live.core.labels import UNCERTAIN
from fer_live.core.modelcard import FER2013_LABELS
from fer_live.ethics import NOTICE
from fer_live.ui.settings_dialog import SettingsDialog
from fer_live.ui.translation import install_translation, label_word, load_catalogue
from tests.gui.conftest import Stage, assert_nothing_clipped, visible_text
from tests.unit.review.conftest import face, mark, result, session_in

_FOLDER = Path(ui.__file__).parent


def _literals() -> Iterator[str]:
    """What is said through self.tr or _tr in fer_live/ui."""
    for path in _FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args or not isinstance(node.args[0], ast.Constant):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in ("tr", "_tr"):
                yield node.args[0].value


def _settings(model: type[BaseModel]) -> Iterator[str]:
    """Names and descriptions of the settings, which the dialog translates."""
    for name, field in model.model_fields.items():
        yield name.replace("_", " ")
        if isinstance(field.default, BaseModel):
            yield from _settings(type(field.default))
        else:
            yield field.description or ""


_TEXTS = {*_literals(), *_settings(Config), *NOTICE}
_CATALOGUES = sorted((_FOLDER / "translations").glob("*.json"))


def _fields(text: str) -> list[str]:
    return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name is not None)


def test_texts_are_found() -> None:
    assert len(_TEXTS) > 80
    assert {"Before you start", "uncertain", "min score"} <= _TEXTS


@pytest.mark.parametrize("path", _CATALOGUES, ids=lambda path: path.stem)
def test_catalogue_is_complete_and_fills_in_the_same(path: Path) -> None:
    texts = json.loads(path.read_text(encoding="utf-8"))
    assert set(texts) == _TEXTS
    assert all(texts.values())
    assert {source for source, text in texts.items() if _fields(source) != _fields(text)} == set()


def test_there_is_a_second_language() -> None:
    assert [path.stem for path in _CATALOGUES] == ["de"]


@pytest.fixture
def german(qapp: QCoreApplication) -> Iterator[None]:
    translators = install_translation("de")
    assert translators
    yield
    for translator in translators:
        qapp.removeTranslator(translator)


def test_window_speaks_german(german: None, stage: Stage) -> None:
    stage.settings.setValue("notice_seen", False)
    window = stage.open()
    assert "Bevor es losgeht" in visible_text(window)
    assert_nothing_clipped(window)
    (button,) = (each for each in window.findChildren(QPushButton) if each.text() == "Verstanden")
    button.click()
    stage.wait(lambda: "ausgelassen" in visible_text(window))
    stage.wait(lambda: "Gesicht 1" in visible_text(window))
    assert any(label_word(label) in visible_text(window) for label in (*FER2013_LABELS, UNCERTAIN))
    assert_nothing_clipped(window)
    assert {action.text() for action in window.toolbar.actions()} >= {"Stopp", "Aufnehmen", "Standbild", "Spiegeln"}


def test_keys_are_those_of_a_german_keyboard(german: None, stage: Stage) -> None:
    stage.cameras.clear()
    window = stage.open()
    window.show_keys()
    assert "Strg+O: ein Video öffnen" in visible_text(window)
    assert "Ctrl" not in visible_text(window)
    assert "(Strg+O)" in window.welcome.findChildren(QPushButton)[1].toolTip()


def test_review_speaks_german_and_fits(german: None, stage: Stage, tmp_path: Path) -> None:
    folder = session_in(tmp_path, result(0, 0.0, face()), result(1, 1.0, face()), name="Sitzung " + 9 * "mit Umlauten ")
    mark(folder, (0.5, "Übung"))
    window = stage.open("0")
    window.reviewing.show_session(folder)
    assert "Bericht" in visible_text(window)
    (table,) = window.findChildren(QTableWidget)
    assert [table.item(0, column).text() for column in range(3)] == ["0:00.500", "Übung", "Taste"]
    assert window.minimumSizeHint().width() <= 900
    assert_nothing_clipped(window)


def test_settings_speak_german(german: None, stage: Stage) -> None:
    dialog = SettingsDialog(Config())
    dialog.show()
    text = visible_text(dialog)
    assert "Aufnahmeordner" in text
    assert "Abbrechen" in text
    (tabs,) = dialog.findChildren(QTabWidget)
    assert [tabs.tabText(index) for index in (1, tabs.count() - 1)] == ["Kamera", "Live-Ausgabe"]
    assert_nothing_clipped(dialog)
    dialog.close()


def test_language_without_a_catalogue_is_english(qapp: QCoreApplication) -> None:
    assert load_catalogue("xx") is None
    assert install_translation("xx") == []
    assert label_word("happy") == "Happy"


def test_labels_have_words() -> None:
    assert [label_word(label) for label in FER2013_LABELS] == [label.capitalize() for label in FER2013_LABELS]
    assert label_word(UNCERTAIN) == "uncertain"
    assert label_word("contempt") == "Contempt"


def test_missing_text_stays_english(german: None) -> None:
    assert QCoreApplication.translate("any", "Not in the catalogue") == "Not in the catalogue"
