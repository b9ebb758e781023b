"""What is asked of an exported float16 network: that it is one, and that it says what the float32 network says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto

from fer_live.core.modelcard import HALF_SUFFIX, ModelCard
from fer_live.errors import TrainingError
from training.dataset import Split
from training.metrics import differences
from training.prediction import predict

TOLERANCE = 0.02
"""Largest difference of a probability from the float32 network's."""


def require_float16(graph: bytes) -> None:
    """Raises TrainingError unless all weights of an ONNX graph are float16, and its input and output float32."""
    model = onnx.load_from_string(graph).graph
    kinds = {tensor.name: tensor.data_type for tensor in model.initializer}
    floats = (TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.BFLOAT16)
    # Single numbers, such as the temperature, belong to what stays float32.
    wide = [each.name for each in model.initializer if kinds[each.name] in floats and np.prod(each.dims) > 1]
    if wide or TensorProto.FLOAT16 not in kinds.values():
        raise TrainingError(f"The float16 network has weights of other types: {', '.join(wide) or 'all'}.")
    ends = [*model.input, *model.output]
    if any(end.type.tensor_type.elem_type != TensorProto.FLOAT for end in ends):
        raise TrainingError("Input and output of the float16 network are not float32.")


def compare_half(run: Path, card: ModelCard, rows: Split) -> dict[str, float | int]:
    """How far the float16 network of a run's folder is from its float32 one, both in ONNX Runtime on the CPU.

    Returns what `differences` does. Raises TrainingError above TOLERANCE.
    """
    exact = predict(run / f"{card.name}.onnx", card, rows.images)
    half = predict(run / f"{card.name}{HALF_SUFFIX}", card, rows.images)
    difference = float(np.abs(half - exact).max())
    # Written so that NaN fails too.
    if not difference <= TOLERANCE:
        raise TrainingError(f"The float16 network differs from the float32 one by {difference:.2g}, over {TOLERANCE}.")
    return differences(exact, half, rows.labels)
