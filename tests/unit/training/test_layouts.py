from __future__ import annotations

import gzip
import zipfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from fer_live.core.modelcard import FER2013_LABELS
from fer_live.errors import DataError
from training.layouts import read_csv, read_folders

Row = tuple[int, NDArray[np.uint8], str]
WriteCsv = Callable[..., str]


def assert_are(rows: list[Row], path: Path) -> None:
    images, labels, usages = read_csv(path)
    assert (images.dtype, labels.dtype) == (np.uint8, np.int64)
    assert np.array_equal(images, np.stack([image for _, image, _ in rows]))
    assert labels.tolist() == [label for label, _, _ in rows]
    assert usages.tolist() == [usage for _, _, usage in rows]


def test_plain_csv(tmp_path: Path, rows: list[Row], write_csv: WriteCsv) -> None:
    path = tmp_path / "fer2013.csv"
    path.write_text(write_csv(rows))
    assert_are(rows, path)


def test_csv_with_a_byte_order_mark_and_crlf(tmp_path: Path, rows: list[Row], write_csv: WriteCsv) -> None:
    path = tmp_path / "fer2013.csv"
    path.write_bytes(b"\xef\xbb\xbf" + write_csv(rows).replace("\n", "\r\n").encode())
    assert_are(rows, path)


def test_gz(tmp_path: Path, rows: list[Row], write_csv: WriteCsv) -> None:
    path = tmp_path / "fer2013.csv.gz"
    path.write_bytes(gzip.compress(write_csv(rows).encode()))
    assert_are(rows, path)


@pytest.mark.parametrize("member", ["fer2013.csv", "fer2013/fer2013.csv", "challenge/icml_face_data.csv"])
def test_zip(tmp_path: Path, rows: list[Row], write_csv: WriteCsv, member: str) -> None:
    path = tmp_path / "archive.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "other")
        archive.writestr(member, write_csv(rows))
    assert_are(rows, path)


def test_competition_file_has_spaces_and_another_order(tmp_path: Path, rows: list[Row]) -> None:
    path = tmp_path / "icml_face_data.csv"
    lines = [f"{label},{usage},{' '.join(map(str, image.ravel()))}" for label, image, usage in rows]
    path.write_text("\n".join(["emotion, Usage, pixels", *lines]))
    assert_are(rows, path)


def test_competition_train_file_has_no_usage(tmp_path: Path, rows: list[Row]) -> None:
    path = tmp_path / "train.csv"
    lines = [f"{label},{' '.join(map(str, image.ravel()))}" for label, image, _ in rows]
    path.write_text("\n".join(["emotion,pixels", *lines]))
    assert_are([(label, image, "Training") for label, image, _ in rows], path)


PIXELS = " ".join(["7"] * 2304)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (f"3,x{PIXELS[1:]},Training", "Row 3 of .* a pixel that is not a whole number"),
        (f"3,{'9' * 30}{PIXELS[1:]},Training", "Row 3 of .* a pixel that is not a whole number"),
        (f"3,2.5{PIXELS[1:]},Training", "Row 3 of .* a pixel that is not a whole number"),
        (f"3,256{PIXELS[1:]},Training", "Row 3 of .* a pixel outside 0 to 255"),
        (f"3,-1{PIXELS[1:]},Training", "Row 3 of .* a pixel outside 0 to 255"),
        (f"3,{PIXELS} 7,Training", "Row 3 of .* has 2305 pixels, not 2304"),
        ("3,,Training", "Row 3 of .* has 0 pixels, not 2304"),
        (f"7,{PIXELS},Training", "Row 3 of .* has the emotion '7', not a number from 0 to 6"),
        (f"happy,{PIXELS},Training", "Row 3 of .* has the emotion 'happy'"),
        (f"²,{PIXELS},Training", "Row 3 of .* has the emotion '²'"),
        (f"{'9' * 5000},{PIXELS},Training", "Row 3 of .* has the emotion '999"),
        (
            f"3,{PIXELS},Test",
            "Row 3 of .* has the Usage 'Test', not one of Training, PublicTest, PrivateTest",
        ),
        (f"3,{PIXELS}", "Row 3 of .* has 2 columns, not 3"),
    ],
)
def test_bad_row_is_named(tmp_path: Path, row: str, message: str) -> None:
    path = tmp_path / "fer2013.csv"
    path.write_text(f"emotion,pixels,Usage\n0,{PIXELS},Training\n{row}\n")
    with pytest.raises(DataError, match=message):
        read_csv(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "has the columns 'no header', without emotion, pixels"),
        (b"label,image\n", "has the columns 'label, image', without emotion, pixels"),
        (b"emotion,pixels,Usage\n", "has a header but no rows"),
        (b"\xff\xfe\x00", "cannot be read"),
        (b"emotion,pixels\n0," + b"1" * 200_000, "cannot be read: field larger"),
    ],
)
def test_file_that_is_not_fer2013(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "fer2013.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        read_csv(path)
    assert "Kaggle" in caught.value.hint


@pytest.mark.parametrize("name", ["fer2013.csv.gz", "fer2013.zip"])
def test_damaged_archive(tmp_path: Path, name: str, rows: list[Row], write_csv: WriteCsv) -> None:
    path = tmp_path / name
    path.write_bytes(gzip.compress(write_csv(rows).encode())[:5000])
    with pytest.raises(DataError, match=f"{name}' cannot be read.*Download the file again"):
        read_csv(path)


def test_zip_without_fer2013(tmp_path: Path) -> None:
    path = tmp_path / "other.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("other.csv", "a,b")
    with pytest.raises(DataError, match=r"holds no fer2013\.csv or "):
        read_csv(path)


def write_face(file: Path, image: NDArray[np.uint8]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(cv2.imencode(file.suffix, image)[1].tobytes())


def test_class_folders(tmp_path: Path, rows: list[Row]) -> None:
    for number, (label, image, usage) in enumerate(rows):
        folder = "train" if usage == "Training" else "test"
        write_face(tmp_path / folder / FER2013_LABELS[label] / f"{number}.png", image)
    images, labels, usages = read_folders(tmp_path)
    # Without PublicTest in the layout, all of test/ is the test.
    assert sorted(set(usages.tolist())) == ["PrivateTest", "Training"]
    for usage, wanted in (("Training", {"Training"}), ("PrivateTest", {"PublicTest", "PrivateTest"})):
        found = {
            (int(code), image.tobytes())
            for code, image in zip(labels[usages == usage], images[usages == usage], strict=True)
        }
        assert found == {(label, image.tobytes()) for label, image, part in rows if part in wanted}


def test_class_folders_by_other_names(tmp_path: Path) -> None:
    write_face(tmp_path / "train" / "Happiness" / "a.jpg", np.full((48, 48), 9, np.uint8))
    write_face(tmp_path / "train" / "Fearful" / "b.jpeg", np.full((48, 48), 9, np.uint8))
    assert read_folders(tmp_path)[1].tolist() == [2, 3]


def test_unknown_class_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "train" / "bored").mkdir(parents=True)
    with pytest.raises(DataError, match=r"bored' is not one of angry, disgust"):
        read_folders(tmp_path)


@pytest.mark.parametrize("content", [b"", b"not a picture"])
def test_broken_picture_is_named(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "train" / "happy" / "broken.png"
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    with pytest.raises(DataError, match=r"broken\.png' is not a 48x48 picture"):
        read_folders(tmp_path)


def test_picture_of_another_size_is_named(tmp_path: Path) -> None:
    write_face(tmp_path / "train" / "happy" / "large.png", np.zeros((96, 96), np.uint8))
    with pytest.raises(DataError, match=r"large\.png' is not a 48x48 picture"):
        read_folders(tmp_path)


def test_folder_without_train_or_faces(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no folder 'train'"):
        read_folders(tmp_path)
    (tmp_path / "train" / "happy").mkdir(parents=True)
    with pytest.raises(DataError, match="holds no"):
        read_folders(tmp_path)
