"""Settings of a training run: one frozen record, validated before anything starts."""

from __future__ import annotations

from typing import Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from fer_live.errors import ConfigError, complaint_of
from training.networks import NETWORKS


class FitConfig(BaseModel):
    """Recipe of one run. Lengths are fractions of the crop's side, angles are in degrees.

    The geometric ranges cover how differently the face finders frame a face, percentiles 5 to 95 in docs/framing.md.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    seed: int = Field(0, ge=0, lt=2**32)
    epochs: int = Field(30, ge=1, le=10_000)
    patience: int = Field(15, ge=1, description="epochs without a better validation accuracy before stopping")
    batch_size: int = Field(128, ge=2, le=8192)
    optimizer: Literal["sgd", "adam", "adamw"] = "adamw"
    schedule: Literal["cosine", "plateau", "onecycle"] = "cosine"
    learning_rate: float = Field(1e-3, gt=0, le=10)
    weight_decay: float = Field(0.05, ge=0, le=1)
    warmup_epochs: float = Field(1.0, ge=0, description="not with onecycle, which warms up by itself")
    label_smoothing: float = Field(0.1, ge=0, lt=1)
    class_weights: bool = Field(False, description="rare labels count more in the loss")
    balanced_sampling: bool = Field(False, description="every label is drawn equally often")
    dropout: float | None = Field(None, ge=0, lt=1, description="None: as the network has it")
    teacher_weight: float = Field(0.7, gt=0, le=1, description="share of others' opinion in the targets")
    ema_decay: float = Field(0.998, ge=0, lt=1)
    clip_norm: float = Field(1.0, gt=0)
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    augmentation: bool = Field(True, description="False: faces as they are, and nothing below counts")
    rotation_deg: float = Field(21.0, ge=0, le=180)
    scale_min: float = Field(0.84, gt=0)
    scale_max: float = Field(1.46, gt=0)
    shift: float = Field(0.12, ge=0, le=1)
    erasing: float = Field(0.1, ge=0, le=1, description="probability of hiding a random rectangle")
    easy_share: float = Field(0.0, ge=0, le=1, description="share of the epochs until all augmentation is there")

    @model_validator(mode="after")
    def _balanced_once(self) -> Self:
        if self.class_weights and self.balanced_sampling:
            raise ValueError(
                "class weights and balanced sampling each make up for rare labels; both together made a network "
                "answer only disgust, the rarest. Choose one"
            )
        return self


RECIPES: dict[str, dict[str, Any]] = {
    "mobilevit_xxs": {"epochs": 50, "batch_size": 64, "ema_decay": 0.999, "easy_share": 0.6},
    "resnet18": {
        "epochs": 20,
        "optimizer": "sgd",
        "learning_rate": 0.1,
        "weight_decay": 5e-4,
        "clip_norm": 5.0,
        "erasing": 0.2,
    },
}
"""What differs from FitConfig's defaults, per network. docs/weights.md says how the shipped weights came about."""


def recipe(model: str, **changes: Any) -> FitConfig:
    """The recipe of a network with changes on top; raises ConfigError for what is unknown or out of range."""
    if model not in NETWORKS:
        raise ConfigError(f"Unknown model '{model}'.", f"Choose one of: {', '.join(sorted(NETWORKS))}.")
    try:
        return FitConfig(model=model, **(RECIPES.get(model, {}) | changes))
    except ValidationError as error:
        first = error.errors()[0]
        if not first["loc"]:  # Of settings that do not go together, the validator has said it all.
            raise ConfigError(f"{complaint_of(first)}.") from error
        key = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"Setting '{key}' = {first['input']!r}: {complaint_of(first)}.") from error


def choices_of(setting: str) -> tuple[str, ...]:
    """What a setting can be, if that is one of a few names."""
    return get_args(FitConfig.model_fields[setting].annotation)
