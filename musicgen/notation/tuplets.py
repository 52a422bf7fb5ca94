"""Tuplets: lengths that are no sum of halves, quarters, eighths and so on."""

from __future__ import annotations

from fractions import Fraction
from math import lcm
from typing import TYPE_CHECKING

from musicgen.notation.metre import span
from musicgen.notation.segments import Piece
from musicgen.notation.values import odd_part, split

if TYPE_CHECKING:
    from musicgen.notation.bars import Bar
    from musicgen.notation.segments import Segment

__all__ = ["TUPLETS", "group", "outside", "tuplet"]

TUPLETS = (1, 3, 5, 7, 9)
"""How many notes a tuplet divides into, or 1 for none: the odd ones that ABC has signs for."""


def group(segments: list[Segment], at: int) -> int:
    """Find where the tuplet ends that starts at a segment."""
    total, odd, stop = Fraction(0), 1, at
    while stop < len(segments):
        joined = lcm(odd, odd_part(segments[stop].length))
        if joined not in TUPLETS:
            break
        odd, total, stop = joined, total + segments[stop].length, stop + 1
        if odd_part(total) == 1:
            break
    return stop


def outside(segments: list[Segment], bar: Bar) -> Fraction | None:
    """Find the first beat at which a tuplet can end that shows it better; None where none is.

    A tuplet lies in one beat, but for a regular one from beat to beat, such as three notes in the
    time of two quarter notes.
    """
    start, end, step = segments[0].start, segments[-1].end, span(bar.metre)
    part = (end - start) / lcm(*(odd_part(segment.length) for segment in segments))
    is_regular = all((segment.length / part).denominator == 1 for segment in segments)
    is_in_time = (start - bar.origin) % step == (end - bar.origin) % step == 0
    point = bar.origin + ((start - bar.origin) // step + 1) * step
    if (is_regular and is_in_time) or point >= end or odd_part(point - start) > 1:
        return None
    return point


def tuplet(segments: list[Segment], *, show_beats: bool) -> list[Piece]:
    """Write segments as a tuplet, or plainly where they need none."""
    odd = lcm(*(odd_part(segment.length) for segment in segments))
    sign = None
    if odd > 1:
        q = min(range(odd // 2 + 1, odd), key=lambda q: _cost(segments, Fraction(odd, q), q))
        sign = odd, q
    factor = Fraction(*sign) if sign is not None else Fraction(1)
    found = []
    for segment in segments:
        start, end = ((at - segments[0].start) * factor for at in segment[:2])
        now = segment.start
        for length in split(start, end, None, is_rest=segment.chord is None, show_beats=show_beats):
            found.append(Piece(now, now + length / factor, segment.chord, length, sign))
            now += length / factor
    if sign is None:
        return found
    return [piece._replace(place=at, size=len(found)) for at, piece in enumerate(found)]


def _cost(segments: list[Segment], factor: Fraction, q: int) -> tuple[bool, int, bool]:
    """Rate in how many notes' time a tuplet is played: simple lengths first, then powers of two."""
    lengths = [segment.length * factor for segment in segments]
    return (
        any(odd_part(length) > 1 for length in lengths),
        sum(length.numerator for length in lengths),
        q & (q - 1) > 0,
    )
