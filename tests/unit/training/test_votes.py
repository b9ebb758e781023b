from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fer_live.errors import DataError
from training.dataset import Fer2013, Split
from training.metrics import wilson_interval
from training.votes import Votes, by_agreement, read_votes, votes_on

HEADER = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
ROWS = [
    "Training,fer0.png,4,0,0,1,3,2,0,0,0,0",
    "Training,fer1.png,0,10,0,0,0,0,0,0,0,0",
    "PublicTest,fer2.png,1,0,9,0,0,0,0,0,0,0",
    "Training,fer3.png,5,0,0,5,0,0,0,0,0,0",
    "Training,fer4.png,0,0,0,0,0,0,2,8,0,0",
    "Training,,0,0,0,0,0,0,0,0,0,10",
]


def write(tmp_path: Path, *rows: str, header: str = HEADER) -> Path:
    path = tmp_path / "fer2013new.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def labelled(labels: list[int], usage: str = "Training") -> Fer2013:
    images = np.zeros((len(labels), 48, 48), np.uint8)
    return Fer2013({usage: Split(usage, images, np.array(labels, np.int64))})


def test_majority_and_its_share(tmp_path: Path) -> None:
    votes = read_votes(write(tmp_path, *ROWS), "Training")
    # Neutral, happy, then a tie, contempt and no face, none of which is one of the seven.
    assert votes.majority.tolist() == [6, 3, -1, -1, -1]
    assert votes.shares.tolist() == [0.4, 1.0, 0.5, 0.8, 1.0]


def test_rows_of_another_usage_are_left_out(tmp_path: Path) -> None:
    assert read_votes(write(tmp_path, *ROWS), "PublicTest").majority.tolist() == [5]


def test_every_emotion_has_its_code(tmp_path: Path) -> None:
    order = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
    names = HEADER.split(",")[2:]
    rows = [f"Training,x,{','.join('7' if name == wanted else '1' for name in names)}" for wanted in order]
    assert read_votes(write(tmp_path, *rows), "Training").majority.tolist() == list(range(7))


def test_copy_without_image_names_is_read(tmp_path: Path) -> None:
    header = HEADER.replace("Image name,", "")
    path = write(tmp_path, "Training,0,10,0,0,0,0,0,0,0,0", header=header)
    assert read_votes(path, "Training").majority.tolist() == [3]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("Training,fer0.png,4,0,0,1,3,2,0,0,0", "Row 3 of .* has 11 columns, not 12"),
        ("Training,fer0.png,x,0,0,1,3,2,0,0,0,0", "Row 3 of .* votes that are not whole numbers"),
        ("Training,fer0.png,-1,0,0,1,3,2,0,0,0,0", "Row 3 of .* votes that are not whole numbers"),
        ("Training,fer0.png,0,0,0,0,0,0,0,0,0,0", "Row 3 of .* has no votes"),
        ("Test,fer0.png,4,0,0,1,3,2,0,0,0,0", "Row 3 of .* has the Usage 'Test', not one of Training"),
    ],
)
def test_bad_row_is_named(tmp_path: Path, row: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_votes(write(tmp_path, ROWS[0], row), "Training")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "has the columns 'no header', without Usage, anger"),
        (b"emotion,pixels,Usage\n", "has the columns .*, without anger, disgust"),
        (f"{HEADER}\n{ROWS[2]}".encode(), "has no votes on rows of usage 'Training'"),
        (b"\xff\xfe\x00", "cannot be read"),
    ],
)
def test_file_that_is_not_fer_plus(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "votes.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        read_votes(path, "Training")
    assert "FERPlus" in caught.value.hint


@pytest.mark.parametrize("name", ["nowhere.csv", "nowhere.csv.gz", "nowhere.zip"])
def test_missing_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match=rf"^There is no file '{tmp_path / name}'") as caught:
        read_votes(tmp_path / name, "Training")
    assert "again" not in caught.value.hint


def test_folder_for_a_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cannot be read \([A-Z][a-z ]+\)\. ") as caught:
        read_votes(tmp_path, "Training")
    assert "again" not in caught.value.hint


def test_other_rows_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path, *ROWS)
    with pytest.raises(DataError, match=r"votes on 5 rows of 'Training'; there are 4"):
        votes_on(labelled([6, 3, 0, 1]), "Training", path)
    with pytest.raises(DataError, match=r"agrees with only 0% of the labels.*another order"):
        votes_on(labelled([0, 0, 0, 0, 0]), "Training", path)
    assert votes_on(labelled([6, 3, 0, 0, 0]), "Training", path).majority.tolist() == [6, 3, -1, -1, -1]


def test_accuracy_by_agreement_by_hand() -> None:
    # Majorities 0, 1, none, 1, 2 with shares 0.5, 0.7, 0.6, 0.9, 1.0; the columns are those of Votes.
    counts = np.zeros((5, 10), np.int64)
    counts[0, [0, 1, 2]] = 5, 3, 2
    counts[1, [1, 2]] = 7, 3
    counts[2, [8, 0]] = 6, 4
    counts[3, [1, 9]] = 9, 1
    counts[4, 2] = 10
    votes = Votes(counts)
    record = by_agreement(votes, np.array([0, 1, 2, 0, 2]), np.array([0, 0, 2, 0, 2]))
    assert record["agrees"] == {"n": 3, "accuracy": 2 / 3, "accuracy_ci95": list(wilson_interval(2, 3))}
    assert (record["disagrees"]["n"], record["disagrees"]["accuracy"]) == (2, 1.0)
    bands = [(band["from"], band["to"], band["n"], band["accuracy"]) for band in record["bands"]]
    assert bands == [(0.0, 0.5, 1, 1.0), (0.5, 0.7, 2, 0.5), (0.7, 0.9, 1, 1.0), (0.9, 1.0, 1, 1.0)]


def test_a_band_without_rows_has_no_accuracy() -> None:
    record = by_agreement(Votes(np.eye(1, 10, dtype=np.int64) * 10), np.array([0]), np.array([0]))
    assert record["bands"][0] == {"from": 0.0, "to": 0.5, "n": 0, "accuracy": None, "accuracy_ci95": None}
