from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fer_live.core.modelcard import ModelCard, load_card
from fer_live.errors import ModelError
from training.model_card import FILE_NAME, main, read_cards, render

WEIGHTS = Path(__file__).resolve().parents[3] / "weights"


@pytest.fixture
def card(trained: Any) -> ModelCard:
    return load_card(trained.out / "mobilevit_xxs.json")


def row(text: str, heading: str, name: str) -> list[str]:
    """The cells of a table's row below a heading."""
    section = text.split(f"# {heading}\n", 1)[1].split("\n#", 1)[0]
    (line,) = [line for line in section.splitlines() if line.startswith(f"| {name} |")]
    return [cell.strip() for cell in line.strip("|").split("|")][1:]


def test_every_section_of_mitchell_is_there(card: ModelCard) -> None:
    text = render([card])
    headings = [line.removeprefix("## ") for line in text.splitlines() if line.startswith("## ")]
    assert headings == [
        "Model details",
        "Intended use",
        "What the labels mean",
        "Factors",
        "Metrics",
        "Evaluation data",
        "Training data",
        "Quantitative analyses",
        "Ethical considerations",
        "Caveats and recommendations",
    ]
    assert card.intended_use in text and card.limits in text


def test_figures_are_those_of_the_card(card: ModelCard) -> None:
    text = render([card])
    metrics = card.validation
    low, high = metrics["accuracy_ci95"]
    assert row(text, "Validation", "accuracy") == [f"{metrics['accuracy']:.1%} ({low:.1%} to {high:.1%})"]
    unique = metrics["without_training_duplicates"]
    assert row(text, "Validation without faces that are also in Training", "faces") == [str(unique["n"])] == ["27"]
    recall = metrics["per_class_recall"]["happy"]
    assert row(text, "Recall by label, validation", "happy")[0].startswith(f"{recall:.1%} (")
    cells = row(text, "mobilevit_xxs by label, validation", "happy")
    assert cells[0] == "4" and cells[3:] == [str(count) for count in metrics["confusion_matrix"]["counts"][3]]
    assert row(text, "Model details", "parameters") == [f"{card.parameters:,}"]
    assert "28 faces of FER2013. 1 of them have the same pixels" in text


def test_each_card_has_its_column_and_shared_text_stands_once(card: ModelCard) -> None:
    other = card.model_copy(update={"name": "other", "parameters": 7})
    text = render([card, other])
    assert row(text, "Model details", "parameters") == [f"{card.parameters:,}", "7"]
    assert text.count(card.limits) == 1
    assert "### other by label, validation" in text


def test_start_and_teacher_are_named_by_their_hash(card: ModelCard) -> None:
    assert row(render([card]), "Model details", "teacher") == ["none"]
    training = card.training | {"teacher": "0123456789abcdef", "init": "fedcba9876543210"}
    text = render([card.model_copy(update={"training": training})])
    assert row(text, "Model details", "teacher") == ["weights with SHA-256 0123456789ab"]
    assert row(text, "Model details", "started from") == ["weights with SHA-256 fedcba987654"]


def test_the_test_is_shown_once_it_was_measured(card: ModelCard) -> None:
    assert "### PrivateTest" not in render([card])
    test = card.validation | {"usage": "PrivateTest", "accuracy": 0.5, "accuracy_ci95": [0.4, 0.6], "n": 14}
    text = render([card.model_copy(update={"test": test})])
    assert row(text, "PrivateTest", "accuracy") == ["50.0% (40.0% to 60.0%)"]
    assert "PrivateTest, 14 faces, was measured after everything had been chosen" in text


def test_int8_is_shown_where_it_was_measured(card: ModelCard) -> None:
    assert "In int8" not in render([card])
    figures = {"n": 28, "accuracy": 0.61, "accuracy_difference": -0.0014}
    figures |= {"same_label": 0.99, "largest_difference": 0.06}
    reduced = card.model_copy(update={"validation": card.validation | {"int8": figures}})
    text = render([card, reduced])
    heading = "In int8, as processors run it, validation"
    assert row(text, heading, "accuracy") == ["61.0%"]
    assert row(text, heading, "points more than float32") == ["-0.14"]


def test_the_chain_is_shown_once_it_was_measured(card: ModelCard) -> None:
    assert "Whole chain" not in render([card])
    report = {"n": 200, "tilt_deg": 20.0, "found": 0.98, "found_ci95": [0.95, 0.99], "accuracy_bare": 0.6}
    report["variants"] = {"framed": {"accuracy": 0.588, "drop": 0.012, "drop_se": 0.004}}
    text = render([card.model_copy(update={"validation": card.validation | {"chain": [report]}})])
    heading = "mobilevit_xxs through the whole chain: faces found in cluttered pictures"
    assert row(text, heading, "20 degrees") == ["200", "98.0% (95.0% to 99.0%)", "58.8%", "60.0%", "1.2 ± 0.4"]


def test_card_without_figures_is_named(card: ModelCard) -> None:
    bare = card.model_copy(update={"validation": {}})
    with pytest.raises(ModelError, match=r"card of mobilevit_xxs has no 'validation\.accuracy'.*with --force"):
        render([bare])


def test_command_writes_beside_the_cards(
    tmp_path: Path, card: ModelCard, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mobilevit_xxs.json").write_text(card.model_dump_json())
    assert main(["--weights", str(tmp_path)]) == 0
    assert (tmp_path / FILE_NAME).read_text() == render([card])
    assert str(tmp_path / FILE_NAME) in capsys.readouterr().out


def test_folder_without_cards(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--weights", str(tmp_path)]) == 2
    assert "There is no card of weights" in capsys.readouterr().err


def test_shipped_text_is_what_the_shipped_cards_say() -> None:
    if not (WEIGHTS / FILE_NAME).is_file():
        pytest.skip(f"weights/{FILE_NAME} is not there yet: python -m training.model_card writes it")
    assert (WEIGHTS / FILE_NAME).read_text() == render(read_cards(WEIGHTS)), "run python -m training.model_card"
