"""What sounds between two cuts, and what is written for it."""

from __future__ import annotations

from bisect import bisect_right
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from musicgen.convert.notation.bars import Bar
    from musicgen.convert.notation.lines import Chord

__all__ = ["Piece", "Segment", "cut"]


class Segment(NamedTuple):
    """What sounds from `start` to `end`, in whole notes; a rest has no pitches."""

    start: Fraction
    end: Fraction
    pitches: tuple[int, ...] = ()
    tied: bool = False

    @property
    def length(self) -> Fraction:
        """Time that it takes."""
        return self.end - self.start

    def split(self, at: Fraction) -> tuple[Segment, Segment]:
        """Cut it in two, tied where it sounds."""
        return self._replace(end=at, tied=bool(self.pitches)), self._replace(start=at)


class Piece(NamedTuple):
    """A note, chord or rest as it is written.

    Attributes
    ----------
    start
        When it starts, in whole notes.
    length
        The length written, in whole notes; within a tuplet not that which sounds.
    pitches
        None for a rest.
    tied
        Whether it sounds on.
    tuplet
        ``(p, q, r)`` where a tuplet starts here; a `q` of 0 is left to the reader.
    inside
        Whether it goes on with a tuplet.
    """

    start: Fraction
    length: Fraction
    pitches: tuple[int, ...]
    tied: bool
    tuplet: tuple[int, int, int] | None = None
    inside: bool = False


def cut(line: list[Chord], bars: list[Bar], changes: list[Fraction]) -> list[list[Segment]]:
    """Fill the bars with a line and the rests in it, cut at bar lines and at changes.

    Returns
    -------
    list of list of Segment
        Those of each bar.
    """
    marks = sorted({*(bar.start for bar in bars), *changes})
    rows: list[list[Segment]] = [[] for _ in bars]
    number = 0
    for segment in _with_rests(line, bars[-1].end):
        first = bisect_right(marks, segment.start)
        while first < len(marks) and marks[first] < segment.end:
            before, segment = segment.split(marks[first])
            number = _advance(number, before, bars)
            rows[number].append(before)
            first += 1
        number = _advance(number, segment, bars)
        rows[number].append(segment)
    return rows


def _with_rests(line: list[Chord], end: Fraction) -> Iterator[Segment]:
    now = Fraction(0)
    for chord in line:
        if chord.start > now:
            yield Segment(now, chord.start)
        yield Segment(*chord)
        now = chord.end
    if now < end:
        yield Segment(now, end)


def _advance(number: int, segment: Segment, bars: list[Bar]) -> int:
    while bars[number].end <= segment.start:
        number += 1
    return number
