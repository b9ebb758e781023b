from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fer_live.errors import DataError
from training import exploration
from training.dataset import Fer2013, Split, load_fer2013
from training.exploration import Rows, gather


@pytest.fixture
def planted(faces: Callable[..., Any]) -> Fer2013:
    """14 Training and 7 PublicTest rows of noise, in which some stand twice.

    Training 7 is Training 0 (angry, both). Training 8 has the pixels of Training 1 (disgust), but is called fear;
    PublicTest 2 (fear) has them, too. Training 9 is nearly Training 3; PublicTest 4 is Training 4 mirrored.
    Training 12 and 13 are black, PublicTest 6 is plain grey.
    """
    train, test = Split("Training", *faces(2, 0)), Split("PublicTest", *faces(1, 1))
    train.images[7] = train.images[0]
    train.images[8] = test.images[2] = train.images[1]
    train.labels[8] = 2
    train.images[9] = train.images[3] // 2
    test.images[4] = train.images[4][:, ::-1]
    train.images[12:] = 0
    test.images[6] = 90
    return Fer2013({"Training": train, "PublicTest": test})


@pytest.fixture
def gathered(planted: Fer2013) -> Rows:
    return gather(planted)


def test_rows_are_named_by_their_usage(gathered: Rows) -> None:
    assert (len(gathered), gathered.names) == (21, ("Training", "PublicTest"))
    assert (gathered.called(8), gathered.called(14), gathered.called(20)) == (
        "Training 8 (fear)",
        "PublicTest 0 (angry)",
        "PublicTest 6 (neutral)",
    )


def test_classes_are_counted(gathered: Rows) -> None:
    record = exploration.class_counts(gathered)
    train = record["Training"]
    assert (train["n"], train["counts"]["fear"], train["counts"]["disgust"], train["counts"]["sad"]) == (14, 3, 1, 2)
    assert (train["largest"], train["smallest"], train["imbalance"]) == ("fear", "disgust", 3.0)
    assert train["share"] == pytest.approx(3 / 14)
    assert record["PublicTest"]["imbalance"] == 1.0


def test_a_class_without_rows_is_no_imbalance() -> None:
    images = np.arange(3, dtype=np.uint8)[:, None, None].repeat(48, 1).repeat(48, 2)
    alone = gather(Fer2013({"Training": Split("Training", images, np.array([3, 3, 4]))}))
    record = exploration.class_counts(alone)["Training"]
    assert (record["imbalance"], record["smallest"], record["counts"]["disgust"]) == (2.0, "sad", 0)
    assert set(exploration.pixel_figures(alone)["classes"]) == {"happy", "sad"}


def test_pixels_are_those_of_numpy(gathered: Rows) -> None:
    record = exploration.pixel_figures(gathered)
    surprise = record["classes"]["surprise"]
    own = gathered.images[gathered.labels == 5].astype(float)
    assert surprise["n"] == len(own) == 3
    assert surprise["brightness"] == pytest.approx(own.mean())
    assert surprise["brightness_spread"] == pytest.approx(own.mean(axis=(1, 2)).std())
    assert surprise["contrast"] == pytest.approx(own.std(axis=(1, 2)).mean())
    assert surprise["plain"] == 1
    assert (record["plain"], record["black"]) == ([12, 13, 20], [12, 13])
    means = gathered.images.astype(float).mean(axis=(1, 2))
    centres = [means[gathered.labels == code].mean() for code in gathered.labels]
    assert record["explained"] == pytest.approx(np.var(centres) / np.var(means))


def test_what_stands_twice_is_found_and_nothing_else(gathered: Rows) -> None:
    record, pairs = exploration.repeats(gathered)
    assert (record["groups"], record["rows"]) == (3, 7)
    assert (record["near_pairs"], record["mirrored"], record["near_other_label"]) == (2, 1, 1)
    assert list(zip(pairs.first, pairs.second, pairs.is_mirrored, strict=True)) == [(3, 9, False), (4, 18, True)]
    assert record["by_usage"] == {
        # 0 and 7, 1 and 8, 12 and 13; 3 and 9.
        "Training": {"Training": {"exact": 6, "near": 2}, "PublicTest": {"exact": 2, "near": 1}},
        "PublicTest": {"Training": {"exact": 1, "near": 1}, "PublicTest": {"exact": 0, "near": 0}},
    }


def test_exact_repeats_are_those_of_evaluate(trained: Any) -> None:
    data = load_fer2013(trained.data)
    record, _ = exploration.repeats(gather(data))
    for usage in ("PublicTest", "PrivateTest"):
        assert record["by_usage"][usage]["Training"]["exact"] == data.repeats_of_training(usage).sum() == 1
    assert (record["groups"], record["rows"], record["near_pairs"]) == (1, 3, 0)


def test_a_picture_counts_once_among_near_pairs(planted: Fer2013) -> None:
    train = planted.splits["Training"]
    train.images[10] = train.images[9]
    record, _ = exploration.repeats(gather(planted))
    assert record["near_pairs"] == 2
    # 3 is near 9 and 10, which are the same.
    assert record["by_usage"]["Training"]["Training"] == {"exact": 8, "near": 1}


def test_contradictions_are_found_and_nothing_else(gathered: Rows) -> None:
    record = exploration.contradictions(gathered)
    # Black rows are contradictory, too: surprise and neutral.
    assert record == {"groups": [[1, 8, 16], [12, 13]], "rows": 5, "errors": 2}


def test_agreement_with_the_votes(votes_path: Path, trained: Any) -> None:
    data = load_fer2013(trained.data)
    lines = votes_path.read_text().splitlines()
    # Of the first row, angry, happiness now has most votes; of the second, disgust, contempt ties with it.
    lines[1] = "Training,fer0.png,0,9,0,0,1,0,0,0,0,0"
    lines[2] = "Training,fer0.png,0,0,0,0,0,5,0,5,0,0"
    votes_path.write_text("\n".join(lines))
    record = exploration.agreement(data, votes_path)
    train, test = record["usages"]["Training"], record["usages"]["PublicTest"]
    assert (train["n"], train["agrees"], train["no_majority"]) == (56, 54 / 56, 1 / 56)
    assert train["mean_share"] == pytest.approx((55 * 0.9 + 0.5) / 56)
    assert train["agrees_ci95"][0] < train["agrees"] < train["agrees_ci95"][1]
    assert (test["agrees"], test["no_majority"]) == (1.0, 0.0)
    table = np.array(record["table"])
    assert (table.shape, table.sum(), table[0, 3], table[1, 7]) == ((7, 8), 98, 1, 1)
    assert table.trace() == 96


def test_votes_on_other_rows_are_refused(votes_path: Path, planted: Fer2013) -> None:
    with pytest.raises(DataError, match="votes on 56 rows of 'Training'; there are 14"):
        exploration.agreement(planted, votes_path)
