"""Tables and a plot of what run.py measured."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

OURS = "FER Live"
_MAIN = "wall-1-640x480"
_FURTHER = ("wall-1-640x480", "wall-4-640x480", "wall-16-640x480")


def spread(values: Sequence[float]) -> str:
    """Median (min-max), with three digits or all before the point."""
    return f"{_short(statistics.median(values))} ({_short(min(values))}-{_short(max(values))})"


def _short(value: float) -> str:
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:.{digits}f}"


def ratios(case: dict[str, Any], name: str) -> list[float]:
    """How many times as many frames a second FER Live does, in each round."""
    ours, theirs = (case["contenders"][each]["frames_per_s"] for each in (OURS, name))
    return [fast / slow for fast, slow in zip(ours, theirs, strict=True)]


def found(case: dict[str, Any], name: str) -> tuple[float, float]:
    """Faces found a frame, at most as many as there are in it, and how many more than that."""
    counts = [len(boxes) for boxes in case["contenders"][name]["boxes"]]
    real = statistics.mean(min(count, case["faces"]) for count in counts)
    return real, statistics.mean(counts) - real


def further_face_ms(cases: Sequence[dict[str, Any]], name: str) -> list[list[float]]:
    """From each case to the next one, the CPU time that each face costs that is found in addition, in each round."""
    costs = []
    for few, many in pairwise(cases):
        more = sum(found(many, name)) - sum(found(few, name))
        rounds = zip(*(each["contenders"][name]["cpu_ms"] for each in (few, many)), strict=False)
        costs.append([(larger - smaller) / more for smaller, larger in rounds] if more > 0 else [])
    return costs


def tables(results: dict[str, Any]) -> str:
    """Markdown: the main case, the others, faces found, and further faces, as far as they were measured."""
    cases = results["cases"]
    names = list(results["versions"])
    parts = [f"{key}: {value}" for key, value in results["machine"].items()]
    parts = ["; ".join(parts), *(f"{name}: {_listed(of)}" for name, of in results["versions"].items())]
    parts.append("; ".join(f"{name}: {_turns(case)}" for name, case in cases.items()))
    if _MAIN in cases:
        parts.append(_main_table(cases[_MAIN], names))
    parts.append(_table(["FER Live's frames/s against", *cases], [_ratio_row(cases, name) for name in names[1:]]))
    parts.append(_table(["faces found (too many)", *cases], [_found_row(cases, name) for name in names]))
    if all(name in cases for name in _FURTHER):
        walls = [cases[name] for name in _FURTHER]
        steps = [f"{few['faces']} to {many['faces']} faces" for few, many in pairwise(walls)]
        rows = [[name, *(spread(ms) if ms else "-" for ms in further_face_ms(walls, name))] for name in names]
        parts.append(_table(["CPU ms of each further face found", *steps], rows))
    return "\n\n".join(parts) + "\n"


def _turns(case: dict[str, Any]) -> str:
    return f"{len(case['contenders'][OURS]['frames_per_s'])} rounds, load average {case['load']:.1f}"


def _main_table(case: dict[str, Any], names: list[str]) -> str:
    rows = []
    for name in names:
        figures = case["contenders"][name]
        rows.append(
            [name, *(spread(values) for values in (figures["frames_per_s"], figures["cpu_ms"], ratios(case, name)))]
        )
    return _table(["contender", "frames/s", "CPU time a frame, ms", "FER Live's frames/s against it"], rows)


def _ratio_row(cases: dict[str, Any], name: str) -> list[str]:
    return [name, *(spread(ratios(case, name)) for case in cases.values())]


def _found_row(cases: dict[str, Any], name: str) -> list[str]:
    row = [name]
    for case in cases.values():
        real, too_many = found(case, name)
        row.append(f"{real:.2f}" + (f" ({too_many:.2f})" if too_many else ""))
    return row


def _table(titles: list[str], rows: list[list[str]]) -> str:
    head, *body = (f"| {' | '.join(cells)} |" for cells in (titles, *rows))
    return "\n".join([head, "|---" * len(titles) + "|", *body])


def _listed(facts: dict[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in facts.items())


def draw(results: dict[str, Any], path: Path) -> None:
    """Frames a second of the main case, and CPU time of a frame over its faces, as PNG; only what was measured."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    speed, growth = figure.subplots(1, 2)
    cases = results["cases"]
    names = list(results["versions"])
    if _MAIN in cases:
        for row, name in enumerate(reversed(names)):
            values = cases[_MAIN]["contenders"][name]["frames_per_s"]
            colour = f"C{names.index(name)}"
            speed.plot((min(values), max(values)), (row, row), color=colour, lw=2)
            speed.plot(statistics.median(values), row, "o", color=colour)
        speed.set_yticks(range(len(names)), list(reversed(names)))
    speed.set(xscale="log", xlabel="frames a second, 640x480, one face")
    walls = [cases[name] for name in _FURTHER if name in cases]
    for number, name in enumerate(names):
        times = [statistics.median(case["contenders"][name]["cpu_ms"]) for case in walls]
        growth.plot([case["faces"] for case in walls], times, "o-", color=f"C{number}", lw=1.5)
    growth.set(xscale="log", yscale="log", xlabel="faces, 640x480", ylabel="CPU ms a frame")
    growth.set_xticks([case["faces"] for case in walls], [str(case["faces"]) for case in walls])
    for axis in (speed.xaxis, growth.yaxis):
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axis.set_minor_formatter(NullFormatter())
    for axes in (speed, growth):
        axes.minorticks_off()
        axes.grid(alpha=0.25)
    figure.savefig(path, dpi=100)
