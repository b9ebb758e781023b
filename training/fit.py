"""Trains a network on FER2013 and puts its weights in place: `python -m training.fit`."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tqdm import tqdm

from fer_live.console import exit_code
from fer_live.core.modelcard import FER2013_LABELS
from fer_live.errors import TrainingError
from training.config import FitConfig, choices_of, recipe
from training.crew import ALONE, Crew, crew_of_torchrun
from training.dataset import Fer2013, load_fer2013, require_every_class
from training.export import export_run
from training.files import require_writable
from training.layouts import TRAINING, VALIDATION
from training.networks import NETWORKS
from training.options import add_data
from training.promote import promote
from training.runs import remember_origin, start_or_resume
from training.track import TRACKERS, open_tracker
from training.train import train
from training.trials import few_rows, overfit
from training.votes import with_votes

_OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "not enough memory")


def fit(
    config: FitConfig,
    data: Fer2013,
    run: Path,
    out: Path,
    init: Path | None = None,
    teacher: Path | None = None,
    force: bool = False,
    finish: bool = False,
    track: str = "none",
    crew: Crew = ALONE,
) -> None:
    """Trains, exports into the run's folder, and promotes into out; a finished run is only exported.

    finish: takes the best epoch so far instead of training on. track: see open_tracker.
    Raises DataError, ModelError or TrainingError; what was finished until then stays in the run's folder.
    """
    for usage in (TRAINING, VALIDATION):
        require_every_class(data, usage)
    require_writable(run, "--run")
    require_writable(out, "--out")
    origin = remember_origin(run, data.digest(), init, teacher, data.votes_digest()) if crew.is_leader else None
    with _advice_on_memory(config.batch_size):
        if finish:
            learner, progress = start_or_resume(config, run, init)
        else:
            with open_tracker(track if crew.is_leader else "none", run, config) as tracker:
                learner, progress = train(config, data, run, init, teacher, tracker, crew)
    if progress.epochs_done == 0:
        raise TrainingError(f"The run in '{run}' has no finished epoch.", "Start it without --finish.")
    if origin is None:  # The leader alone exports.
        return
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
    with tempfile.TemporaryDirectory() as folder:
        short = config.model_copy(update={"epochs": 1})
        fit(short, few_rows(config, data), Path(folder, "run"), Path(folder, "out"), init, teacher)
    tqdm.write("dry run: everything works; nothing was kept")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.fit",
        description="Trains a network on FER2013 and puts its weights in place.",
    )
    add = parser.add_argument
    add_data(parser, "FER2013: CSV, .gz or .zip of it (found beside it, too), or class folders")
    add("--model", choices=sorted(NETWORKS), default="mobilevit_xxs", help="network (default: %(default)s)")
    add(
        "--out", type=Path, default=Path("weights"), help="folder for finished weights (default: %(default)s)"
    )
    add("--init", type=Path, metavar="FILE", help=".safetensors to start from (default: random weights)")
    add("--teacher", type=Path, metavar="FILE", help=".safetensors whose opinion joins the labels (default: none)")
    add("--votes", type=Path, metavar="CSV", help="FER+'s fer2013new.csv, whose voters join the labels (default: none)")
    add("--run", type=Path, help="folder of the run, which resumes from it (default: runs/<model>-<seed>)")
    add("--seed", type=int, default=0, help="of weights, order and augmentation (default: %(default)s)")
    add("--epochs", type=int, help="passes over Training, at most (default: the network's recipe)")
    add("--batch-size", type=int, help="faces a step (default: the network's recipe)")
    add("--learning-rate", type=float, help="highest, after warm-up (default: the network's recipe)")
    add("--optimizer", choices=choices_of("optimizer"), help="(default: the network's recipe)")
    add("--schedule", choices=choices_of("schedule"), help="of the learning rate (default: the network's recipe)")
    add("--dropout", type=float, help="probability, where the network has dropout (default: the network's own)")
    add("--class-weights", action="store_true", default=None, help="rare labels count more in the loss")
    add("--balanced-sampling", action="store_true", default=None, help="every label is drawn equally often")
    add("--no-augmentation", action="store_false", dest="augmentation", default=None, help="faces as they are")
    add("--track", choices=TRACKERS, default="none", help="where figures go, too (default: %(default)s)")
    add("--force", action="store_true", help="replace weights whose validation accuracy is as high or higher")
    add("--finish", action="store_true", help="take the best epoch so far instead of training on")
    add("--dry-run", action="store_true", help="one batch of everything, export included; keeps nothing")
    add("--overfit", type=_count, metavar="N", help="only see whether N faces can be learnt by heart; keeps nothing")
    return parser


def _count(text: str) -> int:
    if not text.isdigit() or int(text) < len(FER2013_LABELS):
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of faces from {len(FER2013_LABELS)} on")
    return int(text)


def _command(arguments: argparse.Namespace) -> None:
    given = vars(arguments)
    asked = {key: given[key] for key in FitConfig.model_fields if given.get(key) is not None}
    if arguments.teacher is not None or arguments.votes is not None:
        asked["label_smoothing"] = 0.0  # Others' opinion is soft already.
    config = recipe(**asked)
    run = arguments.run or Path("runs") / f"{config.model}-{config.seed}"
    data = load_fer2013(arguments.data)
    if arguments.votes is not None:
        data = with_votes(data, arguments.votes)
    if arguments.dry_run:
        dry_run(config, data, arguments.init, arguments.teacher)
        return
    if arguments.overfit is not None:
        overfit(config, data, arguments.overfit)
        return
    options = arguments.init, arguments.teacher, arguments.force, arguments.finish, arguments.track
    with crew_of_torchrun() as crew:
        fit(config, data, run, arguments.out, *options, crew)


def main(argv: list[str] | None = None) -> int:
    """Returns 0, 2 after one sentence on standard error, or 130 after Ctrl-C."""
    arguments = _parser().parse_args(argv)
    return exit_code(lambda: _command(arguments))


if __name__ == "__main__":
    sys.exit(main())
