"""Puts the files of a finished run in place of the weights in use, unless those are better."""

from __future__ import annotations

from pathlib import Path

from tqdm import tqdm

from fer_live.core.modelcard import ModelCard, load_card, load_verified_card
from fer_live.errors import ModelError, TrainingError
from training.files import replace_file


def promote(run: Path, card: ModelCard, out: Path, force: bool) -> None:
    """Copies a run's files into a folder, card last, so that a half-done copy never passes for whole weights.

    Raises TrainingError, naming where the new weights lie, if the card in the folder has a validation
    accuracy that is at least as high, unless forced; and if a file cannot be written.
    """
    if not force and _is_in_place(card, out):
        tqdm.write(f"'{out}' holds these weights already")
        return
    if not force:
        _refuse_worse(run, card, out)
    hint = f"The new weights lie in '{run}'. Make room in '{out}' and start again."
    for name in (*card.files, f"{card.name}.json"):
        replace_file(out / name, (run / name).read_bytes(), hint)
    tqdm.write(f"new weights in '{out}': {', '.join(card.files)}")


def _is_in_place(card: ModelCard, out: Path) -> bool:
    try:
        # There may be more: an int8 network made of these weights.
        return all(card.files.items() <= load_verified_card(out / name).files.items() for name in card.files)
    except ModelError:
        return False


def _refuse_worse(run: Path, card: ModelCard, out: Path) -> None:
    kept_path = out / f"{card.name}.json"
    if not kept_path.is_file():
        return
    hint = f"The new ones lie in '{run}'; --force puts them in place all the same."
    try:
        kept = load_card(kept_path)
        before, after = float(kept.validation["accuracy"]), float(card.validation["accuracy"])
    except (ModelError, KeyError, TypeError, ValueError) as error:
        raise TrainingError(
            f"'{kept_path}' does not say how good its weights are ({error}).", hint
        ) from error
    other = "" if kept.data.get("digest") == card.data["digest"] else ", measured on another copy of the data"
    if before >= after:
        figures = f"their validation accuracy is {before:.4f}{other}, that of the new ones {after:.4f}"
        raise TrainingError(f"The {card.name} weights in '{out}' stay: {figures}.", hint)
    tqdm.write(f"validation accuracy {after:.4f} replaces {before:.4f}{other}")
