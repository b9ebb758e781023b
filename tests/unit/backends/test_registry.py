from __future__ import annotations

import logging
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from fer_live.backends import registry
from fer_live.backends.registry import Probe, find_weights, open_backend, preparation, probe, probe_all, shipped_models
from fer_live.core import modelcard
from fer_live.core.modelcard import card_path, int8_path, load_card, sha256_of
from fer_live.errors import BackendError, ModelError
from tests.media import write_half, write_int8, write_network


class NoDevice:
    """A backend that cannot run on any machine."""

    opened = 0

    def __init__(self, weights: Path) -> None:
        NoDevice.opened += 1

    @staticmethod
    def unavailable_because(weights: Path | None = None) -> str | None:
        return "no such device"

    @staticmethod
    def preparation(weights: Path) -> list[str] | None:
        return None


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    return write_network(tmp_path / "tiny.onnx")


@pytest.fixture
def first_choice_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A registry whose first backend cannot run."""
    monkeypatch.setattr(registry, "BACKENDS", {"no-device": f"{__name__}:NoDevice", **registry.BACKENDS})
    monkeypatch.setattr(NoDevice, "opened", 0)


@pytest.mark.usefixtures("first_choice_refused")
def test_auto_passes_over_what_cannot_run_and_says_why(weights: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "fer_live"), open_backend("auto", weights) as backend:
        assert backend.name != "no-device"
        assert backend.passed_over[0] == "no-device: no such device"
    assert "backend passed over: no-device: no such device" in caplog.messages
    assert NoDevice.opened == 0


@pytest.mark.usefixtures("first_choice_refused")
def test_a_backend_asked_for_by_name_is_never_replaced(weights: Path) -> None:
    with pytest.raises(BackendError, match="'no-device' cannot run here: no such device"):
        open_backend("no-device", weights)


@pytest.mark.usefixtures("first_choice_refused")
def test_probes_come_in_the_order_of_preference() -> None:
    probes = probe_all()
    assert [each.name for each in probes] == ["no-device", *list(registry.BACKENDS)[1:]]
    assert probes[0] == Probe("no-device", False, "no such device")
    assert all(each.available == (each.reason == "") for each in probes)


def test_nothing_that_runs_is_an_error_with_all_reasons(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "BACKENDS", {"a": f"{__name__}:NoDevice", "b": f"{__name__}:NoDevice"})
    with pytest.raises(BackendError, match="a: no such device; b: no such device"):
        open_backend("auto", weights)


def test_unknown_backend_names_the_choices(weights: Path) -> None:
    with pytest.raises(BackendError, match=r"Unknown backend 'abacus'\. Choose one of: auto, .*onnx-cpu"):
        open_backend("abacus", weights)
    with pytest.raises(BackendError, match="Unknown backend 'abacus'"):
        probe("abacus")


@pytest.mark.parametrize("faces", [1, 32])
def test_backend_is_warmed_up_with_the_batch_that_it_asks_for(
    faces: int, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fer_live.backends.onnxruntime import OnnxCpuBackend

    sizes: list[int] = []
    infer = OnnxCpuBackend.infer
    monkeypatch.setattr(OnnxCpuBackend, "warm_up_batch", faces)
    monkeypatch.setattr(OnnxCpuBackend, "infer", lambda self, batch: sizes.append(len(batch)) or infer(self, batch))
    with open_backend("onnx-cpu", weights):
        assert sizes == [faces]


def test_what_runs_on_a_gpu_is_warmed_up_with_a_full_batch() -> None:
    from fer_live.backends.onnxruntime import OnnxCudaBackend
    from fer_live.backends.tensorrt import TensorRtBackend

    for kind in (OnnxCudaBackend, TensorRtBackend):
        assert kind.warm_up_batch == kind.max_batch


def test_every_registered_class_can_be_asked(weights: Path) -> None:
    for name in registry.BACKENDS:
        assert probe(name).name == name


def test_unknown_model_names_the_choices() -> None:
    with pytest.raises(ModelError, match="Unknown model 'vgg'"):
        find_weights("vgg")


def test_path_of_a_network_is_taken_as_it_is(weights: Path) -> None:
    assert find_weights(str(weights)) == weights


@pytest.mark.usefixtures("shipped_weights")
def test_shipped_models_are_found_by_name() -> None:
    assert "mobilevit_xxs" in shipped_models()
    for model in shipped_models():
        with open_backend("onnx-cpu", model) as backend:
            assert backend.card.name == model


def test_auto_takes_the_int8_network_and_by_name_float32_stays_float32(weights: Path) -> None:
    write_int8(weights)
    with open_backend("auto", weights) as backend:
        assert (backend.name, backend.device) == ("onnx-cpu-int8", "ONNX Runtime CPU, int8")
    with open_backend("onnx-cpu", weights) as backend:
        assert (backend.name, backend.device) == ("onnx-cpu", "ONNX Runtime CPU")
        assert backend.passed_over == ()


def test_each_network_is_hashed_once_from_asking_to_opening(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_int8(weights)
    hashed: list[Path] = []
    monkeypatch.setattr(modelcard, "sha256_of", lambda path: hashed.append(path) or sha256_of(path))
    assert preparation("auto", weights) is None
    with open_backend("auto", weights) as backend:
        assert backend.name == "onnx-cpu-int8"
    assert hashed == [int8_path(weights)]


def remove(weights: Path) -> None:
    int8_path(weights).unlink()


def leave_out_of_card(weights: Path) -> None:
    card = load_card(card_path(weights))
    files = {weights.name: card.files[weights.name]}
    card_path(weights).write_text(card.model_copy(update={"files": files}).model_dump_json())


def change(weights: Path) -> None:
    with int8_path(weights).open("ab") as file:
        file.write(b"\0")


def make_no_network(weights: Path) -> None:
    int8_path(weights).write_bytes(b"no network")
    card = load_card(card_path(weights))
    files = card.files | {int8_path(weights).name: sha256_of(int8_path(weights))}
    card_path(weights).write_text(card.model_copy(update={"files": files}).model_dump_json())


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        (remove, r"there is no 'tiny\.int8\.onnx' beside 'tiny\.onnx'"),
        (leave_out_of_card, r"does not list 'tiny\.int8\.onnx'"),
        (change, r"tiny\.int8\.onnx' differ from the SHA-256"),
        (make_no_network, r"tiny\.int8\.onnx' is not a network that ONNX Runtime can load"),
    ],
)
def test_without_a_verified_int8_network_auto_goes_on_in_float32(
    harm: Callable[[Path], None], reason: str, weights: Path
) -> None:
    write_int8(weights)
    harm(weights)
    with open_backend("auto", weights) as backend:
        assert backend.name == "onnx-cpu"
        assert re.search(f"^onnx-cpu-int8: .*{reason}", backend.passed_over[-1])
    with pytest.raises(BackendError, match=reason):
        open_backend("onnx-cpu-int8", weights)


def test_networks_of_other_precisions_are_no_models(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_half(weights)
    write_int8(weights)
    monkeypatch.setattr(registry.resources, "files", lambda package: weights.parent)
    assert shipped_models() == ["tiny"]
