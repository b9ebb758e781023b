"""weights/MODEL_CARD.md, written from the cards of the weights: `python -m training.model_card`.

Its sections are those of Mitchell et al. (2019, arXiv 1810.03993). No figure of it is typed by hand.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from fer_live.console import exit_code
from fer_live.core.modelcard import ModelCard, load_card
from fer_live.errors import ModelError
from training import model_card_text as text
from training.files import replace_file
from training.metrics import wilson_interval

FILE_NAME = "MODEL_CARD.md"
_NEEDED = {
    "data": ("rows", "validation_made", "validation", "digest"),
    "training": ("epochs_done", "best_epoch", "hours", "seed", "init", "teacher", "votes", "git_revision", "versions"),
    "validation": ("accuracy", "macro_f1_ci95", "per_class", "confusion_matrix", "calibration"),
}


def render(cards: Sequence[ModelCard]) -> str:
    """The whole text for one or more cards; raises ModelError, naming card and keys, if one lacks a figure."""
    for card in cards:
        _require_figures(card)
    sections = {
        "Model details": _details(cards),
        "Intended use": _once(f"{card.intended_use}\n\n{card.limits}" for card in cards),
        "What the labels mean": text.LABELS,
        "Factors": text.FACTORS,
        "Metrics": text.METRICS,
        "Evaluation data": _once(_evaluation_data(card) for card in cards),
        "Training data": _once(_rows_trained_on(card) for card in cards) + "\n\n" + text.TRAINING_DATA,
        "Quantitative analyses": _analyses(cards),
        "Ethical considerations": text.ETHICS,
        "Caveats and recommendations": text.CAVEATS,
    }
    return "\n\n".join([text.HEAD, *(f"## {title}\n\n{section}" for title, section in sections.items())]) + "\n"


def _require_figures(card: ModelCard) -> None:
    blocks = {"data": card.data, "training": card.training, "validation": card.validation}
    missing = [f"{name}.{key}" for name, keys in _NEEDED.items() for key in keys if key not in blocks[name]]
    if missing:
        raise ModelError(
            f"The card of {card.name} has no '{missing[0]}'.",
            "Start the command that trained it again with --force: it only exports a finished run, with a whole card.",
        )


def _once(texts: Iterable[str]) -> str:
    """What the cards say, in their order, but nothing twice."""
    return "\n\n".join(dict.fromkeys(said.strip() for said in texts))


def _table(cards: Sequence[ModelCard], rows: dict[str, Callable[[ModelCard], str]]) -> str:
    """A Markdown table with a column for each card."""
    lines = ["| | " + " | ".join(card.name for card in cards) + " |", "|---" * (len(cards) + 1) + "|"]
    lines += [f"| {name} | " + " | ".join(cell(card) for card in cards) + " |" for name, cell in rows.items()]
    return "\n".join(lines)


def _details(cards: Sequence[ModelCard]) -> str:
    rows: dict[str, Callable[[ModelCard], str]] = {
        "parameters": lambda card: f"{card.parameters:,}",
        "takes": lambda card: f"{card.input.width}x{card.input.height} px, grey, 0 to 255",
        "gives": lambda card: "probabilities of " + ", ".join(card.labels),
        "started from": lambda card: _weights_of(card.training["init"], "random weights"),
        "teacher": lambda card: _weights_of(card.training["teacher"], "none"),
        "FER+ votes on Training": lambda card: "none" if card.training["votes"] is None else "in the targets",
        "seed": lambda card: str(card.training["seed"]),
        "epochs": lambda card: f"{card.training['epochs_done']}, the best is {card.training['best_epoch']}",
        "hours": lambda card: f"{card.training['hours']:.1f}",
        "temperature": lambda card: f"{card.temperature:.3f}",
        "revision of the code": lambda card: card.training["git_revision"] or "unknown",
        "versions": lambda card: ", ".join(f"{name} {number}" for name, number in card.training["versions"].items()),
    }
    return f"{_table(cards, rows)}\n\n{text.LICENCE}"


def _weights_of(digest: str | None, nothing: str) -> str:
    return nothing if digest is None else f"weights with SHA-256 {digest[:12]}"


def _evaluation_data(card: ModelCard) -> str:
    rows, unique = card.validation["n"], card.validation["without_training_duplicates"]
    said = f"Validation is {card.data['validation']}: {rows:,} faces of FER2013."
    if unique is not None:
        said += f" {rows - unique['n']:,} of them have the same pixels as a face in Training."
    if card.test is not None:
        said += f" {card.test['usage']}, {card.test['n']:,} faces, was measured after everything had been chosen."
    return f"{said} SHA-256 of all rows used: {card.data['digest'][:12]}."


def _rows_trained_on(card: ModelCard) -> str:
    drawn = ", after validation was set aside" if card.data["validation_made"] else ""
    return f"{card.data['rows']['Training']:,} faces of FER2013's Training{drawn}."


def _analyses(cards: Sequence[ModelCard]) -> str:
    parts = ["### Validation", _overall(cards, lambda card: card.validation)]
    if all(card.validation["without_training_duplicates"] for card in cards):
        parts += ["### Validation without faces that are also in Training"]
        parts += [_overall(cards, lambda card: card.validation["without_training_duplicates"])]
    if all(card.test for card in cards):
        parts += ["### PrivateTest", _overall(cards, lambda card: card.test or {})]
    parts += ["### Recall by label, validation", _table(cards, {name: _recall(name) for name in cards[0].labels})]
    for card in cards:
        parts += [f"### {card.name} by label, validation", _by_label(card)]
    reduced = [card for card in cards if "int8" in card.validation]
    if reduced:
        parts += ["### In int8, as processors run it, validation", _table(reduced, _INT8_ROWS)]
    for card in cards:
        if "chain" in card.validation:
            parts += [f"### {card.name} through the whole chain: faces found in cluttered pictures", _chain(card)]
    return "\n\n".join(parts)


def _overall(cards: Sequence[ModelCard], block: Callable[[ModelCard], dict[str, Any]]) -> str:
    rows: dict[str, Callable[[ModelCard], str]] = {
        "faces": lambda card: f"{block(card)['n']:,}",
        "accuracy": lambda card: _share(block(card)["accuracy"], block(card)["accuracy_ci95"]),
        "macro-F1": lambda card: _share(block(card)["macro_f1"], block(card)["macro_f1_ci95"]),
        "calibration error": lambda card: f"{block(card)['ece']:.1%}",
    }
    if all("calibration" in block(card) for card in cards):
        rows["calibration error, each half with the other's temperature"] = lambda card: " and ".join(
            f"{half['ece']:.1%}" for half in block(card)["calibration"]["halves"]
        )
    return _table(cards, rows)


def _share(share: float, interval: Sequence[float]) -> str:
    return f"{share:.1%} ({interval[0]:.1%} to {interval[1]:.1%})"


def _recall(label: str) -> Callable[[ModelCard], str]:
    def cell(card: ModelCard) -> str:
        matrix = card.validation["confusion_matrix"]
        row = matrix["labels"].index(label)
        hits, support = matrix["counts"][row][row], sum(matrix["counts"][row])
        return _share(hits / support, wilson_interval(hits, support)) if support else "no faces"

    return cell


def _by_label(card: ModelCard) -> str:
    """Precision, F1, and how often faces of each label (rows) are called which label (columns)."""
    matrix = card.validation["confusion_matrix"]
    head = ["label", "faces", "precision", "F1", *(f"called {name}" for name in matrix["labels"])]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for name, counts in zip(matrix["labels"], matrix["counts"], strict=True):
        figures = card.validation["per_class"][name]
        cells = [name, str(figures["support"]), f"{figures['precision']:.1%}", f"{figures['f1']:.1%}"]
        lines.append("| " + " | ".join([*cells, *map(str, counts)]) + " |")
    return "\n".join(lines)


_INT8_ROWS: dict[str, Callable[[ModelCard], str]] = {
    "faces": lambda card: f"{card.validation['int8']['n']:,}",
    "accuracy": lambda card: f"{card.validation['int8']['accuracy']:.1%}",
    "points more than float32": lambda card: f"{card.validation['int8']['accuracy_difference'] * 100:+.2f}",
    "faces called the same": lambda card: f"{card.validation['int8']['same_label']:.1%}",
    "largest difference of a probability": lambda card: f"{card.validation['int8']['largest_difference']:.3f}",
}


def _chain(card: ModelCard) -> str:
    """What `python -m training.framing --chain --json` measured: a line for each tilt of the faces."""
    head = ("tilt", "faces", "found", "accuracy of those", "the same, fed bare", "points lost ± standard error")
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for report in card.validation["chain"]:
        framed = report["variants"]["framed"]
        cells = [f"{report['tilt_deg']:.0f} degrees", f"{report['n']:,}"]
        cells += [_share(report["found"], report["found_ci95"])]
        cells += [f"{framed['accuracy']:.1%}", f"{report['accuracy_bare']:.1%}"]
        cells += [f"{framed['drop'] * 100:.1f} ± {framed['drop_se'] * 100:.1f}"]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def read_cards(folder: Path) -> list[ModelCard]:
    """The cards of all weights in a folder, by name; raises ModelError if there is none."""
    cards = [load_card(path) for path in sorted(folder.glob("*.json"))]
    if not cards:
        raise ModelError(f"There is no card of weights in '{folder}'.", "Make weights with `python -m training.fit`.")
    return cards


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training.model_card", description=f"Writes weights/{FILE_NAME}.")
    about = f"folder with the .json cards, where {FILE_NAME} goes, too (default: %(default)s)"
    parser.add_argument("--weights", type=Path, default=Path("weights"), help=about)
    return parser


def _command(arguments: argparse.Namespace) -> None:
    path = arguments.weights / FILE_NAME
    replace_file(path, render(read_cards(arguments.weights)).encode())
    print(f"written: {path}")


def main(argv: list[str] | None = None) -> int:
    """Returns 0, or 2 after one sentence on standard error."""
    arguments = _parser().parse_args(argv)
    return exit_code(lambda: _command(arguments))


if __name__ == "__main__":
    sys.exit(main())
