"""An int8 network beside a float32 one, for processors: `python -m training.quantize`.

Weights become int8 with a scale for each channel, activations uint8. Faces of Training give the activations' ranges and
choose between ONNX Runtime's ways of finding them; validation only decides whether the network is kept.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from tqdm import tqdm

from fer_live.backends.backend import MAX_BATCH
from fer_live.console import exit_code
from fer_live.core.modelcard import INT8_SUFFIX, ModelCard, card_path, int8_path, sha256_of
from fer_live.core.preprocess import to_batch
from fer_live.errors import ModelError
from training.dataset import Fer2013, load_fer2013
from training.files import replace_file, write_card
from training.layouts import SPEC, TRAINING, VALIDATION
from training.metrics import differences, divergence
from training.options import add_data, require_at_least
from training.prediction import fer2013_card, predict

TOLERANCE = 0.003
"""Largest difference of validation accuracy from the float32 network's."""

_METHODS: dict[str, tuple[CalibrationMethod, dict[str, float]]] = {
    "MinMax": (CalibrationMethod.MinMax, {}),
    "Percentile 99.999": (CalibrationMethod.Percentile, {"CalibPercentile": 99.999}),
    "Percentile 99.9999": (CalibrationMethod.Percentile, {"CalibPercentile": 99.9999}),
}
_CALIBRATION_FACES, _CHOICE_FACES = 256, 1024
_OPERATORS = ("Conv", "Relu", "Add")


def quantize(weights: Path, data: Fer2013, seed: int = 0) -> dict[str, Any]:
    """Makes the int8 network of an .onnx file, seed choosing the faces, and returns its `validation.int8`.

    If `is_accurate` holds for that, writes <model>.int8.onnx beside the .onnx, and then the card; else writes nothing.
    Raises ModelError for weights that cannot be used, DataError for data without Training or PublicTest, and
    TrainingError if a file cannot be written.
    """
    card, rows = fer2013_card(weights), data.split(VALIDATION)
    float32 = card_path(weights).with_suffix(".onnx")
    if weights != float32:
        raise ModelError(f"'{weights}' is not the float32 .onnx of its card.", f"Give {float32.name}.")
    chosen = np.random.default_rng(seed).permutation(len(data.split(TRAINING)))[: _CALIBRATION_FACES + _CHOICE_FACES]
    # By shares, so that small data leaves faces for both.
    share = _CALIBRATION_FACES / (_CALIBRATION_FACES + _CHOICE_FACES)
    calibration, choice = np.split(data.split(TRAINING).images[chosen], [round(len(chosen) * share)])
    with tempfile.TemporaryDirectory() as folder:
        candidates = _candidates(weights, card, calibration, Path(folder))
        exact = predict(weights, card, choice)
        divergences = {name: divergence(exact, predict(path, card, choice)) for name, path in candidates.items()}
        best = min(_METHODS, key=divergences.__getitem__)
        probabilities, content = predict(candidates[best], card, rows.images), candidates[best].read_bytes()
    figures = differences(predict(weights, card, rows.images), probabilities, rows.labels) | {
        "accuracy": float((probabilities.argmax(axis=1) == rows.labels).mean()),
        "method": best,
        "divergences": divergences,
        "calibration_faces": len(calibration),
        "seed": seed,
    }
    if is_accurate(figures):
        _keep(weights, card, content, figures)
    return figures


def is_accurate(figures: dict[str, Any]) -> bool:
    """Whether what `quantize` measured is good enough."""
    return abs(float(figures["accuracy_difference"])) <= TOLERANCE


def _candidates(weights: Path, card: ModelCard, faces: NDArray[np.uint8], folder: Path) -> dict[str, Path]:
    """An int8 network with a card for each method."""
    prepared = folder / "prepared.onnx"
    quant_pre_process(weights, prepared, skip_symbolic_shape=True)
    inner = _inner_nodes(prepared)
    if not inner:
        raise ModelError(f"'{weights}' has fewer than two convolutions: there is nothing to quantize.")
    paths = {}
    for name, (method, options) in tqdm(_METHODS.items(), desc="Quantizing", unit=" methods", leave=False):
        paths[name] = folder / name / f"{weights.stem}{INT8_SUFFIX}"
        paths[name].parent.mkdir()
        with redirect_stdout(None):  # it tells what it is about
            quantize_static(
                prepared,
                paths[name],
                _Batches(faces),
                per_channel=True,
                # Processors without VNNI add two products in 16 bits, which weights of 8 bits overflow.
                reduce_range=True,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                nodes_to_quantize=inner,
                calibrate_method=method,
                extra_options=options,
            )
        files = {paths[name].name: sha256_of(paths[name])}
        write_card(card_path(paths[name]), card.model_copy(update={"files": files}))
    return paths


def _inner_nodes(graph: Path) -> list[str]:
    """Names of what becomes int8: from the second convolution, if there is one, to the last one's sum.

    Standardization, logits and softmax stay float32, and so does the first convolution: it costs little time, and with
    it in int8 the probabilities are off twice as far (docs/decisions/0014).
    """
    nodes = onnx.load(graph).graph.node
    places = [place for place, node in enumerate(nodes) if node.op_type == "Conv"]
    return [node.name for node in nodes[places[1] :] if node.op_type in _OPERATORS] if len(places) > 1 else []


class _Batches(CalibrationDataReader):  # type: ignore[misc]  # ONNX Runtime has no types here
    """Faces uint8 (N, 48, 48) as the network gets them."""

    def __init__(self, faces: NDArray[np.uint8]) -> None:
        starts = range(0, len(faces), MAX_BATCH)
        self._batches: Iterator[NDArray[np.float32]] = (to_batch(faces[at : at + MAX_BATCH], SPEC) for at in starts)

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        """See CalibrationDataReader."""
        batch = next(self._batches, None)
        return None if batch is None else {"crops": batch}


def _keep(weights: Path, card: ModelCard, content: bytes, figures: dict[str, Any]) -> None:
    path = int8_path(weights)
    replace_file(path, content)
    # The card last: until then the old one's hash keeps the new file from being used.
    changes = {"files": card.files | {path.name: sha256_of(path)}, "validation": card.validation | {"int8": figures}}
    write_card(card_path(weights), card.model_copy(update=changes))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training.quantize", description=__doc__)
    add = parser.add_argument
    add("--weights", type=Path, default=Path("weights/resnet18.onnx"), help="float32 .onnx (default: %(default)s)")
    add_data(parser)
    add("--seed", type=int, default=0, help="chooses the faces of Training (default: %(default)s)")
    return parser


def _command(arguments: argparse.Namespace) -> None:
    require_at_least(0, "--seed", arguments.seed)
    figures = quantize(arguments.weights, load_fer2013(arguments.data), arguments.seed)
    accuracy, difference = figures["accuracy"], figures["accuracy_difference"]
    measured = f"validation accuracy {accuracy:.2%}, of float32 {accuracy - difference:.2%}, {figures['n']} faces"
    if is_accurate(figures):
        print(f"written: {int8_path(arguments.weights)} ({measured})")
    else:
        print(f"No int8 network is written, since it changes more than {TOLERANCE:.1%}: {measured}.")


def main(argv: list[str] | None = None) -> int:
    """Returns 0, also if the network is not accurate enough, or 2 after one sentence on standard error."""
    arguments = _parser().parse_args(argv)
    return exit_code(lambda: _command(arguments))


if __name__ == "__main__":
    sys.exit(main())
