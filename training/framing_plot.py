"""The picture of docs/framing.md."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from training.files import save_figure

_TITLES = {"side": "side", "x": "shift right", "y": "shift down", "roll_deg": "roll, degrees"}


def draw(report: dict[str, Any], path: Path) -> None:
    """Draws how the regions of a `study` spread around the true crop, over what augmentation covers, as PNG.

    Thin bars are percentiles 5 to 95, thick ones 10 to 90, dots medians. Raises TrainingError if it cannot write.
    """
    figure = Figure(figsize=(8, 2.4), layout="constrained")
    models = report["models"]
    for axes, (measure, title) in zip(figure.subplots(1, len(_TITLES), sharey=True), _TITLES.items(), strict=True):
        for number, (network, limits) in enumerate(report["augmentation"].items(), start=1):
            label = f"augmentation of {network}"
            axes.axvspan(*limits[measure], color=f"C{number}", alpha=0.25, lw=0, label=label)
        for row, name in enumerate(models):
            spread = models[name]["region"][measure]
            axes.plot((spread["p5"], spread["p95"]), (row, row), color="C0", lw=1.5)
            axes.plot((spread["p10"], spread["p90"]), (row, row), color="C0", lw=6, solid_capstyle="butt")
            axes.plot(spread["p50"], row, "o", color="white", markeredgecolor="C0")
        axes.set(title=title, ylim=(-0.6, len(models) - 0.4))
        axes.set_yticks(range(len(models)), list(models))
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), fontsize="small", frameon=False)
    save_figure(path, figure, 90, "Choose another --plot.")
