"""Trains a network on FER2013 and puts its weights in place: `python -m training.fit`."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from fer_live.console import exit_code
from fer_live.errors import TrainingError
from training import checkpoint
from training.checkpoint import Progress
from training.config import FitConfig, recipe
from training.dataset import Fer2013, Split, load_fer2013, require_every_class
from training.export import export_run
from training.files import require_writable
from training.layouts import SPEC, TRAINING, VALIDATION
from training.loop import Learner, predict_logits, steps_per_epoch, train_one_epoch
from training.networks import NETWORKS
from training.promote import promote
from training.runs import remember_origin, start_or_resume
from training.teacher import taught_targets

_STEPS_TO_ESTIMATE = 20
_DRY_RUN_VALIDATION = 64
_OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "not enough memory")


def train(
    config: FitConfig, data: Fer2013, run: Path, init: Path | None = None, teacher: Path | None = None
) -> tuple[Learner, Progress]:
    """Trains to the end of a run, from its checkpoint if there is one, with one checkpoint an epoch."""
    learner, progress = start_or_resume(config, run, init)
    rows = data.split(TRAINING)
    images = torch.from_numpy(rows.images)[:, None].to(learner.device)
    labels = rows.labels if teacher is None else taught_targets(rows, teacher, config, run)
    targets = torch.from_numpy(labels).to(learner.device)
    steps = steps_per_epoch(len(rows), config.batch_size)
    steps_to_announce = _STEPS_TO_ESTIMATE
    while not progress.is_finished(learner.config):
        started = time.perf_counter()
        left = config.epochs - progress.epochs_done
        with tqdm(
            total=steps, desc=f"Epoch {progress.epochs_done + 1}/{config.epochs}", unit=" steps"
        ) as bar:
            on_step = _ticker(bar, left, steps_to_announce)
            loss = train_one_epoch(learner, images, targets, progress.epochs_done, on_step)
        accuracy = validation_accuracy(learner, data.split(VALIDATION))
        progress.record(loss, accuracy, time.perf_counter() - started, learner.average.module.state_dict())
        checkpoint.save_checkpoint(run, learner, progress)
        tqdm.write(f"epoch {progress.epochs_done}: loss {loss:.4f}, validation accuracy {accuracy:.4f}")
        steps_to_announce = 0
    return learner, progress


def _ticker(bar: tqdm[None], epochs_left: int, steps_to_announce: int) -> Callable[[int], None]:
    """Moves the bar; after so many steps it says once how long the rest of the run will take."""

    def on_step(step: int) -> None:
        bar.update()
        if step + 1 == steps_to_announce:
            seconds = bar.format_dict["elapsed"] / steps_to_announce * bar.total * epochs_left
            tqdm.write(f"expected duration: at most {seconds / 60:.0f} min for {epochs_left} epochs")

    return on_step


def validation_accuracy(learner: Learner, rows: Split) -> float:
    """Share of rows that the averaged weights label as the data set does."""
    logits = predict_logits(learner.average.module, rows.images, SPEC)
    return float((logits.argmax(axis=1) == rows.labels).mean())


def fit(
    config: FitConfig,
    data: Fer2013,
    run: Path,
    out: Path,
    init: Path | None = None,
    teacher: Path | None = None,
    force: bool = False,
    finish: bool = False,
) -> None:
    """Trains, exports into the run's folder, and promotes into out; a finished run is only exported.

    finish: takes the best epoch so far instead of training on.
    Raises DataError, ModelError or TrainingError; what was finished until then stays in the run's folder.
    """
    for usage in (TRAINING, VALIDATION):
        require_every_class(data, usage)
    require_writable(run, "--run")
    require_writable(out, "--out")
    origin = remember_origin(run, data.digest(), init, teacher)
    with _advice_on_memory(config.batch_size):
        learner, progress = start_or_resume(config, run, init) if finish else train(config, data, run, init, teacher)
    if progress.epochs_done == 0:
        raise TrainingError(f"The run in '{run}' has no finished epoch.", "Start it without --finish.")
    card = export_run(run, learner.config, progress, data, origin)
    promote(run, card, out, force)


@contextmanager
def _advice_on_memory(batch_size: int) -> Iterator[None]:
    """Turns a failed allocation into a TrainingError; torch tells it from other errors by its text alone."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not isinstance(error, MemoryError) and not any(
            part in str(error).lower() for part in _OUT_OF_MEMORY
        ):
            raise
        raise TrainingError(
            f"A batch of {batch_size} faces does not fit into memory.",
            f"Try --batch-size {max(2, batch_size // 2)} with a new --run.",
        ) from error


def dry_run(config: FitConfig, data: Fer2013, init: Path | None, teacher: Path | None = None) -> None:
    """One batch of everything, export and promotion included, in a folder that is then removed."""
    counts = {TRAINING: config.batch_size, VALIDATION: _DRY_RUN_VALIDATION}
    few = {usage: _spread(data, usage, count) for usage, count in counts.items()}
    with tempfile.TemporaryDirectory() as folder:
        short = config.model_copy(update={"epochs": 1})
        fit(short, Fer2013(few, data.validation_made), Path(folder, "run"), Path(folder, "out"), init, teacher)
    tqdm.write("dry run: everything works; nothing was kept")


def _spread(data: Fer2013, usage: str, count: int) -> Split:
    """Count to two times count rows of a usage (all, if it has fewer), with each of its classes."""
    rows = data.split(usage)
    _, first_of_class = np.unique(rows.labels, return_index=True)
    chosen = np.union1d(first_of_class, np.arange(0, len(rows), max(1, len(rows) // count)))
    return Split(usage, rows.images[chosen], rows.labels[chosen])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.fit",
        description="Trains a network on FER2013 and puts its weights in place.",
    )
    add = parser.add_argument
    about_data = (
        "FER2013: CSV, .gz or .zip of it (found beside it, too), or class folders (default: %(default)s)"
    )
    add("--data", type=Path, default=Path("data/fer2013.csv"), help=about_data)
    add("--model", choices=sorted(NETWORKS), default="mobilevit_xxs", help="network (default: %(default)s)")
    add(
        "--out", type=Path, default=Path("weights"), help="folder for finished weights (default: %(default)s)"
    )
    add("--init", type=Path, metavar="FILE", help=".safetensors to start from (default: random weights)")
    add("--teacher", type=Path, metavar="FILE", help=".safetensors whose opinion joins the labels (default: none)")
    add("--run", type=Path, help="folder of the run, which resumes from it (default: runs/<model>-<seed>)")
    add("--seed", type=int, default=0, help="of weights, order and augmentation (default: %(default)s)")
    add("--epochs", type=int, help="passes over Training, at most (default: the network's recipe)")
    add("--batch-size", type=int, help="faces a step (default: the network's recipe)")
    add("--learning-rate", type=float, help="highest, after warm-up (default: the network's recipe)")
    add("--force", action="store_true", help="replace weights whose validation accuracy is as high or higher")
    add("--finish", action="store_true", help="take the best epoch so far instead of training on")
    add("--dry-run", action="store_true", help="one batch of everything, export included; keeps nothing")
    return parser


def _command(arguments: argparse.Namespace) -> None:
    asked = {key: getattr(arguments, key) for key in ("seed", "epochs", "batch_size", "learning_rate")}
    if arguments.teacher is not None:
        asked["label_smoothing"] = 0.0  # A teacher's opinion is soft already.
    config = recipe(arguments.model, **{key: value for key, value in asked.items() if value is not None})
    run = arguments.run or Path("runs") / f"{config.model}-{config.seed}"
    data = load_fer2013(arguments.data)
    if arguments.dry_run:
        dry_run(config, data, arguments.init, arguments.teacher)
    else:
        given = arguments.init, arguments.teacher, arguments.force, arguments.finish
        fit(config, data, run, arguments.out, *given)


def main(argv: list[str] | None = None) -> int:
    """Returns 0, 2 after one sentence on standard error, or 130 after Ctrl-C."""
    arguments = _parser().parse_args(argv)
    return exit_code(lambda: _command(arguments))


if __name__ == "__main__":
    sys.exit(main())
