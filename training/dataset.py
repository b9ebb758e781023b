"""FER2013 in its three public layouts, as arrays in memory."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import cv2
import numpy as np
import platformdirs
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold
from tqdm import tqdm

from fer_live.core.modelcard import FER2013_LABELS, InputSpec, sha256_of
from fer_live.errors import DataError

SPEC = InputSpec()
TRAINING, VALIDATION, TEST = "Training", "PublicTest", "PrivateTest"
USAGES = (TRAINING, VALIDATION, TEST)
_CACHE_VERSION = 1
_PIXELS = SPEC.height * SPEC.width
_WHERE = (
    "FER2013 is on Kaggle ('Challenges in Representation Learning: Facial Expression Recognition', "
    "or the data set 'fer2013'): download it and pass its path with --data, or put it at data/fer2013.csv."
)
_FOLDER_NAMES = {"anger": "angry", "fearful": "fear", "happiness": "happy", "sadness": "sad", "surprised": "surprise"}


@dataclass(frozen=True)
class Split:
    """The rows of one usage. images: uint8 (N, 48, 48) grey; labels: int64 (N,), FER2013 codes."""

    usage: str
    images: NDArray[np.uint8]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)

    def pixel_hashes(self) -> list[bytes]:
        """One digest a row; equal digests are pixel-identical faces."""
        return [hashlib.blake2b(image.tobytes(), digest_size=16).digest() for image in self.images]


@dataclass(frozen=True)
class Fer2013:
    """A whole data set. validation_made: True if its layout names no validation rows and they were drawn here."""

    splits: dict[str, Split]
    validation_made: bool = False

    def split(self, usage: str) -> Split:
        """The rows of a usage; raises DataError if there are none."""
        found = self.splits.get(usage)
        if found is None or len(found) == 0:
            raise DataError(f"The data set has no rows of usage '{usage}'.", f"It has: {', '.join(self.splits)}.")
        return found

    def digest(self) -> str:
        """SHA-256 over usage, labels and pixels of every split, in order."""
        digest = hashlib.sha256()
        for usage in sorted(self.splits):
            split = self.splits[usage]
            digest.update(usage.encode() + split.labels.tobytes() + split.images.tobytes())
        return digest.hexdigest()

    def repeats_of_training(self, usage: str) -> NDArray[np.bool_]:
        """bool (N,): rows of a usage whose pixels are identical to those of a Training row."""
        known = set(self.split(TRAINING).pixel_hashes())
        return np.array([digest in known for digest in self.split(usage).pixel_hashes()], bool)


def load_fer2013(path: Path) -> Fer2013:
    """Reads FER2013 from a CSV (plain, .gz or .zip) or a folder of class folders, through a cache.

    Raises DataError naming the file, the row where one is at fault, and what was expected.
    """
    if path.is_dir():
        return _with_validation(_read_folders(path))
    if not path.is_file():
        raise DataError(f"There is no FER2013 at '{path}'.", _WHERE)
    cache = Path(platformdirs.user_cache_dir("fer-live")) / f"fer2013-{_CACHE_VERSION}-{sha256_of(path)[:16]}.npz"
    if cache.is_file():
        images, labels, usages = _read_cache(cache)
    else:
        with _open_csv(path) as file:
            images, labels, usages = _read_rows(path, file)
        _write_cache(cache, images, labels, usages)
    splits = {usage: Split(usage, images[usages == usage], labels[usages == usage]) for usage in USAGES}
    return _with_validation({usage: split for usage, split in splits.items() if len(split)})


def _read_cache(cache: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.str_]]:
    with np.load(cache, allow_pickle=False) as stored:
        return stored["images"], stored["labels"], stored["usages"]


def _write_cache(
    cache: Path, images: NDArray[np.uint8], labels: NDArray[np.int64], usages: NDArray[np.str_]
) -> None:
    cache.parent.mkdir(parents=True, exist_ok=True)
    partial = cache.with_suffix(".partial.npz")
    np.savez(partial, images=images, labels=labels, usages=usages)
    partial.replace(cache)


@contextmanager
def _open_csv(path: Path) -> Iterator[TextIO]:
    try:
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive, archive.open(_csv_member(path, archive)) as raw:
                yield io.TextIOWrapper(raw, encoding="utf-8-sig", newline="")
        elif path.suffix == ".gz":
            with gzip.open(path, "rt", encoding="utf-8-sig", newline="") as file:
                yield file
        else:
            with path.open(encoding="utf-8-sig", newline="") as file:
                yield file
    except (OSError, EOFError, UnicodeDecodeError, zipfile.BadZipFile) as error:
        raise DataError(f"'{path}' cannot be read: {error}.", "Download it again. " + _WHERE) from error


def _csv_member(path: Path, archive: zipfile.ZipFile) -> str:
    names = {Path(name).name: name for name in archive.namelist()}
    for wanted in ("fer2013.csv", "icml_face_data.csv", "train.csv"):
        if wanted in names:
            return names[wanted]
    raise DataError(f"'{path}' holds none of fer2013.csv, icml_face_data.csv, train.csv.", _WHERE)


def _read_rows(path: Path, file: TextIO) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.str_]]:
    reader = csv.reader(file)
    # Kaggle's icml_face_data.csv has a space before its column names.
    header = [name.strip() for name in next(reader, [])]
    if not {"emotion", "pixels"} <= set(header):
        raise DataError(
            f"'{path}' has the columns {header}, not 'emotion' and 'pixels' (and 'Usage').", _WHERE
        )
    emotion, pixels = header.index("emotion"), header.index("pixels")
    usage = header.index("Usage") if "Usage" in header else None
    images: list[NDArray[np.uint8]] = []
    labels: list[int] = []
    usages: list[str] = []
    for number, row in enumerate(tqdm(reader, desc="Reading FER2013", unit=" rows", leave=False), start=2):
        where = f"Row {number} of '{path}'"
        if len(row) != len(header):
            raise DataError(f"{where} has {len(row)} columns, not {len(header)}.", "Download the file again.")
        images.append(_parse_pixels(where, row[pixels]))
        labels.append(_parse_label(where, row[emotion]))
        usages.append(TRAINING if usage is None else _parse_usage(where, row[usage]))
    if not images:
        raise DataError(f"'{path}' has a header but no rows.", _WHERE)
    return np.stack(images), np.array(labels, np.int64), np.array(usages)


def _parse_pixels(where: str, text: str) -> NDArray[np.uint8]:
    try:
        values = np.array(text.split(), dtype=np.int64)
    except ValueError:
        raise DataError(f"{where} has a pixel that is not a number.", "Download the file again.") from None
    if len(values) != _PIXELS or values.min() < 0 or values.max() > 255:
        raise DataError(
            f"{where} has {len(values)} pixels, not {_PIXELS} between 0 and 255.", "Download the file again."
        )
    return values.astype(np.uint8).reshape(SPEC.height, SPEC.width)


def _parse_label(where: str, text: str) -> int:
    if text.strip().isdigit() and int(text) < len(FER2013_LABELS):
        return int(text)
    raise DataError(f"{where} has the emotion '{text}', not a number from 0 to {len(FER2013_LABELS) - 1}.")


def _parse_usage(where: str, text: str) -> str:
    if text.strip() in USAGES:
        return text.strip()
    raise DataError(f"{where} has the Usage '{text}', not one of {', '.join(USAGES)}.")


def _read_folders(root: Path) -> dict[str, Split]:
    """Class folders: train/<class>/* is Training; test/<class>/* is PublicTest and PrivateTest together."""
    if not (root / "train").is_dir():
        raise DataError(f"'{root}' has no folder 'train' with one folder a class.", _WHERE)
    splits = {TRAINING: _read_class_folders(root / "train", TRAINING)}
    if (root / "test").is_dir():
        splits[TEST] = _read_class_folders(root / "test", TEST)
    return splits


def _read_class_folders(folder: Path, usage: str) -> Split:
    images: list[NDArray[np.uint8]] = []
    labels: list[int] = []
    for class_folder in sorted(entry for entry in folder.iterdir() if entry.is_dir()):
        name = _FOLDER_NAMES.get(class_folder.name.lower(), class_folder.name.lower())
        if name not in FER2013_LABELS:
            raise DataError(f"Folder '{class_folder}' is not one of {', '.join(FER2013_LABELS)}.")
        for file in sorted(class_folder.iterdir()):
            if file.suffix.lower() in (".jpg", ".jpeg", ".png"):
                images.append(_read_face(file))
                labels.append(FER2013_LABELS.index(name))
    if not images:
        raise DataError(f"'{folder}' holds no .jpg or .png faces.", _WHERE)
    return Split(usage, np.stack(images), np.array(labels, np.int64))


def _read_face(file: Path) -> NDArray[np.uint8]:
    image = cv2.imdecode(np.frombuffer(file.read_bytes(), np.uint8) , cv2.IMREAD_GRAYSCALE)
    if image is None or image.shape != (SPEC.height, SPEC.width):
        raise DataError(f"'{file}' is not a {SPEC.width}x{SPEC.height} picture.", "Remove it or download it again.")
    return np.asarray(image, np.uint8)


def _with_validation(splits: dict[str, Split]) -> Fer2013:
    """Where a layout has no PublicTest, 10 % of Training, class-stratified and grouped by pixels, stands in."""
    if VALIDATION in splits or TRAINING not in splits:
        return Fer2013(splits)
    rows = splits[TRAINING]
    groups = rows.pixel_hashes()
    folds = StratifiedGroupKFold(n_splits=10, shuffle=True, random_state=0)
    kept, held = next(folds.split(rows.images.reshape(len(rows), -1), rows.labels, groups))
    parts = {
        TRAINING: Split(TRAINING, rows.images[kept], rows.labels[kept]),
        VALIDATION: Split(VALIDATION, rows.images[held], rows.labels[held]),
    }
    return Fer2013(splits | parts, validation_made=True)
