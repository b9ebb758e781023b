"""ONNX graphs that keep weights in float16 and compute in float32: half the size, widened once when they are opened."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

_SUFFIX = ".float16"


def narrowed(graph: bytes) -> bytes:
    """The same graph with a float16 copy of each float32 matrix and a Cast behind it, which runtimes fold on opening.

    Vectors and numbers, such as biases and the temperature, stay float32.
    """
    model = onnx.load_from_string(graph)
    tensors = list(model.graph.initializer)
    matrices = [each for each in tensors if each.data_type == TensorProto.FLOAT and len(each.dims) > 1]
    casts = [helper.make_node("Cast", [each.name + _SUFFIX], [each.name], to=TensorProto.FLOAT) for each in matrices]
    nodes = [*casts, *model.graph.node]
    for matrix in matrices:
        values = numpy_helper.to_array(matrix).astype(np.float16)
        matrix.CopyFrom(numpy_helper.from_array(values, matrix.name + _SUFFIX))
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return bytes(model.SerializeToString())
