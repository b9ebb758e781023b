"""Targets that another network has a say in: distillation (Hinton et al. 2015, arXiv 1503.02531)."""

from __future__ import annotations

import hashlib
import io
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
from training.weights import load_weights, model_of


def taught_targets(rows: Split, teacher: Path, config: FitConfig, run: Path) -> NDArray[np.float32]:
    """Probabilities float32 (N, K): the labels, mixed with a teacher's by config.teacher_weight.

    The teacher is asked once in a run, whose folder remembers what it said: asking takes minutes.
    Raises what load_weights raises, and TrainingError if the run's folder cannot be written.
    """
    asked = hashlib.sha256(rows.images.tobytes() + sha256_of(teacher).encode()).hexdigest()
    opinion = _remembered_opinion(rows, teacher, run / f"opinion-{asked[:16]}.npy")
    labels = np.eye(len(FER2013_LABELS), dtype=np.float32)[rows.labels]
    mixed = (1 - config.teacher_weight) * labels + config.teacher_weight * opinion
    return np.asarray(mixed, np.float32)


def _remembered_opinion(rows: Split, teacher: Path, path: Path) -> NDArray[np.float32]:
    if path.is_file():  # Files are replaced as a whole, so it is all there.
        remembered: NDArray[np.float32] = np.load(path, allow_pickle=False)
        return remembered
    opinion = _opinion(rows, teacher)
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
