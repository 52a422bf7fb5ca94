"""Piano rolls."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import PolyCollection
from matplotlib.colors import Normalize, to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from musicgen.music import Music, Note
from musicgen.plots.saving import save

__all__ = ["piano_roll", "surprisal_roll"]

ROW_QUARTERS, MOST_ROWS = 96, 40
COLOURS = colormaps["plasma_r"]

Colour = tuple[float, float, float, float]

NAMES = ("C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B")


def piano_roll(music: Music, path: Path, title: str = "") -> None:
    """Draw the notes over time, a colour a track, with bar lines, in as many rows as it takes.

    Parameters
    ----------
    music
        What to draw.
    path
        File to write; its ending says whether PNG or SVG.
    title
        Text above the picture; the music's own title by default.
    """
    quarter = music.resolution
    end = max(music.end / quarter, 1)
    rows = min(math.ceil(end / ROW_QUARTERS), MOST_ROWS)
    span = end / rows
    played = [(number, track) for number, track in enumerate(music.tracks) if track.notes]
    width, height = min(3 + 0.12 * end, 14) + (len(played) > 1), 1.2 + 2.4 * rows
    figure = Figure(figsize=(width, height))
    # Margins in inches: to find them out takes matplotlib as long as all the rest.
    figure.subplots_adjust(
        left=0.55 / width, right=1 - (1.25 if len(played) > 1 else 0.15) / width,
        bottom=0.5 / height, top=1 - (0.4 if title or music.title else 0.1) / height, hspace=0.2,
    )  # fmt: skip
    panels = figure.subplots(rows, 1, sharey=True, squeeze=False)[:, 0]
    bars = [bar / quarter for bar in _bar_lines(music)]
    for row, axes in enumerate(panels):
        left, right = row * span, (row + 1) * span
        axes.vlines(
            [bar for bar in bars if left <= bar <= right], 0, 1, color="0.8", lw=0.8, zorder=0,
            transform=axes.get_xaxis_transform(),
        )  # fmt: skip
        for number, track in enumerate(music.tracks):
            shown = [n for n in track.notes if n.time < right * quarter and n.end > left * quarter]
            colours = [to_rgba(f"C{number}", 0.4 + 0.6 * note.velocity / 127) for note in shown]
            axes.add_collection(_boxes(shown, quarter, colours))
        axes.set_xlim(left, right)
    pitches = [note.pitch for track in music.tracks for note in track.notes] or [60]
    panels[-1].set_xlabel("quarter notes")
    _pitch_axis(panels[-1], pitches)
    figure.suptitle(title or music.title, y=1 - 0.05 / height, va="top")
    if len(played) > 1:
        figure.legend(
            handles=[Patch(color=f"C{number}", label=track.name or f"track {number + 1}")
                     for number, track in played],
            loc="upper right", fontsize="small",
            bbox_to_anchor=(1 - 0.05 / width, 1 - 0.1 / height),
        )  # fmt: skip
    save(figure, path)


def surprisal_roll(
    notes: Sequence[Note],
    bits: Sequence[float],
    bars: Sequence[tuple[int, float]],
    path: Path,
    title: str = "",
    *,
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
        For each bar the tick at which it starts, and its bits.
    path
        File to write; its ending says whether PNG or SVG.
    title
        Text above the picture.
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
    starts = [time / resolution for time, _ in bars]
    widths = [after - start for start, after in pairwise([*starts, end])]
    highest = max((cost for _, cost in bars), default=1)
    for row, (roll, totals) in enumerate(zip(panels[::2], panels[1::2], strict=True)):
        left, right = row * span, (row + 1) * span
        shown = [
            (note, cost)
            for note, cost in zip(notes, bits, strict=True)
            if note.time < right * resolution and note.end > left * resolution
        ]
        colours = [COLOURS(scale(cost)) for _, cost in shown]
        roll.add_collection(_boxes([note for note, _ in shown], resolution, colours))
        totals.bar(
            starts, [cost for _, cost in bars], widths, align="edge", color="0.6",
            edgecolor="white", lw=0.6,
        )  # fmt: skip
        for axes in (roll, totals):
            axes.vlines(
                [start for start in starts if left <= start <= right], 0, 1, color="0.85", lw=0.8,
                zorder=0, transform=axes.get_xaxis_transform(),
            )  # fmt: skip
            axes.set_xlim(left, right)
        _pitch_axis(roll, [note.pitch for note in notes] or [60])
        roll.tick_params(labelbottom=False)
        totals.set(ylim=(0, 1.05 * highest), ylabel="bits a bar")
    panels[-1].set_xlabel("quarter notes")
    figure.suptitle(title, y=1 - 0.05 / height, va="top")
    bottom = 0.5 / height
    legend = figure.add_axes((1 - 0.95 / width, bottom, 0.15 / width, 1 - bottom - 0.45 / height))
    figure.colorbar(ScalarMappable(scale, COLOURS), cax=legend, label="bits a note")
    save(figure, path)


def _pitch_axis(axes: Axes, pitches: Sequence[int]) -> None:
    axes.set_ylim(min(pitches) - 1.5, max(pitches) + 1.5)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=10, integer=True))
    axes.yaxis.set_major_formatter(
        lambda pitch, _: f"{NAMES[int(pitch) % 12]}{int(pitch) // 12 - 1}"
    )


def _boxes(notes: Sequence[Note], quarter: int, colours: Sequence[Colour]) -> PolyCollection:
    """Return a box for each note."""
    boxes = [
        [(left, low), (left, low + 0.9), (right, low + 0.9), (right, low)]
        for note in notes
        for left, right, low in [(note.time / quarter, note.end / quarter, note.pitch - 0.45)]
    ]
    return PolyCollection(boxes, facecolors=colours, edgecolors="white", linewidths=0.4)


def _bar_lines(music: Music) -> list[int]:
    """Return the ticks at which bars start, as far as the metre tells."""
    lines: list[int] = []
    changes = music.time_signatures
    for number, change in enumerate(changes, 1):
        until = changes[number].time if number < len(changes) else music.end + 1
        bar = music.resolution * 4 * change.numerator // change.denominator
        lines += range(change.time, until, max(bar, 1))
    return lines
