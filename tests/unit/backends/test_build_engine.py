from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from fer_live.backends import build_engine as module
from fer_live.backends.build_engine import build_engine, main
from fer_live.backends.engine_files import engine_folder
from fer_live.backends.registry import probe
from fer_live.backends.tensorrt import TensorRtBackend, engine_name
from fer_live.core.modelcard import half_path
from fer_live.errors import BackendError, ModelError
from fer_live.files import lock
from tests.media import write_card, write_network
from tests.tensorrt.fake_tensorrt import World


def test_it_tells_progress_and_where_the_engine_is(
    world: World, weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(weights)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "0/2 Building"
    assert "1000/1000 Timing" in lines
    assert len([line for line in lines if line.endswith("Timing")]) == 101
    assert lines[-1] == f"built {engine_name(weights).path()}"
    assert world.driver.is_all_freed()


def test_an_engine_that_is_there_is_left_alone(world: World, weights: Path) -> None:
    build_engine(weights)
    engine_name(weights).path().write_bytes(b"of before")
    build_engine(weights)
    assert engine_name(weights).path().read_bytes() == b"of before"


def test_new_weights_get_a_new_engine_and_the_old_one_goes(world: World, weights: Path) -> None:
    build_engine(weights)
    old = engine_name(weights).path()
    model = onnx.load(half_path(weights))
    (slopes,) = model.graph.initializer
    slopes.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(slopes) * np.float16(1.01), slopes.name))
    half_path(weights).write_bytes(model.SerializeToString())
    write_card(weights)
    assert not probe("tensorrt", weights).available
    build_engine(weights)
    assert not old.exists()
    assert engine_name(weights).path().is_file()


def test_timings_of_the_last_build_are_used_and_added_to(world: World, weights: Path) -> None:
    cache = _cache_after(weights)
    assert cache.read_bytes() == b"measured;"
    engine_name(weights).path().unlink()
    assert _cache_after(weights).read_bytes() == b"measured;measured;"


def test_timings_that_tensorrt_refuses_are_begun_anew(world: World, weights: Path) -> None:
    engine_folder().mkdir(parents=True)
    engine_name(weights).timing_cache().write_bytes(b"of another driver")
    assert _cache_after(weights).read_bytes() == b"measured;"


def _cache_after(weights: Path) -> Path:
    build_engine(weights)
    return engine_name(weights).timing_cache()


def store_in_float16(path: Path) -> None:
    """Has a float32 network keep its weights in float16 and compute as before (docs/decisions/0020)."""
    model = onnx.load(path)
    (slopes,) = model.graph.initializer
    slopes.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(slopes).astype(np.float16), "stored"))
    model.graph.node.insert(0, helper.make_node("Cast", ["stored"], ["slopes"], to=TensorProto.FLOAT))
    onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString())


@pytest.mark.parametrize("is_stored_in_float16", [False, True])
def test_network_that_does_not_compute_in_float16_is_refused(
    is_stored_in_float16: bool, world: World, weights: Path
) -> None:
    half_path(weights).write_bytes(weights.read_bytes())
    if is_stored_in_float16:
        store_in_float16(half_path(weights))
    write_card(weights)
    with pytest.raises(BackendError, match="does not compute in float16"):
        build_engine(weights)
    _assert_nothing_built()


def test_float16_network_is_checked_against_the_card(world: World, weights: Path) -> None:
    half_path(weights).write_bytes(half_path(weights).read_bytes() + b" ")
    with pytest.raises(ModelError, match=r"tiny\.fp16\.onnx' differ from the SHA-256"):
        build_engine(weights)


def test_engine_that_says_something_else_is_not_put_in_place(world: World, weights: Path) -> None:
    model = onnx.load(half_path(weights))
    (slopes,) = model.graph.initializer
    slopes.CopyFrom(numpy_helper.from_array(-numpy_helper.to_array(slopes), slopes.name))
    half_path(weights).write_bytes(model.SerializeToString())
    write_card(weights)
    with pytest.raises(BackendError, match="probabilities differ by"):
        build_engine(weights)
    _assert_nothing_built()


def test_what_tensorrt_cannot_read_or_build_is_said(
    world: World, weights: Path, logged_warnings: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    world.parse_errors = ("no such node", "nor this")
    assert main([str(weights)]) == 2
    assert "(no such node; nor this)" in capsys.readouterr().err
    world.parse_errors = ()
    world.has_cuda = False
    assert main([str(weights)]) == 2
    assert "does not start (CUDA initialization failure" in capsys.readouterr().err
    world.has_cuda = True
    logged_warnings.clear()
    world.build_error = "the GPU is full"
    assert main([str(weights)]) == 2
    assert "(the GPU is full)" in capsys.readouterr().err
    assert logged_warnings == ["ERROR fer_live.backends.engine: TensorRT: the GPU is full"]
    logged_warnings.clear()
    _assert_nothing_built()


def _assert_nothing_built() -> None:
    assert not list(engine_folder().glob("*.engine"))


def test_a_cache_that_cannot_be_written_is_said(
    world: World, weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    engine_folder().parent.mkdir(parents=True)
    engine_folder().write_text("a file where the folder should be")
    assert main([str(weights)]) == 2
    assert "The engine cannot be kept in" in capsys.readouterr().err


def test_two_never_build_at_once(world: World, weights: Path) -> None:
    engine_folder().mkdir(parents=True)
    with (engine_folder() / "building.lock").open("w") as held:
        assert lock(held.fileno())
        with pytest.raises(BackendError, match="Another FER Live is building"):
            build_engine(weights)


def test_a_failure_leaves_nothing_on_the_gpu(
    world: World, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TOLERANCE", -1.0)
    with pytest.raises(BackendError, match="over -1"):
        build_engine(weights)
    assert world.driver.is_all_freed()
    with pytest.raises(BackendError, match="no engine"):
        TensorRtBackend(weights)


def test_threads_that_report_progress_cannot_mix_their_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(write=written.append, flush=lambda: None))
    module._print_progress("Timing", 3, 10)
    assert [text for text in written if text] == ["3/10 Timing\n"]


def test_ctrl_c_ends_the_program_also_where_python_does_not_run() -> None:
    run_it = "runpy.run_module('fer_live.backends.build_engine', run_name='__main__')"
    tell = "print(signal.getsignal(signal.SIGINT) is signal.SIG_DFL)"
    program = f"import runpy, signal\ntry:\n    {run_it}\nexcept SystemExit:\n    {tell}"
    run = subprocess.run([sys.executable, "-c", program, "no-such-model"], capture_output=True, text=True)
    assert run.stdout == "True\n", run.stderr


def test_as_a_program_it_ends_with_the_reason(tmp_path: Path) -> None:
    if probe("tensorrt").available:
        pytest.skip("this machine has an NVIDIA GPU and TensorRT")
    weights = write_network(tmp_path / "tiny.onnx")
    command = [sys.executable, "-m", "fer_live.backends.build_engine", str(weights)]
    run = subprocess.run(command, capture_output=True, text=True)
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.startswith("error: No engine of 'tiny' can be built: ")
