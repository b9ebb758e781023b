"""The three public layouts of FER2013: a CSV, the same compressed, and class folders."""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from fer_live.core.modelcard import FER2013_LABELS, InputSpec
from fer_live.errors import DataError

SPEC = InputSpec()
TRAINING, VALIDATION, TEST = "Training", "PublicTest", "PrivateTest"
USAGES = (TRAINING, VALIDATION, TEST)
_PIXELS = SPEC.height * SPEC.width
WHERE = (
    "FER2013 is on Kaggle ('Challenges in Representation Learning: Facial Expression Recognition', "
    "or the data set 'fer2013'): download it and pass its path with --data, or put it at data/fer2013.csv."
)
_AGAIN = "Download the file again."
_TEST_WHERE = (
    "test.csv of Kaggle's competition 'Challenges in Representation Learning: Facial Expression Recognition' has one "
    "column 'pixels', and a face a row."
)
_FOLDER_NAMES = {
    "anger": "angry",
    "disgusted": "disgust",
    "fearful": "fear",
    "happiness": "happy",
    "sadness": "sad",
    "surprised": "surprise",
}
# zipfile raises RuntimeError for a password, and its child NotImplementedError for an unknown compression.
_UNREADABLE = (OSError, EOFError, UnicodeDecodeError, RuntimeError, csv.Error, zlib.error, zipfile.BadZipFile)
Rows = tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.str_]]
"""images uint8 (N, 48, 48), labels int64 (N,), usages str (N,), in the order of the file."""


def read_csv(path: Path) -> Rows:
    """Reads fer2013.csv or one of Kaggle's competition files, plain, .gz or .zip.

    Raises DataError naming the file, the row where one is at fault, and what was expected.
    """
    images: list[NDArray[np.uint8]] = []
    labels: list[int] = []
    usages: list[str] = []
    members = ("fer2013.csv", "icml_face_data.csv", "train.csv")
    for where, row in rows_of_csv(path, members, ("emotion", "pixels"), WHERE):
        images.append(_parse_pixels(where, row["pixels"]))
        labels.append(_parse_label(where, row["emotion"]))
        usages.append(parse_usage(where, row.get("Usage", TRAINING)))
    return np.stack(images), np.array(labels, np.int64), np.array(usages)


def read_unlabelled(path: Path) -> NDArray[np.uint8]:
    """Faces uint8 (N, 48, 48), in the order of the file, of the competition's test.csv, plain, .gz or .zip.

    Only its column `pixels` is read. Raises DataError naming the file, the row where one is at fault, and what was
    expected.
    """
    rows = rows_of_csv(path, ("test.csv",), ("pixels",), _TEST_WHERE)
    return np.stack([_parse_pixels(where, row["pixels"]) for where, row in rows])


def rows_of_csv(
    path: Path, members: Sequence[str], columns: Sequence[str], hint: str
) -> Iterator[tuple[str, dict[str, str]]]:
    """Each row of a CSV, plain, .gz or .zip: what to call it in an error, and its cells by the name of their column.

    members: names that the file may have in a .zip, the first there is wins. columns: names that the header must have.
    Raises DataError with the hint, also if there is no row.
    """
    with _open_csv(path, members, hint) as file:
        reader = csv.reader(file)
        # Kaggle's icml_face_data.csv has a space before its column names.
        header = [name.strip() for name in next(reader, [])]
        missing = [name for name in columns if name not in header]
        if missing:
            found = ", ".join(header)[:80] or "no header"
            raise DataError(f"'{path}' has the columns '{found}', without {', '.join(missing)}.", hint)
        number = 1
        for number, row in enumerate(tqdm(reader, desc=f"Reading {path.name}", unit=" rows", leave=False), start=2):
            where = f"Row {number} of '{path}'"
            if len(row) != len(header):
                raise DataError(f"{where} has {len(row)} columns, not {len(header)}.", _AGAIN)
            yield where, {name: cell.strip() for name, cell in zip(header, row, strict=True)}
        if number == 1:
            raise DataError(f"'{path}' has a header but no rows.", hint)


@contextmanager
def _open_csv(path: Path, members: Sequence[str], hint: str) -> Iterator[TextIO]:
    try:
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive, archive.open(_csv_member(path, archive, members, hint)) as raw:
                yield io.TextIOWrapper(raw, encoding="utf-8-sig", newline="")
        elif path.suffix == ".gz":
            with gzip.open(path, "rt", encoding="utf-8-sig", newline="") as file:
                yield file
        else:
            with path.open(encoding="utf-8-sig", newline="") as file:
                yield file
    except FileNotFoundError as error:
        raise DataError(f"There is no file '{path}'.", hint) from error
    except (IsADirectoryError, PermissionError) as error:
        raise DataError(f"'{path}' cannot be read ({error.strerror}).", hint) from error
    except _UNREADABLE as error:
        raise DataError(f"'{path}' cannot be read: {error}.", f"{_AGAIN} {hint}") from error


def _csv_member(path: Path, archive: zipfile.ZipFile, members: Sequence[str], hint: str) -> str:
    names = {Path(name).name: name for name in archive.namelist()}
    for wanted in members:
        if wanted in names:
            return names[wanted]
    raise DataError(f"'{path}' holds no {' or '.join(members)}.", hint)


def _parse_pixels(where: str, text: str) -> NDArray[np.uint8]:
    try:
        values = np.array(text.split(), dtype=np.int64)
    except (ValueError, OverflowError):
        raise DataError(f"{where} has a pixel that is not a whole number.", _AGAIN) from None
    if len(values) != _PIXELS:
        raise DataError(f"{where} has {len(values)} pixels, not {_PIXELS}.", _AGAIN)
    if values.min() < 0 or values.max() > 255:
        raise DataError(f"{where} has a pixel outside 0 to 255.", _AGAIN)
    return values.astype(np.uint8).reshape(SPEC.height, SPEC.width)


def _parse_label(where: str, text: str) -> int:
    codes = [str(code) for code in range(len(FER2013_LABELS))]
    if text in codes:
        return codes.index(text)
    raise DataError(f"{where} has the emotion '{text[:80]}', not a number from 0 to {len(FER2013_LABELS) - 1}.")


def parse_usage(where: str, text: str) -> str:
    """The usage that a cell names; raises DataError, calling the row so, if that is none of USAGES."""
    if text in USAGES:
        return text
    raise DataError(f"{where} has the Usage '{text[:80]}', not one of {', '.join(USAGES)}.")


def read_folders(root: Path) -> Rows:
    """Class folders: train/<class>/* is Training; test/<class>/* is PublicTest and PrivateTest together.

    Raises DataError naming the folder or picture at fault.
    """
    if not (root / "train").is_dir():
        raise DataError(
            f"'{root}' has no folder 'train' with one folder a class.",
            f"Expected pictures such as '{root / 'train' / FER2013_LABELS[0] / '1.jpg'}', of all classes. {WHERE}",
        )
    faces = list(_class_folders(root / "train", TRAINING))
    if (root / "test").is_dir():
        faces += _class_folders(root / "test", TEST)
    if not faces:
        raise DataError(f"'{root}' holds no .jpg or .png faces.", WHERE)
    files, labels, usages = zip(*faces, strict=True)
    images = [_read_face(file) for file in tqdm(files, desc="Reading FER2013", unit=" faces", leave=False)]
    return np.stack(images), np.array(labels, np.int64), np.array(usages)


def _class_folders(folder: Path, usage: str) -> Iterator[tuple[Path, int, str]]:
    """Each picture with its label and usage."""
    for class_folder in sorted(entry for entry in folder.iterdir() if entry.is_dir()):
        name = _FOLDER_NAMES.get(class_folder.name.lower(), class_folder.name.lower())
        if name not in FER2013_LABELS:
            raise DataError(f"Folder '{class_folder}' is not one of {', '.join(FER2013_LABELS)}.")
        for file in sorted(class_folder.iterdir()):
            if file.suffix.lower() in (".jpg", ".jpeg", ".png"):
                yield file, FER2013_LABELS.index(name), usage


def _read_face(file: Path) -> NDArray[np.uint8]:
    encoded = np.frombuffer(file.read_bytes(), np.uint8)
    image = cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE) if len(encoded) else None
    if image is None or image.shape != (SPEC.height, SPEC.width):
        raise DataError(
            f"'{file}' is not a {SPEC.width}x{SPEC.height} picture.", "Remove it or download it again."
        )
    return np.asarray(image, np.uint8)
