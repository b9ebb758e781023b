from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from onnxruntime.capi.onnxruntime_pybind11_state import Fail

from fer_live.backends.onnxruntime import OnnxCpuBackend
from fer_live.backends.registry import open_backend, probe
from fer_live.core.modelcard import card_path
from fer_live.errors import BackendError, ModelError
from tests.media import write_card, write_network
from tests.tensorrt.machine import have_driver

_Session = onnxruntime.InferenceSession
_CUDA = "CUDAExecutionProvider"


def _first(providers: Sequence[Any]) -> str:
    return providers[0] if isinstance(providers[0], str) else providers[0][0]


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
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider"])
    assert "no CPU provider" in str(OnnxCpuBackend.unavailable_because())


class GpuSession:
    """A session of a build with the CUDA provider, on the CPU. takes: the provider that it says it uses."""

    takes = "CUDAExecutionProvider"
    fails = False
    has_fallback = True

    def __init__(self, weights: Path, options: Any, providers: Sequence[Any]) -> None:
        # Anything but a heuristic is timed anew for every number of faces.
        assert providers == [(_CUDA, {"cudnn_conv_algo_search": "HEURISTIC"}), "CPUExecutionProvider"]
        self._session = _Session(weights, options, providers=["CPUExecutionProvider"])
        self.get_inputs, self.get_outputs = self._session.get_inputs, self._session.get_outputs

    def get_providers(self) -> list[str]:
        return [self.takes, "CPUExecutionProvider"]

    def disable_fallback(self) -> None:
        self.has_fallback = False

    def run(self, names: Any, given: Any) -> Any:
        assert not self.has_fallback
        if self.fails:
            raise RuntimeError("CUDA failure 2: out of memory")
        return self._session.run(names, given)


@pytest.fixture
def gpu_build(monkeypatch: pytest.MonkeyPatch) -> None:
    """ONNX Runtime with the CUDA provider, and a driver."""
    have_driver(monkeypatch)
    monkeypatch.setattr(onnxruntime, "InferenceSession", GpuSession)
    monkeypatch.setattr(
        onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider", "CPUExecutionProvider"]
    )


@pytest.mark.usefixtures("gpu_build")
def test_cuda_provider_is_used_where_it_is_in_effect(tmp_path: Path) -> None:
    with open_backend("onnx-cuda", write_network(tmp_path / "tiny.onnx")) as backend:
        assert (backend.name, backend.device) == ("onnx-cuda", "ONNX Runtime CUDA")
        assert backend.infer(np.zeros((2, 1, 48, 48), np.float32)).shape == (2, 7)


@pytest.mark.usefixtures("gpu_build")
def test_gpu_that_has_no_room_for_the_network_is_a_reason_and_auto_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def session(weights: Path, options: Any, providers: Sequence[Any]) -> Any:
        if _first(providers) == _CUDA:
            raise Fail("CUDA failure 2: out of memory")
        return _Session(weights, options, providers=providers)

    monkeypatch.setattr(onnxruntime, "InferenceSession", session)
    weights = write_network(tmp_path / "tiny.onnx")
    with pytest.raises(BackendError, match=r"cannot use its CUDA provider here .*out of memory"):
        open_backend("onnx-cuda", weights)
    with open_backend("auto", weights) as backend:
        assert backend.name == "onnx-cpu"


@pytest.mark.usefixtures("gpu_build")
def test_what_onnx_runtime_prints_while_it_opens_stays_off_standard_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its own code takes another provider after the error that this session raises, and prints that."""

    def create(self: Any, providers: Any, *rest: Any) -> None:
        if _first(providers) == _CUDA:
            self._fallback_providers = ["CPUExecutionProvider"]
            raise RuntimeError("CUDA failure 35: driver too old")
        begin(self, providers, *rest)

    begin = _Session._create_inference_session
    monkeypatch.setattr(_Session, "_create_inference_session", create)
    monkeypatch.setattr(onnxruntime, "InferenceSession", _Session)
    with pytest.raises(BackendError, match="took CPU"):
        open_backend("onnx-cuda", write_network(tmp_path / "tiny.onnx"))
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "CUDA failure 35" in printed.err


@pytest.mark.usefixtures("gpu_build")
@pytest.mark.parametrize(
    ("trouble", "reason"),
    [({"takes": "CPUExecutionProvider"}, "took CPU"), ({"fails": True}, "CUDA failed .*out of memory")],
)
def test_cuda_provider_that_does_not_work_is_refused(
    trouble: dict[str, Any], reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in trouble.items():
        monkeypatch.setattr(GpuSession, name, value)
    with pytest.raises(BackendError, match=reason):
        open_backend("onnx-cuda", write_network(tmp_path / "tiny.onnx"))


@pytest.mark.usefixtures("gpu_build")
def test_auto_goes_on_to_the_cpu_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(GpuSession, "takes", "CPUExecutionProvider")
    opened = []

    def session(weights: Path, options: Any, providers: Sequence[Any]) -> Any:
        opened.append(_first(providers))
        kind = GpuSession if _first(providers) == _CUDA else _Session
        return kind(weights, options, providers=providers)

    monkeypatch.setattr(onnxruntime, "InferenceSession", session)
    weights = write_network(tmp_path / "tiny.onnx")
    with caplog.at_level("INFO", "fer_live"), open_backend("auto", weights) as backend:
        assert backend.name == "onnx-cpu"
        assert any(each.startswith("onnx-cuda: ONNX Runtime cannot use its CUDA") for each in backend.passed_over)
    assert opened == ["CUDAExecutionProvider", "CPUExecutionProvider"]
    assert any(line.startswith("backend passed over: onnx-cuda: ONNX Runtime cannot") for line in caplog.messages)


def test_missing_cuda_provider_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    have_driver(monkeypatch, gpus=0)
    assert "finds no GPU" in probe("onnx-cuda").reason
    have_driver(monkeypatch)
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    assert "no CUDA provider; onnxruntime-gpu" in probe("onnx-cuda").reason


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
