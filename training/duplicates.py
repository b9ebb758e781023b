"""Pictures that a data set has twice: pixel for pixel, or nearly so.

Near pairs have perceptual hashes that differ in few bits (Zauner 2010, 'Implementation and Benchmarking of Perceptual
Image Hash Functions'; OpenCV's pHash: which of the 64 lowest DCT coefficients are above their mean), and pixels that
correlate. The hash alone pairs strangers: frontal faces under like light agree in most low frequencies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

MAX_BITS = 10
"""Of 64. To shift a face by 1 px, or to enlarge it by 4 %, changes 8 bits or fewer in nine faces of ten."""

MIN_CORRELATION = 0.93
"""Pearson's r of the pixels, chosen by eye on FER2013: docs/dataset.md says how."""

_BLOCK = 64
Indices = NDArray[np.intp]


@dataclass(frozen=True)
class NearPairs:
    """Pairs of pictures by index, first < second, and how alike they are. All arrays are (P,).

    is_mirrored: bool, the first is like the mirror image of the second, and not like the second itself.
    correlations: float64 in [MIN_CORRELATION, 1].
    """

    first: Indices
    second: Indices
    is_mirrored: NDArray[np.bool_]
    correlations: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.first)


def number_pictures(digests: Sequence[bytes]) -> Indices:
    """Number of each row's picture, intp (N,), from 0 in the order of first rows; equal digests share a number."""
    numbers: dict[bytes, int] = {}
    return np.array([numbers.setdefault(digest, len(numbers)) for digest in digests], np.intp)


def perceptual_hashes(images: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """OpenCV's pHash of each picture (N, H, W), uint64 (N,)."""
    hasher: Any = cv2.img_hash.PHash.create()
    hashes = [hasher.compute(np.ascontiguousarray(image)).tobytes() for image in images]
    return np.frombuffer(b"".join(hashes), np.uint64)


def find_near(images: NDArray[np.uint8]) -> NearPairs:
    """The near pairs among pictures uint8 (N, 48, 48), each compared with all others and with their mirror images.

    Pictures of a single grey have none. Identical pictures are near, too: leave one of each.
    """
    chosen = np.flatnonzero(np.ptp(images, axis=(1, 2)) > 0)
    images = images[chosen]
    first, second, correlations = _matches(images, images, "Comparing")
    first_m, second_m, correlations_m = _matches(images, images[:, :, ::-1], "Comparing with mirror images")
    # Symmetric faces are like their mirror image, so that a pair may be found both ways.
    is_new = ~np.isin(first_m * len(images) + second_m, first * len(images) + second)
    return NearPairs(
        chosen[np.concatenate([first, first_m[is_new]])],
        chosen[np.concatenate([second, second_m[is_new]])],
        np.arange(len(first) + is_new.sum()) >= len(first),
        np.concatenate([correlations, correlations_m[is_new]]),
    )


def _matches(
    images: NDArray[np.uint8], others: NDArray[np.uint8], about: str
) -> tuple[Indices, Indices, NDArray[np.float64]]:
    """Images first and others second, first < second, that are near, and their correlations; all arrays are (P,)."""
    hashes, other_hashes = perceptual_hashes(images), perceptual_hashes(others)
    found = [(np.zeros(0, np.intp), np.zeros(0, np.intp), np.zeros(0))]
    for start in tqdm(range(0, len(images), _BLOCK), desc=about, unit=" blocks", leave=False):
        bits = np.bitwise_count(hashes[start : start + _BLOCK, np.newaxis] ^ other_hashes[start:])
        first, second = np.nonzero(np.triu(bits <= MAX_BITS, 1))
        correlations = _correlations(images[first + start], others[second + start])
        near = correlations >= MIN_CORRELATION
        found.append((first[near] + start, second[near] + start, correlations[near]))
    firsts, seconds, values = zip(*found, strict=True)
    return np.concatenate(firsts), np.concatenate(seconds), np.concatenate(values)


def _correlations(images: NDArray[np.uint8], others: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Pearson's r, (P,), of the pixels of pictures (P, H, W), none of which is of a single grey."""
    a, b = (pictures - pictures.mean(axis=(1, 2), keepdims=True) for pictures in (images, others))
    products = (a * b).sum(axis=(1, 2))
    return np.asarray(products / np.sqrt((a**2).sum(axis=(1, 2)) * (b**2).sum(axis=(1, 2))))
