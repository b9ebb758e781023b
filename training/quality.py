"""What it costs when faces are small, blurred or turned, and the settings that follow: `python -m training.quality`."""

from __future__ import annotations

import argparse
import json
import math
import sys
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from fer_live.config import QualityConfig
from fer_live.console import exit_code
from fer_live.core.modelcard import ModelCard
from fer_live.core.quality import sharpness, turn
from fer_live.detect.blazeface import SHORT_RANGE
from training.dataset import Split, load_fer2013
from training.degrade import blur, degraded, shrink
from training.framing import surest_finds
from training.layouts import SPEC, VALIDATION
from training.metrics import wilson_interval
from training.options import add_data, require_at_least
from training.prediction import fer2013_card, predict
from training.quality_report import as_table, draw

MARGIN = 0.03
"""Accuracy that faces which pass may lose at most, in each step of the study."""
SIDES_PX = (40, 36, 34, 32, 30, 28, 24, 20, 16, 12)
SIGMAS_PX = (0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 3.0)
SHARPNESS_EDGES = (0.0, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.15, 0.2, 0.3, 0.5)
TURN_EDGES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.5)
Hits = NDArray[np.bool_]
"""bool (N,): which faces were called as the data set does."""


class Study:
    """The validation faces, whole and spoiled, as a network calls them."""

    def __init__(self, weights: Path, card: ModelCard, rows: Split) -> None:
        self._weights, self._card, self._rows = weights, card, rows
        self.plain = self.hits(rows.images)

    def hits(self, crops: NDArray[np.uint8]) -> Hits:
        """Which crops uint8 (N, 48, 48), one for each face of the study, are called right."""
        hits: Hits = predict(self._weights, self._card, crops).argmax(axis=1) == self._rows.labels
        return hits

    def sizes(self) -> list[dict[str, Any]]:
        """Accuracy by side of the face's square in the picture, largest first."""
        sides = tqdm(SIDES_PX, desc="Shrinking", unit=" sizes", leave=False)
        hits = {side: self.hits(degraded(self._rows.images, partial(shrink, side=side))) for side in sides}
        return [{"side_px": side, **compare(hit, self.plain)} for side, hit in hits.items()]

    def blurs(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Accuracy by blur, and by sharpness of faces with and without blur taken together."""
        sharp, pooled, levels = [_sharpness(self._rows.images)], [self.plain], []
        for sigma in tqdm(SIGMAS_PX, desc="Blurring", unit=" sigmas", leave=False):
            crops = degraded(self._rows.images, partial(blur, sigma=sigma))
            sharp.append(_sharpness(crops))
            pooled.append(self.hits(crops))
            levels.append({"sigma_px": sigma, **compare(pooled[-1], self.plain), **_spread(sharp[-1])})
        levels.insert(0, {"sigma_px": 0.0, **compare(self.plain, self.plain), **_spread(sharp[0])})
        values, hits = np.concatenate(sharp), np.concatenate(pooled)
        plain = np.tile(self.plain, len(pooled))
        return levels, [
            {"low": low, "high": high, **compare(hits[inside], plain[inside])}
            for low, high, inside in _bins(values, SHARPNESS_EDGES)
        ]

    def turned(self) -> tuple[int, list[dict[str, Any]]]:
        """Faces that the short range model finds, and their accuracy by turn: as they are, since no picture of a
        face can be turned after it was taken."""
        finds = surest_finds(self._rows.images, SHORT_RANGE)
        found = np.array([len(find) > 0 for find in finds])
        values = np.array([turn(points) for find in finds for points in find.keypoints.tolist()])
        return int(found.sum()), [
            {"low": low, "high": high, **accuracy(self.plain[found][inside])}
            for low, high, inside in _bins(values, TURN_EDGES)
        ]


def accuracy(hits: Hits) -> dict[str, Any]:
    """n, accuracy and its 95 % interval."""
    right = int(hits.sum())
    return {"n": len(hits), "accuracy": right / len(hits), "accuracy_ci95": list(wilson_interval(right, len(hits)))}


def compare(hits: Hits, plain: Hits) -> dict[str, Any]:
    """`accuracy`, and drop: what the same faces lose against being whole, with its standard error, paired."""
    lost = plain.astype(float) - hits
    return {**accuracy(hits), "drop": float(lost.mean()), "drop_se": float(lost.std() / math.sqrt(len(lost)))}


def _sharpness(crops: NDArray[np.uint8]) -> NDArray[np.float64]:
    return np.array([sharpness(crop) for crop in crops])


def _spread(values: NDArray[np.float64]) -> dict[str, float]:
    return {f"sharpness_p{q}": float(np.percentile(values, q)) for q in (5, 50, 95)}


def _bins(values: NDArray[np.float64], edges: tuple[float, ...]) -> list[tuple[float, float | None, Hits]]:
    """Low edge, high edge and who is inside, of the bins in which there is somebody; the last one has no high edge."""
    bins = [(low, high, (values >= low) & (values < high)) for low, high in pairwise((*edges, math.inf))]
    return [(low, None if math.isinf(high) else high, inside) for low, high, inside in bins if inside.any()]


def measure_quality(weights: Path, rows: Split) -> dict[str, Any]:
    """The whole study: see Study for its parts and `settings` for what follows. Raises what `predict` raises."""
    card = fer2013_card(weights)
    study = Study(weights, card, rows)
    blurs, by_sharpness = study.blurs()
    found, by_turn = study.turned()
    record = {
        "model": card.name,
        "usage": rows.usage,
        "margin": MARGIN,
        "scale": SHORT_RANGE.framing.scale,
        "plain": accuracy(study.plain),
        "sizes": study.sizes(),
        "blurs": blurs,
        "sharpness": by_sharpness,
        "found": found,
        "turns": by_turn,
    }
    return record | {"settings": settings(record), "in_use": QualityConfig().model_dump()}


def settings(record: dict[str, Any]) -> dict[str, float]:
    """The loosest settings under which no step of size or sharpness that passes loses more than MARGIN.

    A square of side_px holds a box of side_px / the framing's scale. For turn: the lowest edge above which the whole
    95 % interval of accuracy is below the accuracy of all faces, as there is no face to compare a turned one with.
    """
    passing = []
    for size in record["sizes"]:
        if size["drop"] > MARGIN:
            break
        passing.append(size["side_px"])
    blurred = [step["high"] or step["low"] for step in record["sharpness"] if step["drop"] > MARGIN]
    turned = [step["low"] for step in record["turns"] if step["accuracy_ci95"][1] < record["plain"]["accuracy"]]
    return {
        "min_face_px": math.ceil(min(passing, default=SPEC.width) / SHORT_RANGE.framing.scale),
        "min_sharpness": max(blurred, default=0.0),
        "max_turn": min(turned, default=TURN_EDGES[-1]),
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training.quality", description=__doc__)
    add = parser.add_argument
    add("--weights", type=Path, required=True, help=".onnx, run as in live use, or .safetensors, run in torch")
    add_data(parser)
    add("--rows", type=int, metavar="N", help="only the first N validation rows (default: all)")
    add("--json", action="store_true", help="print one JSON object; shares are fractions")
    add("--plot", type=Path, help="also draw the study into this .png file")
    return parser


def _command(arguments: argparse.Namespace) -> None:
    require_at_least(1, "--rows", arguments.rows)
    rows = load_fer2013(arguments.data).split(VALIDATION).chosen(slice(arguments.rows))
    record = measure_quality(arguments.weights, rows)
    print(json.dumps(record) if arguments.json else as_table(record))
    if arguments.plot is not None:
        draw(record, arguments.plot)


def main(argv: list[str] | None = None) -> int:
    """Returns 0, or 2 after one sentence on standard error."""
    arguments = _parser().parse_args(argv)
    return exit_code(lambda: _command(arguments))


if __name__ == "__main__":
    sys.exit(main())
