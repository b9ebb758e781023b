from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest

from fer_live.backends.build_engine import build_engine
from fer_live.backends.onnxruntime import OnnxCpuBackend
from fer_live.backends.registry import open_backend, preparation, probe
from fer_live.backends.tensorrt import TensorRtBackend, engine_name
from fer_live.core import modelcard
from fer_live.core.modelcard import card_path, half_path, load_card, sha256_of
from fer_live.errors import BackendError
from tests.media import write_half, write_network
from tests.tensorrt.fake_tensorrt import World
from tests.tensorrt.machine import have_driver, have_gpu


def crops(count: int) -> np.ndarray:
    return np.random.default_rng(count).integers(0, 256, (count, 1, 48, 48)).astype(np.float32)


@pytest.fixture
def built(world: World, weights: Path) -> Path:
    """A network whose engine is there."""
    build_engine(weights)
    return weights


def test_it_says_what_the_float32_network_says_on_the_cpu(built: Path, world: World) -> None:
    with TensorRtBackend(built) as backend, OnnxCpuBackend(built) as reference:
        for count in (1, 32, 3, 3, 1):
            np.testing.assert_allclose(backend.infer(crops(count)), reference.infer(crops(count)), atol=2e-3)
        assert backend.device == f"TensorRT {world.bindings.version}, NVIDIA Fake 9000"
        assert backend.card == reference.card


def test_a_result_is_not_overwritten_by_the_next(built: Path) -> None:
    with TensorRtBackend(built) as backend:
        first = backend.infer(np.zeros((1, 1, 48, 48), np.float32))
        kept = first.copy()
        backend.infer(np.full((1, 1, 48, 48), 255, np.float32))
        np.testing.assert_array_equal(first, kept)


def test_each_size_is_captured_once_and_then_only_launched(built: Path, world: World) -> None:
    with TensorRtBackend(built) as backend:
        world.driver.calls.clear()
        for count in (1, 2, 1, 2):
            backend.infer(crops(count))
        assert world.driver.calls.count("cuStreamBeginCapture") == 2
        world.driver.calls.clear()
        backend.infer(crops(2))
        assert world.driver.calls == ["cuCtxSetCurrent", "cuGraphLaunch", "cuStreamSynchronize"]


def test_everything_is_freed(built: Path, world: World) -> None:
    backend = TensorRtBackend(built)
    backend.infer(crops(3))
    assert not world.driver.is_all_freed()
    backend.close()
    backend.close()
    assert world.driver.is_all_freed()


def test_it_may_be_opened_on_one_thread_and_used_and_closed_on_another(built: Path, world: World) -> None:
    backend = TensorRtBackend(built)
    results: list[np.ndarray] = []

    def use() -> None:
        results.append(backend.infer(crops(4)))
        backend.close()

    thread = threading.Thread(target=use)
    thread.start()
    thread.join()
    assert results[0].shape == (4, 7)
    assert world.driver.is_all_freed()


def test_a_gpu_that_fails_is_an_error_and_still_closes(
    built: Path, world: World, logged_warnings: list[str]
) -> None:
    with TensorRtBackend(built) as backend:
        backend.infer(crops(1))
        world.driver.fail.add("cuStreamSynchronize")
        with pytest.raises(BackendError, match=r"refused cuStreamSynchronize \(CUDA_ERROR_LAUNCH_FAILED\)"):
            backend.infer(crops(1))
        world.driver.fail.add("cuMemFree")
    assert not world.driver.streams
    assert {"cuMemFree" in line for line in logged_warnings} == {True}
    logged_warnings.clear()


def test_a_failure_while_opening_frees_what_was_taken(built: Path, world: World) -> None:
    world.driver.fail.add("cuMemAllocHost")
    with pytest.raises(BackendError, match="cuMemAllocHost"):
        TensorRtBackend(built)
    assert world.driver.is_all_freed()
    assert engine_name(built).path().is_file()


def test_closing_leaves_the_thread_no_context_that_is_gone(built: Path, world: World) -> None:
    TensorRtBackend(built).close()
    assert world.driver.cuMemAlloc(1)[0].name == "CUDA_ERROR_INVALID_CONTEXT"


def test_closing_goes_on_where_the_context_cannot_be_taken(
    built: Path, world: World, logged_warnings: list[str]
) -> None:
    backend = TensorRtBackend(built)
    world.driver.fail.add("cuCtxSetCurrent")
    backend.close()
    assert world.driver.is_all_freed()
    logged_warnings.clear()


def test_a_graph_that_cannot_be_made_leaves_nothing(built: Path, world: World) -> None:
    with TensorRtBackend(built) as backend:
        world.driver.fail.add("cuGraphInstantiate")
        with pytest.raises(BackendError, match="cuGraphInstantiate"):
            backend.infer(crops(1))
        world.driver.fail.clear()
        assert not world.driver.graphs
        assert backend.infer(crops(1)).shape == (1, 7)


def test_what_tensorrt_says_of_a_capture_that_fails_is_the_error(
    built: Path, world: World, logged_warnings: list[str]
) -> None:
    with TensorRtBackend(built) as backend:
        world.capture_error = "this layer synchronizes"
        with pytest.raises(BackendError, match=r"cannot run a batch of 1 \(this layer synchronizes\)"):
            backend.infer(crops(1))
        world.capture_error = ""
        assert backend.infer(crops(1)).shape == (1, 7)
    assert world.driver.is_all_freed()
    logged_warnings.clear()


def test_where_cuda_does_not_start_for_tensorrt_auto_goes_on(
    built: Path, world: World, logged_warnings: list[str]
) -> None:
    world.has_cuda = False
    with pytest.raises(BackendError, match=r"does not start \(CUDA initialization failure with error: 35\)"):
        open_backend("tensorrt", built)
    with open_backend("auto", built) as backend:
        assert backend.name == "onnx-cpu"
    logged_warnings.clear()


@pytest.mark.parametrize("content", [b"no plan", b""])
def test_a_refused_engine_is_removed_so_that_it_is_built_anew(
    content: bytes, built: Path, world: World, logged_warnings: list[str]
) -> None:
    path = engine_name(built).path()
    path.write_bytes(content)
    with pytest.raises(BackendError, match="the plan is for something else"):
        TensorRtBackend(built)
    assert not path.exists()
    assert world.driver.is_all_freed()
    assert preparation("tensorrt", built) is not None
    logged_warnings.clear()


def test_an_engine_for_other_batches_is_refused(built: Path, world: World) -> None:
    path = engine_name(built).path()
    path.write_bytes(path.read_bytes().replace(b"[32, 1", b"[16, 1"))
    with pytest.raises(BackendError, match="takes 1 to 16 faces, not 1 to 32") as held:
        TensorRtBackend(built)
    assert world.driver.is_all_freed(), held


def test_an_engine_for_another_number_of_labels_is_refused(built: Path, tmp_path: Path) -> None:
    other = write_network(tmp_path / "other.onnx", outputs=5)
    write_half(other)
    header = engine_name(built).path().read_bytes().partition(b"\n")[0]
    engine_name(built).path().write_bytes(header + b"\n" + half_path(other).read_bytes())
    with pytest.raises(BackendError, match=r"shapes .*\(-1, 5\)"):
        TensorRtBackend(built)


def test_another_gpu_needs_another_engine(built: Path, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert probe("tensorrt", built).available
    have_gpu(monkeypatch, world.bindings, "NVIDIA Other 1")
    assert "no engine of 'tiny' is built yet for this GPU" in probe("tensorrt", built).reason


def test_auto_waits_for_no_engine_but_takes_one(world: World, weights: Path) -> None:
    with open_backend("auto", weights) as backend:
        assert backend.name == "onnx-cpu"
    assert preparation("auto", weights) == ["-m", "fer_live.backends.build_engine", str(weights)]
    assert preparation("onnx-cpu", weights) is None
    build_engine(weights)
    assert preparation("auto", weights) is None
    with open_backend("auto", weights) as backend:
        assert backend.name == "tensorrt"


def unlist(weights: Path) -> None:
    card = load_card(card_path(weights))
    files = {weights.name: card.files[weights.name]}
    card_path(weights).write_text(card.model_copy(update={"files": files}).model_dump_json())


def damage(weights: Path) -> None:
    half_path(weights).write_bytes(half_path(weights).read_bytes() + b" ")


@pytest.mark.parametrize(
    ("harm", "reason"),
    [(unlist, r"does not list 'tiny\.fp16\.onnx'"), (damage, r"tiny\.fp16\.onnx' differ from the SHA-256")],
)
def test_with_a_broken_float16_network_auto_goes_on(
    harm: Callable[[Path], None], reason: str, built: Path, world: World
) -> None:
    harm(built)
    with pytest.raises(BackendError, match=reason):
        open_backend("tensorrt", built)
    with open_backend("auto", built) as backend:
        assert backend.name == "onnx-cpu"


def test_a_network_is_hashed_once_from_asking_to_opening(
    built: Path, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[Path] = []
    monkeypatch.setattr(modelcard, "sha256_of", lambda path: hashed.append(path) or sha256_of(path))
    assert preparation("auto", built) is None
    open_backend("auto", built).close()
    assert hashed == [half_path(built)]


def test_a_gpu_that_does_not_answer_is_a_reason(built: Path, world: World) -> None:
    world.driver.fail.add("cuDeviceGetName")
    assert "refused cuDeviceGetName" in probe("tensorrt", built).reason
    with open_backend("auto", built) as backend:
        assert backend.name == "onnx-cpu"


def test_by_name_it_never_falls_back(world: World, weights: Path) -> None:
    with pytest.raises(BackendError, match=r"no engine of 'tiny' is built yet .* `python -m \S+build_engine"):
        open_backend("tensorrt", weights)


def test_without_the_float16_network_that_is_the_reason(world: World, weights: Path) -> None:
    half_path(weights).unlink()
    assert probe("tensorrt").available
    assert probe("tensorrt", weights).reason == "there is no 'tiny.fp16.onnx' beside 'tiny.onnx'"
    assert preparation("auto", weights) is None
    with open_backend("auto", weights) as backend:
        assert backend.name == "onnx-cpu"


@pytest.mark.parametrize(
    ("module", "reason"),
    [("tensorrt", "tensorrt cannot be imported"), ("cuda.bindings.driver", "cuda-bindings cannot be imported")],
)
def test_a_missing_package_is_a_reason(
    module: str, reason: str, world: World, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    assert reason in probe("tensorrt", weights).reason
    assert 'pip install "fer-live[tensorrt]"' in probe("tensorrt").reason


@pytest.mark.parametrize("version", ["8.6.1", "10.0.1", "10.7.0", "12.0.1"])
def test_an_unknown_version_is_a_reason(version: str, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["tensorrt"], "__version__", version)
    assert f"tensorrt {version} is not of version 10.8 to 11" in probe("tensorrt").reason


@pytest.mark.parametrize(("driver", "cuda", "is_enough"), [(12080, 12, True), (12080, 13, False), (13000, 13, True)])
def test_a_driver_too_old_for_this_tensorrt_is_a_reason(
    driver: int, cuda: int, is_enough: bool, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = {f"tensorrt-cu{cuda}-bindings": world.bindings.version}
    have_driver(monkeypatch, cuda=driver)
    monkeypatch.setattr(metadata, "version", lambda name: installed.get(name) or metadata.distribution(name).version)
    reason = probe("tensorrt").reason
    assert is_enough == (reason == "")
    wanted = f"tensorrt {world.bindings.version} needs a driver for CUDA 13, and this one is for CUDA 12"
    assert is_enough or wanted in reason


def test_a_driver_that_is_missing_is_the_first_reason(weights: Path) -> None:
    if probe("tensorrt").available:
        pytest.skip("this machine has an NVIDIA GPU and TensorRT")
    assert "NVIDIA driver" in probe("tensorrt", weights).reason or "cannot be imported" in probe("tensorrt").reason
    with pytest.raises(BackendError, match="Backend 'tensorrt' cannot run here: "):
        open_backend("tensorrt", weights)
