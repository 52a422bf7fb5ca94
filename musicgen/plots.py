"""Pictures: curves and piano rolls. The only module that imports matplotlib."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from musicgen.errors import FormatError
from musicgen.files import write_atomically
from musicgen.music import Music

__all__ = ["Panel", "curves", "learning_curve", "piano_roll"]

NAMES = ("C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B")


class Panel(NamedTuple):
    """One of several pictures side by side.

    Attributes
    ----------
    title, x, y
        Text above, below and beside it.
    lines
        Abscissas and ordinates by label; a label that ends in "bound" is dashed.
    x_log, y_log
        Whether an axis is logarithmic.
    """

    title: str
    x: str
    y: str
    lines: Mapping[str, tuple[Sequence[float], Sequence[float]]]
    x_log: bool = False
    y_log: bool = True


def curves(panels: Sequence[Panel], path: Path, columns: int = 3) -> None:
    """Draw lines in several panels.

    Parameters
    ----------
    panels
        What to draw.
    path
        File to write; its ending says whether PNG or SVG.
    columns
        Panels side by side before a new row begins.
    """
    columns = min(columns, len(panels))
    rows = math.ceil(len(panels) / columns)
    figure = Figure(figsize=(4.3 * columns, 3.6 * rows), layout="constrained")
    for place, panel in enumerate(panels, 1):
        axes = figure.add_subplot(rows, columns, place)
        for label, (xs, ys) in panel.lines.items():
            style = "--" if label.endswith("bound") else "o-"
            axes.plot(xs, ys, style, ms=3, label=label)
        axes.set(xlabel=panel.x, ylabel=panel.y, title=panel.title)
        if panel.x_log:
            axes.set_xscale("log", base=2)
        if panel.y_log:
            axes.set_yscale("log")
        axes.grid(alpha=0.3)
        axes.legend(fontsize="small")
    _save(figure, path)


def learning_curve(history: Sequence[dict[str, Any]], path: Path, title: str = "") -> None:
    """Draw the costs of a training run.

    Parameters
    ----------
    history
        Entries with ``symbols``, ``loss``, ``validation`` and ``best``, costs in bits a symbol.
    path
        File to write; its ending says whether PNG or SVG.
    title
        Text above the picture.
    """
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    seen = [entry["symbols"] / 1e6 for entry in history]
    axes.plot(seen, [entry["loss"] for entry in history], "o-", ms=3, label="training")
    axes.plot(seen, [entry["validation"] for entry in history], "o-", ms=3, label="validation")
    kept = [entry for entry in history if entry["best"]]
    if kept:
        best = kept[-1]
        axes.plot(best["symbols"] / 1e6, best["validation"], "k*", ms=10, zorder=3)
        axes.annotate(
            f"{best['validation']:.3f}", (best["symbols"] / 1e6, best["validation"]),
            xytext=(0, 10), textcoords="offset points", ha="center",
        )  # fmt: skip
    axes.set(xlabel="million symbols seen", ylabel="bits a symbol", title=title)
    axes.grid(alpha=0.3)
    axes.legend()
    _save(figure, path)


def piano_roll(music: Music, path: Path, title: str = "") -> None:
    """Draw the notes over time, a colour a track, with bar lines.

    Parameters
    ----------
    music
        What to draw.
    path
        File to write; its ending says whether PNG or SVG.
    title
        Text above the picture; the music's own title by default.
    """
    bars = _bar_lines(music)
    figure = Figure(figsize=(min(3 + 0.45 * len(bars), 14), 3.6), layout="constrained")
    axes = figure.subplots()
    quarter = music.resolution
    for bar in bars:
        axes.axvline(bar / quarter, color="0.8", lw=0.8, zorder=0)
    for number, track in enumerate(music.tracks):
        if track.notes:
            axes.broken_barh([(0, 0)], (0, 0), color=f"C{number}", label=track.name or None)
        for note in track.notes:
            axes.broken_barh(
                [(note.time / quarter, note.duration / quarter)], (note.pitch - 0.45, 0.9),
                color=f"C{number}", alpha=0.4 + 0.6 * note.velocity / 127,
                edgecolor="white", lw=0.4,
            )  # fmt: skip
    pitches = [note.pitch for track in music.tracks for note in track.notes] or [60]
    axes.set(
        xlim=(0, max(music.end / quarter, 1)),
        ylim=(min(pitches) - 1.5, max(pitches) + 1.5),
        xlabel="quarter notes",
        title=title or music.title,
    )
    axes.yaxis.set_major_locator(MaxNLocator(nbins=10, integer=True))
    axes.yaxis.set_major_formatter(
        lambda pitch, _: f"{NAMES[int(pitch) % 12]}{int(pitch) // 12 - 1}"
    )
    if sum(bool(track.notes) for track in music.tracks) > 1:
        axes.legend(loc="upper right", fontsize="small")
    _save(figure, path)


def _bar_lines(music: Music) -> list[int]:
    """Return the ticks at which bars start, as far as the metre tells."""
    lines: list[int] = []
    changes = music.time_signatures
    for number, change in enumerate(changes, 1):
        until = changes[number].time if number < len(changes) else music.end + 1
        bar = music.resolution * 4 * change.numerator // change.denominator
        lines += range(change.time, until, max(bar, 1))
    return lines


def _save(figure: Figure, path: Path) -> None:
    kind = path.suffix.lower().lstrip(".")
    if kind not in ("png", "svg"):
        raise FormatError(f"cannot draw {path.name}; expected a name that ends in .png or .svg")
    stream = io.BytesIO()
    # Without the date, the program's version and random names equal pictures are equal files.
    metadata = {"Date": None} if kind == "svg" else {"Software": None}
    with rc_context({"svg.hashsalt": "musicgen"}):
        figure.savefig(stream, format=kind, dpi=110, metadata=metadata)
    write_atomically(path, stream.getvalue())
