from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from training import zoo_accuracy, zoo_results
from training.fit import main as fit_command
from training.networks import NETWORKS, build, parameter_count
from training.zoo import REPORTED, main, markdown
from training.zoo_sizes import Size, sizes
from training.zoo_speed import Speed, measure_speeds

DOCUMENT = Path(__file__).parents[3] / "docs" / "zoo.md"


@pytest.fixture
def data(tmp_path: Path, rows: Any, write_csv: Callable[..., str]) -> Path:
    path = tmp_path / "fer2013.csv"
    path.write_text(write_csv(rows))
    return path


@pytest.fixture
def measure(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Runs `--measure` on the small data set with a budget of a tenth of a second; times are made up."""
    times = itertools.count(1)

    def made_up(names: list[str]) -> list[Speed]:
        ms = next(times)
        return [Speed(name=name, ms=ms, ms_p10=ms, ms_p90=ms, rounds=1, load=0.0) for name in names]

    monkeypatch.setattr(zoo_results, "measure_speeds", made_up)

    def run(*only: str, minutes: str = "0.002") -> int:
        folder = str(tmp_path / "zoo")
        return main(["--measure", "--data", str(data), "--run", folder, "--minutes", minutes, "--only", *only])

    return run


def test_every_network_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [network["name"] for network in listed] == list(NETWORKS)
    assert all(set(network) == {"name", "params", "mmacs"} for network in listed)
    assert set(REPORTED) <= set(NETWORKS)
    # The document has the same figures.
    document = DOCUMENT.read_text(encoding="utf-8")
    for row in markdown([Size(**network) for network in listed], {}, {}).splitlines():
        assert row.split("|")[1:4] in [line.split("|")[1:4] for line in document.splitlines()]


def test_the_plain_list_is_aligned(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--only", "fc_tiny", "simple_cnn"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines[1:]] == [["fc_tiny", "147,975", "0.1"], ["simple_cnn", "4,720,263", "6.0"]]
    assert len({len(line) for line in lines}) == 1


def test_multiply_accumulates_of_linear_layers_convolutions_and_attention() -> None:
    counted = {size.name: size for size in sizes(["fc_basic", "simple_cnn", "vit"])}
    assert counted["fc_basic"].params == parameter_count(build("fc_basic", 7))
    assert counted["fc_basic"].mmacs * 1e6 == 2304 * 48 + 48 * 7
    assert counted["simple_cnn"].mmacs * 1e6 == 48 * 48 * 9 * 64 + 36864 * 128 + 128 * 7
    width, tokens = 192, 65
    attention = 2 * tokens * tokens * width
    block = tokens * 12 * width * width + attention
    assert counted["vit"].mmacs * 1e6 == 64 * 36 * width + 12 * block + width * 7


def test_measuring_writes_a_table_and_measures_nothing_twice(
    measure: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert measure("fc_tiny", "deep_cnn") == 0
    tiny, large = (line.split(" | ") for line in capsys.readouterr().out.splitlines()[2:])
    assert (tiny[0], large[0]) == ("| fc_tiny", "| deep_cnn")
    assert float(tiny[4]) >= 1 and 0 <= float(tiny[5].split("%")[0]) <= 100 and tiny[6].endswith("%")
    assert float(large[4]) < 1 and large[5:7] == ["too big", "too big"]
    written = {path: path.stat().st_mtime_ns for path in (tmp_path / "zoo").rglob("*.json")}
    assert sorted(path.name for path in written) == ["deep_cnn.json", "fc_tiny.json", "speeds.json"]
    assert measure("fc_tiny", "deep_cnn") == 0
    assert {path: path.stat().st_mtime_ns for path in written} == written


def test_times_of_exported_networks() -> None:
    speeds = measure_speeds(["fc_tiny", "cnn3_none"], rounds=5)
    assert [speed.name for speed in speeds] == ["fc_tiny", "cnn3_none"]
    assert all(0 < speed.ms_p10 <= speed.ms <= speed.ms_p90 and speed.rounds == 5 for speed in speeds)


def test_times_are_taken_in_turns_with_those_that_are_known(measure: Callable[..., int], tmp_path: Path) -> None:
    assert measure("fc_tiny") == 0
    assert measure("fc_basic") == 0
    times = zoo_results.read_speeds(tmp_path / "zoo")
    assert {name: speed.ms for name, speed in times.items()} == {"fc_tiny": 2, "fc_basic": 2}


def test_an_interrupted_measurement_keeps_what_is_finished(
    measure: Callable[..., int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learn = zoo_accuracy.learn

    def interrupted(name: str, *arguments: Any) -> Any:
        if name == "fc_basic":
            raise KeyboardInterrupt
        return learn(name, *arguments)

    monkeypatch.setattr(zoo_results, "learn", interrupted)
    assert measure("fc_tiny", "fc_basic", "fc_deep") == 130
    assert list(zoo_results.read_learnt(tmp_path / "zoo")) == ["fc_tiny"]


def test_another_budget_is_refused(measure: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert measure("fc_tiny") == 0
    assert measure("fc_tiny", minutes="0.003") == 2
    assert "another budget, seed or data set" in capsys.readouterr().err


def test_a_damaged_result_is_named(
    measure: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert measure("fc_tiny") == 0
    (tmp_path / "zoo" / "learnt" / "fc_tiny.json").write_text("{}")
    assert measure("fc_tiny") == 2
    assert "fc_tiny.json' cannot be read" in capsys.readouterr().err


def test_the_table_has_dashes_for_what_is_not_measured() -> None:
    size = Size("fc_tiny", 147_975, 0.148)
    speed = Speed(name="fc_tiny", ms=0.05, ms_p10=0.04, ms_p90=0.1, rounds=200, load=0.1)
    row = markdown([size], {"fc_tiny": speed}, {}).splitlines()[-1]
    dash = "\N{EN DASH}"
    measured = "0.05 (0.04 to 0.10)"
    assert row == f"| fc_tiny | 147,975 | 0.1 | {measured} | {dash} | {dash} | {dash} | test 30.3, macro-F1 0.22 |"


def test_the_table_of_a_folder_without_results(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--table", "--run", str(tmp_path), "--only", "cnn3"]) == 0
    assert "| cnn3 | 1,306,599 | 23.1 |" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["--only", "vgg"], "Unknown model 'vgg'"),
        (["--minutes", "0"], "--minutes is 0. Give more than 0 minutes"),
        (["--seed", "-1"], "--seed is -1. Give a whole number from 0"),
        (["--measure", "--only", "fc_tiny", "--data", "nowhere.csv"], "There is no FER2013 at 'nowhere.csv'"),
    ],
)
def test_what_the_user_can_fix_is_said(asked: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(asked) == 2
    assert said in capsys.readouterr().err


def test_fit_trains_a_network_of_the_zoo(data: Path, tmp_path: Path) -> None:
    asked = ["--model", "cnn3_group", "--epochs", "1", "--batch-size", "16", "--data", str(data)]
    assert fit_command([*asked, "--run", str(tmp_path / "run"), "--out", str(tmp_path / "out")]) == 0
    assert {path.suffix for path in (tmp_path / "out").iterdir()} == {".json", ".onnx", ".safetensors"}
