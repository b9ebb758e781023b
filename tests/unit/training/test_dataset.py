from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from fer_live.errors import DataError
from training import dataset
from training.dataset import Fer2013, Split, load_fer2013, require_every_class

Row = tuple[int, NDArray[np.uint8], str]


@pytest.fixture
def csv_path(tmp_path: Path, rows: list[Row], write_csv: Callable[..., str]) -> Path:
    path = tmp_path / "fer2013.csv"
    path.write_text(write_csv(rows))
    return path


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "fer-live"


def test_splits(csv_path: Path) -> None:
    data = load_fer2013(csv_path)
    assert {usage: len(split) for usage, split in data.splits.items()} == {
        "Training": 56,
        "PublicTest": 28,
        "PrivateTest": 14,
    }
    assert not data.validation_made


def test_repeats_of_training(csv_path: Path) -> None:
    assert np.flatnonzero(load_fer2013(csv_path).repeats_of_training("PublicTest")).tolist() == [0]


def test_second_reading_comes_from_the_cache(
    csv_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = load_fer2013(csv_path)
    assert len(list(cache.iterdir())) == 1
    monkeypatch.setattr(dataset, "read_csv", lambda path: pytest.fail("the CSV was decoded again"))
    assert load_fer2013(csv_path).digest() == first.digest()


def test_changed_file_is_read_again(csv_path: Path, cache: Path) -> None:
    before = load_fer2013(csv_path).digest()
    csv_path.write_text(csv_path.read_text().replace("\n0,", "\n1,", 1))
    assert load_fer2013(csv_path).digest() != before


def test_damaged_cache_is_made_again(csv_path: Path, cache: Path) -> None:
    digest = load_fer2013(csv_path).digest()
    (entry,) = cache.iterdir()
    whole = entry.read_bytes()
    for content in (b"", b"not a cache", whole[: len(whole) // 2]):
        entry.write_bytes(content)
        assert load_fer2013(csv_path).digest() == digest
        assert entry.read_bytes() == whole


def test_cache_that_cannot_be_written_costs_only_time(
    csv_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logged_warnings: list[str]
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert len(load_fer2013(csv_path).split("Training")) == 56
    assert "cannot be written" in logged_warnings.pop()


def test_full_disk_keeps_no_part_of_a_cache(csv_path: Path, cache: Path, logged_warnings: list[str]) -> None:
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
    try:
        assert len(load_fer2013(csv_path).split("Training")) == 56
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert "cannot be written" in logged_warnings.pop()
    assert list(cache.iterdir()) == []


@pytest.mark.parametrize("name", ["fer2013.csv.gz", "somewhere/fer2013.csv"])
def test_missing_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match=r"no FER2013 at '.*'.*Kaggle.*--data"):
        load_fer2013(tmp_path / name)


@pytest.mark.parametrize("folder", [".", "/"])
def test_a_folder_without_a_name_of_its_own_is_read_as_any(
    folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=f"'{folder}' has no folder 'train'"):
        load_fer2013(Path(folder))


def test_compressed_file_beside_is_found(csv_path: Path) -> None:
    content = csv_path.read_bytes()
    csv_path.with_name("fer2013.csv.gz").write_bytes(gzip.compress(content))
    csv_path.unlink()
    assert len(load_fer2013(csv_path).split("Training")) == 56


@pytest.fixture
def without_usage(tmp_path: Path, faces: Callable[..., tuple[NDArray[np.uint8], NDArray[np.int64]]]) -> Path:
    """140 rows without Usage, 20 of a class; the 4 pictures of a class in 5 pixel-identical copies each."""
    images, labels = faces(4, 0)
    lines = [
        f"{label},{' '.join(map(str, image.ravel()))}"
        for image, label in zip(np.tile(images, (5, 1, 1)), np.tile(labels, 5).tolist(), strict=True)
    ]
    path = tmp_path / "train.csv"
    path.write_text("\n".join(["emotion,pixels", *lines]))
    return path


def test_validation_is_made_by_class_and_pixels(without_usage: Path) -> None:
    data = load_fer2013(without_usage)
    assert data.validation_made
    kept, held = data.split("Training"), data.split("PublicTest")
    assert len(kept) + len(held) == 140
    assert not set(kept.pixel_hashes()) & set(held.pixel_hashes())
    assert set(Counter(kept.labels.tolist())) == set(range(7))


def test_validation_is_a_tenth_of_every_class(
    tmp_path: Path, faces: Callable[..., tuple[NDArray[np.uint8], NDArray[np.int64]]]
) -> None:
    images, labels = faces(20, 0)
    data = dataset._with_validation({"Training": Split("Training", images, labels)})
    assert Counter(data.split("PublicTest").labels.tolist()) == dict.fromkeys(range(7), 2)


def test_the_same_validation_every_time(without_usage: Path) -> None:
    assert load_fer2013(without_usage).digest() == load_fer2013(without_usage).digest()


def test_too_few_rows_to_make_a_validation(
    faces: Callable[..., tuple[NDArray[np.uint8], NDArray[np.int64]]],
) -> None:
    images, labels = faces(9, 0)
    with pytest.raises(DataError, match="The 9 rows of 'angry' are too few"):
        dataset._with_validation({"Training": Split("Training", images, labels)})


def test_usage_without_rows(small_data: Fer2013) -> None:
    with pytest.raises(DataError, match=r"no rows of usage 'PrivateTest'\. It has: Training, PublicTest"):
        small_data.split("PrivateTest")


def test_missing_classes_are_named(small_data: Fer2013) -> None:
    require_every_class(small_data, "PublicTest")
    rows = small_data.split("PublicTest")
    few = (rows.labels != 1) & (rows.labels != 5)
    lacking = Fer2013(
        small_data.splits | {"PublicTest": Split("PublicTest", rows.images[few], rows.labels[few])}
    )
    with pytest.raises(DataError, match="no rows of disgust, surprise in 'PublicTest'"):
        require_every_class(lacking, "PublicTest")


def test_digest_depends_on_pixels_labels_and_usage(small_data: Fer2013) -> None:
    rows = small_data.split("PublicTest")
    pixels = rows.images.copy()
    pixels[0, 0, 0] ^= 1
    variants = [
        small_data.splits,
        {"Training": rows, "PublicTest": small_data.split("Training")},
        small_data.splits | {"PublicTest": Split("PublicTest", pixels, rows.labels)},
        small_data.splits | {"PublicTest": Split("PublicTest", rows.images, rows.labels[::-1])},
    ]
    assert len({Fer2013(splits).digest() for splits in variants}) == len(variants)
