"""Piano rolls."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from musicgen.music import Music, Note
from musicgen.notation.spelling import Spelling, spell
from musicgen.plots.saving import save

__all__ = ["boxes", "piano_roll", "pitch_axis"]

ROW_QUARTERS, MOST_ROWS = 96, 40

Colour = tuple[float, float, float, float]

SCALE, TRIAD, TONIC = {0, 2, 4, 5, 7, 9, 11}, {0, 4, 7}, {0}
MOST_NAMES = 12


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
            axes.add_collection(boxes(shown, quarter, colours))
        axes.set_xlim(left, right)
    pitches = [note.pitch for track in music.tracks for note in track.notes] or [60]
    panels[-1].set_xlabel("quarter notes")
    fifths = music.key_signatures[0].fifths if music.key_signatures else 0
    pitch_axis(panels[-1], pitches, fifths)
    figure.suptitle(title or music.title, y=1 - 0.05 / height, va="top")
    if len(played) > 1:
        figure.legend(
            handles=[Patch(color=f"C{number}", label=track.name or f"track {number + 1}")
                     for number, track in played],
            loc="upper right", fontsize="small",
            bbox_to_anchor=(1 - 0.05 / width, 1 - 0.1 / height),
        )  # fmt: skip
    save(figure, path)


def pitch_axis(axes: Axes, pitches: Sequence[int], fifths: int) -> None:
    """Let an axis reach over pitches, and name those of the scale as the key spells them.

    Where these are too many, the tonic chord or the tonic alone is named.

    Parameters
    ----------
    axes
        Of a roll.
    pitches
        MIDI numbers, at least one.
    fifths
        Sharps or (negative) flats of the key.
    """
    lowest, highest = min(pitches), max(pitches)
    named: list[int] = []
    for steps in (SCALE, TRIAD, TONIC):
        named = [p for p in range(lowest, highest + 1) if (p - 7 * fifths) % 12 in steps]
        if len(named) <= MOST_NAMES:
            break
    axes.set_ylim(lowest - 1.5, highest + 1.5)
    named = named or [lowest]
    axes.set_yticks(named, [_name(spell(pitch, fifths)) for pitch in named])


def _name(note: Spelling) -> str:
    return f"{note.letter}{'♯' * note.alter}{'♭' * -note.alter}{note.octave}"


def boxes(notes: Sequence[Note], quarter: int, colours: Sequence[Colour]) -> PolyCollection:
    """Return a box for each note.

    Parameters
    ----------
    notes
        To be drawn.
    quarter
        Ticks a quarter note.
    colours
        Of each note.
    """
    corners = [
        [(left, low), (left, low + 0.9), (right, low + 0.9), (right, low)]
        for note in notes
        for left, right, low in [(note.time / quarter, note.end / quarter, note.pitch - 0.45)]
    ]
    return PolyCollection(corners, facecolors=colours, edgecolors="white", linewidths=0.4)


def _bar_lines(music: Music) -> list[int]:
    """Return the ticks at which bars start, as far as the metre tells."""
    lines: list[int] = []
    changes = music.time_signatures
    for number, change in enumerate(changes, 1):
        until = changes[number].time if number < len(changes) else music.end + 1
        bar = music.resolution * 4 * change.numerator // change.denominator
        lines += range(change.time, until, max(bar, 1))
    return lines
