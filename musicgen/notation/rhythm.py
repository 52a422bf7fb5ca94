"""Lengths that can be written: notes split and tied, and tuplets, bar by bar."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from musicgen.errors import FormatError
from musicgen.notation.segments import Piece, Segment
from musicgen.notation.tuplets import TUPLETS, group, outside, tuplet
from musicgen.notation.values import FINEST, odd_part, split

if TYPE_CHECKING:
    from collections.abc import Iterator

    from musicgen.notation.bars import Bar

__all__ = ["pieces"]


def pieces(segments: list[Segment], bar: Bar, *, show_beats: bool = False) -> list[Piece]:
    """Write the segments of one bar with lengths that notation has.

    Lengths that are no sum of halves, quarters, eighths … are written in tuplets, which go on
    until such a sum is reached. Others that no single sign stands for are cut at the strongest
    place of the bar.

    Parameters
    ----------
    segments
        What sounds, one after the other.
    bar
        Where it does.
    show_beats
        Whether notes are cut as well where they would hide a beat, as a staff asks for.

    Raises
    ------
    FormatError
        When a length has no such tuplet.

    Examples
    --------
    >>> from musicgen.notation.bars import lay_out
    >>> from musicgen.notation.metre import Metre
    >>> bar = lay_out([(Fraction(0), Metre(6, 8))], Fraction(0), Fraction(3, 4))[0]
    >>> times = [Fraction(0), Fraction(5, 8), Fraction(5, 8) + Fraction(1, 24), Fraction(3, 4)]
    >>> found = pieces([Segment(*pair) for pair in zip(times, times[1:])], bar)
    >>> [(str(piece.length), piece.tuplet) for piece in found]
    [('3/8', None), ('1/4', None), ('1/16', (3, 2)), ('1/8', (3, 2))]
    """
    left = [part for segment in segments for part in _separate(segment)]
    found: list[Piece] = []
    at = 0
    while at < len(left):
        if odd_part(left[at].length) == 1:
            found += _plain(left[at], bar, show_beats=show_beats)
            at += 1
            continue
        stop = group(left, at)
        point = outside(left[at:stop], bar)
        if point is not None:
            number = next(number for number in range(at, stop) if left[number].end > point)
            left[number : number + 1] = left[number].split(point)
            continue
        found += tuplet(left[at:stop], show_beats=show_beats)
        at = stop
    return found


def _separate(segment: Segment) -> list[Segment]:
    """Cut a length that belongs to two tuplets where the one can end and the other start."""
    if odd_part(segment.length) in TUPLETS:
        return [segment]
    step = Fraction(1)
    while step >= FINEST:
        point = (segment.start // step + 1) * step
        if point < segment.end:
            first, second = segment.split(point)
            return [*_separate(first), *_separate(second)]
        step /= 2
    raise FormatError(
        f"a note of {segment.length} of a whole note cannot be written",
        hint="quantise to a grid such as 1/16+1/8t",
    )


def _plain(segment: Segment, bar: Bar, *, show_beats: bool) -> Iterator[Piece]:
    """Write a segment that needs no tuplet."""
    now, is_rest = segment.start, segment.chord is None
    for length in split(
        now - bar.origin,
        segment.end - bar.origin,
        bar.metre,
        is_rest=is_rest,
        show_beats=show_beats,
    ):
        yield Piece(now, now + length, segment.chord, length)
        now += length
