"""What sounds between two cuts, and what is written for it."""

from __future__ import annotations

from bisect import bisect_right
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from musicgen.notation.bars import Bar
    from musicgen.notation.voices import Chord

__all__ = ["Piece", "Segment", "cut"]


class Segment(NamedTuple):
    """What sounds from `start` to `end`, in whole notes; None for a rest."""

    start: Fraction
    end: Fraction
    chord: Chord | None = None

    @property
    def length(self) -> Fraction:
        """Time that it takes."""
        return self.end - self.start

    def split(self, at: Fraction) -> tuple[Segment, Segment]:
        """Cut it in two."""
        return self._replace(end=at), self._replace(start=at)


class Piece(NamedTuple):
    """A note, chord or rest as it is written.

    Attributes
    ----------
    start, end
        When it sounds, in whole notes.
    chord
        What sounds; None for a rest.
    length
        The length written, in whole notes; within a tuplet not that which sounds.
    tuplet
        ``(p, q)``: so many notes of its tuplet take the time of so many others; None outside.
    place, size
        Its place in the tuplet, from 0, and how many pieces that has.
    """

    start: Fraction
    end: Fraction
    chord: Chord | None
    length: Fraction
    tuplet: tuple[int, int] | None = None
    place: int = 0
    size: int = 0

    @property
    def is_tied(self) -> bool:
        """Whether it sounds on."""
        return self.chord is not None and self.end < self.chord.end

    @property
    def is_start(self) -> bool:
        """Whether no tie leads to it."""
        return self.chord is None or self.start == self.chord.start


def cut(
    voice: list[Chord], bars: list[Bar], changes: Iterable[Fraction] = ()
) -> list[list[Segment]]:
    """Fill the bars with a voice and the rests in it, cut at bar lines and at changes.

    Returns
    -------
    list of list of Segment
        Those of each bar.
    """
    marks = sorted({*(bar.start for bar in bars), *changes})
    rows: list[list[Segment]] = [[] for _ in bars]
    number = 0
    for segment in _with_rests(voice, bars[-1].end):
        first = bisect_right(marks, segment.start)
        while first < len(marks) and marks[first] < segment.end:
            before, segment = segment.split(marks[first])
            number = _advance(number, before, bars)
            rows[number].append(before)
            first += 1
        number = _advance(number, segment, bars)
        rows[number].append(segment)
    return rows


def _with_rests(voice: list[Chord], end: Fraction) -> Iterator[Segment]:
    now = Fraction(0)
    for chord in voice:
        if chord.start > now:
            yield Segment(now, chord.start)
        yield Segment(chord.start, chord.end, chord)
        now = chord.end
    if now < end:
        yield Segment(now, end)


def _advance(number: int, segment: Segment, bars: list[Bar]) -> int:
    while bars[number].end <= segment.start:
        number += 1
    return number
