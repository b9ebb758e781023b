"""How long the networks of the zoo take for one face in ONNX Runtime."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence

import numpy as np
import onnxruntime
import psutil
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict
from tqdm import tqdm

from fer_live.core.modelcard import FER2013_LABELS
from training.export import INPUT, OUTPUT, onnx_bytes
from training.layouts import SPEC
from training.networks import Classifier, build

_ROUNDS = 200
_WARM_UP = 10


class Speed(BaseModel):
    """Milliseconds for a batch of one crop: median, 10th and 90th percentile. load: average of the last minute."""

    model_config = ConfigDict(frozen=True)

    name: str
    ms: float
    ms_p10: float
    ms_p90: float
    rounds: int
    load: float


def measure_speeds(names: Sequence[str], rounds: int = _ROUNDS) -> list[Speed]:
    """Exports each network with random weights and times all of them in turns, on one thread.

    In turns, so that other load on the machine meets all networks alike.
    """
    sessions = [_session(name) for name in tqdm(names, desc="Exporting", unit=" networks", leave=False)]
    shape = (1, SPEC.channels, SPEC.height, SPEC.width)
    crop = np.random.default_rng(0).integers(0, 256, shape).astype(np.float32)
    for session in sessions:
        for _ in range(_WARM_UP):
            _run_ms(session, crop)
    times = [
        [_run_ms(session, crop) for session in sessions]
        for _ in tqdm(range(rounds), desc="Timing", unit=" rounds", leave=False)
    ]
    load = psutil.getloadavg()[0]
    return [_speed(name, of_name, load) for name, of_name in zip(names, zip(*times, strict=True), strict=True)]


def _session(name: str) -> onnxruntime.InferenceSession:
    graph = onnx_bytes(Classifier(build(name, len(FER2013_LABELS)), 1.0).eval())
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def _run_ms(session: onnxruntime.InferenceSession, crop: NDArray[np.float32]) -> float:
    started = time.perf_counter()
    session.run([OUTPUT], {INPUT: crop})
    return (time.perf_counter() - started) * 1000


def _speed(name: str, times_ms: Sequence[float], load: float) -> Speed:
    low, high = np.percentile(times_ms, (10, 90)).tolist()
    return Speed(
        name=name, ms=statistics.median(times_ms), ms_p10=low, ms_p90=high, rounds=len(times_ms), load=load
    )
