"""Accuracy on faces that are small, blurred, dark or compressed: `python -m training.degrade`.

Each validation face is spoiled first and then goes through the preprocessing of live use, as a face that a bad camera
gave would.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from fer_live.console import exit_code
from fer_live.core.preprocess import crop_faces
from training.dataset import Fer2013, load_fer2013
from training.layouts import SPEC, VALIDATION
from training.metrics import wilson_interval
from training.options import add_data, require_at_least
from training.prediction import fer2013_card, predict

Face = NDArray[np.uint8]
"""uint8 (H, H) grey; degradations take H = 48."""


def shrink(face: Face, random: np.random.Generator, side: int) -> Face:
    """The face as a camera sees it that gives it only side x side px."""
    return np.asarray(cv2.resize(face, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def blur(face: Face, random: np.random.Generator, sigma: float) -> Face:
    """Out of focus: Gaussian blur, sigma in px of 48."""
    return np.asarray(cv2.GaussianBlur(face, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE), np.uint8)


def darken(face: Face, random: np.random.Generator, gamma: float, scale: float, noise: float) -> Face:
    """Too little light: grey in [0, 1] to the power of gamma, times scale, plus Gaussian noise in grey levels."""
    dark = (face / 255.0) ** gamma * scale * 255 + random.normal(0, noise, face.shape)
    return np.clip(np.rint(dark), 0, 255).astype(np.uint8)


def compress(face: Face, random: np.random.Generator, quality: int) -> Face:
    """Through JPEG of a quality in [1, 100]."""
    _, encoded = cv2.imencode(".jpg", face, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE), np.uint8)


def _untouched(face: Face, random: np.random.Generator) -> Face:
    return face


Degradation = Callable[[Face, np.random.Generator], Face]
DEGRADATIONS: dict[str, Degradation] = {
    "none": _untouched,
    "40 px": partial(shrink, side=40),
    "32 px": partial(shrink, side=32),
    "24 px": partial(shrink, side=24),
    "blur, sigma 1 px": partial(blur, sigma=1.0),
    "blur, sigma 2 px": partial(blur, sigma=2.0),
    "dark, gamma 2.5": partial(darken, gamma=2.5, scale=1.0, noise=0.0),
    "dark, 10 % of the light": partial(darken, gamma=1.0, scale=0.1, noise=0.0),
    "dark, 10 % of the light, noise 3": partial(darken, gamma=1.0, scale=0.1, noise=3.0),
    "JPEG quality 30": partial(compress, quality=30),
    "JPEG quality 10": partial(compress, quality=10),
}
"""What spoils a face, by its name in the table; the first is the comparison."""


def degraded(faces: NDArray[np.uint8], degradation: Degradation, seed: int = 0) -> NDArray[np.uint8]:
    """Faces uint8 (N, 48, 48), each spoiled, then cut out whole by the preprocessing of live use; the same shape."""
    random = np.random.default_rng(seed)
    return np.stack([_cut_whole(degradation(face, random)) for face in faces])


def _cut_whole(face: Face) -> NDArray[np.uint8]:
    side = face.shape[0]
    region = np.array([[side / 2, side / 2, side, 0]], np.float32)
    picture = np.asarray(cv2.cvtColor(face, cv2.COLOR_GRAY2BGR), np.uint8)
    return np.asarray(crop_faces(picture, region, SPEC)[0], np.uint8)


def measure_degraded(weights: Path, data: Fer2013, count: int | None = None, seed: int = 0) -> dict[str, Any]:
    """Accuracy on the first count validation rows (None: all) under each degradation.

    Returns model, usage, data_digest, n, seed, and `degradations`, a list of name, accuracy, accuracy_ci95 and drop:
    the accuracy of untouched faces minus this one. All shares are fractions. Raises what `predict` raises.
    """
    card, rows = fer2013_card(weights), data.split(VALIDATION).chosen(slice(count))
    results: list[dict[str, Any]] = []
    for name, degradation in tqdm(DEGRADATIONS.items(), desc="Degrading", unit=" ways", leave=False):
        probabilities = predict(weights, card, degraded(rows.images, degradation, seed))
        hits = int((probabilities.argmax(axis=1) == rows.labels).sum())
        figures = {"accuracy": hits / len(rows), "accuracy_ci95": list(wilson_interval(hits, len(rows)))}
        results.append({"name": name, **figures})
    for result in results:
        result["drop"] = results[0]["accuracy"] - result["accuracy"]
    about = {"model": card.name, "usage": VALIDATION, "data_digest": data.digest(), "n": len(rows), "seed": seed}
    return about | {"degradations": results}


def as_table(record: dict[str, Any]) -> str:
    """The record as a Markdown table, in per cent."""
    lines = [
        f"{record['model']} on {record['usage']}, {record['n']} faces",
        "",
        "| faces | N | accuracy (95 % interval) | points lost |",
        "|---|---|---|---|",
    ]
    for row in record["degradations"]:
        low, high = row["accuracy_ci95"]
        accuracy = f"{row['accuracy']:.1%} ({low:.1%} to {high:.1%})"
        lines.append(f"| {row['name']} | {record['n']} | {accuracy} | {row['drop'] * 100:.1f} |")
    return "\n".join(lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.degrade",
        description="Measures weights on validation faces that are small, blurred, dark or compressed.",
    )
    add = parser.add_argument
    add("--weights", type=Path, required=True, help=".onnx, run as in live use, or .safetensors, run in torch")
    add_data(parser)
    add("--rows", type=int, metavar="N", help="only the first N validation rows (default: all)")
    add("--seed", type=int, default=0, help="of the noise (default: %(default)s)")
    add("--json", action="store_true", help="print one JSON object; shares are fractions")
    return parser


def _command(arguments: argparse.Namespace) -> None:
    require_at_least(1, "--rows", arguments.rows)
    require_at_least(0, "--seed", arguments.seed)
    record = measure_degraded(arguments.weights, load_fer2013(arguments.data), arguments.rows, arguments.seed)
    print(json.dumps(record) if arguments.json else as_table(record))


def main(argv: list[str] | None = None) -> int:
    """Returns 0, or 2 after one sentence on standard error."""
    arguments = _parser().parse_args(argv)
    return exit_code(lambda: _command(arguments))


if __name__ == "__main__":
    sys.exit(main())
