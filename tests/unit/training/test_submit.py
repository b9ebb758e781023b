from __future__ import annotations

import gzip
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from training.layouts import read_unlabelled
from training.prediction import fer2013_card, predict
from training.submit import main


def unlabelled(images: Any, header: str = "pixels") -> str:
    """Faces as Kaggle's test.csv, whose pixels stand in quotes."""
    return "\n".join([header, *(f'"{" ".join(map(str, image.ravel()))}"' for image in images)]) + "\n"


@pytest.fixture
def images(faces: Callable[..., Any]) -> Any:
    """14 faces in an order that is not that of their classes."""
    drawn, _ = faces(2, 5)
    return drawn[np.random.default_rng(0).permutation(14)]


@pytest.fixture
def test_csv(tmp_path: Path, images: Any) -> Path:
    path = tmp_path / "test.csv"
    path.write_text(unlabelled(images))
    return path


def asked(trained: Any, test: Path, out: Path, *more: Path) -> list[str]:
    weights = [str(path) for path in (trained.out / "mobilevit_xxs.onnx", *more)]
    return ["--weights", *weights, "--test", str(test), "--out", str(out)]


def test_a_row_for_each_row_in_its_order(
    trained: Any, images: Any, test_csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "made" / "submission.csv"
    assert main(asked(trained, test_csv, out)) == 0
    weights = trained.out / "mobilevit_xxs.onnx"
    called = predict(weights, fer2013_card(weights), images).argmax(axis=1)
    assert out.read_text() == "emotion\n" + "".join(f"{code}\n" for code in called)
    assert capsys.readouterr().out == f"written: {out}, 14 rows\n"
    test_csv.write_text(unlabelled(images[::-1][:5]))
    assert main(asked(trained, test_csv, out)) == 0
    assert out.read_text() == "emotion\n" + "".join(f"{code}\n" for code in called[::-1][:5])


def test_several_weights_are_averaged(trained: Any, images: Any, test_csv: Path, tmp_path: Path) -> None:
    same = trained.out / "mobilevit_xxs.safetensors"
    assert main(asked(trained, test_csv, tmp_path / "one.csv")) == 0
    assert main(asked(trained, test_csv, tmp_path / "two.csv", same)) == 0
    assert (tmp_path / "two.csv").read_text() == (tmp_path / "one.csv").read_text()


def test_compressed_files_and_other_columns_are_read(images: Any, tmp_path: Path) -> None:
    packed, archive = tmp_path / "test.csv.gz", tmp_path / "test.csv.zip"
    packed.write_bytes(gzip.compress(unlabelled(images, " pixels").encode()))
    with zipfile.ZipFile(archive, "w") as writer:
        writer.writestr("test.csv", unlabelled(images))
    for path in (packed, archive):
        np.testing.assert_array_equal(read_unlabelled(path), images)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda lines: [*lines[:3], '"1 2 3"', *lines[4:]], "Row 4 of '.*' has 3 pixels, not 2304"),
        (lambda lines: [*lines[:2], lines[2].replace('"', '"x', 1)], "Row 3 of '.*' has a pixel that is not a whole"),
        (lambda lines: [*lines[:2], f"0,{lines[2]}"], "Row 3 of '.*' has 2 columns, not 1"),
        (lambda lines: [*lines, "", lines[1]], "Row 16 of '.*' has 0 columns, not 1"),
        (lambda lines: lines[:1], "has a header but no rows"),
        (lambda lines: ["emotion", *lines[1:]], "has the columns 'emotion', without pixels"),
        (lambda lines: [], "has the columns 'no header', without pixels"),
    ],
)
def test_bad_rows_are_named(
    trained: Any,
    test_csv: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    change: Callable[[list[str]], list[str]],
    message: str,
) -> None:
    test_csv.write_text("\n".join(change(test_csv.read_text().splitlines())))
    assert main(asked(trained, test_csv, tmp_path / "submission.csv")) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and "Traceback" not in captured.err
    assert re.search(message, captured.err)
    assert not (tmp_path / "submission.csv").exists()


def test_files_that_are_not_there(
    trained: Any, test_csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(asked(trained, tmp_path / "other.csv", tmp_path / "submission.csv")) == 2
    assert f"There is no file '{tmp_path / 'other.csv'}'" in capsys.readouterr().err
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as writer:
        writer.writestr("train.csv", "emotion,pixels")
    assert main(asked(trained, tmp_path / "a.zip", tmp_path / "submission.csv")) == 2
    assert "holds no test.csv" in capsys.readouterr().err
    assert main(asked(trained, test_csv, tmp_path / "submission.csv", tmp_path / "none.onnx")) == 2
    assert f"Weights '{tmp_path / 'none.onnx'}' do not exist" in capsys.readouterr().err


def test_places_that_cannot_be_written(
    trained: Any, test_csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = test_csv.read_bytes()
    assert main(asked(trained, test_csv, tmp_path / "." / "test.csv")) == 2
    assert "which it would replace" in capsys.readouterr().err
    assert test_csv.read_bytes() == before
    assert main(asked(trained, test_csv, test_csv / "submission.csv")) == 2
    assert "Choose another --out" in capsys.readouterr().err
