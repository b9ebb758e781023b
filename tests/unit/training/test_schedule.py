from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from training.config import FitConfig
from training.schedule import learning_rate_at


def test_learning_rate_warms_up_and_ends_near_zero(quick: Callable[..., FitConfig]) -> None:
    config = quick(epochs=10, warmup_epochs=1.0, learning_rate=1.0)
    rates = [learning_rate_at(step, 10, config) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[9] == rates[10] == max(rates) == 1.0
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[-1] < 0.001


def test_warm_up_that_ends_within_an_epoch_stays_below_the_highest_rate(quick: Callable[..., FitConfig]) -> None:
    config = quick(epochs=10, warmup_epochs=0.5, learning_rate=1.0)
    rates = [learning_rate_at(step, 5, config) for step in range(4)]
    assert rates[:3] == [0.4, 0.8, 1.0]
    assert 0.9 < rates[3] < 1.0


def test_one_cycle_is_that_of_torch(quick: Callable[..., FitConfig]) -> None:
    config = quick(epochs=4, schedule="onecycle", learning_rate=0.3)
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.3)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.3, total_steps=40, cycle_momentum=False)
    for step in range(40):
        assert learning_rate_at(step, 10, config) == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-6), step
        optimizer.step()
        if step < 39:
            scheduler.step()


def test_one_cycle_of_very_few_steps_has_rates(quick: Callable[..., FitConfig]) -> None:
    for steps in (1, 2, 3, 4):
        config = quick(epochs=1, schedule="onecycle", learning_rate=1.0)
        assert all(0 < learning_rate_at(step, steps, config) <= 1 for step in range(steps))


def test_on_a_plateau_the_rate_falls_and_a_better_epoch_starts_the_wait_anew(quick: Callable[..., FitConfig]) -> None:
    config = quick(epochs=30, schedule="plateau", learning_rate=1.0, warmup_epochs=1.0)

    def rate_after(accuracies: list[float]) -> float:
        return learning_rate_at(10 * len(accuracies), 10, config, accuracies)

    assert learning_rate_at(0, 10, config) == pytest.approx(0.1)
    assert rate_after([0.3] * 6) == 1.0
    assert rate_after([0.3] * 7) == 0.75
    assert rate_after([0.3] * 4 + [0.4] * 6) == 1.0
    assert rate_after([0.3] * 13) == 0.75**2
