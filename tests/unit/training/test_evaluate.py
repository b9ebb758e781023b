from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fer_live.core.modelcard import load_card, load_verified_card, sha256_of
from fer_live.errors import ModelError
from training.dataset import Fer2013, load_fer2013
from training.evaluate import evaluate, main


@pytest.fixture
def weights(tmp_path: Path, trained: Any) -> Path:
    """The trained .onnx in a folder that may be changed."""
    shutil.copytree(trained.out, tmp_path / "weights")
    return tmp_path / "weights" / "mobilevit_xxs.onnx"


def rewrite_card(weights: Path, **changes: object) -> None:
    path = weights.with_suffix(".json")
    path.write_text(load_card(path).model_copy(update=changes).model_dump_json())


def flat(record: dict[str, Any]) -> dict[str, float]:
    numbers = {key: value for key, value in record.items() if isinstance(value, float)}
    numbers |= {f"ci {side}": value for side, value in enumerate(record["accuracy_ci95"])}
    return numbers | record.get("per_class_recall", {})


def test_onnx_and_safetensors_agree(trained: Any) -> None:
    data = load_fer2013(trained.data)
    live = evaluate(trained.out / "mobilevit_xxs.onnx", data, "PublicTest")
    torch = evaluate(trained.out / "mobilevit_xxs.safetensors", data, "PublicTest")
    assert flat(live) == pytest.approx(flat(torch), abs=1e-4)
    unique = "without_training_duplicates"
    assert flat(live[unique]) == pytest.approx(flat(torch[unique]), abs=1e-4)


def test_evaluation_is_what_the_card_says(trained: Any) -> None:
    weights = trained.out / "mobilevit_xxs.onnx"
    card = load_verified_card(weights)
    measured = evaluate(weights, load_fer2013(trained.data), "PublicTest")
    assert measured == {key: card.validation[key] for key in measured}
    assert card.validation.keys() - measured.keys() == {"calibration", "float16"}


def test_order_of_labels_comes_from_the_card(weights: Path, trained: Any) -> None:
    data = load_fer2013(trained.data)
    before = evaluate(weights, data, "Training")["per_class_recall"]
    labels = load_card(weights.with_suffix(".json")).labels
    # Each output of the network now means the next label, so other rows are called right.
    rewrite_card(weights, labels=labels[1:] + labels[:1])
    assert evaluate(weights, data, "Training")["per_class_recall"] != before


def test_training_has_no_metrics_without_itself(trained: Any) -> None:
    record = evaluate(trained.out / "mobilevit_xxs.onnx", load_fer2013(trained.data), "Training")
    assert (record["n"], record["without_training_duplicates"]) == (56, None)


def test_repeats_are_unknown_without_training_rows(trained: Any, small_data: Fer2013) -> None:
    alone = Fer2013({"PrivateTest": small_data.split("PublicTest")})
    record = evaluate(trained.out / "mobilevit_xxs.onnx", alone, "PrivateTest")
    assert (record["n"], record["without_training_duplicates"]) == (28, None)


def test_json_is_one_object_on_stdout(trained: Any, capsys: pytest.CaptureFixture[str]) -> None:
    weights = str(trained.out / "mobilevit_xxs.onnx")
    assert main(["--weights", weights, "--data", str(trained.data), "--usage", "PrivateTest", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert {"model", "usage", "n", "accuracy", "accuracy_ci95", "macro_f1", "per_class_recall", "ece"} <= set(
        record
    )
    assert (record["model"], record["usage"], record["n"]) == ("mobilevit_xxs", "PrivateTest", 14)
    assert load_card(trained.out / "mobilevit_xxs.json").test is None


def test_table_is_for_reading(trained: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--weights", str(trained.out / "mobilevit_xxs.onnx"), "--data", str(trained.data)]) == 0
    table = capsys.readouterr().out
    assert table.startswith("mobilevit_xxs on PublicTest\n")
    assert "95 % interval" in table and "also in Training" in table and "FER+" not in table
    assert "weighted mean" in table and table.count("disgust") == 4


def test_test_block_is_written_on_request(
    weights: Path, trained: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["--weights", str(weights), "--data", str(trained.data), "--usage", "PrivateTest"]
    before = load_verified_card(weights)
    assert main([*asked, "--json", "--write-test"]) == 0
    after = load_verified_card(weights)
    assert after.test == json.loads(capsys.readouterr().out)
    assert after.model_copy(update={"test": None}) == before


def test_test_block_is_not_for_other_usages(
    weights: Path, trained: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    before = weights.with_suffix(".json").read_bytes()
    assert main(["--weights", str(weights), "--data", str(trained.data), "--write-test"]) == 2
    assert "--write-test belongs to --usage PrivateTest" in capsys.readouterr().err
    assert weights.with_suffix(".json").read_bytes() == before


def test_augmented_figures_never_reach_the_card(
    weights: Path, trained: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["--weights", str(weights), "--data", str(trained.data), "--usage", "PrivateTest"]
    assert main([*asked, "--write-test", "--tta", "flip"]) == 2
    assert "--write-test belongs to --usage PrivateTest and --tta none" in capsys.readouterr().err


def test_test_time_augmentation_is_named(trained: Any, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--weights", str(trained.out / "mobilevit_xxs.onnx"), "--data", str(trained.data), "--tta", "flip"]
    assert main([*asked, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["tta"] == "flip"
    assert main(asked) == 0
    assert capsys.readouterr().out.startswith("mobilevit_xxs on PublicTest, test-time augmentation flip\n")


def test_votes_add_their_own_block(trained: Any, votes_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--weights", str(trained.out / "mobilevit_xxs.onnx"), "--data", str(trained.data)]
    assert main([*asked, "--json", "--votes", str(votes_path)]) == 0
    record = json.loads(capsys.readouterr().out)
    votes = record.pop("votes")
    assert votes["agrees"] == {key: record[key] for key in ("n", "accuracy", "accuracy_ci95")}
    assert [band["n"] for band in votes["bands"]] == [0, 0, 28, 0]
    assert main([*asked, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == record
    assert main([*asked, "--votes", str(votes_path)]) == 0
    table = capsys.readouterr().out
    assert "largest share over 70% up to 90%" in table and "no faces" in table


def test_plots_are_written_only_on_request(
    trained: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "plots"
    asked = ["--weights", str(trained.out / "mobilevit_xxs.onnx"), "--data", str(trained.data), "--json"]
    assert main([*asked, "--plots", str(folder)]) == 0
    json.loads(capsys.readouterr().out)
    names = [f"mobilevit_xxs-PublicTest-{kind}.png" for kind in ("confusion", "mistakes", "reliability")]
    assert sorted(path.name for path in folder.iterdir()) == names


def test_plots_into_a_file_are_refused_before_measuring(
    trained: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    weights = str(trained.out / "mobilevit_xxs.onnx")
    assert main(["--weights", weights, "--data", str(trained.data), "--plots", str(tmp_path / "file")]) == 2
    assert "Choose another --plots" in capsys.readouterr().err


def test_labels_that_are_not_fer2013s_are_refused(weights: Path, small_data: Fer2013) -> None:
    rewrite_card(weights, labels=("a", "b", "c", "d", "e", "f", "g"))
    with pytest.raises(ModelError, match="not for the labels and crop size of FER2013"):
        evaluate(weights, small_data, "PublicTest")


def break_hash(weights: Path) -> None:
    weights.write_bytes(weights.read_bytes() + b" ")


def remove_card(weights: Path) -> None:
    weights.with_suffix(".json").unlink()


def remove_weights(weights: Path) -> None:
    weights.unlink()


def not_a_network(weights: Path) -> None:
    weights.write_bytes(b"not a network")
    rewrite_card(weights, files={weights.name: sha256_of(weights)})


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (break_hash, "differ from the SHA-256"),
        (remove_card, "Model card '.*' cannot be read"),
        (remove_weights, "do not exist"),
        (not_a_network, "not a network that ONNX Runtime can load"),
    ],
)
def test_bad_weights_end_with_one_sentence(
    weights: Path,
    trained: Any,
    capsys: pytest.CaptureFixture[str],
    damage: Callable[[Path], None],
    message: str,
) -> None:
    damage(weights)
    assert main(["--weights", str(weights), "--data", str(trained.data)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    lines = [line for line in captured.err.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1 and "Traceback" not in captured.err
    assert re.search(message, lines[0])


def test_weights_of_another_kind_are_refused(
    weights: Path, trained: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    other = weights.with_suffix(".bin")
    other.write_bytes(b"weights")
    rewrite_card(weights, files={other.name: sha256_of(other)})
    assert main(["--weights", str(other), "--data", str(trained.data)]) == 2
    assert "ends neither in .onnx nor in .safetensors" in capsys.readouterr().err


def test_usage_without_rows(trained: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = trained.data.read_text().splitlines()
    path = tmp_path / "fer2013.csv"
    path.write_text("\n".join(line for line in lines if "PrivateTest" not in line))
    weights = str(trained.out / "mobilevit_xxs.onnx")
    assert main(["--weights", weights, "--data", str(path), "--usage", "PrivateTest"]) == 2
    assert "no rows of usage 'PrivateTest'" in capsys.readouterr().err
