"""Two processes under torchrun beside one alone."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from fer_live.errors import ConfigError
from training import checkpoint
from training.crew import Crew

_TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "--"]


@pytest.fixture
def fit_with(tmp_path: Path, rows: Any, write_csv: Callable[..., str]) -> Callable[..., tuple[Path, str]]:
    """Runs training.fit in processes of its own; returns the run's folder and what was said."""
    data = tmp_path / "fer2013.csv"
    data.write_text(write_csv(rows))

    def run(name: str, *options: str, launcher: list[str] | None = None) -> tuple[Path, str]:
        given = ["--data", str(data), "--run", str(tmp_path / name), "--out", str(tmp_path / f"{name}-out"), *options]
        command = [*(launcher or [sys.executable, "-m"]), "training.fit", *given]
        # Without AVX-512 fit does not time bfloat16, which one run might take and the other not.
        environment = os.environ | {"ATEN_CPU_CAPABILITY": "avx2"}
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment)
        assert done.returncode == 0, done.stderr
        return tmp_path / name, done.stdout

    return run


def test_two_processes_equal_one_with_the_same_batch(fit_with: Callable[..., tuple[Path, str]]) -> None:
    # 56 rows in batches of 16 are three steps. A network without normalization: each process has its own batch's.
    options = ["--model", "fc_basic", "--epochs", "1", "--batch-size", "16", "--no-augmentation"]
    alone, _ = fit_with("alone", *options)
    together, said = fit_with("together", *options, launcher=_TORCHRUN)
    one, two = (load_file(run / checkpoint.FILE_NAME) for run in (alone, together))
    assert one.keys() == two.keys()
    steps = [tensor for name, tensor in two.items() if name.endswith(".step")]
    assert steps and all(float(step) == 3 for step in steps)
    for name, tensor in one.items():
        torch.testing.assert_close(two[name], tensor, rtol=1e-4, atol=1e-6, msg=name)
    assert said.count("epoch 1:") == 1  # the leader alone talks
    assert (together.parent / "together-out" / "fc_basic.onnx").is_file()


def test_a_batch_that_cannot_be_shared_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"A batch of 15 faces cannot be shared by 2 processes.*multiple of 2"):
        Crew(0, 2).require_divisible(15)
