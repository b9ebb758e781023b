from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from fer_live.core.modelcard import InputSpec
from fer_live.core.preprocess import to_batch
from fer_live.errors import TrainingError
from training.config import FitConfig
from training.dataset import Fer2013
from training.loop import (
    Learner,
    Material,
    fastest_precision,
    make_learner,
    predict_logits,
    steps_per_epoch,
    train_one_epoch,
)
from training.networks import build

CPU = torch.device("cpu")
STILL = {"rotation_deg": 0.0, "scale_min": 1.0, "scale_max": 1.0, "shift": 0.0, "erasing": 0.0}


def learner_of(config: FitConfig) -> Learner:
    torch.manual_seed(config.seed)
    return make_learner(build(config.model, 7), config, CPU)


def material_of(data: Fer2013, count: int, **weights: torch.Tensor) -> Material:
    rows = data.split("Training")
    images, labels = torch.from_numpy(rows.images[:count])[:, None], torch.from_numpy(rows.labels[:count])
    return Material(images, labels, **weights)


def test_loss_falls_on_32_samples(small_data: Fer2013, quick: Callable[..., FitConfig]) -> None:
    learner = learner_of(quick(epochs=8, warmup_epochs=0.0, learning_rate=3e-3, **STILL))
    material = material_of(small_data, 32)
    losses = [train_one_epoch(learner, material, epoch) for epoch in range(8)]
    assert losses[-1] < 0.6 * losses[0]


def test_rows_are_drawn_as_often_as_asked(small_data: Fer2013, quick: Callable[..., FitConfig]) -> None:
    seen: list[float] = []
    learner = learner_of(quick(augmentation=False, batch_size=8))
    learner.joined.register_forward_pre_hook(lambda _, given: seen.extend(given[0].mean(dim=(1, 2, 3)).tolist()))
    only = torch.zeros(32)
    only[5] = 1.0
    material = material_of(small_data, 32, draw_weights=only)
    train_one_epoch(learner, material, 0)
    assert seen == pytest.approx([float(material.images[5].float().mean())] * 32, abs=1e-3)


def test_class_weights_scale_the_loss_of_a_label(small_data: Fer2013, quick: Callable[..., FitConfig]) -> None:
    config = quick(augmentation=False, label_smoothing=0.0, learning_rate=1e-9, warmup_epochs=0.0, batch_size=28)
    plain, zero = torch.ones(7), torch.ones(7)
    zero[2:] = 0.0
    weighted = [material_of(small_data, 28, class_weights=weights) for weights in (plain, zero)]
    losses = [train_one_epoch(learner_of(config), material, 0) for material in weighted]
    learner = learner_of(config)
    material = material_of(small_data, 28)
    with torch.no_grad():
        logits = learner.network.train()(material.images.float())
    each = torch.nn.functional.cross_entropy(logits, material.targets, reduction="none")
    assert losses == pytest.approx([float(each.mean()), float(each[material.targets < 2].mean())], abs=1e-4)


def test_faces_stay_as_they_are_without_augmentation(small_data: Fer2013, quick: Callable[..., FitConfig]) -> None:
    seen: list[torch.Tensor] = []
    material = material_of(small_data, 32)
    for augmentation in (False, True):
        learner = learner_of(quick(augmentation=augmentation))
        learner.joined.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
        train_one_epoch(learner, material, 0)
    known = {image.numpy().tobytes() for image in material.images.float()}
    assert all(crop.contiguous().numpy().tobytes() in known for crop in torch.cat(seen[:2]))
    assert not any(crop.contiguous().numpy().tobytes() in known for crop in torch.cat(seen[2:]))


def test_every_step_is_reported(small_data: Fer2013, quick: Callable[..., FitConfig]) -> None:
    steps: list[int] = []
    train_one_epoch(learner_of(quick()), material_of(small_data, 33), 0, steps.append)
    assert steps == [0, 1]


def test_nan_loss_stops(small_data: Fer2013, quick: Callable[..., FitConfig]) -> None:
    learner = learner_of(quick())
    with torch.no_grad():
        next(learner.network.parameters()).fill_(float("nan"))
    with pytest.raises(TrainingError, match=r"loss is nan at step 1 of epoch 3.*Lower the learning rate"):
        train_one_epoch(learner, material_of(small_data, 32), 2)


def test_norms_and_biases_are_not_decayed(quick: Callable[..., FitConfig]) -> None:
    decayed, plain = learner_of(quick(weight_decay=0.05)).optimizer.param_groups
    assert (decayed["weight_decay"], plain["weight_decay"]) == (0.05, 0.0)
    assert all(parameter.ndim > 1 for parameter in decayed["params"])
    assert all(parameter.ndim <= 1 for parameter in plain["params"])


def test_average_follows_the_network(small_data: Fer2013, quick: Callable[..., FitConfig]) -> None:
    learner = learner_of(quick(ema_decay=0.0))
    train_one_epoch(learner, material_of(small_data, 16), 0)
    averaged = learner.average.module.state_dict()
    for name, tensor in learner.network.state_dict().items():
        torch.testing.assert_close(averaged[name], tensor, rtol=0, atol=1e-6)


def test_whole_batches_only() -> None:
    assert [steps_per_epoch(rows, 16) for rows in (5, 16, 31, 32)] == [1, 1, 1, 2]


def test_fastest_precision_is_one_of_two(quick: Callable[..., FitConfig]) -> None:
    assert fastest_precision(quick(batch_size=2), CPU) in ("fp32", "bf16")


def test_bfloat16_is_not_tried_where_it_is_emulated(
    quick: Callable[..., FitConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*given: object) -> float:
        raise AssertionError("a step was tried")

    monkeypatch.setattr("torch.backends.cpu.get_cpu_capability", lambda: "AVX2")
    monkeypatch.setattr("training.loop._step", never)
    assert fastest_precision(quick(), CPU) == "fp32"


def test_logits_go_through_the_live_preprocessing(small_data: Fer2013) -> None:
    torch.manual_seed(0)
    network, images = build("mobilevit_xxs", 7), np.resize(small_data.split("Training").images, (300, 48, 48))
    logits = predict_logits(network, images, InputSpec())
    with torch.inference_mode():
        expected = network.eval()(torch.from_numpy(to_batch(images[-44:], InputSpec())))
    assert logits.shape == (300, 7)
    np.testing.assert_allclose(logits[-44:], expected.numpy(), atol=1e-5)
