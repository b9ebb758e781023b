from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from training.duplicates import MAX_BITS, MIN_CORRELATION, find_near, number_pictures, perceptual_hashes

Images = NDArray[np.uint8]


@pytest.fixture
def blobs() -> Images:
    """40 pictures of smooth noise over all greys, none like another."""
    noise = np.random.default_rng(3).normal(size=(40, 48, 48))
    smooth = np.stack([cv2.GaussianBlur(picture, (0, 0), 4) for picture in noise])
    return np.stack([cv2.normalize(picture, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8) for picture in smooth])


def found(images: Images) -> dict[tuple[int, int], bool]:
    """Whether each near pair is mirrored."""
    pairs = find_near(images)
    assert len(pairs) == len(pairs.correlations)
    assert ((pairs.correlations >= MIN_CORRELATION) & (pairs.correlations < 1 + 1e-9)).all()
    return dict(zip(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True), pairs.is_mirrored, strict=True))


def shifted(image: Images) -> Images:
    return np.pad(image, ((0, 0), (1, 0)), mode="edge")[:, :-1]


def darker(image: Images) -> Images:
    return (image * 0.7 + 20).astype(np.uint8)


def compressed(image: Images) -> Images:
    encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 40])[1]
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE), np.uint8)


def test_strangers_are_not_near(blobs: Images) -> None:
    assert found(blobs) == {}


@pytest.mark.parametrize("change", [shifted, darker, compressed])
def test_small_changes_and_mirrors_are_found_and_nothing_else(
    blobs: Images, change: Callable[[Images], Images]
) -> None:
    planted = [change(blobs[5]), change(blobs[11])[:, ::-1], blobs[20][:, ::-1]]
    images = np.concatenate([blobs, np.stack(planted)])
    assert found(images) == {(5, 40): False, (11, 41): True, (20, 42): True}


def test_pairs_are_found_across_blocks(blobs: Images) -> None:
    images = np.concatenate([blobs, np.zeros((100, 48, 48), np.uint8), blobs[7:8]])
    assert found(images) == {(7, 140): False}


def test_symmetric_pictures_are_one_pair(blobs: Images) -> None:
    half = blobs[0][:, :24]
    symmetric = np.concatenate([half, half[:, ::-1]], axis=1)
    assert found(np.stack([symmetric, blobs[1], darker(symmetric)])) == {(0, 2): False}


def test_like_hashes_are_not_enough(faces: Callable[..., Any]) -> None:
    images, labels = faces(8, 0)
    hashes = perceptual_hashes(images)
    alike = np.triu(np.bitwise_count(hashes[:, None] ^ hashes) <= MAX_BITS, 1)
    assert alike.any() and (labels[alike.nonzero()[0]] == labels[alike.nonzero()[1]]).all()
    assert found(images) == {}


@pytest.mark.parametrize("count", [0, 1, 3])
def test_plain_pictures_have_no_pairs(count: int) -> None:
    assert found(np.zeros((count, 48, 48), np.uint8)) == {}


def test_hashes_are_bits_of_low_frequencies(blobs: Images) -> None:
    hashes = perceptual_hashes(blobs)
    assert (hashes.dtype, hashes.shape) == (np.uint64, (40,))
    assert hashes[0] == perceptual_hashes(blobs[:1])[0]
    assert np.bitwise_count(hashes[0] ^ perceptual_hashes(darker(blobs[0])[np.newaxis])[0]) <= 2


def test_equal_digests_share_a_number() -> None:
    assert number_pictures([b"b", b"a", b"b", b"c", b"a"]).tolist() == [0, 1, 0, 2, 1]
    assert number_pictures([]).tolist() == []
