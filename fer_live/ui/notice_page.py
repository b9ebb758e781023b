"""The first start's notice."""

from __future__ import annotations

from PyQt6.QtCore import pyqtSignal

from fer_live import ethics
from fer_live.backends.registry import find_weights
from fer_live.core.modelcard import ModelCard, card_path, load_card
from fer_live.errors import ModelError
from fer_live.ui.pages import Page
from fer_live.ui.translation import label_word


class NoticePage(Page):
    """Shown once, before a camera is opened for the first time. model: see find_weights."""

    accepted = pyqtSignal()

    def __init__(self, model: str) -> None:
        super().__init__()
        card = _card(model)
        cards = () if card is None else (card.model_dump(mode="json"),)
        self.write(
            self.tr("Before you start"),
            "\n\n".join(ethics.notice(*cards, tr=self.tr, word=label_word)),
        )
        button = self.add_button(self.tr("I understand"), self.tr("Go on; this is shown only once"))
        button.clicked.connect(self.accepted)


def _card(model: str) -> ModelCard | None:
    try:
        return load_card(card_path(find_weights(model)))
    except ModelError:
        return None  # The start that follows says what is wrong with it.
