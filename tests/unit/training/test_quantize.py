from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from fer_live.backends.registry import open_backend
from fer_live.core.modelcard import card_path, int8_path, load_card, load_verified_card, sha256_of
from tests.media import write_card
from training.dataset import Fer2013, Split
from training.prediction import predict
from training.quantize import is_accurate, main, quantize


def write_matcher(path: Path, training: Split, noise: float = 0.0) -> Path:
    """A real network of three convolutions, trained in closed form: it calls a face as the nearest of the class means.

    noise: size of a channel that the last convolution ignores, but that shares its range with the others.
    """
    faces = training.images.astype(np.float32) / 255
    means = np.stack([faces[training.labels == label].mean(axis=0) for label in range(7)])
    centre = means.mean(axis=0)
    ignored = np.full((1, 48, 48), noise, np.float32)
    weights = {
        "scale": np.full((1, 1, 1, 1), 1 / 255),
        "templates": np.concatenate([means - centre, ignored])[:, None],
        "biases": np.append(((centre**2).sum() - (means**2).sum(axis=(1, 2))) / 2, 0),
        "last": 0.1 * np.eye(7, 8)[:, :, None, None],
    }
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["crops", "scale"], ["scaled"], "first"),
            helper.make_node("Conv", ["scaled", "templates", "biases"], ["matches"], "second"),
            helper.make_node("Relu", ["matches"], ["positive"], "relu"),
            helper.make_node("Conv", ["positive", "last"], ["cells"], "third"),
            helper.make_node("Flatten", ["cells"], ["logits"], "flatten"),
            helper.make_node("Softmax", ["logits"], ["probabilities"], "softmax", axis=1),
        ],
        "matcher",
        [helper.make_tensor_value_info("crops", TensorProto.FLOAT, ["batch", 1, 48, 48])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", 7])],
        [numpy_helper.from_array(value.astype(np.float32), name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString())
    write_card(path)
    return path


@pytest.fixture
def weights(tmp_path: Path, small_data: Fer2013) -> Path:
    return write_matcher(tmp_path / "matcher.onnx", small_data.split("Training"))


def test_it_is_kept_beside_its_network_and_listed_in_the_card(weights: Path, small_data: Fer2013) -> None:
    before = load_card(card_path(weights))
    figures = quantize(weights, small_data)
    card = load_verified_card(int8_path(weights))
    assert card == load_verified_card(weights)
    assert card.validation == {**before.validation, "int8": figures}
    assert set(card.files) == {"matcher.onnx", "matcher.int8.onnx"}
    assert (figures["n"], figures["accuracy"], figures["accuracy_difference"]) == (28, 1.0, 0.0)
    assert 0 < figures["largest_difference"] < 0.1
    assert figures["divergences"][figures["method"]] == min(figures["divergences"].values())
    assert figures["calibration_faces"] == 11  # a fifth of 56


def test_its_weights_are_int8_between_float32_ends(weights: Path, small_data: Fer2013) -> None:
    quantize(weights, small_data)
    graph = onnx.load(int8_path(weights)).graph
    onnx.checker.check_model(onnx.load(int8_path(weights)), full_check=True)
    arrays = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    inner = {name: array for name, array in arrays.items() if array.dtype == np.int8 and array.size > 8}
    assert sorted(array.shape for array in inner.values()) == [(7, 8, 1, 1), (8, 1, 48, 48)]
    # Two products with 7 bits fit in the 16 bits in which older processors add them.
    assert all(np.abs(array).max() <= 64 for array in inner.values())
    assert arrays["scale"].dtype == np.float32
    ends = [(end.name, end.type.tensor_type.elem_type) for end in (*graph.input, *graph.output)]
    assert ends == [("crops", TensorProto.FLOAT), ("probabilities", TensorProto.FLOAT)]
    softmax = next(node for node in graph.node if node.op_type == "Softmax")
    assert softmax.output == ["probabilities"]


def test_live_use_takes_it_with_any_batch(weights: Path, small_data: Fer2013) -> None:
    quantize(weights, small_data)
    faces = small_data.split("PublicTest").images[:, None].astype(np.float32)
    with open_backend("auto", weights) as backend, open_backend("onnx-cpu", weights) as exact:
        assert backend.name == "onnx-cpu-int8"
        for count in (1, 3, 28):
            np.testing.assert_allclose(backend.infer(faces[:count]), exact.infer(faces[:count]), atol=0.1)


def test_training_alone_shapes_it(
    weights: Path, small_data: Fer2013, faces: Callable[[int, int], tuple[NDArray[np.uint8], NDArray[np.int64]]]
) -> None:
    quantize(weights, small_data)
    once = int8_path(weights).read_bytes()
    quantize(weights, Fer2013(small_data.splits | {"PublicTest": Split("PublicTest", *faces(4, 9))}))
    assert int8_path(weights).read_bytes() == once
    quantize(weights, small_data, seed=1)
    assert int8_path(weights).read_bytes() != once


def test_it_can_be_measured_as_any_weights(weights: Path, small_data: Fer2013) -> None:
    figures = quantize(weights, small_data)
    rows = small_data.split("PublicTest")
    path = int8_path(weights)
    share = (predict(path, load_verified_card(path), rows.images).argmax(axis=1) == rows.labels).mean()
    assert share == figures["accuracy"]


def test_one_that_loses_accuracy_is_not_written(tmp_path: Path, small_data: Fer2013) -> None:
    weights = write_matcher(tmp_path / "matcher.onnx", small_data.split("Training"), noise=1e4)
    before = card_path(weights).read_bytes()
    figures = quantize(weights, small_data)
    assert figures["accuracy_difference"] < -0.5
    assert not is_accurate(figures)
    assert not int8_path(weights).exists()
    assert card_path(weights).read_bytes() == before


@pytest.fixture
def csv(tmp_path: Path, write_csv: Callable[..., str], rows: list[Any]) -> Path:
    path = tmp_path / "fer2013.csv"
    path.write_text(write_csv(rows))
    return path


@pytest.mark.parametrize(("noise", "said"), [(0.0, "written: "), (1e4, "No int8 network is written")])
def test_the_command_says_in_one_line_what_came_of_it(
    noise: float, said: str, tmp_path: Path, csv: Path, small_data: Fer2013, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = write_matcher(tmp_path / "matcher.onnx", small_data.split("Training"), noise)
    assert main(["--weights", str(weights), "--data", str(csv)]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(said)
    assert "of float32 100.00%, 28 faces" in line
    assert int8_path(weights).exists() == (noise == 0)


@pytest.mark.parametrize("name", ["matcher.safetensors", "matcher.fp16.onnx", "matcher.int8.onnx"])
def test_only_the_float32_graph_of_a_card_is_taken(
    name: str, weights: Path, csv: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = weights.read_bytes()
    weights.rename(weights.with_name(name))
    card = load_card(card_path(weights))
    files = {name: sha256_of(weights.with_name(name))}
    card_path(weights).write_text(card.model_copy(update={"files": files}).model_dump_json())
    assert main(["--weights", str(weights.with_name(name)), "--data", str(csv)]) == 2
    assert f"{name}' is not the float32 .onnx of its card. Give matcher.onnx." in capsys.readouterr().err
    assert weights.with_name(name).read_bytes() == content
    assert len(list(weights.parent.glob("matcher*"))) == 2


def test_a_network_without_convolutions_is_one_sentence(
    tmp_path: Path, csv: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    graph = helper.make_graph(
        [
            helper.make_node("Flatten", ["crops"], ["flat"], "flatten"),
            helper.make_node("MatMul", ["flat", "weight"], ["logits"], "linear"),
            helper.make_node("Softmax", ["logits"], ["probabilities"], "softmax", axis=1),
        ],
        "linear",
        [helper.make_tensor_value_info("crops", TensorProto.FLOAT, ["batch", 1, 48, 48])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", 7])],
        [numpy_helper.from_array(np.zeros((48 * 48, 7), np.float32), "weight")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    path = tmp_path / "linear.onnx"
    path.write_bytes(model.SerializeToString())
    write_card(path)
    assert main(["--weights", str(path), "--data", str(csv)]) == 2
    assert "linear.onnx' has fewer than two convolutions" in capsys.readouterr().err


def test_what_cannot_be_used_is_one_sentence(tmp_path: Path, csv: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--data", str(csv), "--seed", "-1"]) == 2
    assert "--seed is -1. Give a whole number from 0" in capsys.readouterr().err
    assert main(["--weights", str(tmp_path / "absent.onnx"), "--data", str(csv)]) == 2
    assert "absent.onnx' do not exist" in capsys.readouterr().err
