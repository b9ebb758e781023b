from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from fer_live.backends.onnxruntime import OnnxCpuBackend
from fer_live.core.modelcard import card_path
from fer_live.errors import ModelError
from tests.media import write_card, write_network


def test_it_computes_what_the_network_says(tmp_path: Path) -> None:
    crop = np.full((1, 1, 48, 48), 100, np.float32)
    with OnnxCpuBackend(write_network(tmp_path / "tiny.onnx")) as backend:
        (row,) = backend.infer(crop)
        assert "CPU" in backend.device
    logits = 100 * np.linspace(-0.02, 0.02, 7)
    np.testing.assert_allclose(row, np.exp(logits) / np.exp(logits).sum(), atol=1e-6)


def test_any_path_is_opened(tmp_path: Path) -> None:
    folder = tmp_path / "Größe 😀"
    folder.mkdir()
    with OnnxCpuBackend(write_network(folder / "сеть.onnx")) as backend:
        assert backend.card.name == "сеть"


def test_file_that_is_no_network_is_refused(tmp_path: Path) -> None:
    weights = tmp_path / "tiny.onnx"
    weights.write_bytes(b"no network")
    write_card(weights)
    with pytest.raises(ModelError, match=r"tiny\.onnx' is not a network that ONNX Runtime can load"):
        OnnxCpuBackend(weights)


def test_hash_is_checked_before_the_network_is_loaded(tmp_path: Path) -> None:
    weights = write_network(tmp_path / "tiny.onnx")
    weights.write_bytes(b"no network")
    with pytest.raises(ModelError, match="differ from the SHA-256"):
        OnnxCpuBackend(weights)


def test_other_number_of_labels_is_refused(tmp_path: Path) -> None:
    weights = write_network(tmp_path / "tiny.onnx", outputs=5)
    with pytest.raises(ModelError, match="gives 5 probabilities but its card has 7 labels"):
        OnnxCpuBackend(weights)


def test_other_size_of_input_is_refused(tmp_path: Path) -> None:
    weights = write_network(tmp_path / "tiny.onnx")
    card = card_path(weights)
    card.write_text(card.read_text().replace('"height":48', '"height":64'))
    with pytest.raises(ModelError, match="not what its model card says"):
        OnnxCpuBackend(weights)


def test_missing_runtime_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    assert OnnxCpuBackend.unavailable_because() is None
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert "onnxruntime cannot be imported" in str(OnnxCpuBackend.unavailable_because())


def test_runtime_without_the_provider_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    import onnxruntime

    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider"])
    assert "no CPU provider" in str(OnnxCpuBackend.unavailable_because())


@pytest.mark.usefixtures("shipped_weights")
def test_shipped_network_tells_faces_apart(shipped_weights: Path, media: Path) -> None:
    """The real weights on two real faces of the finder's test photograph: different people, different rows."""
    from fer_live.capture.pictures import read_picture
    from fer_live.core.preprocess import crop_faces, to_batch

    image = read_picture(media / "multi_face.jpg")
    with OnnxCpuBackend(shipped_weights) as backend:
        regions = np.array([[150, 150, 120, 0], [400, 150, 120, 0]], np.float32)
        rows = backend.infer(to_batch(crop_faces(image, regions, backend.card.input), backend.card.input))
    np.testing.assert_allclose(rows.sum(axis=1), 1, atol=1e-5)
    assert np.abs(rows[0] - rows[1]).max() > 0.01
