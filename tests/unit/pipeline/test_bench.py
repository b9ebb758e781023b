from __future__ import annotations

import json
from pathlib import Path

import pytest

from fer_live.backends.registry import shipped_models
from fer_live.cli_bench import bench
from fer_live.config import Config
from fer_live.errors import BackendError, ConfigError
from fer_live.pipeline.bench import Case, Figures, Mode, cases_like, measure

_KEYS = ["case", "mode", "faces", "width", "height", "frames", "busy_ms_mean", "busy_ms_p50", "busy_ms_p95"]
_KEYS += ["looking_ms_mean", "floor_ms_mean", "floor_ms_p50", "floor_ratio", "rate_hz", "age_ms_p50", "age_ms_p95"]
_KEYS += ["drops", "rss_mb", "faces_found"]


@pytest.fixture(scope="module")
def config(shipped_weights: Path) -> Config:
    return Config(model=min(shipped_models()), backend="onnx-cpu")


@pytest.fixture(scope="module")
def figures(config: Config) -> dict[Mode, Figures]:
    return {mode: measure(Case(mode, 1, 320, 240), config, frames=6, seconds=0.5) for mode in Mode}


def test_every_case_is_there_once() -> None:
    cases = cases_like()
    assert len({case.name for case in cases}) == len(cases) == 2 * 2 * 5
    assert {case.faces for case in cases} == {0, 1, 2, 6, 16}


def test_cases_are_chosen_by_name() -> None:
    assert [case.name for case in cases_like("live-?-1280x720")] == [f"live-{n}-1280x720" for n in (0, 1, 2, 6)]
    with pytest.raises(ConfigError, match=r"No case is like 'live'\. They are called live-0-640x480 to"):
        cases_like("live")


@pytest.mark.parametrize("mode", Mode)
def test_figures_agree_with_each_other(figures: dict[Mode, Figures], mode: Mode) -> None:
    case = figures[mode]
    assert list(vars(case)) == _KEYS
    assert (case.case, case.mode, case.frames) == (f"{mode}-1-320x240", mode, 6)
    assert (case.faces, case.width, case.height, case.faces_found) == (1, 320, 240, 1.0)
    assert 0 < case.busy_ms_p50 <= case.busy_ms_p95
    assert case.floor_ratio == pytest.approx(case.looking_ms_mean / case.floor_ms_mean)
    assert case.looking_ms_mean > case.busy_ms_mean  # since faces are followed in most frames
    assert case.floor_ms_p50 > 0 and case.rate_hz > 0 and case.rss_mb > 50 and case.drops >= 0


def test_only_live_frames_have_an_age(figures: dict[Mode, Figures]) -> None:
    live, analyze = figures[Mode.LIVE], figures[Mode.ANALYZE]
    assert live.age_ms_p50 is not None and live.age_ms_p95 is not None
    assert 0 < live.age_ms_p50 <= live.age_ms_p95
    assert (analyze.age_ms_p50, analyze.age_ms_p95, analyze.drops) == (None, None, 0)


def test_a_backend_that_cannot_run_here_is_said(config: Config) -> None:
    case = Case(Mode.LIVE, 1, 320, 240)
    with pytest.raises(BackendError, match=r"onnx-cuda|CUDA|NVIDIA"):
        measure(case, config.model_copy(update={"backend": "onnx-cuda"}), frames=1, seconds=0.5)


def test_json_is_a_list_of_cases(config: Config, capsys: pytest.CaptureFixture[str]) -> None:
    chosen = config.model_copy(update={"backend": "auto"})
    bench(chosen, "analyze-1-640x480", frames=2, seconds=1.0, as_json=True)
    said = capsys.readouterr()
    (case,) = json.loads(said.out)
    assert list(case) == _KEYS
    assert "load_average:" in said.err and f"model: {config.model}" in said.err
    assert said.err.startswith("backend: ") and " (auto" in said.err


def test_ctrl_c_prints_what_is_done(
    config: Config, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    done = measure(Case(Mode.ANALYZE, 1, 320, 240), config, frames=2, seconds=1.0)
    steps = iter([done])

    def until_interrupted(*_: object) -> Figures:
        for figures in steps:
            return figures
        raise KeyboardInterrupt

    monkeypatch.setattr("fer_live.cli_bench.run_alone", until_interrupted)
    with pytest.raises(KeyboardInterrupt):
        bench(config, "analyze-*", frames=2, seconds=1.0, as_json=False)
    machine, titles, row = capsys.readouterr().out.splitlines()
    assert machine.startswith("cpu: ") and titles.split()[:2] == ["case", "found"]
    assert row.split()[:2] == ["analyze-1-320x240", "1.0"]
    assert row.split()[9:12] == ["-", "-", "0"]
