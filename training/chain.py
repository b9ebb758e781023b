"""The whole chain on known faces: FER2013 faces in cluttered frames, found, framed and labelled.

Scenes come from a seed, so a measure can be repeated exactly. The clutter is scikit-learn's two sample photographs,
which show no faces.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import resources
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from fer_live.core.geometry import iou, region_box
from fer_live.core.preprocess import crop_faces, to_batch
from fer_live.core.structs import Faces, Frame
from fer_live.detect.finder import FaceFinder
from training.dataset import Split
from training.layouts import SPEC
from training.metrics import wilson_interval

WIDTH, HEIGHT = 640, 480
_ENLARGEMENT = (3.0, 6.0)
_FOUND_IOU, _CLOSE_IOU = 0.3, 0.5
_BATCH = 32
VARIANTS = {"framed": (1.0, 1.0), "upright": (1.0, 0.0), "tighter": (0.92, 1.0), "wider": (1.08, 1.0)}
"""Factors on side and roll of each region, to see whether another framing would label better than the finder's."""

Classify = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""Batch float32 (N, 1, 48, 48) in [0, 255], N <= 32 -> probabilities (N, K), columns in FER2013's order."""


@dataclass(frozen=True)
class Scene:
    """One face in a cluttered frame. region: float32 (4,), where it is, as in `Faces.regions`."""

    frame: Frame
    region: NDArray[np.float32]


def scenes(faces: NDArray[np.uint8], tilt_deg: float, seed: int) -> Iterator[Scene]:
    """One scene a face, uint8 (N, 48, 48): enlarged 3 to 6 times, turned by tilt_deg either way, anywhere inside."""
    photos = [_photo(name) for name in ("china.jpg", "flower.jpg")]
    random = np.random.default_rng(seed)
    for index, face in enumerate(faces):
        picture = _clutter(photos[index % len(photos)], random)
        side = SPEC.width * random.uniform(*_ENLARGEMENT)
        roll = np.radians(tilt_deg) * random.choice((-1, 1))
        reach = side / 2 * (abs(np.cos(roll)) + abs(np.sin(roll)))
        x, y = random.uniform(reach, WIDTH - reach), random.uniform(reach, HEIGHT - reach)
        _paste(face, picture, x, y, side, roll)
        yield Scene(Frame(picture, index, 0.0), np.array([x, y, side, roll], np.float32))


def _photo(name: str) -> NDArray[np.uint8]:
    encoded = resources.files("sklearn.datasets.images").joinpath(name).read_bytes()
    return np.asarray(cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_COLOR), np.uint8)


def _clutter(photo: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    """A random part of a photograph, sometimes mirrored, at the size of a frame."""
    share = random.uniform(0.4, 1.0)
    high, wide = int(photo.shape[0] * share), int(photo.shape[1] * share)
    top = random.integers(photo.shape[0] - high + 1)
    left = random.integers(photo.shape[1] - wide + 1)
    part = photo[top : top + high, left : left + wide, :]
    if random.random() < 0.5:
        part = part[:, ::-1]
    return np.asarray(cv2.resize(part, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC), np.uint8)


def _paste(
    face: NDArray[np.uint8], picture: NDArray[np.uint8], x: float, y: float, side: float, roll: float
) -> None:
    scale = side / SPEC.width
    cos, sin = scale * np.cos(roll), scale * np.sin(roll)
    middle = (SPEC.width - 1) / 2
    move = np.array(
        [
            [cos, -sin, x - 0.5 - cos * middle + sin * middle],
            [sin, cos, y - 0.5 - sin * middle - cos * middle],
        ]
    )
    cv2.warpAffine(
        cv2.cvtColor(face, cv2.COLOR_GRAY2BGR),
        move,
        (WIDTH, HEIGHT),
        dst=picture,
        flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_TRANSPARENT,
    )


def run_chain(
    rows: Split, finder: FaceFinder, classify: Classify, tilt_deg: float = 0.0, seed: int = 0
) -> dict[str, Any]:
    """Finds, frames and labels each face of a split in a scene, and labels the same faces fed bare.

    Returns counts and fractions: n, found (with its 95 % interval), found_closely (by an IoU of 0.5),
    false_finds_per_frame, accuracy_bare over the found faces and, for each of VARIANTS, accuracy, drop (bare minus
    this) and drop_se, the standard error of the drop over the pairs. A face is found if a region overlaps its square
    by an IoU of 0.3: FER2013 itself frames faces by more and by less, so a right find need not match the square.
    """
    crops: list[NDArray[np.uint8]] = []
    found: list[int] = []
    overlaps: list[float] = []
    finds = 0
    bar = tqdm(scenes(rows.images, tilt_deg, seed), total=len(rows), desc="Chain", unit=" frames", leave=False)
    for index, scene in enumerate(bar):
        faces = finder.find(scene.frame)
        finds += len(faces)
        region, overlap = _best_match(faces, scene.region)
        overlaps.append(overlap)
        if overlap >= _FOUND_IOU:
            crops.append(crop_faces(scene.frame.image, _varied(region), SPEC))
            found.append(index)
    report = {
        "n": len(rows),
        "tilt_deg": tilt_deg,
        "found": len(found) / len(rows),
        "found_ci95": list(wilson_interval(len(found), len(rows))),
        "found_closely": float(np.mean(np.array(overlaps) >= _CLOSE_IOU)),
        "false_finds_per_frame": (finds - len(found)) / len(rows),
    }
    return report | _accuracies(rows.images[found], np.array(crops), rows.labels[found], classify)


def _varied(region: NDArray[np.float32]) -> NDArray[np.float32]:
    """A region (4,) under each of VARIANTS: (V, 4)."""
    return region * np.array([(1, 1, side, roll) for side, roll in VARIANTS.values()], np.float32)


def _accuracies(
    bare_crops: NDArray[np.uint8], crops: NDArray[np.uint8], labels: NDArray[np.int64], classify: Classify
) -> dict[str, Any]:
    """Accuracy of N bare crops (N, 48, 48) and of the same faces through the chain (N, V, 48, 48)."""
    if len(labels) == 0:
        return {}
    bare = _predicted(bare_crops, classify) == labels
    report: dict[str, Any] = {"accuracy_bare": float(bare.mean()), "variants": {}}
    for column, name in enumerate(VARIANTS):
        chain = _predicted(crops[:, column], classify) == labels
        drop = bare.astype(float) - chain
        report["variants"][name] = {
            "accuracy": float(chain.mean()),
            "drop": float(drop.mean()),
            "drop_se": float(drop.std() / np.sqrt(len(drop))),
        }
    return report


def _best_match(faces: Faces, truth: NDArray[np.float32]) -> tuple[NDArray[np.float32], float]:
    """The region that overlaps the true square most, and its IoU; both are compared upright. 0 without a face."""
    if len(faces) == 0:
        return truth, 0.0
    true_box = region_box(truth.tolist())
    overlaps = [iou(region_box(region), true_box) for region in faces.regions.tolist()]
    best = int(np.argmax(overlaps))
    return faces.regions[best], overlaps[best]


def _predicted(crops: NDArray[np.uint8], classify: Classify) -> NDArray[np.int64]:
    starts = range(0, len(crops), _BATCH)
    parts = [classify(to_batch(crops[start : start + _BATCH], SPEC)) for start in starts]
    return np.asarray(np.concatenate(parts).argmax(axis=1), np.int64)
