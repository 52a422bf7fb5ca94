"""The times that notation has signs for, and rounding to them.

Times are counted in units of 1/3,360 of a quarter note: 128th notes and the 32nds of triplets,
quintuplets and septuplets are whole numbers of them.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["GRIDS", "SHORTEST", "TUPLETS", "UNITS", "Bar", "Grid", "quantise"]

UNITS = 3360
# The shortest steps of plain notes and of tuplets, by the notes in a tuplet.
TUPLETS = {1: UNITS // 32, 3: UNITS // 24, 5: UNITS // 20, 7: UNITS // 28}
SHORTEST = TUPLETS[1]


class Grid(NamedTuple):
    """Steps that a quarter note is divided into.

    Attributes
    ----------
    kept
        Times that lie on one of these stay as they are.
    rounded
        If one time of a beat lies elsewhere, all in it go to the best of these.
    """

    kept: tuple[int, ...]
    rounded: tuple[int, ...]


GRIDS: Mapping[str, Grid] = {
    "notation": Grid((32, 24, 20, 28), (8, 6)),
    "1/32": Grid((8,), (8,)),
    "1/16": Grid((4,), (4,)),
    "1/16 and triplets": Grid((4, 6), (4, 6)),
    "1/8": Grid((2,), (2,)),
    "1/8 and triplets": Grid((2, 3), (2, 3)),
}


class Bar(NamedTuple):
    """One measure to be written.

    Attributes
    ----------
    start, end
        In units.
    metre
        Beats and beat type in force.
    is_new
        Whether the metre has to be written.
    is_pickup
        Whether it is a first measure shorter than its metre.
    """

    start: int
    end: int
    metre: tuple[int, int]
    is_new: bool
    is_pickup: bool

    @property
    def span(self) -> int:
        """Length within which a tuplet lies: a beat, but an eighth note where three make a beat."""
        return UNITS * 4 // min(max(self.metre[1], 4), 16)


def quantise(
    notes: Sequence[tuple[int, int]], resolution: int, bars: Sequence[Bar], grid: Grid
) -> dict[int, int]:
    """Find the place on the grid of each time.

    Parameters
    ----------
    notes
        Onset and end of each, in ticks. Where they are rounded, the onsets choose the step: when a
        note was let go tells little about how it is written.
    resolution
        Ticks a quarter note.
    bars
        Where the beats lie; they reach beyond the last note.
    grid
        What to round to.

    Returns
    -------
    dict
        Units by ticks.

    Examples
    --------
    >>> bar = Bar(0, 4 * UNITS, (4, 4), True, False)
    >>> placed = quantise([(0, 33), (33, 67), (67, 100), (100, 150)], 100, [bar], GRIDS["notation"])
    >>> [units / UNITS * 6 for units in placed.values()]
    [0.0, 2.0, 4.0, 6.0, 9.0]
    """
    starts = [bar.start for bar in bars]
    spans: dict[int, list[int]] = {}
    lengths: dict[int, int] = {}
    span_of: dict[int, int] = {}
    for time in sorted({time for note in notes for time in note}):
        units = time * UNITS // resolution
        bar = bars[bisect_right(starts, units) - 1]
        span = span_of[time] = units - (units - bar.start) % bar.span
        spans.setdefault(span, []).append(time)
        lengths[span] = bar.span
    kept = [UNITS // steps for steps in grid.kept]

    def on(time: int) -> set[int]:
        units, rest = divmod(time * UNITS - span_of[time] * resolution, resolution)
        return set() if rest else {step for step in kept if units % step == 0}

    off = {span_of[time] for time in span_of if not on(time)}
    # Both ends of a note must be of one tuplet, if they lie in one beat.
    off |= {
        span_of[onset]
        for onset, end in notes
        if span_of[onset] == span_of[end] and not on(onset) & on(end)
    }
    onsets = {onset for onset, _ in notes}
    placed: dict[int, int] = {}
    for start, inside in spans.items():
        offsets = {time: time * UNITS - start * resolution for time in inside}
        if start in off:
            steps = [UNITS // steps for steps in grid.rounded]
            fitting = [step for step in steps if lengths[start] % step == 0] or [lengths[start]]
            heard = [offset for time, offset in offsets.items() if time in onsets]
            step = min((step * resolution for step in fitting), key=partial(_error, heard))
            offsets = {
                time: (2 * offset + step) // (2 * step) * step for time, offset in offsets.items()
            }
        placed |= {time: start + offset // resolution for time, offset in offsets.items()}
    return placed


def _error(offsets: Sequence[int], step: int) -> int:
    return sum(min(offset % step, -offset % step) for offset in offsets)
