"""Other languages: a Qt translator that reads a JSON catalogue beside this module."""

from __future__ import annotations

import json
from importlib import resources

from PyQt6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QTranslator

from fer_live.core.labels import UNCERTAIN, Reason
from fer_live.core.overlay import english


class Catalogue(QTranslator):
    """Translates by the English text alone. Texts that are missing stay English."""

    def __init__(self, texts: dict[str, str]) -> None:
        super().__init__()
        self._texts = texts

    def translate(  # type: ignore[override]
        self, context: str | None, source: str | None, disambiguation: str | None = None, n: int = -1
    ) -> str | None:
        """See QTranslator.translate. None, which PyQt's types do not know, passes a text on; '' would replace it."""
        return self._texts.get(source or "")

    def isEmpty(self) -> bool:
        """See QTranslator.isEmpty."""
        return not self._texts


def load_catalogue(language: str) -> Catalogue | None:
    """The catalogue of a language such as 'de', or None if there is none."""
    file = resources.files("fer_live.ui") / "translations" / f"{language}.json"
    return Catalogue(json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else None


def install_translation(language: str) -> list[QTranslator]:
    """Installs the catalogue of a language and Qt's own for the buttons of dialogs; the caller keeps them alive."""
    catalogue, dialogs = load_catalogue(language), QTranslator()
    if catalogue is None:
        return []
    dialogs.load(f"qtbase_{language}", QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath))
    for translator in (dialogs, catalogue):
        QCoreApplication.installTranslator(translator)
    return [dialogs, catalogue]


def system_language() -> str:
    """Such as 'de'."""
    return QLocale.system().name().split("_")[0]


def label_word(label: str) -> str:
    """A label of FER2013, UNCERTAIN or a Reason in the user's language; other labels as they are."""
    words: dict[str, str] = {
        "angry": _tr("Angry"),
        "disgust": _tr("Disgust"),
        "fear": _tr("Fear"),
        "happy": _tr("Happy"),
        "sad": _tr("Sad"),
        "surprise": _tr("Surprise"),
        "neutral": _tr("Neutral"),
        UNCERTAIN: _tr("uncertain"),
        Reason.TOO_SMALL: _tr("too small"),
        Reason.TURNED: _tr("turned away"),
        Reason.BLURRED: _tr("blurred"),
    }
    return words.get(label, english(label))


def origin_word(origin: str) -> str:
    """How a marker came in, in the user's language; names of protocols as they are written."""
    words = {
        "key": _tr("key"),
        "text": _tr("typed"),
        "review": _tr("in review"),
        "lsl": "LSL",
        "osc": "OSC",
        "websocket": "WebSocket",
    }
    return words.get(origin, origin)


def _tr(text: str) -> str:
    return QCoreApplication.translate("labels", text)
