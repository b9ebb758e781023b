from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fer_live.core.modelcard import (
    FER2013_LABELS,
    ModelCard,
    card_path,
    half_path,
    int8_path,
    load_card,
    load_verified_card,
    sha256_of,
)
from fer_live.errors import ModelError
from tests.media import write_card, write_network


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    return write_network(tmp_path / "tiny.onnx")


def _change_card(weights: Path, **changes: Any) -> None:
    card = json.loads(card_path(weights).read_text())
    card_path(weights).write_text(json.dumps(card | changes))


def test_card_beside_the_weights_is_read(weights: Path) -> None:
    card = load_verified_card(weights)
    assert card.labels == FER2013_LABELS
    assert card.files == {"tiny.onnx": sha256_of(weights)}
    assert (card.input.height, card.input.width) == (48, 48)


def test_sha256_is_that_of_the_bytes(tmp_path: Path) -> None:
    path = tmp_path / "abc"
    path.write_bytes(b"abc")
    # The test vector of FIPS 180-2.
    assert sha256_of(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_missing_weights_are_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"absent\.onnx' do not exist"):
        load_verified_card(tmp_path / "absent.onnx")


def test_missing_card_is_named(weights: Path) -> None:
    card_path(weights).unlink()
    with pytest.raises(ModelError, match=r"Model card '.*tiny\.json' cannot be read"):
        load_verified_card(weights)


def test_changed_weights_are_refused(weights: Path) -> None:
    with weights.open("ab") as file:
        file.write(b"\0")
    with pytest.raises(ModelError, match="differ from the SHA-256"):
        load_verified_card(weights)


def test_weights_that_the_card_does_not_list_are_refused(weights: Path) -> None:
    _change_card(weights, files={"other.onnx": sha256_of(weights)})
    with pytest.raises(ModelError, match=r"does not list 'tiny\.onnx'"):
        load_verified_card(weights)


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"labels": ["happy"]}, "labels"),
        ({"labels": ["happy", "happy"]}, "card"),
        ({"labels": ["happy", "Sad"]}, "card"),
        ({"labels": ["happy", "uncertain"]}, "card"),
        ({"schema_version": 2}, "schema_version"),
        ({"temperature": 0}, "temperature"),
        ({"neutral_logits": [0.0, 1.0]}, "card"),
        ({"colour": "red"}, "colour"),
        ({"input": {"channels": 3}}, "input.channels"),
        ({"input": {"depth": 3}}, "input.depth"),
    ],
)
def test_invalid_card_names_the_key(weights: Path, changes: dict[str, Any], where: str) -> None:
    _change_card(weights, **changes)
    with pytest.raises(ModelError, match=f"invalid at '{where}'"):
        load_card(card_path(weights))


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe"], ids=["empty", "torn", "a list", "no UTF-8"])
def test_card_that_is_no_json_object_is_refused(weights: Path, content: bytes) -> None:
    card_path(weights).write_bytes(content)
    with pytest.raises(ModelError, match="is invalid at"):
        load_card(card_path(weights))


def test_what_is_wrong_with_a_card_is_said_in_its_own_words(weights: Path) -> None:
    _change_card(weights, labels=["happy", "happy"])
    with pytest.raises(ModelError, match=r"invalid at 'card': labels must differ from one another\."):
        load_card(card_path(weights))


def test_card_survives_writing_and_reading(weights: Path) -> None:
    card = load_card(card_path(weights))
    assert load_card(write_card(weights)) == card
    assert ModelCard.model_validate_json(card.model_dump_json()) == card


def test_networks_of_other_precisions_have_the_card_of_their_network() -> None:
    weights = Path("some/folder.v2/net.onnx")
    assert half_path(weights) == Path("some/folder.v2/net.fp16.onnx")
    assert int8_path(weights) == Path("some/folder.v2/net.int8.onnx")
    assert card_path(half_path(weights)) == card_path(weights) == Path("some/folder.v2/net.json")
    assert card_path(int8_path(weights)) == card_path(weights)
    assert card_path(Path("net.safetensors")) == Path("net.json")
