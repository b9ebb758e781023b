"""Targets that others have a say in: another network (Hinton et al. 2015, arXiv 1503.02531), or voters."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import softmax

from fer_live.core.modelcard import FER2013_LABELS, sha256_of
from training.config import FitConfig
from training.dataset import Split
from training.files import replace_file
from training.layouts import SPEC
from training.loop import predict_logits
from training.networks import build
from training.votes import opinion_of_voters
from training.weights import load_weights, model_of

_LEAST_PROBABILITY = 1e-6


def taught_targets(rows: Split, teacher: Path | None, config: FitConfig, run: Path) -> NDArray[np.float32]:
    """Probabilities float32 (N, K): the labels, mixed with others' opinion by config.teacher_weight.

    Others are the teacher, a .safetensors file, and the voters, if rows have votes; there must be one of them. Both
    together are pooled by their geometric mean, in which either can rule a label out (Genest & Zidek 1986,
    doi 10.1214/ss/1177013825). Each is asked once in a run, whose folder remembers what it said: asking takes minutes.
    Raises what load_weights raises, and TrainingError if the run's folder cannot be written.
    """
    opinions = []
    pixels = rows.images.tobytes()
    if teacher is not None:
        asked = pixels + sha256_of(teacher).encode()
        opinions.append(_remembered(asked, run, lambda: _opinion(rows, teacher)))
    if rows.votes is not None:
        asked = pixels + rows.labels.tobytes() + rows.votes.tobytes()
        opinions.append(_remembered(asked, run, lambda: opinion_of_voters(rows)))
    labels = np.eye(len(FER2013_LABELS), dtype=np.float32)[rows.labels]
    mixed = (1 - config.teacher_weight) * labels + config.teacher_weight * _pooled(opinions)
    return np.asarray(mixed, np.float32)


def _pooled(opinions: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    logarithms = [np.log(np.maximum(opinion, _LEAST_PROBABILITY)) for opinion in opinions]
    return np.asarray(softmax(np.mean(logarithms, axis=0), axis=1), np.float32)


def _remembered(asked: bytes, run: Path, ask: Callable[[], NDArray[np.float32]]) -> NDArray[np.float32]:
    path = run / f"opinion-{hashlib.sha256(asked).hexdigest()[:16]}.npy"
    if path.is_file():  # Files are replaced as a whole, so it is all there.
        remembered: NDArray[np.float32] = np.load(path, allow_pickle=False)
        return remembered
    opinion = ask()
    content = io.BytesIO()
    np.save(content, opinion)
    replace_file(path, content.getvalue())
    return opinion


def _opinion(rows: Split, teacher: Path) -> NDArray[np.float32]:
    """A teacher's probabilities float32 (N, K).

    It sees each face once as it is and once mirrored, before training starts; asking it again for every augmented crop
    would take longer than the student's own step.
    """
    model = model_of(teacher)
    network = build(model, len(FER2013_LABELS))
    load_weights(network, model, teacher)
    network.to("cuda" if torch.cuda.is_available() else "cpu")
    views = (rows.images, np.ascontiguousarray(rows.images[:, :, ::-1]))
    opinion = np.mean([softmax(predict_logits(network, view, SPEC), axis=1) for view in views], axis=0)
    return np.asarray(opinion, np.float32)
