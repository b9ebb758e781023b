"""A finished run as files that others can use: .safetensors, .onnx and the model card."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from torch import nn

from fer_live.core.modelcard import FER2013_LABELS, HALF_SUFFIX, ModelCard, card_path, sha256_of
from fer_live.core.preprocess import to_batch
from fer_live.errors import TrainingError
from training.checkpoint import Progress
from training.config import FitConfig
from training.dataset import Fer2013
from training.evaluate import evaluate
from training.files import replace_file, write_card
from training.half import compare_half, require_float16
from training.layouts import SPEC, VALIDATION
from training.loop import predict_logits
from training.metrics import calibration, fit_temperature
from training.narrow import narrowed
from training.networks import Classifier, HalfClassifier, build, parameter_count
from training.neutral import neutral_logits
from training.runs import Origin
from training.weights import as_stored, weights_bytes

INPUT, OUTPUT = "crops", "probabilities"
_TOLERANCE, _STORED_TOLERANCE = 1e-4, 5e-3
_BATCHES = (1, 3, 32)
_OPSET = 18
INTENDED_USE = (
    "Estimating, per face and frame, which of seven posed expressions a picture of a face resembles, for research "
    "and teaching with people who agreed to it. An expression is not a feeling: labels describe faces, not people."
)
LIMITS = (
    "Trained on FER2013: small grey pictures found by web search, with noisy labels (people agree with them about "
    "65 % of the time) and few faces of disgust; age, sex, skin and culture are neither balanced nor recorded. "
    "Expect less on other people, cameras and light than is measured here. Not for decisions about people, nor for "
    "watching them at work, at school or in public."
)


def export_run(run: Path, config: FitConfig, progress: Progress, data: Fer2013, origin: Origin) -> ModelCard:
    """Writes the best weights of a run into its folder as <model>.safetensors, .onnx, .fp16.onnx and, last, .json.

    The temperature is fitted on all validation rows; the metrics are those of the written .onnx on the live
    backend. Raises TrainingError if torch and ONNX Runtime differ by more than 1e-4 before the graph's weights are
    stored in float16, or by more than 0.005 after, the network that computes in float16 from that which does not by
    more than training.half says, or a file cannot be written.
    """
    network = build(config.model, len(FER2013_LABELS))
    network.load_state_dict(progress.best_weights)
    network.load_state_dict(as_stored(network))  # From here on it is the network that others will load.
    rows = data.split(VALIDATION)
    logits = predict_logits(network, rows.images, SPEC)
    classifier = Classifier(network, fit_temperature(logits, rows.labels)).eval()
    exact = onnx_bytes(classifier)
    check_parity(classifier, exact, rows.images)
    graph = narrowed(exact)
    check_parity(classifier, graph, rows.images, _STORED_TOLERANCE)
    half = onnx_bytes(HalfClassifier(classifier).eval())
    require_float16(half)
    contents = {
        f"{config.model}.safetensors": weights_bytes(network, config.model),
        f"{config.model}.onnx": graph,
        f"{config.model}{HALF_SUFFIX}": half,
    }
    for name, content in contents.items():
        replace_file(run / name, content)
    card = ModelCard(
        name=config.model,
        labels=FER2013_LABELS,
        input=SPEC,
        temperature=classifier.temperature,
        files={name: sha256_of(run / name) for name in contents},
        parameters=parameter_count(network),
        data=_data_block(data),
        training=_training_block(config, progress, origin),
        intended_use=INTENDED_USE,
        limits=LIMITS,
    )
    exported = run / f"{config.model}.onnx"
    card_file = card_path(exported)
    write_card(card_file, card)  # The live backend takes weights only with their card.
    metrics = evaluate(exported, data, VALIDATION)
    metrics |= {"calibration": calibration(logits, rows.labels), "float16": compare_half(run, card, rows)}
    card = card.model_copy(update={"validation": metrics, "neutral_logits": neutral_logits(exported, rows)})
    write_card(card_file, card)
    return card


def _data_block(data: Fer2013) -> dict[str, Any]:
    return {
        "name": "FER2013",
        "digest": data.digest(),
        "rows": {usage: len(split) for usage, split in data.splits.items()},
        "validation_made": data.validation_made,
        "validation": "10 % of Training, drawn by class and grouped by pixels"
        if data.validation_made
        else VALIDATION,
    }


def _training_block(config: FitConfig, progress: Progress, origin: Origin) -> dict[str, Any]:
    return {
        "config": config.model_dump(),
        "seed": config.seed,
        "init": origin.init,
        "teacher": origin.teacher,
        "votes": origin.votes,
        "git_revision": origin.git_revision,
        "versions": origin.versions,
        "epochs_done": progress.epochs_done,
        "best_epoch": progress.best_epoch + 1,
        "hours": sum(epoch["seconds"] for epoch in progress.history) / 3600,
        "history": progress.history,
    }


def onnx_bytes(classifier: nn.Module) -> bytes:
    """The graph of a classifier in one piece: float32 (batch, 1, 48, 48) in, (batch, K) probabilities out."""
    example = torch.zeros(2, SPEC.channels, SPEC.height, SPEC.width)
    program = torch.onnx.export(
        classifier,
        (example,),
        input_names=[INPUT],
        output_names=[OUTPUT],
        dynamic_shapes={INPUT: {0: torch.export.Dim("batch", min=1)}},
        opset_version=_OPSET,
        dynamo=True,
        verbose=False,
    )
    assert program is not None  # None is for exports straight into a file.
    model: onnx.ModelProto = program.model_proto
    return bytes(_without_traces(model).SerializeToString())


def _without_traces(model: onnx.ModelProto) -> onnx.ModelProto:
    """Drops what the exporter notes for debugging, which holds names of folders and of lines of code."""
    graph = model.graph
    for part in (
        model,
        graph,
        *graph.node,
        *graph.value_info,
        *graph.input,
        *graph.output,
        *graph.initializer,
    ):
        del part.metadata_props[:]
        part.doc_string = ""
    return model


def check_parity(
    classifier: Classifier, graph: bytes, faces: NDArray[np.uint8], tolerance: float = _TOLERANCE
) -> float:
    """Largest difference of a probability between torch and ONNX Runtime; raises TrainingError above the tolerance.

    Measured in batches of 1, 3 and 32 on fixed noise, on black and white, and on faces uint8 (N, 48, 48).
    """
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    noise = np.random.default_rng(0).integers(0, 256, (max(_BATCHES), SPEC.height, SPEC.width), np.uint8)
    flat = np.stack([np.full((SPEC.height, SPEC.width), grey, np.uint8) for grey in (0, 128, 255)])
    worst = 0.0
    for crops in (*(noise[:count] for count in _BATCHES), flat, faces[: max(_BATCHES)]):
        batch = to_batch(crops, SPEC)
        with torch.inference_mode():
            expected = classifier(torch.from_numpy(batch)).numpy()
        (given,) = session.run([OUTPUT], {INPUT: batch})
        # Written so that NaN fails too.
        difference = float(np.abs(given - expected).max())
        if not difference <= tolerance:
            raise TrainingError(f"The exported graph differs from torch by {difference:.2g}, over {tolerance}.")
        worst = max(worst, difference)
    return worst
