"""A session's curves as inline SVG: text in the page's own colour, so that they fit light, dark and print."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import matplotlib.ticker
import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from fer_live.core.labels import UNCERTAIN
from fer_live.core.overlay import UNCERTAIN_COLOUR, colour_of
from fer_live.record.columns import Status
from fer_live.review.reading import Session

OUTCOMES: Mapping[str, str] = {
    Status.OK: "#56B4E9",
    Status.LOW_QUALITY: "#E69F00",
    Status.NO_FACE: "#9A9A9A",
    Status.DROPPED: "#D55E00",
}
"""Colour of what became of a frame."""
LATENCIES: Mapping[str, tuple[str, str]] = {
    "age, 95 % below": ("age_high", "#D55E00"),
    "age, median": ("age_mid", "#0072B2"),
    "network, median": ("infer_mid", "#009E73"),
}
"""Curves of latency: their name, their column and their colour."""

EXPRESSION_FRAMES, RATE_FRAMES = 3, 30
"""Frames that each bin of a curve has at least: fewer show more, more make rates and percentiles steady."""

_WIDTH_IN = 8.4
_MOST_BINS = 360
_MOST_MARKER_NUMBERS = 60
_TEXT = "#010203"
_STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "fer-live",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    **dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), _TEXT),
}
_styled = mpl.rc_context(_STYLE)


@dataclass(frozen=True)
class TimeAxis:
    """Equal bins over a session. edges: float64 (B + 1,), s. markers: number and time, s, of each marker."""

    edges: NDArray[np.float64]
    markers: tuple[tuple[int, float], ...]

    @property
    def unit(self) -> tuple[str, float]:
        """Name and length in s of the unit that its labels have."""
        return ("min", 60.0) if self.edges[-1] > 300 else ("s", 1.0)

    def bins(self, times: pl.Series) -> pl.Series:
        """The bin of each time."""
        width = float(self.edges[1] - self.edges[0])
        return (times / width).floor().clip(0, len(self.edges) - 2).cast(pl.Int64).alias("bin")


def colours(labels: Sequence[str]) -> dict[str, str]:
    """Colour of each label and of UNCERTAIN, which is paler than neutral."""
    return {label: colour_of(label) for label in labels} | {UNCERTAIN: UNCERTAIN_COLOUR + "59"}


def time_axis(session: Session, rows: pl.DataFrame, frames_a_bin: int) -> TimeAxis:
    """As many bins as a page can show, until the last row or marker. rows: from rows_with_time, of a timed session."""
    frames = rows["frame_index"].n_unique()
    count = int(np.clip(frames // frames_a_bin, 1, _MOST_BINS))
    markers = tuple(session.markers.select("marker_id", "t_mono_s").iter_rows())
    end_s = max(session.end_s, 1e-3, *(at for _, at in markers))
    return TimeAxis(np.linspace(0, end_s, count + 1), markers)


@_styled
def expression_over_time(rows: pl.DataFrame, labels: Sequence[str], axis: TimeAxis) -> str:
    """One face: mean probability of each label, stacked, over a strip of the label shown longest in each bin."""
    figure = Figure(figsize=(_WIDTH_IN, 1.9), layout="constrained")
    curves, strip = figure.subplots(2, 1, sharex=True, height_ratios=(9, 1))
    good = rows.filter(pl.col("status") == Status.OK)
    columns = [f"p_{label}" for label in labels]
    means = _binned(good, axis, [pl.col(name).mean() for name in columns])
    top = np.cumsum(means, axis=1)
    for place, label in enumerate(labels):
        bottom = top[:, place - 1] if place else np.zeros(len(top))
        curves.stairs(top[:, place], axis.edges, baseline=bottom, fill=True, color=colour_of(label), linewidth=0)
    shown = _longest_label(good, axis)
    for label, colour in colours(labels).items():
        is_shown = np.where(shown == label, 1.0, np.nan)
        strip.stairs(is_shown, axis.edges, fill=True, color=colour, linewidth=0)
    curves.set(ylim=(0, 1), yticks=(0, 0.5, 1), ylabel="probability")
    strip.set(ylim=(0, 1), yticks=())
    strip.spines[:].set_visible(False)
    strip.set_ylabel("label", rotation=0, ha="right", va="center")
    _finish(curves, strip, axis)
    return _svg(figure)


@_styled
def share_of_time(table: pl.DataFrame, names: Sequence[str], labels: Sequence[str]) -> str:
    """One bar a row of summary.shares, cut by label. names: of the bars."""
    figure = Figure(figsize=(_WIDTH_IN, 0.45 + 0.32 * len(names)), layout="constrained")
    axes = figure.subplots()
    left = np.zeros(len(names))
    for label, colour in colours(labels).items():
        share = 100 * table[label].fill_null(0.0).to_numpy()
        axes.barh(names, share, left=left, color=colour, height=0.7)
        left += share
    axes.set(xlim=(0, 100), xlabel="share of the time seen in good quality, %")
    axes.invert_yaxis()
    return _svg(figure)


@_styled
def outcomes_over_time(session: Session, axis: TimeAxis) -> str:
    """Frames a second by what became of them."""
    figure = Figure(figsize=(_WIDTH_IN, 1.7), layout="constrained")
    axes = figure.subplots()
    frames = _frames(session.frames)
    counts = frames.group_by("status", axis.bins(frames["t_mono_s"])).len()
    bottom = np.zeros(len(axis.edges) - 1)
    for status, colour in OUTCOMES.items():
        found = counts.filter(pl.col("status") == status)
        top = bottom.copy()
        top[found["bin"].to_numpy()] += found["len"].to_numpy() / (axis.edges[1] - axis.edges[0])
        axes.stairs(top, axis.edges, baseline=bottom, fill=True, color=colour, linewidth=0)
        bottom = top
    axes.set(ylabel="frames/s", ylim=(0, None))
    _finish(axes, axes, axis)
    return _svg(figure)


@_styled
def latency_over_time(rows: pl.DataFrame, axis: TimeAxis) -> str:
    """Age and time in the network, in ms."""
    figure = Figure(figsize=(_WIDTH_IN, 1.7), layout="constrained")
    axes = figure.subplots()
    frames = rows.unique("frame_index", keep="first", maintain_order=True)
    measures = {
        "age_high": pl.col("age_ms").quantile(0.95, "linear"),
        "age_mid": pl.col("age_ms").median(),
        "infer_mid": pl.col("infer_ms").median(),
    }
    values = dict(zip(measures, _binned(frames, axis, list(measures.values())).T, strict=True))
    middles = (axis.edges[1:] + axis.edges[:-1]) / 2
    for column, colour in LATENCIES.values():
        axes.plot(middles, values[column], color=colour, linewidth=1.1)
    axes.set(ylabel="ms", ylim=(0, None))
    _finish(axes, axes, axis)
    return _svg(figure)


def _frames(rows: pl.DataFrame) -> pl.DataFrame:
    """status and t_mono_s of each captured frame; dropped ones evenly over their gap. ok if any of its faces was."""
    order = pl.col("status").replace_strict({status: place for place, status in enumerate(OUTCOMES)})
    is_dropped = pl.col("status") == Status.DROPPED
    lasted = pl.col("t_mono_s").shift(-1) - pl.col("t_mono_s")
    dropped = (
        rows.with_columns(lasted=lasted.fill_null(0.0))
        .filter(is_dropped, pl.col("dropped_before") > 0)
        .with_columns(part=pl.int_ranges(1, pl.col("dropped_before") + 1))
        .explode("part")
        .select("status", pl.col("t_mono_s") + pl.col("lasted") * pl.col("part") / (pl.col("dropped_before") + 1))
    )
    analysed = rows.filter(~is_dropped).sort("frame_index", order).unique("frame_index", keep="first")
    return pl.concat([analysed.select("status", "t_mono_s"), dropped])


def _binned(rows: pl.DataFrame, axis: TimeAxis, aggregates: list[pl.Expr]) -> NDArray[np.float64]:
    """Float64 (B, number of aggregates), NaN where a bin has no rows."""
    named = [aggregate.alias(str(place)) for place, aggregate in enumerate(aggregates)]
    found = rows.group_by(axis.bins(rows["t_mono_s"])).agg(named)
    values = np.full((len(axis.edges) - 1, len(aggregates)), np.nan)
    values[found["bin"].to_numpy()] = found.drop("bin").to_numpy()
    return values


def _longest_label(rows: pl.DataFrame, axis: TimeAxis) -> NDArray[np.str_]:
    """(B,), the label_smoothed with most time in each bin, or ''."""
    held = rows.group_by(axis.bins(rows["t_mono_s"]), "label_smoothed").agg(pl.col("held").sum())
    longest = held.sort("held", "label_smoothed", descending=True).unique("bin", keep="first")
    shown = np.full(len(axis.edges) - 1, "", dtype="<U64")
    shown[longest["bin"].to_numpy()] = longest["label_smoothed"].to_numpy()
    return shown


def _finish(top: Axes, bottom: Axes, axis: TimeAxis) -> None:
    """Markers over the upper axes, and the time under the lower ones."""
    name, length = axis.unit
    bottom.set_xlim(axis.edges[0], axis.edges[-1])
    ticks = mpl.ticker.MaxNLocator(8).tick_values(0, axis.edges[-1] / length)
    bottom.set_xticks([tick * length for tick in ticks if tick * length <= axis.edges[-1]])
    bottom.xaxis.set_major_formatter(lambda seconds, _: f"{seconds / length:g}")
    bottom.set_xlabel(name)
    for number, at in axis.markers:
        top.axvline(at, color=_TEXT, linewidth=0.9, linestyle=(0, (4, 2)))
        if len(axis.markers) <= _MOST_MARKER_NUMBERS:
            top.annotate(f"{number}", (at, 1), xycoords=("data", "axes fraction"), ha="center", va="bottom", fontsize=8)


def _svg(figure: Figure) -> str:
    """The <svg> element alone; no ids that two figures could share, two decimals, text in the page's colour."""
    page = io.StringIO()
    figure.savefig(page, format="svg", transparent=True, metadata={"Date": None})
    drawn = page.getvalue()
    drawn = drawn[drawn.index("<svg") :]
    drawn = re.sub(r"<metadata>.*?</metadata>", "", drawn, flags=re.DOTALL)
    drawn = re.sub(r' id="[A-Za-z]+(_[0-9]+)+"', "", drawn)
    drawn = re.sub(r"(\.\d\d)\d+", r"\1", drawn)
    return drawn.replace(_TEXT, "currentColor")
