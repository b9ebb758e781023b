"""What everyone must know who uses FER Live on people: the first start, docs/ethics.md and each report say it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fer_live.core.overlay import english

WHAT = (
    "FER Live looks for faces in the picture of a camera, a video or a photograph and names the expression that each "
    "of them shows."
)
NOT_A_FEELING = (
    "An expression is not a feeling: people smile when they are sad and look angry when they think. Do not decide "
    "about anyone on these grounds."
)
HOW_OFTEN_WRONG = (
    "The labels are guesses. On {faces} pictures of faces that it had not been trained on, the network {network} said "
    "something else than people had said for {wrong} in 100, and for {missed} in 100 of those that people had called "
    "'{label}'. Expect more errors with your camera, and with some people more than with others."
)
NOT_MEASURED = "The labels are guesses. How often the network {network} is wrong has not been measured."
PRIVACY = (
    "Nothing leaves this computer, and no picture is kept, unless you ask for it. Tell the people in front of the "
    "camera what you do, and ask them first."
)
LAW = (
    "In the European Union it is prohibited to infer the emotions of people at work or in education, except for "
    "medical or safety reasons (AI Act, Regulation (EU) 2024/1689, Article 5(1)(f)). Elsewhere, people who are exposed "
    "to such a system must be told that it is in use (Article 50(3))."
)
NOTICE = (WHAT, NOT_A_FEELING, HOW_OFTEN_WRONG, NOT_MEASURED, PRIVACY, LAW)
"""All texts that a translation needs."""


def notice(
    *cards: Mapping[str, Any], tr: Callable[[str], str] = str, word: Callable[[str], str] = english
) -> tuple[str, ...]:
    """The notice as paragraphs. cards: model cards, as JSON, of the networks in use; tr, word: translate."""
    errors = dict.fromkeys(_how_often_wrong(card, tr, word) for card in cards)
    return (tr(WHAT), tr(NOT_A_FEELING), *errors, tr(PRIVACY), tr(LAW))


def measured(card: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The most honest figures of a model card: of faces that it was not trained on and, if there are any, that chose
    nothing; with keys n, accuracy and per_class (label to recall and precision). None if there are none.
    """
    metrics = card.get("test") or card.get("validation") or {}
    fair = metrics.get("without_training_duplicates", metrics)
    return fair if "per_class" in fair else None


def _how_often_wrong(card: Mapping[str, Any], tr: Callable[[str], str], word: Callable[[str], str]) -> str:
    figures = measured(card)
    if figures is None:
        return tr(NOT_MEASURED).format(network=card["name"])
    recall = {label: of_label["recall"] for label, of_label in figures["per_class"].items()}
    worst = min(recall, key=recall.__getitem__)
    return tr(HOW_OFTEN_WRONG).format(
        faces=figures["n"],
        network=card["name"],
        wrong=round(100 * (1 - figures["accuracy"])),
        missed=round(100 * (1 - recall[worst])),
        label=word(worst),
    )
