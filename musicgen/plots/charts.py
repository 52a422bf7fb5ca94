"""Charts: lines, heat maps, learning curves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from musicgen.charts import Chart, Heatmap, Lines
from musicgen.plots.saving import save

__all__ = ["draw", "learning_curve"]

POINT_COLOURS = ("black", "gold", "limegreen", "magenta")
MOST_INSIDE = 5  # lines whose legend leaves room for them
WIDEST_IN_TWOS = 256  # ratio up to which an axis counts in powers of two
MOST_MARKS = 60  # points on a line that are marked one by one


def draw(charts: Sequence[Chart], path: Path, columns: int | None = None) -> None:
    """Draw charts side by side.

    Parameters
    ----------
    charts
        What to draw.
    path
        File to write; its ending says whether PNG or SVG.
    columns
        Charts side by side before a new row begins; by default 3, and 2 of four.
    """
    columns = columns or (2 if len(charts) == 4 else min(3, len(charts)))
    rows = math.ceil(len(charts) / columns)
    legends = [len(chart.lines) for chart in charts if isinstance(chart, Lines)]
    below = max((count for count in legends if count > MOST_INSIDE), default=0)
    figure = Figure(figsize=(4.3 * columns, (3.6 + 0.15 * below) * rows), layout="constrained")
    for place, chart in enumerate(charts, 1):
        axes = figure.add_subplot(rows, columns, place)
        axes.set(xlabel=chart.x, ylabel=chart.y, title=chart.title)
        if isinstance(chart, Lines):
            _draw_lines(axes, chart)
        else:
            _draw_heatmap(axes, chart)
    save(figure, path)


def _draw_lines(axes: Axes, chart: Lines) -> None:
    for label, (xs, ys) in chart.lines.items():
        style = "--" if label.endswith("bound") else "o-" if len(xs) <= MOST_MARKS else "-"
        axes.plot(xs, ys, style, ms=3, lw=1.2, label=label)
    if chart.x_log:
        low, *_, high = sorted(x for xs, _ in chart.lines.values() for x in xs)
        axes.set_xscale("log", base=2 if high <= WIDEST_IN_TWOS * low else 10)
    if chart.y_log:
        axes.set_yscale("log")
    axes.grid(alpha=0.3)
    _legend(axes, below=len(chart.lines) > MOST_INSIDE)


def _draw_heatmap(axes: Axes, chart: Heatmap) -> None:
    values = chart.values
    style: dict[str, Any] = {"origin": "lower", "cmap": "RdBu_r", "vmin": 0, "vmax": 1}
    if chart.extent is not None:
        axes.imshow(values, extent=chart.extent, aspect="auto", interpolation="nearest", **style)
    else:
        axes.imshow(values, aspect="auto", **style | {"cmap": "Blues"})
        axes.set_xticks(range(len(chart.columns)), chart.columns)
        axes.set_yticks(range(len(chart.rows)), chart.rows)
        for (row, column), value in np.ndenumerate(values):
            colour = "white" if value > 0.6 else "black"
            axes.text(column, row, f"{value:.2f}", ha="center", va="center", c=colour, size=7)
    for colour, (label, points) in zip(POINT_COLOURS, chart.points.items(), strict=False):
        axes.scatter(
            points[:, 0], points[:, 1], s=20, c=colour, edgecolors="white", lw=0.7, label=label
        )
    if chart.points:
        _legend(axes, below=True)


def _legend(axes: Axes, below: bool) -> None:
    place: dict[str, Any] = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.2), "ncols": 2}
    axes.legend(fontsize="small", **place if below else {})


def learning_curve(
    history: Sequence[dict[str, Any]], path: Path, title: str = "", unit: str = "bits a symbol"
) -> None:
    """Draw the costs of a training run.

    Parameters
    ----------
    history
        Entries with ``steps``, ``loss``, ``validation`` and ``best``.
    path
        File to write; its ending says whether PNG or SVG.
    title
        Text above the picture.
    unit
        What the costs are counted in.
    """
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    seen = [entry["steps"] / 1e6 for entry in history]
    axes.plot(seen, [entry["loss"] for entry in history], "o-", ms=3, label="training")
    axes.plot(seen, [entry["validation"] for entry in history], "o-", ms=3, label="validation")
    kept = [entry for entry in history if entry["best"]]
    if kept:
        best = kept[-1]
        axes.plot(best["steps"] / 1e6, best["validation"], "k*", ms=10, zorder=3)
        axes.annotate(
            f"{best['validation']:.3f}", (best["steps"] / 1e6, best["validation"]),
            xytext=(0, 10), textcoords="offset points", ha="center",
        )  # fmt: skip
    axes.set(xlabel=f"million {unit.split()[-1]}s seen", ylabel=unit, title=title)
    axes.grid(alpha=0.3)
    axes.legend()
    save(figure, path)
