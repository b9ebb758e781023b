from __future__ import annotations

import pytest

from fer_live.errors import ConfigError
from training.config import recipe


def test_recipe_takes_changes() -> None:
    config = recipe("resnet18", epochs=2)
    assert (config.model, config.epochs, config.optimizer) == ("resnet18", 2, "sgd")


def test_unknown_model_names_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"'vgg'.*mobilevit_xxs, resnet18"):
        recipe("vgg")


@pytest.mark.parametrize(
    ("key", "value"), [("epochs", 0), ("batch_size", 1), ("learning_rate", -1.0), ("colour", 1)]
)
def test_bad_setting_is_named(key: str, value: float) -> None:
    with pytest.raises(ConfigError, match=f"'{key}' = {value}"):
        recipe("mobilevit_xxs", **{key: value})


def test_two_ways_of_balancing_labels_are_refused_with_the_reason() -> None:
    with pytest.raises(ConfigError, match=r"^class weights and balanced sampling .*answer only disgust.*Choose one\.$"):
        recipe("resnet18", class_weights=True, balanced_sampling=True)
