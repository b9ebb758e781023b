from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, numpy_helper

from training.export import onnx_bytes
from training.narrow import narrowed
from training.networks import Classifier, HalfClassifier, build

CROPS = np.random.default_rng(0).integers(0, 256, (3, 1, 48, 48)).astype(np.float32)


def answers(graph: bytes) -> Any:
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: CROPS})[0]


def test_a_network_takes_half_the_space_and_says_nearly_the_same() -> None:
    graph = onnx_bytes(Classifier(build("cnn3", 7), 1.0).eval())
    stored = narrowed(graph)
    onnx.checker.check_model(onnx.load_from_string(stored), full_check=True)
    assert len(stored) < 0.55 * len(graph)
    np.testing.assert_allclose(answers(stored), answers(graph), atol=5e-3)
    assert not np.array_equal(answers(stored), answers(graph))


def test_matrices_alone_are_stored_in_float16_and_computed_in_float32() -> None:
    graph = onnx_bytes(Classifier(build("cnn3", 7), 1.0).eval())
    before = {tensor.name: tensor for tensor in onnx.load_from_string(graph).graph.initializer}
    model = onnx.load_from_string(narrowed(graph)).graph
    kept = {tensor.name: tensor for tensor in model.initializer}
    wide = {name for name, tensor in before.items() if tensor.data_type == TensorProto.FLOAT and len(tensor.dims) > 1}
    casts = {node.output[0]: node for node in model.node if node.op_type == "Cast" and node.input[0] in kept}
    assert wide and casts.keys() == wide
    for name in wide:
        values = numpy_helper.to_array(kept[casts[name].input[0]])
        np.testing.assert_array_equal(values, numpy_helper.to_array(before[name]).astype(np.float16))
        assert casts[name].attribute[0].i == TensorProto.FLOAT
    assert all(kept[name] == before[name] for name in before.keys() - wide)


def test_a_network_that_is_float16_stays_as_it_is() -> None:
    graph = onnx_bytes(HalfClassifier(Classifier(build("cnn3", 7), 1.0)).eval())
    assert narrowed(graph) == graph
