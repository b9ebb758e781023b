"""A run's folder: where it starts from, what it was made of, and how it is taken up again."""

from __future__ import annotations

import json
import platform
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path

import timm
import torch
import torchvision

from fer_live.core.modelcard import FER2013_LABELS, sha256_of
from fer_live.errors import TrainingError
from training import checkpoint
from training.checkpoint import Progress
from training.config import FitConfig
from training.crew import ALONE, Crew
from training.files import replace_file
from training.loop import Learner, fastest_precision, make_learner
from training.networks import build
from training.weights import load_weights

ORIGIN_FILE = "run.json"
_OTHER_RUN = "Choose another --run, or delete that folder."


@dataclass(frozen=True)
class Origin:
    """What a run was made of.

    data_digest, init, teacher, votes: SHA-256 of the data set, the --init and --teacher files, the votes on Training.
    """

    data_digest: str
    init: str | None
    git_revision: str | None
    versions: dict[str, str]
    teacher: str | None = None
    votes: str | None = None


def remember_origin(
    run: Path, data_digest: str, init: Path | None, teacher: Path | None = None, votes: str | None = None
) -> Origin:
    """The origin of the run in a folder; a new run's is written there first.

    votes: SHA-256, as in Origin. Raises TrainingError if the run was made from another data set, other initial weights,
    another teacher or other votes.
    """
    path = run / ORIGIN_FILE
    given = None if init is None else _digest("--init", init)
    taught_by = None if teacher is None else _digest("--teacher", teacher)
    begun = checkpoint.is_in(run)
    if begun and path.is_file():
        origin = _read_origin(path)
        if origin.data_digest != data_digest:
            raise TrainingError(f"The run in '{run}' was made from another data set.", _OTHER_RUN)
        if given not in (None, origin.init):
            raise TrainingError(f"The run in '{run}' did not start from '{init}'.", _OTHER_RUN)
        if taught_by != origin.teacher:
            raise TrainingError(f"The run in '{run}' was made with another --teacher, or none.", _OTHER_RUN)
        if votes != origin.votes:
            raise TrainingError(f"The run in '{run}' was made with other --votes, or none.", _OTHER_RUN)
        return origin
    # A checkpoint without its origin was made by an unknown revision, which need not be this one.
    origin = Origin(data_digest, given, None if begun else git_revision(), versions(), taught_by, votes)
    replace_file(path, json.dumps(asdict(origin), indent=2).encode())
    return origin


def _digest(option: str, weights: Path) -> str:
    if not weights.is_file():
        raise TrainingError(
            f"There are no weights at '{weights}'.", f"Give {option} the path of a .safetensors file."
        )
    return sha256_of(weights)


def _read_origin(path: Path) -> Origin:
    try:
        return Origin(**json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError) as error:
        raise TrainingError(
            f"'{path}' does not say what its run was made of ({error}).", _OTHER_RUN
        ) from error


def git_revision() -> str | None:
    """The commit of this checkout, ending in '-dirty' if files differ from it; None outside a checkout."""
    root = Path(__file__).resolve().parents[1]
    if not (root / ".git").exists():
        return None
    command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def versions() -> dict[str, str]:
    """Versions of what the figures of a run depend on."""
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "torchvision": torchvision.__version__,
        "timm": timm.__version__,
    }


def start_or_resume(
    config: FitConfig, run: Path, init: Path | None = None, crew: Crew = ALONE
) -> tuple[Learner, Progress]:
    """A learner at step 0, from random weights or those of init, or at the checkpoint of the run in a folder.

    Raises TrainingError if that run was made with another config, ConfigError if the network or the crew does not allow
    for the config.
    """
    crew.require_divisible(config.batch_size)
    saved = checkpoint.saved_config(run)
    if saved is not None:
        config = _same_config(saved, config, run)
    torch.manual_seed(config.seed)
    network = build(config.model, len(FER2013_LABELS), config.dropout)
    if saved is None and init is not None:
        load_weights(network, config.model, init)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if config.precision == "auto":
        is_bf16 = crew.share(fastest_precision(config, device) == "bf16")
        config = config.model_copy(update={"precision": "bf16" if is_bf16 else "fp32"})
    learner = make_learner(network, config, device, crew)
    return learner, Progress() if saved is None else checkpoint.load_checkpoint(run, learner)


def _same_config(saved: FitConfig, asked: FitConfig, run: Path) -> FitConfig:
    if asked.precision == "auto":
        asked = asked.model_copy(update={"precision": saved.precision})
    different = [key for key in FitConfig.model_fields if getattr(saved, key) != getattr(asked, key)]
    if different:
        raise TrainingError(
            f"The run in '{run}' was made with other settings ({', '.join(different)}).", _OTHER_RUN
        )
    return saved
