"""The folder of a measurement of the zoo: what is finished stays, and is not measured again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from tqdm import tqdm

from fer_live.errors import TrainingError
from training.dataset import Fer2013
from training.files import replace_file, require_writable
from training.zoo_accuracy import Budget, Learnt, learn
from training.zoo_speed import Speed, measure_speeds

_SPEEDS, _LEARNT = "speeds.json", "learnt"
_OTHER_RUN = "Choose another --run, or delete that file."
_Record = TypeVar("_Record", bound=BaseModel)


class Speeds(BaseModel):
    """The times of networks that were measured in turns."""

    model_config = ConfigDict(frozen=True)

    networks: list[Speed] = []


def measure_zoo(names: Sequence[str], data: Fer2013, run: Path, budget: Budget) -> None:
    """Speed, then accuracy of each named network, into a folder; each is written as soon as it is known.

    Raises TrainingError if the folder cannot be written or holds results of another budget, seed or data set.
    """
    require_writable(run / _LEARNT, "--run")
    known = read_learnt(run)
    for result in known.values():
        if result.budget != budget:
            raise TrainingError(
                f"'{_learnt_path(run, result.name)}' is of another budget, seed or data set.", _OTHER_RUN
            )
    _measure_missing_speeds(names, run)
    for name in names:
        if name not in known:
            _write(_learnt_path(run, name), _learn_visibly(name, data, budget))


def _measure_missing_speeds(names: Sequence[str], run: Path) -> None:
    """All known networks are timed again with the new ones: only times taken in turns can be compared."""
    known = list(read_speeds(run))
    if not set(names) <= set(known):
        speeds = measure_speeds(list(dict.fromkeys([*known, *names])))
        _write(run / _SPEEDS, Speeds(networks=speeds))


def _learn_visibly(name: str, data: Fer2013, budget: Budget) -> Learnt:
    with tqdm(total=1.0, desc=name, bar_format="{l_bar}{bar}| {elapsed}") as bar:
        return learn(name, data, budget, lambda share: bar.update(share - bar.n))


def read_speeds(run: Path) -> dict[str, Speed]:
    """By name, what is in a folder; raises TrainingError if that cannot be read."""
    path = run / _SPEEDS
    if not path.is_file():
        return {}
    return {speed.name: speed for speed in _read(path, Speeds).networks}


def read_learnt(run: Path) -> dict[str, Learnt]:
    """By name, what is in a folder; raises TrainingError if that cannot be read."""
    results = [_read(path, Learnt) for path in sorted((run / _LEARNT).glob("*.json"))]
    return {result.name: result for result in results}


def _learnt_path(run: Path, name: str) -> Path:
    return run / _LEARNT / f"{name}.json"


def _write(path: Path, record: BaseModel) -> None:
    replace_file(path, record.model_dump_json(indent=2).encode())


def _read(path: Path, kind: type[_Record]) -> _Record:
    try:
        return kind.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise TrainingError(f"'{path}' cannot be read.", _OTHER_RUN) from error
