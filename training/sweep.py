"""Answers a classic question by training each of its answers with several seeds: `python -m training.sweep`."""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
from optuna import Study
from optuna.distributions import CategoricalDistribution
from optuna.samplers import GridSampler
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from optuna.trial import FrozenTrial, TrialState
from tqdm import tqdm

from fer_live.console import exit_code
from fer_live.core.modelcard import FER2013_LABELS
from fer_live.errors import ConfigError, TrainingError
from fer_live.files import lock
from training.config import FitConfig, recipe
from training.dataset import Fer2013, load_fer2013, require_every_class
from training.files import require_writable
from training.layouts import TRAINING, VALIDATION
from training.networks import NETWORKS, build
from training.options import add_data
from training.runs import remember_origin
from training.sweep_report import Outcome, describe, save_report
from training.train import train

STUDY_FILE = "study.journal"
_ASKED = "asked"


@dataclass(frozen=True)
class Preset:
    """A question: by the name of each answer, the settings it changes in the recipe of the network that is asked.

    model: that network, unless --model names another; None where the answers are networks themselves.
    """

    values: dict[str, dict[str, Any]]
    model: str | None


_COMPARED = (
    "fc_basic", "cnn3", "simple_cnn5", "deep_cnn", "attention_cnn", "resnet18", "vit", "mobilevit_xxs",
)  # fmt: skip

PRESETS = {
    "augmentation": Preset({"on": {"augmentation": True}, "off": {"augmentation": False}}, "resnet18"),
    "architecture": Preset({name: {"model": name} for name in _COMPARED}, None),
    "learning_rate": Preset({f"{rate:g}": {"learning_rate": rate} for rate in (1e-4, 1e-3, 1e-2)}, "simple_cnn5"),
    # At one learning rate for both, the question would be which of them that rate suits. Adam's is its authors' default
    # (Kingma & Ba 2015, arXiv 1412.6980). AdamW's decay of the recipes would be far too much as a part of the gradient.
    "optimizer": Preset(
        {
            "adam": {"optimizer": "adam", "learning_rate": 1e-3, "weight_decay": 5e-4},
            "sgd": {"optimizer": "sgd", "learning_rate": 1e-2, "weight_decay": 5e-4},
        },
        "simple_cnn5",
    ),
    "dropout": Preset({f"{share:g}": {"dropout": share} for share in (0.3, 0.5, 0.7)}, "simple_cnn5"),
}


@dataclass(frozen=True)
class Sweep:
    """What is trained: the config of each answer, by its name, once with each seed from 0 on."""

    preset: str
    configs: dict[str, FitConfig]
    seeds: int

    def each(self, setting: str) -> str:
        """What a setting is in the configs, each value named once."""
        return ", ".join(dict.fromkeys(str(getattr(config, setting)) for config in self.configs.values()))


def plan(preset: str, seeds: int, values: Sequence[str] = (), **changes: Any) -> Sweep:
    """The sweep of a preset, with changes to the recipes of its networks; values: the answers to try, all if empty.

    Raises ConfigError for what is unknown, out of range or does not go together.
    """
    question = PRESETS[preset]
    if question.model is None and "model" in changes:
        raise ConfigError(f"Preset '{preset}' compares networks, so no other can be asked.", "Leave out --model.")
    if seeds < 1:
        raise ConfigError(f"Setting 'seeds' = {seeds}: there must be at least one.", "Try --seeds 3.")
    unknown = [value for value in values if value not in question.values]
    if unknown:
        choices = ", ".join(question.values)
        raise ConfigError(f"Preset '{preset}' has no value '{unknown[0]}'.", f"Choose from: {choices}.")
    settings = {"model": question.model} | changes
    chosen = {name: change for name, change in question.values.items() if name in values or not values}
    return Sweep(preset, {name: recipe(**(settings | change)) for name, change in chosen.items()}, seeds)


def sweep(asked: Sweep, data: Fer2013, out: Path) -> None:
    """Trains what of a sweep is not finished yet, and writes the report on it after each trial.

    The study and a run's folder for each trial are in out. A trial that fails with TrainingError stays failed.
    Raises DataError, ConfigError or TrainingError, the last also for a folder with another sweep.
    """
    for usage in (TRAINING, VALIDATION):
        require_every_class(data, usage)
    for config in asked.configs.values():  # What a network refuses is to be known before hours have gone by.
        build(config.model, len(FER2013_LABELS), config.dropout)
    require_writable(out, "--out")
    grid: dict[str, Sequence[Any]] = {"value": [*asked.configs], "seed": range(asked.seeds)}
    with _journal(out) as path:
        sampler = _Grid(grid)
        study = _open_study(path, sampler)
        _require_same(study, _facts(asked, data), out)
        distributions = {name: CategoricalDistribution(choices) for name, choices in grid.items()}
        _report(study, asked, data, out)
        with tqdm(total=len(asked.configs) * asked.seeds, initial=len(_finished(study)), unit=" trials") as bar:
            while not sampler.is_exhausted(study):
                _run_trial(study, distributions, asked, data, out)
                _report(study, asked, data, out)
                bar.update()


class _Grid(GridSampler):
    """A GridSampler for ask and tell; Study.optimize notes an interrupted trial as failed, and none fails twice."""

    def after_trial(self, *_: object) -> None:
        """Does not stop Study.optimize after the last trial, which is not there to be stopped."""


@contextmanager
def _journal(out: Path) -> Iterator[Path]:
    """The study's file, held so that no other process goes on with it; failures to write it become TrainingErrors."""
    path = out / STUDY_FILE
    try:
        with path.open("ab") as file:
            if not lock(file.fileno()):
                raise TrainingError(
                    f"Another process is at work on the sweep in '{out}'.", "Wait for it, or choose another --out."
                )
            yield path
    except OSError as error:
        raise TrainingError(
            f"'{error.filename or path}' cannot be written ({error.strerror or error}).",
            "Free some space and start again.",
        ) from error


def _open_study(path: Path, sampler: GridSampler) -> Study:
    """The study in a file, or a new one. JournalFileOpenLock is what Optuna's manual advises for Windows."""
    try:
        content = path.read_bytes()
        if content and not content.endswith(b"\n"):  # Optuna would write on behind it, and read neither line again.
            raise ValueError("its last line is cut off")
        storage = JournalStorage(JournalFileBackend(str(path), JournalFileOpenLock(str(path))))
        return optuna.create_study(
            storage=storage, sampler=sampler, study_name="sweep", direction="maximize", load_if_exists=True
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise TrainingError(
            f"'{path}' is not a study that Optuna can read ({error}).",
            "Delete that file and start again: what is trained stays in the runs' folders.",
        ) from error


def _facts(asked: Sweep, data: Fer2013) -> dict[str, str]:
    """What two starts of a sweep must have in common, the most telling first."""
    recipes = {name: config.model_dump() for name, config in asked.configs.items()}
    return {
        "preset": asked.preset,
        "model": asked.each("model"),
        "values": ", ".join(asked.configs),
        "epochs": asked.each("epochs"),
        "seeds": str(asked.seeds),
        "data": data.digest(),
        "recipe": hashlib.sha256(json.dumps(recipes, sort_keys=True).encode()).hexdigest(),
    }


def _require_same(study: Study, facts: dict[str, str], out: Path) -> None:
    begun = study.user_attrs.get(_ASKED)
    if begun is None:
        study.set_user_attr(_ASKED, facts)
        return
    different = [key for key in facts if begun.get(key) != facts[key]]
    if different:
        key = different[0]
        raise TrainingError(
            f"The sweep in '{out}' has {key} {begun.get(key)}, not {facts[key]}.",
            "Choose another --out, or start it as it was begun.",
        )


def _run_trial(
    study: Study, distributions: dict[str, CategoricalDistribution], asked: Sweep, data: Fer2013, out: Path
) -> None:
    """Trains what the study wants next and tells it the best validation accuracy, or why there is none."""
    number, params = _next_trial(study, distributions)
    value, seed = params["value"], params["seed"]
    tqdm.write(f"{asked.preset} {value}, seed {seed}")
    try:
        note, accuracy = _train(asked.configs[value].model_copy(update={"seed": seed}), data, out / f"{value}-{seed}")
    except TrainingError as error:
        if isinstance(error.__cause__, OSError):  # A full disk says nothing about this value.
            raise
        tqdm.write(f"failed: {error}")
        note, accuracy = {"reason": str(error)}, None
    study.set_user_attr(_note_of(number), note)
    study.tell(number, accuracy, TrialState.FAIL if accuracy is None else TrialState.COMPLETE)


def _next_trial(study: Study, distributions: dict[str, CategoricalDistribution]) -> tuple[int, dict[str, Any]]:
    """Number and parameters of the trial that was interrupted, or else of a new one."""
    for begun in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        if begun.params.keys() == distributions.keys():
            return begun.number, begun.params
    trial = study.ask({**distributions})
    return trial.number, trial.params


def _train(config: FitConfig, data: Fer2013, run: Path) -> tuple[dict[str, Any], float]:
    """What is noted of a finished run, and its best validation accuracy."""
    require_writable(run, "--out")
    remember_origin(run, data.digest(), None)
    _, progress = train(config, data, run)
    return {"epochs": progress.epochs_done}, progress.best_accuracy


def _note_of(number: int) -> str:
    """The study's attribute about a trial: an interrupted trial that is gone on with has no setter of its own."""
    return f"trial {number}"


def _finished(study: Study) -> list[FrozenTrial]:
    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.FAIL))


def _report(study: Study, asked: Sweep, data: Fer2013, out: Path) -> None:
    """Prints the table and writes the report, once there is something to report."""
    notes = study.user_attrs
    outcomes = [
        Outcome(trial.params["value"], trial.params["seed"], trial.value, **notes[_note_of(trial.number)])
        for trial in _finished(study)
    ]
    if outcomes:
        title = f"{asked.preset}: {asked.each('model')}; epochs: {asked.each('epochs')}; seeds: {asked.seeds}"
        rows = len(data.split(VALIDATION))
        tqdm.write(describe([*asked.configs], outcomes, rows))
        save_report(out, title, [*asked.configs], outcomes, rows)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.sweep",
        description="Trains a network with each answer to a classic question and compares validation accuracy. "
        "The same command goes on where it was stopped.",
    )
    add = parser.add_argument
    add("preset", choices=PRESETS, metavar="PRESET", help=f"the question: {', '.join(PRESETS)}")
    add_data(parser, "FER2013, as fit reads it")
    add("--model", choices=sorted(NETWORKS), help="network that is asked (default: the preset's)")
    add("--epochs", type=int, help="passes over Training, at most (default: the network's recipe)")
    add("--seeds", type=int, default=3, metavar="N", help="how often each value is trained (default: %(default)s)")
    add("--values", nargs="+", default=[], metavar="VALUE", help="some of the preset's values (default: all)")
    add("--out", type=Path, required=True, metavar="DIR", help="folder of the study, its runs and its results")
    return parser


def _command(arguments: argparse.Namespace) -> None:
    given = vars(arguments)
    changes = {key: given[key] for key in ("model", "epochs") if given[key] is not None}
    asked = plan(arguments.preset, arguments.seeds, arguments.values, **changes)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sweep(asked, load_fer2013(arguments.data), arguments.out)


def main(argv: list[str] | None = None) -> int:
    """Returns 0, 2 after one sentence on standard error, or 130 after Ctrl-C."""
    arguments = _parser().parse_args(argv)
    return exit_code(lambda: _command(arguments))


if __name__ == "__main__":
    sys.exit(main())
