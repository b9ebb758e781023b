"""How the face models frame FER2013's faces, and what the whole chain loses: `python -m training.framing`."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from fer_live.backends.registry import open_backend
from fer_live.console import exit_code
from fer_live.core.geometry import Framing
from fer_live.core.modelcard import FER2013_LABELS, card_path, load_verified_card
from fer_live.core.structs import Faces
from fer_live.detect.blazeface import FULL_RANGE, SHORT_RANGE, BlazeFace, BlazeFaceDetector
from fer_live.detect.mediapipe import MediaPipeFinder
from fer_live.errors import ConfigError, DataError
from training.chain import Classify, run_chain
from training.config import RECIPES, FitConfig, recipe
from training.dataset import Split, load_fer2013
from training.files import write_card
from training.framing_plot import draw
from training.layouts import TRAINING, VALIDATION
from training.options import add_data, require_at_least

MODELS = {"short range": SHORT_RANGE, "full range": FULL_RANGE}
CANVAS, FACE = 384, 192
"""Sides, px, of the grey picture and of the enlarged face in its middle."""
_GREY = 128
_PERCENTILES = (5, 10, 50, 90, 95)
_TILTS_DEG = (0.0, 20.0)
Measures = dict[str, NDArray[np.float32]]
"""float32 (N,) each, of the N faces found: side, x, y as fractions of the true crop's side, roll_deg."""


def sample(rows: Split, count: int, seed: int) -> Split:
    """Some rows of a split, drawn without return, in the split's order; all if there are no more."""
    chosen = np.random.default_rng(seed).permutation(len(rows))[:count]
    chosen.sort()
    return rows.chosen(chosen)


def surest_finds(faces: NDArray[np.uint8], model: BlazeFace) -> list[Faces]:
    """One entry a face: the surest find of one model, in px of what it was shown, or no face.

    faces: uint8 (N, 48, 48). Each is enlarged to 192 px in the middle of a grey picture of 384 px.
    """
    corner = (CANVAS - FACE) / 2
    finds = []
    with BlazeFaceDetector(model) as detector:
        for face in tqdm(faces, desc=model.file, unit=" faces", leave=False):
            canvas = np.full((CANVAS, CANVAS), _GREY, np.uint8)
            inside = slice(int(corner), int(corner) + FACE)
            canvas[inside, inside] = cv2.resize(face, (FACE, FACE), interpolation=cv2.INTER_CUBIC)
            found = detector.detect(np.asarray(cv2.cvtColor(canvas, cv2.COLOR_GRAY2BGR), np.uint8))
            finds.append(found.take([int(found.scores.argmax())]) if len(found) else found)
    return finds


def look_at(faces: NDArray[np.uint8], model: BlazeFace) -> Faces:
    """The `surest_finds` in the faces that the model finds, in fractions of the face's own square."""
    corner = (CANVAS - FACE) / 2
    finds = [find for find in surest_finds(faces, model) if len(find)]
    if not finds:
        return Faces.none()
    joined = {name: np.concatenate([getattr(find, name) for find in finds]) for name in asdict(finds[0])}
    boxes, keypoints = (joined["boxes"] - corner) / FACE, (joined["keypoints"] - corner) / FACE
    regions = (joined["regions"] - [corner, corner, 0, 0]) / [FACE, FACE, FACE, 1]
    as_float = (array.astype(np.float32) for array in (boxes, joined["scores"], keypoints, regions))
    return Faces(*as_float)


def box_measures(faces: Faces) -> Measures:
    """Where the found boxes lie in the true crop: side, centre x and y, and the roll of the eyes."""
    centres = (faces.boxes[:, :2] + faces.boxes[:, 2:]) / 2
    side = np.mean(faces.boxes[:, 2:] - faces.boxes[:, :2], axis=1)
    return {"side": side, "x": centres[:, 0], "y": centres[:, 1], "roll_deg": np.degrees(faces.regions[:, 3])}


def region_measures(faces: Faces) -> Measures:
    """How the framed regions differ from the true crop: side, shift of the centre, roll."""
    x, y, side, roll = faces.regions.T
    return {"side": side, "x": x - 0.5, "y": y - 0.5, "roll_deg": np.degrees(roll)}


def median_framing(boxes: Measures) -> Framing:
    """The framing that puts the median box's region onto the true crop."""
    shift_x, shift_y = ((0.5 - boxes[axis]) / boxes["side"] for axis in "xy")
    return Framing(
        1 / float(np.median(boxes["side"])), float(np.median(shift_x)), float(np.median(shift_y))
    )


def spread(measures: Measures) -> dict[str, dict[str, float]]:
    """Percentiles and standard deviation of each measure."""
    return {
        name: {f"p{q}": float(np.percentile(values, q)) for q in _PERCENTILES} | {"sd": float(values.std())}
        for name, values in measures.items()
    }


def augmentation_range(config: FitConfig) -> dict[str, tuple[float, float]]:
    """What a recipe's augmentation shows the network, as measures of a region in the true crop."""
    return {
        "side": (1 / config.scale_max, 1 / config.scale_min),
        "x": (-config.shift, config.shift),
        "y": (-config.shift, config.shift),
        "roll_deg": (-config.rotation_deg, config.rotation_deg),
    }


def study(rows: Split) -> dict[str, Any]:
    """The framing of each model over a split: see the functions above for the measures.

    Raises DataError if a model finds no face at all.
    """
    ranges = {model: augmentation_range(recipe(model)) for model in RECIPES}
    report: dict[str, Any] = {"n": len(rows), "augmentation": ranges, "models": {}}
    for name, model in MODELS.items():
        faces = look_at(rows.images, model)
        if len(faces) == 0:
            raise DataError(f"The model {name} finds none of the {len(rows)} faces.", "Look at more with --rows.")
        boxes, regions = box_measures(faces), region_measures(faces)
        report["models"][name] = {
            "found": len(faces) / len(rows),
            "box": spread(boxes),
            "median_framing": asdict(median_framing(boxes)),
            "framing": asdict(model.framing),
            "region": spread(regions),
            "inside_augmentation": {
                network: {
                    measure: float(((regions[measure] >= low) & (regions[measure] <= high)).mean())
                    for measure, (low, high) in limits.items()
                }
                for network, limits in ranges.items()
            },
        }
    return report


def study_table(report: dict[str, Any]) -> str:
    """The study for reading."""
    lines = [f"{report['n']} faces; lengths are fractions of the FER2013 crop's side"]
    head = "".join(f"{f'p{q}':>9}" for q in _PERCENTILES) + f"{'sd':>9}"
    for name, model in report["models"].items():
        lines += ["", f"{name}: found {model['found']:.1%}"]
        for part in ("box", "region"):
            lines.append(f"  {part:<10}{head}")
            for measure, numbers in model[part].items():
                lines.append(f"    {measure:<8}" + "".join(f"{number:9.3f}" for number in numbers.values()))
        for key in ("median_framing", "framing"):
            values = ", ".join(f"{field} {value:.3f}" for field, value in model[key].items())
            lines.append(f"  {key.replace('_', ' ')}: {values}")
        for network, shares in model["inside_augmentation"].items():
            values = ", ".join(f"{measure} {share:.1%}" for measure, share in shares.items())
            lines.append(f"  regions inside the augmentation of {network}: {values}")
    return "\n".join(lines)


def chain(weights: Path, rows: Split, seed: int) -> list[dict[str, Any]]:
    """`run_chain` of a network in ONNX Runtime, both upright and tilted; each frame stands alone."""
    with open_backend("onnx-cpu", weights) as backend, MediaPipeFinder(full_look_every=1) as finder:
        columns = [backend.card.labels.index(label) for label in FER2013_LABELS]
        classify: Classify = lambda batch: backend.infer(batch)[:, columns]  # noqa: E731
        return [run_chain(rows, finder, classify, tilt_deg, seed) for tilt_deg in _TILTS_DEG]


def write_chain(weights: Path, reports: list[dict[str, Any]]) -> None:
    """Puts the chain's figures into the card of a weights file; nothing else of it changes."""
    card = load_verified_card(weights)
    validation = card.validation | {"chain": reports}
    write_card(card_path(weights), card.model_copy(update={"validation": validation}))


def chain_table(reports: list[dict[str, Any]]) -> str:
    """The chain's figures for reading, in per cent."""
    lines = []
    for report in reports:
        low, high = report["found_ci95"]
        lines.append(
            f"tilt {report['tilt_deg']:.0f} degrees, {report['n']} faces: found {report['found']:.1%} "
            f"({low:.1%} to {high:.1%}), closely {report['found_closely']:.1%}, "
            f"false finds {report['false_finds_per_frame']:.2%} a frame"
        )
        if "variants" in report:
            lines.append(f"  bare      {report['accuracy_bare']:.1%}")
        for name, numbers in report.get("variants", {}).items():
            lost = f"{100 * numbers['drop']:.1f} +- {100 * numbers['drop_se']:.1f} points"
            lines.append(f"  {name:<9} {numbers['accuracy']:.1%}, lost {lost}")
    return "\n".join(lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training.framing", description=__doc__)
    add = parser.add_argument
    add_data(parser)
    add("--rows", type=int, default=3000, help="faces to look at, drawn by a seed (default: %(default)s)")
    add("--seed", type=int, default=0, help="seed of the draw and of the scenes (default: %(default)s)")
    add("--json", action="store_true", help="print one JSON object or list; shares are fractions")
    add("--plot", type=Path, help="also draw the study into this .png file")
    add("--chain", action="store_true", help="instead, run faces through the whole chain")
    add("--weights", type=Path, help="network for --chain, .onnx")
    add("--write-card", action="store_true", help=f"put what --chain measures on {VALIDATION} into the network's card")
    add("--usage", choices=(TRAINING, VALIDATION), default=VALIDATION, help="faces of --chain (default: %(default)s)")
    return parser


def _command(arguments: argparse.Namespace) -> None:
    require_at_least(1, "--rows", arguments.rows)
    require_at_least(0, "--seed", arguments.seed)
    if arguments.chain != (arguments.weights is not None):
        raise ConfigError("--chain and --weights FILE.onnx belong together.")
    if arguments.write_card and not (arguments.chain and arguments.usage == VALIDATION):
        raise ConfigError(f"--write-card belongs to --chain on --usage {VALIDATION}.")
    data = load_fer2013(arguments.data)
    if arguments.chain:
        rows = sample(data.split(arguments.usage), arguments.rows, arguments.seed)
        reports = chain(arguments.weights, rows, arguments.seed)
        if arguments.write_card:
            write_chain(arguments.weights, reports)
        print(json.dumps(reports) if arguments.json else chain_table(reports))
        return
    report = study(sample(data.split(TRAINING), arguments.rows, arguments.seed))
    print(json.dumps(report) if arguments.json else study_table(report))
    if arguments.plot is not None:
        draw(report, arguments.plot)


def main(argv: list[str] | None = None) -> int:
    """Returns 0, or 2 after one sentence on standard error."""
    arguments = _parser().parse_args(argv)
    return exit_code(lambda: _command(arguments))


if __name__ == "__main__":
    sys.exit(main())
