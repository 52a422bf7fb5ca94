"""What the notes and bars of a piece cost a model."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from musicgen.music import Note
from musicgen.plots.rolls import MOST_ROWS, ROW_QUARTERS, boxes, pitch_axis
from musicgen.plots.saving import save

__all__ = ["PricedBar", "surprisal_roll"]

COLOURS = colormaps["plasma_r"]
USUAL, MARKED = "0.6", "tab:red"

MOST_NUMBERS = 33
"""More bars in a row than this are not all numbered: the numbers would run into each other."""


class PricedBar(NamedTuple):
    """A bar to draw.

    Attributes
    ----------
    time
        Tick at which it starts.
    number
        Its number.
    bits
        What it costs.
    is_marked
        Whether it stands out: it gets a star and another colour.
    """

    time: int
    number: int
    bits: float
    is_marked: bool = False


def surprisal_roll(
    notes: Sequence[Note],
    bits: Sequence[float],
    bars: Sequence[PricedBar],
    path: Path,
    title: str = "",
    *,
    fifths: int = 0,
    resolution: int = 480,
) -> None:
    """Draw notes over time, coloured by what they cost, and below them what the bars cost.

    Parameters
    ----------
    notes
        What to draw.
    bits
        The surprisal of each note.
    bars
        At least one, in the order of time.
    path
        File to write; its ending says whether PNG or SVG.
    title
        Text above the picture.
    fifths
        Sharps or (negative) flats of the key, in which pitches are named.
    resolution
        Ticks a quarter note.
    """
    end = max([note.end for note in notes], default=resolution) / resolution
    rows = min(math.ceil(end / ROW_QUARTERS), MOST_ROWS)
    span = end / rows
    width, height = min(4 + 0.12 * end, 15), 1.0 + 3.2 * rows
    figure = Figure(figsize=(width, height))
    figure.subplots_adjust(
        left=0.75 / width, right=1 - 1.1 / width, bottom=0.5 / height,
        top=1 - (0.4 if title else 0.1) / height, hspace=0.15,
    )  # fmt: skip
    panels = figure.subplots(2 * rows, 1, squeeze=False, height_ratios=[3, 1] * rows)[:, 0]
    scale = Normalize(0, max(bits, default=1))
    starts = [bar.time / resolution for bar in bars]
    widths = [after - start for start, after in pairwise([*starts, end])]
    highest = max(bar.bits for bar in bars)
    for row, (roll, totals) in enumerate(zip(panels[::2], panels[1::2], strict=True)):
        left, right = row * span, (row + 1) * span
        shown = [
            (note, cost)
            for note, cost in zip(notes, bits, strict=True)
            if note.time < right * resolution and note.end > left * resolution
        ]
        colours = [COLOURS(scale(cost)) for _, cost in shown]
        roll.add_collection(boxes([note for note, _ in shown], resolution, colours))
        totals.bar(
            starts, [bar.bits for bar in bars], widths, align="edge", edgecolor="white", lw=0.6,
            color=[MARKED if bar.is_marked else USUAL for bar in bars],
        )  # fmt: skip
        for axes in (roll, totals):
            axes.vlines(
                [start for start in starts if left <= start <= right], 0, 1, color="0.85", lw=0.8,
                zorder=0, transform=axes.get_xaxis_transform(),
            )  # fmt: skip
            axes.set_xlim(left, right)
        pitch_axis(roll, [note.pitch for note in notes] or [60], fifths)
        roll.set_xticks([])
        middles = [start + width / 2 for start, width in zip(starts, widths, strict=True)]
        here = [(x, bar) for x, bar in zip(middles, bars, strict=True) if left <= x < right]
        _number(totals, here)
        totals.set(ylim=(0, 1.05 * highest), ylabel="bits a bar")
    panels[-1].set_xlabel("bar")
    figure.suptitle(title, y=1 - 0.05 / height, va="top")
    bottom = 0.5 / height
    legend = figure.add_axes((1 - 0.95 / width, bottom, 0.15 / width, 1 - bottom - 0.45 / height))
    figure.colorbar(ScalarMappable(scale, COLOURS), cax=legend, label="bits a note")
    save(figure, path)


def _number(axes: Axes, bars: Sequence[tuple[float, PricedBar]]) -> None:
    """Write the numbers of bars below their middles, those that are marked with a star."""
    every = math.ceil(len(bars) / MOST_NUMBERS)
    named = [(x, bar) for x, bar in bars if bar.is_marked or bar.number % every == 0]
    axes.set_xticks(
        [x for x, _ in named],
        [f"{bar.number}*" if bar.is_marked else f"{bar.number}" for _, bar in named],
    )
    axes.tick_params(axis="x", length=0)
    for (_, bar), label in zip(named, axes.get_xticklabels(), strict=True):
        if bar.is_marked:
            label.set(color=MARKED, fontweight="bold")
