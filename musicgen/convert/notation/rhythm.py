"""Lengths that can be written: notes split and tied, and tuplets, bar by bar."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

from musicgen.convert.notation.metre import levels
from musicgen.convert.notation.segments import Piece, Segment
from musicgen.convert.notation.tuplets import (
    TUPLETS,
    group,
    is_sign,
    odd_part,
    signs,
    tidy,
    tuplet,
)
from musicgen.errors import FormatError

if TYPE_CHECKING:
    from musicgen.convert.notation.bars import Bar

__all__ = ["pieces"]

FINEST = Fraction(1, 2**12)


def pieces(segments: list[Segment], bar: Bar) -> list[Piece]:
    """Write the segments of one bar with lengths that notation has.

    Lengths that are no sum of halves, quarters, eighths … are written in tuplets, which go on
    until such a sum is reached. Others that no single sign stands for are cut at the strongest
    place of the bar.

    Raises
    ------
    FormatError
        When a length has no such tuplet.

    Examples
    --------
    >>> from musicgen.convert.notation.bars import lay_out
    >>> from musicgen.formats.abc.fields import Meter
    >>> bar = lay_out([(Fraction(0), Meter(6, 8))], Fraction(0), Fraction(3, 4))[0]
    >>> long, third = Segment(Fraction(0), Fraction(5, 8), (60,)), Fraction(5, 8) + Fraction(1, 24)
    >>> rest = [Segment(Fraction(5, 8), third, (62,)), Segment(third, Fraction(3, 4))]
    >>> [(str(piece.length), piece.tied, piece.tuplet) for piece in pieces([long, *rest], bar)]
    [('3/8', True, None), ('1/4', False, None), ('1/16', False, (3, 2, 2)), ('1/8', False, None)]
    """
    left = [part for segment in segments for part in _separate(segment)]
    found: list[Piece] = []
    at = 0
    while at < len(left):
        if odd_part(left[at].length) == 1:
            found += _plain(left[at], bar)
            at += 1
            continue
        stop = group(left, at)
        at, stop = tidy(left, at, stop, bar)
        found += tuplet(left[at:stop])
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


def _plain(segment: Segment, bar: Bar) -> list[Piece]:
    """Write a segment that needs no tuplet."""
    if is_sign(segment.length):
        return [Piece(segment.start, segment.length, segment.pitches, segment.tied)]
    point = _strongest(segment, bar)
    if point is None:
        bounds = [segment.start]
        for length in signs(segment.length):
            bounds.append(bounds[-1] + length)
        return [
            Piece(
                a,
                b - a,
                segment.pitches,
                segment.tied or (b < segment.end and bool(segment.pitches)),
            )
            for a, b in pairwise(bounds)
        ]
    first, second = segment.split(point)
    return _plain(first, bar) + _plain(second, bar)


def _strongest(segment: Segment, bar: Bar) -> Fraction | None:
    """Find where the beat within a segment is strongest; None where no part of a beat is in it."""
    start, end = segment.start - bar.origin, segment.end - bar.origin
    if odd_part(start) > 1:
        return None
    sizes = levels(bar.metre)
    while sizes[-1] > FINEST:
        sizes.append(sizes[-1] / 2)
    for size in sizes:
        points = [at * size for at in range(int(start // size) + 1, -int(-end // size))]
        if points:
            # The longest first part, if one sign can stand for both.
            best = max(points, key=lambda at: (is_sign(at - start) + is_sign(end - at), at))
            return bar.origin + best
    return None
