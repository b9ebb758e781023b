from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from fer_live.errors import TrainingError
from training import trials
from training.config import FitConfig
from training.dataset import Fer2013, Split
from training.trials import overfit
from training.votes import opinion_of_voters


def test_few_rows_of_every_class(small_data: Fer2013) -> None:
    rows = small_data.split("Training")
    sorted_rows = rows.labels.argsort(kind="stable")
    by_class = Fer2013({"Training": Split("Training", rows.images[sorted_rows], rows.labels[sorted_rows])})
    few = trials._spread(by_class, "Training", 4)
    assert set(few.labels.tolist()) == set(range(7))
    assert len(few) < 16


def test_few_rows_suffice_to_learn_what_votes_mean(small_data: Fer2013, quick: Callable[..., FitConfig]) -> None:
    rows = small_data.split("Training")
    counts = np.eye(7, 10, dtype=np.int64)[rows.labels] * 10
    voted = Fer2013(small_data.splits | {"Training": replace(rows, votes=counts)})
    few = trials.few_rows(quick(batch_size=2), voted).split("Training")
    assert opinion_of_voters(few).shape == (len(few), 7)


def test_a_network_learns_a_few_faces_by_heart(
    small_data: Fer2013, quick: Callable[..., FitConfig], capsys: pytest.CaptureFixture[str]
) -> None:
    overfit(quick(model="simple_cnn", batch_size=28), small_data, 28)
    assert "simple_cnn knows 100% of 31 faces by heart after" in capsys.readouterr().out


def test_a_network_that_cannot_is_told(
    small_data: Fer2013, quick: Callable[..., FitConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trials, "_OVERFIT_EPOCHS", 2)
    with pytest.raises(TrainingError, match=r"fc_tiny learnt only \d+% of 31 faces by heart in 2 epochs"):
        overfit(quick(model="fc_tiny", learning_rate=1e-9, batch_size=28), small_data, 28)
