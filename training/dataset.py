"""FER2013 as arrays in memory: splits, validation, cache."""

from __future__ import annotations

import hashlib
import io
import logging
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import platformdirs
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

from fer_live.core.modelcard import FER2013_LABELS, sha256_of
from fer_live.errors import DataError
from fer_live.files import replace_file
from training.layouts import TRAINING, USAGES, VALIDATION, WHERE, Rows, read_csv, read_folders

log = logging.getLogger(__name__)

_CACHE_VERSION = 1
_FOLDS = 10


@dataclass(frozen=True)
class Split:
    """The rows of one usage. images: uint8 (N, 48, 48) grey; labels: int64 (N,), FER2013 codes.

    votes: int64 (N, 10), what people called each row, as in `training.votes`; None where that is not asked.
    """

    usage: str
    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    votes: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def chosen(self, rows: NDArray[np.int64] | slice) -> Split:
        """The rows of these numbers, int64 (M,), in their order, or of a slice."""
        votes = None if self.votes is None else self.votes[rows]
        return Split(self.usage, self.images[rows], self.labels[rows], votes)

    def pixel_hashes(self) -> list[bytes]:
        """One digest a row; equal digests are pixel-identical faces."""
        return [hashlib.blake2b(image.tobytes(), digest_size=16).digest() for image in self.images]


@dataclass(frozen=True)
class Fer2013:
    """A whole data set. validation_made: True if its layout names no validation rows, so they were drawn."""

    splits: dict[str, Split]
    validation_made: bool = False

    def split(self, usage: str) -> Split:
        """The rows of a usage; raises DataError if there are none."""
        found = self.splits.get(usage)
        if found is None or len(found) == 0:
            raise DataError(
                f"The data set has no rows of usage '{usage}'.", f"It has: {', '.join(self.splits)}."
            )
        return found

    def digest(self) -> str:
        """SHA-256 over usage, labels and pixels of every split, in order."""
        digest = hashlib.sha256()
        for usage in sorted(self.splits):
            split = self.splits[usage]
            digest.update(usage.encode() + split.labels.tobytes() + split.images.tobytes())
        return digest.hexdigest()

    def votes_digest(self) -> str | None:
        """SHA-256 over the votes on Training, or None if there are none."""
        votes = self.split(TRAINING).votes
        return None if votes is None else hashlib.sha256(votes.tobytes()).hexdigest()

    def repeats_of_training(self, usage: str) -> NDArray[np.bool_]:
        """bool (N,): rows of a usage whose pixels are identical to those of a Training row."""
        known = set(self.split(TRAINING).pixel_hashes())
        return np.array([digest in known for digest in self.split(usage).pixel_hashes()], bool)


def load_fer2013(path: Path) -> Fer2013:
    """Reads FER2013 from a CSV (plain, .gz or .zip) or a folder of class folders, through a cache.

    Raises DataError naming the file, the row where one is at fault, and what was expected.
    """
    path = _nearest(path)
    rows = read_folders(path) if path.is_dir() else _read_cached(path)
    return _with_validation(_splits(rows))


def require_every_class(data: Fer2013, usage: str) -> None:
    """Raises DataError naming the classes that have no row in a usage."""
    present = set(data.split(usage).labels.tolist())
    missing = [name for code, name in enumerate(FER2013_LABELS) if code not in present]
    if missing:
        raise DataError(
            f"The data set has no rows of {', '.join(missing)} in '{usage}'.", "Download it again."
        )


def _splits(rows: Rows) -> dict[str, Split]:
    images, labels, usages = rows
    present = [usage for usage in USAGES if (usages == usage).any()]
    return {usage: Split(usage, images[usages == usage], labels[usages == usage]) for usage in present}


def _read_cached(path: Path) -> Rows:
    """The rows of a CSV, decoded only once for each content of it."""
    name = f"fer2013-{_CACHE_VERSION}-{sha256_of(path)[:16]}.npz"
    cache = Path(platformdirs.user_cache_dir("fer-live"), name)
    rows = _read_cache(cache)
    if rows is None:
        rows = read_csv(path)
        _write_cache(cache, rows)
    return rows


def _nearest(path: Path) -> Path:
    """The path itself, or the same file compressed beside it."""
    if path.exists():  # Folders such as "." have no name to add an ending to.
        return path
    for packed in (path.with_name(path.name + ".gz"), path.with_name(path.name + ".zip"), path.with_suffix(".zip")):
        if packed.exists():
            return packed
    raise DataError(f"There is no FER2013 at '{path}'.", WHERE)


def _read_cache(cache: Path) -> Rows | None:
    try:
        with cache.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            return stored["images"], stored["labels"], stored["usages"]
    except FileNotFoundError:
        return None
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile) as error:
        log.info("cache '%s' is damaged and is made again: %s", cache, error)
        return None


def _write_cache(cache: Path, rows: Rows) -> None:
    content = io.BytesIO()
    np.savez(content, images=rows[0], labels=rows[1], usages=rows[2])
    try:
        cache.parent.mkdir(parents=True, exist_ok=True)
        replace_file(cache, content.getvalue())
    except OSError as error:
        # Only time is lost: the next start decodes the pixels again.
        log.warning("cache '%s' cannot be written: %s", cache, error)


def _with_validation(splits: dict[str, Split]) -> Fer2013:
    """Where a layout has no PublicTest, 10 % of Training stands in, by class and grouped by pixels."""
    if VALIDATION in splits or TRAINING not in splits:
        return Fer2013(splits)
    # Grouped, because a face that is in both would be recognized, not classified.
    rows = splits[TRAINING]
    counts = np.bincount(rows.labels, minlength=len(FER2013_LABELS))
    for name, count in zip(FER2013_LABELS, counts.tolist(), strict=True):
        if 0 < count < _FOLDS:
            raise DataError(
                f"The {count} rows of '{name}' are too few to set 10 % aside for validation.", WHERE
            )
    groups = rows.pixel_hashes()
    folds = StratifiedGroupKFold(n_splits=_FOLDS, shuffle=True, random_state=0)
    kept, held = next(folds.split(rows.images.reshape(len(rows), -1), rows.labels, groups))
    parts = {
        TRAINING: Split(TRAINING, rows.images[kept], rows.labels[kept]),
        VALIDATION: Split(VALIDATION, rows.images[held], rows.labels[held]),
    }
    return Fer2013(splits | parts, validation_made=True)
