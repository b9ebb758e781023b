"""Other languages: a Qt translator that reads a JSON catalogue beside this module."""

from __future__ import annotations

import json
from importlib import resources

from PyQt6.QtCore import QCoreApplication, QLocale, QTranslator


class Catalogue(QTranslator):
    """Translates by the English text alone. Texts that are missing stay English."""

    def __init__(self, texts: dict[str, str]) -> None:
        super().__init__()
        self._texts = texts

    def translate(self, context: str | None, source: str | None, disambiguation: str | None = None, n: int = -1) -> str:
        """See QTranslator.translate."""
        return self._texts.get(source or "", "")

    def isEmpty(self) -> bool:
        """See QTranslator.isEmpty."""
        return not self._texts


def load_catalogue(language: str) -> Catalogue | None:
    """The catalogue of a language such as 'de', or None if there is none."""
    file = resources.files("fer_live.ui") / "translations" / f"{language}.json"
    return Catalogue(json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else None


def install_translation() -> Catalogue | None:
    """Installs the catalogue of the system's language; the caller keeps it alive."""
    catalogue = load_catalogue(QLocale.system().name().split("_")[0])
    if catalogue is not None:
        QCoreApplication.installTranslator(catalogue)
    return catalogue
