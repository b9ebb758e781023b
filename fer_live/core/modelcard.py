"""The model card: label order, input specification and hashes that travel with the weights."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from fer_live.core.labels import UNCERTAIN
from fer_live.errors import ModelError, complaint_of

FER2013_LABELS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
"""Label order of FER2013's `emotion` column, 0 to 6 (Goodfellow et al. 2013, arXiv 1307.0414).

Training writes it into each card; everything at run time reads it from the card.
"""

HALF_SUFFIX, INT8_SUFFIX = ".fp16.onnx", ".int8.onnx"
_REBUILD = "Rebuild them with `python -m training.fit`, or reinstall FER Live."


class InputSpec(BaseModel):
    """What one input of the network is: float32 (N, 1, height, width), grey, in [0, 255]."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    height: int = Field(48, ge=8, le=1024)
    width: int = Field(48, ge=8, le=1024)
    channels: Literal[1] = 1
    dtype: Literal["float32"] = "float32"
    minimum: float = 0.0
    maximum: float = 255.0


class ModelCard(BaseModel):
    """Everything that must be known to use a network, and what was measured of it.

    labels: names of the K columns of the probabilities, in order, lower case.
    files: SHA-256, in hexadecimal, of each file of the weights, by file name.
    temperature: divisor of the logits before softmax (Guo et al. 2017), already inside the ONNX graph.
    neutral_logits: mean logarithms of the K probabilities over validation faces labelled neutral: what the network
    typically says of a neutral face; None where that was not measured.
    validation, test: metrics as `training.evaluate` prints them; test is filled by it alone.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = 1
    name: str
    labels: tuple[str, ...] = Field(min_length=2)
    input: InputSpec = InputSpec()
    temperature: float = Field(1.0, gt=0)
    neutral_logits: tuple[float, ...] | None = None
    files: dict[str, str] = {}
    parameters: int = 0
    data: dict[str, Any] = {}
    training: dict[str, Any] = {}
    validation: dict[str, Any] = {}
    test: dict[str, Any] | None = None
    intended_use: str = ""
    limits: str = ""

    @model_validator(mode="after")
    def _labels_are_usable(self) -> ModelCard:
        if len(set(self.labels)) != len(self.labels):
            raise ValueError("labels must differ from one another")
        if any(label != label.lower() or label == UNCERTAIN for label in self.labels):
            raise ValueError("labels must be lower case and none may be 'uncertain'")
        if self.neutral_logits is not None and len(self.neutral_logits) != len(self.labels):
            raise ValueError("neutral_logits must have one number for each label")
        return self


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def load_card(path: Path) -> ModelCard:
    """Reads and checks a model card; raises ModelError if it is missing or invalid."""
    try:
        return ModelCard.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ModelError(f"Model card '{path}' cannot be read ({error.strerror}).", _REBUILD) from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "card"
        raise ModelError(f"Model card '{path}' is invalid at '{where}': {complaint_of(first)}.", _REBUILD) from error


def half_path(weights: Path) -> Path:
    """Path of the float16 network, with float32 input and output, that belongs to an .onnx file and has its card."""
    return weights.with_name(weights.stem + HALF_SUFFIX)


def int8_path(weights: Path) -> Path:
    """Path of the int8 network, with float32 input and output, that belongs to an .onnx file and has its card."""
    return weights.with_name(weights.stem + INT8_SUFFIX)


def card_path(weights: Path) -> Path:
    """Path of the card that belongs to a weights file: the same name, ending in .json."""
    name = weights.name.removesuffix(HALF_SUFFIX).removesuffix(INT8_SUFFIX)
    return weights.with_name(f"{name}.json") if name != weights.name else weights.with_suffix(".json")


def listed_sha256(card: ModelCard, weights: Path) -> str:
    """What the SHA-256 of a weights file must be; raises ModelError if its card does not say."""
    expected = card.files.get(weights.name)
    if expected is None:
        raise ModelError(f"Model card '{card_path(weights)}' does not list '{weights.name}'.", _REBUILD)
    return expected


def load_verified_card(weights: Path) -> ModelCard:
    """Reads the card beside a weights file and checks the file against the card's SHA-256.

    Raises ModelError if either is missing, or if the hash is absent from the card or differs.
    """
    if not weights.is_file():
        raise ModelError(f"Weights '{weights}' do not exist.", f"Check the path. {_REBUILD}")
    card = load_card(card_path(weights))
    if sha256_of(weights) != listed_sha256(card, weights):
        raise ModelError(f"Weights '{weights}' differ from the SHA-256 in their model card.", _REBUILD)
    return card
