"""Small synthetic faces in the layouts of FER2013, and one trained and exported run for all tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from training.config import FitConfig, recipe
from training.dataset import Fer2013, Split
from training.fit import main as fit_command

LABELS = 7


def draw_faces(per_class: int, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """images uint8 (7 * per_class, 48, 48) and labels: each class is a bright bar at its own height, in noise."""
    random = np.random.default_rng(seed)
    labels = np.arange(LABELS * per_class, dtype=np.int64) % LABELS
    images = random.integers(0, 120, (len(labels), 48, 48), dtype=np.uint8)
    for image, label in zip(images, labels.tolist(), strict=True):
        image[6 * label : 6 * label + 8] += 120
    return images, labels


@pytest.fixture
def faces() -> Callable[[int, int], tuple[NDArray[np.uint8], NDArray[np.int64]]]:
    """See draw_faces."""
    return draw_faces


def csv_text(rows: list[tuple[int, NDArray[np.uint8], str]], header: str = "emotion,pixels,Usage") -> str:
    """Rows of label, image and usage as Kaggle's fer2013.csv."""
    lines = [f"{label},{' '.join(map(str, image.ravel()))},{usage}" for label, image, usage in rows]
    return "\n".join([header, *lines]) + "\n"


def small_rows() -> list[tuple[int, NDArray[np.uint8], str]]:
    """56 Training, 28 PublicTest and 14 PrivateTest rows; the first of each later usage repeat Training pixels."""
    parts = [("Training", 8, 0), ("PublicTest", 4, 1), ("PrivateTest", 2, 2)]
    rows = [
        (int(label), image, usage)
        for usage, per_class, seed in parts
        for image, label in zip(*draw_faces(per_class, seed), strict=True)
    ]
    for first in (56, 56 + 28):
        rows[first] = (rows[0][0], rows[0][1], rows[first][2])
    return rows


@pytest.fixture
def write_csv() -> Callable[..., str]:
    """See csv_text."""
    return csv_text


@pytest.fixture
def rows() -> list[tuple[int, NDArray[np.uint8], str]]:
    """See small_rows."""
    return small_rows()


@pytest.fixture
def votes_path(tmp_path: Path, rows: list[tuple[int, NDArray[np.uint8], str]]) -> Path:
    """Votes whose majority is the label of every row, nine of ten, as fer2013new.csv has them."""
    order = ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt", "unknown", "NF")
    codes = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
    lines = [",".join(("Usage", "Image name", *order))]
    for label, _, usage in rows:
        votes = ["9" if name == codes[label] else "1" if name == "unknown" else "0" for name in order]
        lines.append(",".join((usage, "fer0.png", *votes)))
    path = tmp_path / "fer2013new.csv"
    path.write_text("\n".join(lines))
    return path


@pytest.fixture
def small_data() -> Fer2013:
    """The faces of small_rows without PrivateTest, as training holds them."""
    splits = {
        usage: Split(usage, *draw_faces(per_class, seed))
        for usage, per_class, seed in [("Training", 8, 0), ("PublicTest", 4, 1)]
    }
    return Fer2013(splits)


@pytest.fixture
def quick() -> Callable[..., FitConfig]:
    """Makes a config of a few steps; precision is fixed because timing it takes longer than they do."""

    def make(**changes: object) -> FitConfig:
        defaults = {"model": "mobilevit_xxs", "epochs": 3, "batch_size": 16, "precision": "fp32"}
        return recipe(**(defaults | changes))

    return make


@pytest.fixture(scope="session", autouse=True)
def quiet_machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One thread, so that results do not depend on the machine, and a cache that nothing else uses."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield
    torch.set_num_threads(threads)


@dataclass(frozen=True)
class Trained:
    """Where `training.fit` has put what: the data it read, its run folder, its weights folder."""

    data: Path
    run: Path
    out: Path


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """MobileViT-XXS after `python -m training.fit` with one epoch; tests must not change its files."""
    root = tmp_path_factory.mktemp("trained")
    places = Trained(root / "fer2013.csv", root / "run", root / "out")
    places.data.write_text(csv_text(small_rows()))
    asked = ["--epochs", "1", "--batch-size", "16", "--data", str(places.data)]
    assert fit_command([*asked, "--run", str(places.run), "--out", str(places.out)]) == 0
    return places
