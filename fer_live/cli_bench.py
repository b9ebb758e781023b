"""The command `bench`: cases under a progress bar, then a table or JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from tqdm import tqdm

from fer_live.backends.registry import open_backend
from fer_live.config import Config
from fer_live.console import tell_choice
from fer_live.pipeline.alone import run_alone
from fer_live.pipeline.bench import Figures, cases_like, measure
from fer_live.pipeline.machine import machine_facts

_COLUMNS = (
    ("case", "case", ""),
    ("found", "faces_found", ".1f"),
    ("busy ms", "busy_ms_mean", ".2f"),
    ("p50", "busy_ms_p50", ".2f"),
    ("p95", "busy_ms_p95", ".2f"),
    ("looking ms", "looking_ms_mean", ".2f"),
    ("floor ms", "floor_ms_mean", ".2f"),
    ("ratio", "floor_ratio", ".2f"),
    ("Hz", "rate_hz", ".1f"),
    ("age ms", "age_ms_p50", ".1f"),
    ("p95", "age_ms_p95", ".1f"),
    ("drops", "drops", "d"),
    ("RSS MB", "rss_mb", ".0f"),
)
"""Title, field of Figures and format."""


def bench(config: Config, pattern: str, frames: int, seconds: float, as_json: bool) -> None:
    """Measures the cases whose names match a pattern, and prints a table, or a JSON list of Figures.

    Each case has a process of its own, so that it is measured with the memory that it takes. First the machine is told,
    with JSON on standard error. Whatever ends it early, what is measured is printed.
    """
    cases = cases_like(pattern)
    with open_backend(config.backend, config.model) as backend:
        tell_choice(config, backend)
        facts = machine_facts() | {"model": backend.card.name, "backend": backend.name, "device": backend.device}
    print("; ".join(f"{name}: {value}" for name, value in facts.items()), file=sys.stderr if as_json else sys.stdout)
    measured: list[Figures] = []
    try:
        with tqdm(cases, unit=" cases", disable=None) as bar:
            for case in bar:
                bar.set_description_str(case.name)
                measured.append(run_alone(measure, case, config, frames, seconds))
    finally:
        print(json.dumps([_rounded(figures) for figures in measured]) if as_json else _table(measured))


def _rounded(figures: Figures) -> dict[str, str | int | float | None]:
    return {name: round(value, 3) if isinstance(value, float) else value for name, value in vars(figures).items()}


def _table(measured: Sequence[Figures]) -> str:
    rows = [[title for title, *_ in _COLUMNS], *(_cells(figures) for figures in measured)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(_line(row, widths) for row in rows)


def _cells(figures: Figures) -> list[str]:
    values = [(getattr(figures, field), style) for _, field, style in _COLUMNS]
    return ["-" if value is None else format(value, style) for value, style in values]


def _line(cells: list[str], widths: list[int]) -> str:
    first, *others = [cell.rjust(width) for cell, width in zip(cells, widths, strict=True)]
    return "  ".join([first.strip().ljust(widths[0]), *others])
