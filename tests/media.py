"""Media and networks that tests make themselves."""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from fer_live.core.modelcard import (
    FER2013_LABELS,
    ModelCard,
    card_path,
    half_path,
    int8_path,
    load_card,
    sha256_of,
)


def quarters(width: int = 64, height: int = 48) -> NDArray[np.uint8]:
    """A picture, BGR, whose corners tell how it was turned: red top left, green top right, blue bottom left."""
    image = np.zeros((height, width, 3), np.uint8)
    image[: height // 2, : width // 2, 2] = 255
    image[: height // 2, width // 2 :, 1] = 255
    image[height // 2 :, : width // 2, 0] = 255
    return image


def write_picture(path: Path, image: NDArray[np.uint8]) -> Path:
    """Saves a picture in the format of its suffix, at any path."""
    encoded, content = cv2.imencode(path.suffix, image)
    assert encoded
    path.write_bytes(content.tobytes())
    return path


def write_clip(path: Path, images: list[NDArray[np.uint8]], rate_hz: int = 25, rotation: int = 0) -> Path:
    """Saves a video. rotation: degrees, counter-clockwise, that a player must turn it, as phones note it."""
    height, width = images[0].shape[:2]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=rate_hz, options={"qscale": "2"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        if rotation:
            stream.set_display_rotation(rotation)
        for image in images:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode(None))
    return path


def write_network(path: Path, labels: tuple[str, ...] = FER2013_LABELS, outputs: int | None = None) -> Path:
    """Saves a real, tiny ONNX network with its card: softmax over a line of the crop's mean brightness.

    outputs: number of probabilities, if it shall differ from the number of labels.
    """
    count = outputs or len(labels)
    slopes = np.linspace(-0.02, 0.02, count, dtype=np.float32).reshape(1, count)
    graph = helper.make_graph(
        [
            helper.make_node("GlobalAveragePool", ["crops"], ["means"]),
            helper.make_node("Flatten", ["means"], ["columns"]),
            helper.make_node("MatMul", ["columns", "slopes"], ["logits"]),
            helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
        ],
        "tiny",
        [helper.make_tensor_value_info("crops", TensorProto.FLOAT, ["n", 1, 48, 48])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", count])],
        [numpy_helper.from_array(slopes, "slopes")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
    write_card(path, labels)
    return path


def write_half(weights: Path) -> Path:
    """Saves the float16 network that belongs to one of write_network, and the card of both."""
    model = onnx.load(weights)
    graph = model.graph
    (slopes,) = graph.initializer
    slopes.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(slopes).astype(np.float16), "slopes"))
    matmul = next(node for node in graph.node if node.op_type == "MatMul")
    place = list(graph.node).index(matmul)
    matmul.input[0], matmul.output[0] = "half_columns", "half_logits"
    graph.node.insert(place, helper.make_node("Cast", ["columns"], ["half_columns"], to=TensorProto.FLOAT16))
    graph.node.insert(place + 2, helper.make_node("Cast", ["half_logits"], ["logits"], to=TensorProto.FLOAT))
    onnx.checker.check_model(model, full_check=True)
    half_path(weights).write_bytes(model.SerializeToString())
    write_card(weights, load_card(card_path(weights)).labels)
    return half_path(weights)


def write_int8(weights: Path) -> Path:
    """Saves the int8 network that belongs to one of write_network, and the card of both."""
    model = onnx.load(weights)
    graph = model.graph
    (slopes,) = graph.initializer
    values = numpy_helper.to_array(slopes)
    scale = np.abs(values).max() / 100
    slopes.CopyFrom(numpy_helper.from_array(np.rint(values / scale).astype(np.int8), "int8_slopes"))
    graph.initializer.append(numpy_helper.from_array(scale, "scale"))
    graph.node.insert(0, helper.make_node("DequantizeLinear", ["int8_slopes", "scale"], ["slopes"]))
    onnx.checker.check_model(model, full_check=True)
    int8_path(weights).write_bytes(model.SerializeToString())
    write_card(weights, load_card(card_path(weights)).labels)
    return int8_path(weights)


def write_card(weights: Path, labels: tuple[str, ...] = FER2013_LABELS) -> Path:
    """Saves the card that fits a weights file, and its networks of other precisions if there are, as they are now."""
    paths = (weights, half_path(weights), int8_path(weights))
    files = {path.name: sha256_of(path) for path in paths if path.is_file()}
    card = ModelCard(name=weights.stem, labels=labels, files=files)
    path = weights.with_suffix(".json")
    path.write_text(card.model_dump_json(), encoding="utf-8")
    return path
