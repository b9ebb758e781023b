from __future__ import annotations

from pathlib import Path

import pytest

from fer_live.backends.registry import find_weights
from fer_live.config import Config
from fer_live.core.modelcard import card_path, load_card
from fer_live.ethics import LAW, NOTICE, measured, notice

PAGE = Path(__file__).parents[2] / "docs" / "ethics.md"
CARD = {
    "name": "tiny",
    "validation": {
        "n": 200,
        "accuracy": 0.625,
        "per_class": {"happy": {"recall": 0.9, "precision": 0.8}, "fear": {"recall": 0.21, "precision": 0.5}},
    },
}


def test_page_begins_with_the_notice_on_the_network_that_runs_by_default() -> None:
    card = load_card(card_path(find_weights(Config().model))).model_dump(mode="json")
    paragraphs = PAGE.read_text(encoding="utf-8").split("\n\n")
    assert paragraphs[0] == "# Ethics"
    assert tuple(" ".join(each.split()) for each in paragraphs[1:6]) == notice(card)


def test_law_is_named() -> None:
    assert "Article 5(1)(f)" in LAW
    assert "Article 50(3)" in LAW


def test_figures_are_the_cards() -> None:
    (text,) = set(notice(CARD)) - set(NOTICE)
    assert "200 pictures" in text
    assert "38 in 100" in text
    assert "79 in 100 of those that people had called 'Fear'" in text


def test_most_honest_figures_are_taken() -> None:
    fair = {**CARD["validation"], "n": 100}
    assert measured({"validation": {**CARD["validation"], "without_training_duplicates": fair}}) is fair
    assert measured({"test": fair, "validation": CARD["validation"]}) is fair
    assert measured({"test": None, "validation": {}}) is None


def test_networks_without_figures_say_so_and_each_is_named_once() -> None:
    texts = notice(CARD, {"name": "other"}, CARD)
    assert len(texts) == 6
    assert [text for text in texts if "network other" in text] == [
        "The labels are guesses. How often the network other is wrong has not been measured."
    ]


@pytest.mark.parametrize("cards", [(), (CARD,)])
def test_notice_can_be_translated(cards: tuple[dict[str, object], ...]) -> None:
    texts = notice(*cards, tr=lambda text: text.replace("looks for faces", "sucht Gesichter"), word=str.upper)
    assert "sucht Gesichter in the picture" in texts[0]
    assert ("'FEAR'" in texts[2]) == bool(cards)
