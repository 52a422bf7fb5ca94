"""Where the bars of a piece on a metrical grid start."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from musicgen.errors import EncodingError
from musicgen.notation.metre import fitting

if TYPE_CHECKING:
    from musicgen.music import Music

__all__ = ["COMMON_TIME", "Measures", "Metre", "bar_steps", "measures", "upbeat_metre"]

COMMON_TIME = (4, 4)

Metre = tuple[int, int] | None
"""Numerator and denominator; None where a piece does not say: bars are those of 4/4."""


class Measures(NamedTuple):
    """The bars of a piece; times in steps.

    Attributes
    ----------
    metres
        The metre from each time on, the first from 0.
    starts
        Onset of each bar.
    end
        Where the last bar ends.
    upbeat
        Length of the first bar where that is an upbeat; else 0.
    """

    metres: dict[int, Metre]
    starts: list[int]
    end: int
    upbeat: int = 0


def bar_steps(metre: Metre, steps_per_quarter: int) -> int:
    """Return the length of a bar in steps.

    Raises
    ------
    EncodingError
        When it is no whole number of steps.

    Examples
    --------
    >>> bar_steps((6, 8), 4)
    12
    """
    numerator, denominator = metre or COMMON_TIME
    steps, rest = divmod(4 * steps_per_quarter * numerator, denominator)
    if rest or not steps:
        raise EncodingError(
            f"a bar of {numerator}/{denominator} is no whole number of steps at "
            f"{steps_per_quarter} steps a quarter note; take more steps"
        )
    return steps


def upbeat_metre(steps: int, metre: tuple[int, int], steps_per_quarter: int) -> tuple[int, int]:
    """Return the time signature that a short first bar gets.

    Examples
    --------
    >>> upbeat_metre(4, (3, 4), 4), upbeat_metre(2, (3, 4), 4)
    ((1, 4), (1, 8))
    """
    return fitting(Fraction(steps, steps_per_quarter), metre)


def measures(music: Music) -> Measures:
    """Lay out the bars of a piece, until all notes have ended.

    A change of metre within a bar cuts it short. A first bar that has a shorter metre of its own is
    an upbeat: it belongs to the metre that follows. The last bar is full, or lacks the upbeat where
    the notes leave room for that.

    Parameters
    ----------
    music
        Its resolution is that of the grid.

    Raises
    ------
    EncodingError
        When a bar is no whole number of steps.

    Examples
    --------
    >>> from musicgen.music import Music, Note, TimeSignature, Track
    >>> notes = [Note(0, 67, 4), Note(4, 72, 20)]
    >>> metres = [TimeSignature(0, 1, 4), TimeSignature(4, 3, 4)]
    >>> measures(Music(4, time_signatures=metres, tracks=[Track(notes=notes)]))
    Measures(metres={0: (3, 4)}, starts=[0, 4, 16], end=24, upbeat=4)
    """
    steps, end = music.resolution, music.end
    metres: dict[int, Metre] = {0: None}
    metres |= {
        time: (numerator, denominator)
        for time, numerator, denominator in music.time_signatures
        if time < max(end, 1)
    }
    upbeat = _upbeat(metres, steps)
    if upbeat:
        metres[0] = metres.pop(upbeat)
    bounds = sorted(metres)
    starts = [0] if upbeat else []
    stop = 0
    for start, until in zip(bounds, [*bounds[1:], end], strict=True):
        length = bar_steps(metres[start], steps)
        starts += range(start + upbeat * (start == 0), until, length)
        stop = starts[-1] + length if starts else 0
    if len(bounds) == 1 and stop - upbeat >= end:
        stop -= upbeat
    return Measures(metres, starts, stop, upbeat)


def _upbeat(metres: dict[int, Metre], steps: int) -> int:
    """Return the length of a first bar that is an upbeat; 0 where there is none."""
    (_, first), *others = sorted(metres.items())
    if not others or first is None:
        return 0
    time, metre = others[0]
    if metre is None or time >= bar_steps(metre, steps):
        return 0
    return time if first == upbeat_metre(time, metre, steps) else 0
