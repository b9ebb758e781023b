"""The table and the picture of docs/quality.md, from the record of `training.quality`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from training.files import save_figure

Step = dict[str, Any]


def as_table(record: dict[str, Any]) -> str:
    """The record as Markdown, in per cent and points; shares have their 95 % interval, losses their standard error."""
    wanted, used, margin = record["settings"], record["in_use"], 100 * record["margin"]
    size = [f"| {step['side_px']} | {_lost(step)} |" for step in record["sizes"]]
    blur = [f"| {step['sigma_px']:g} | {_lost(step)} | {_sharp(step)} |" for step in record["blurs"]]
    sharp = [f"| {_range(step)} | {_lost(step)} |" for step in record["sharpness"]]
    turn = [f"| {_range(step)} | {_share(step)} |" for step in record["turns"]]
    lines = [
        f"{record['model']} on {record['usage']}, whole faces: {_share(record['plain'])}",
        *_head("side, px", "N", "accuracy", "points lost"),
        *size,
        *_head("blur, sigma in px", "N", "accuracy", "points lost", "sharpness: p5, median, p95"),
        *blur,
        *_head("sharpness", "N", "accuracy", "points lost"),
        *sharp,
        *_head(f"turn ({record['found']} faces found)", "N", "accuracy"),
        *turn,
        "",
        f"Settings for at most {margin:g} points: " + ", ".join(f"{name} {value:g}" for name, value in wanted.items()),
        "Settings in use: " + ", ".join(f"{name} {value:g}" for name, value in used.items()),
        *_verdict(record["sharpness"], "sharp enough", used["min_sharpness"]),
    ]
    return "\n".join(lines)


def _head(*titles: str) -> list[str]:
    return ["", "| " + " | ".join(titles) + " |", "|---" * len(titles) + "|"]


def _share(step: Step) -> str:
    low, high = step["accuracy_ci95"]
    return f"{step['n']} | {step['accuracy']:.1%} ({low:.1%} to {high:.1%})"


def _lost(step: Step) -> str:
    return f"{_share(step)} | {100 * step['drop']:.1f} ± {100 * step['drop_se']:.1f}"


def _sharp(step: Step) -> str:
    return ", ".join(f"{step[f'sharpness_p{q}']:.2g}" for q in (5, 50, 95))


def _range(step: Step) -> str:
    return f"{step['low']:g} and more" if step["high"] is None else f"{step['low']:g} to {step['high']:g}"


def _verdict(steps: list[Step], what: str, limit: float) -> list[str]:
    """How many of all faces of these steps pass a limit, which is an edge of theirs, and what both parts lose."""
    parts = {what: [step for step in steps if step["low"] >= limit]}
    parts[f"not {what}"] = [step for step in steps if step["low"] < limit]
    total = sum(step["n"] for step in steps)
    lines = []
    for name, part in parts.items():
        count = sum(step["n"] for step in part)
        lost = sum(step["n"] * step["drop"] for step in part) / max(count, 1)
        lines.append(f"{name}: {count} of {total} whole and blurred faces, which lose {100 * lost:.1f} points")
    return lines


def draw(record: dict[str, Any], path: Path) -> None:
    """Draws accuracy over side, sharpness and turn as PNG, with the settings in use; raises TrainingError if it
    cannot write."""
    used = record["in_use"]
    figure = Figure(figsize=(9, 3), layout="constrained")
    small, sharp, turn = figure.subplots(1, 3, sharey=True)
    _line(small, [step["side_px"] for step in record["sizes"]], record["sizes"], record)
    small.set(xlabel="side of the face's square, px", ylabel="accuracy")
    edges = [step["low"] or step["high"] / 2 for step in record["sharpness"]]
    _line(sharp, edges, record["sharpness"], record)
    sharp.set(xlabel="sharpness, from", xscale="log")
    sharp.axvline(used["min_sharpness"], color="C1", label="setting in use")
    _line(turn, [step["low"] for step in record["turns"]], record["turns"], record)
    turn.set(xlabel="turn, from")
    turn.axvline(used["max_turn"], color="C1")
    small.axvline(used["min_face_px"] * record["scale"], color="C1")
    handles, labels = sharp.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), fontsize="small", frameon=False)
    save_figure(path, figure, 90, "Choose another --plot.")


def _line(axes: Axes, places: list[float], steps: list[Step], record: dict[str, Any]) -> None:
    shares = [step["accuracy"] for step in steps]
    spans = [[share - step["accuracy_ci95"][0] for share, step in zip(shares, steps, strict=True)]]
    spans += [[step["accuracy_ci95"][1] - share for share, step in zip(shares, steps, strict=True)]]
    axes.errorbar(places, shares, yerr=spans, marker="o", markersize=4, lw=1.5, label="accuracy, 95 % interval")
    plain = record["plain"]["accuracy"]
    axes.axhspan(plain - record["margin"], plain, color="C2", alpha=0.25, lw=0, label="whole faces, less the margin")
    axes.grid(alpha=0.3)
