"""TensorRT on a real GPU: the same answers as on the CPU, at any batch size, and how long they take."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fer_live.backends.backend import Backend
from fer_live.backends.build_engine import TOLERANCE
from fer_live.backends.registry import BACKENDS, open_backend, preparation, probe
from fer_live.backends.tensorrt import engine_name

pytestmark = [pytest.mark.gpu, pytest.mark.timeout(1800)]

_SIZES = (1, 2, 3, 4, 6, 8, 16, 32)
_CALLS = 300


def crops(count: int, seed: int = 0) -> np.ndarray:
    """Float32 (count, 1, 48, 48): blurred noise, which the networks tell apart more than noise as it is."""
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 256, (count, 1, 12, 12)).astype(np.float32)
    return np.ascontiguousarray(coarse.repeat(4, axis=2).repeat(4, axis=3))


def test_engine_is_built_once(built: Path) -> None:
    path = engine_name(built).path()
    before = path.stat().st_mtime_ns
    assert preparation("auto", built) is None
    command = [sys.executable, "-m", "fer_live.backends.build_engine", str(built)]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-1] == f"built {path}"
    assert path.stat().st_mtime_ns == before


def test_auto_takes_it(built: Path) -> None:
    with open_backend("auto", built) as backend:
        assert backend.name == "tensorrt"
        assert backend.device.startswith("TensorRT ")


@pytest.mark.parametrize("count", range(1, 33))
def test_parity_with_float32_on_the_cpu_at_every_batch_size(built: Path, count: int) -> None:
    with open_backend("tensorrt", built) as backend, open_backend("onnx-cpu", built) as reference:
        for seed in range(4):
            batch = crops(count, seed)
            np.testing.assert_allclose(backend.infer(batch), reference.infer(batch), atol=TOLERANCE)


def test_sizes_in_any_order_give_the_same(built: Path) -> None:
    """Graphs of other sizes, captured in between, must not change those that are there."""
    batch = crops(32)
    with open_backend("tensorrt", built) as backend:
        first = {size: backend.infer(batch[:size]) for size in range(1, 33)}
        for size in np.random.default_rng(1).permutation(np.arange(1, 33)):
            np.testing.assert_array_equal(backend.infer(batch[:size]), first[int(size)])


def test_opened_on_one_thread_and_used_on_another(built: Path) -> None:
    results: list[np.ndarray] = []
    backend = open_backend("tensorrt", built)

    def use() -> None:
        with backend:
            results.extend(backend.infer(crops(3)) for _ in range(100))

    thread = threading.Thread(target=use)
    thread.start()
    thread.join()
    assert len(results) == 100
    assert all(np.array_equal(result, results[0]) for result in results)


def test_opening_and_closing_again_and_again(built: Path) -> None:
    for _ in range(20):
        with open_backend("tensorrt", built) as backend:
            backend.infer(crops(5))


def test_beside_the_cuda_provider_as_while_the_session_changes_over(built: Path) -> None:
    if not probe("onnx-cuda", built).available:
        pytest.skip(probe("onnx-cuda", built).reason)
    with open_backend("onnx-cuda", built) as before, open_backend("tensorrt", built) as after:
        for size in _SIZES:
            np.testing.assert_allclose(before.infer(crops(size)), after.infer(crops(size)), atol=TOLERANCE)


def test_analyze_gives_the_labels_of_the_cpu(built: Path, tmp_path: Path) -> None:
    tables = []
    for name in ("tensorrt", "onnx-cpu"):
        out = tmp_path / name
        command = [sys.executable, "-m", "fer_live", "analyze", "demo", "--json", "--out", str(out)]
        run = subprocess.run([*command, "--backend", name, "--model", str(built)], capture_output=True, text=True)
        assert run.returncode == 0, run.stderr
        tables.append(pd.read_csv(json.loads(run.stdout)["csv"]))
    on_gpu, on_cpu = tables
    assert len(on_gpu) == len(on_cpu)
    assert (on_gpu.label == on_cpu.label).mean() >= 0.98


def test_latency(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Prints ms a call for each backend and batch size: median and 95th percentile. Nothing is asserted of time."""
    rows = []
    for name in BACKENDS:
        if not (found := probe(name, built)).available:
            rows.append(f"{name:10} {found.reason}")
            continue
        with open_backend(name, built) as backend:
            rows.extend(_row(backend, size) for size in _SIZES)
    with capsys.disabled():
        print(f"\n{built.stem}: ms a call, N = {_CALLS} each, {os.cpu_count()} CPUs", *rows, sep="\n")
    assert any(row.startswith("tensorrt") for row in rows)


def _row(backend: Backend, size: int) -> str:
    batch = crops(size)
    for _ in range(10):
        backend.infer(batch)
    spans = [_milliseconds(lambda: backend.infer(batch)) for _ in range(_CALLS)]
    p50, p95 = np.percentile(spans, (50, 95))
    return f"{backend.name:10} batch {size:2}  p50 {p50:8.3f}  p95 {p95:8.3f}"


def _milliseconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return 1000 * (time.perf_counter() - started)
