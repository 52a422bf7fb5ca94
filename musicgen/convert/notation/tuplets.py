"""Tuplets: lengths that are no sum of halves, quarters, eighths and so on."""

from __future__ import annotations

from fractions import Fraction
from math import lcm
from typing import TYPE_CHECKING

from musicgen.convert.notation.metre import beat
from musicgen.convert.notation.segments import Piece

if TYPE_CHECKING:
    from musicgen.convert.notation.bars import Bar
    from musicgen.convert.notation.segments import Segment

__all__ = ["TUPLETS", "group", "is_sign", "odd_part", "signs", "tidy", "tuplet"]

TUPLETS = (1, 3, 5, 7, 9)
"""How many notes a tuplet divides into, or 1 for none: the odd ones that ABC has signs for."""

MAX_IN_TUPLET = 32
SHAPES = (1, 3, 7)
"""A note, dotted and doubly dotted, in halves, quarters and eighths of it."""


def odd_part(length: Fraction) -> int:
    """Return the odd part of the denominator: which tuplet the length belongs to."""
    return length.denominator // (length.denominator & -length.denominator)


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


def tidy(segments: list[Segment], at: int, stop: int, bar: Bar) -> tuple[int, int]:
    """Keep of long notes at the ends of a tuplet only the beat in it, unless it is regular."""
    total = segments[stop - 1].end - segments[at].start
    part = total / lcm(*(odd_part(segment.length) for segment in segments[at:stop]))
    if all((segment.length / part).denominator == 1 for segment in segments[at:stop]):
        return at, stop
    step, last = beat(bar.metre), segments[stop - 1]
    point = bar.origin + ((last.start - bar.origin) // step + 1) * step
    if point < last.end and odd_part(point - segments[at].start) == 1:
        segments[stop - 1 : stop] = last.split(point)
    first = segments[at]
    point = bar.origin - ((bar.origin - first.end) // step + 1) * step
    if point > first.start and odd_part(point - first.start) == 1:
        segments[at : at + 1] = first.split(point)
        # What comes before the beat is no part of the tuplet.
        return at, at + 1
    return at, stop


def tuplet(segments: list[Segment]) -> list[Piece]:
    """Write segments as a tuplet, or plainly where they need none."""
    odd = lcm(*(odd_part(segment.length) for segment in segments))
    if odd == 1:
        factor, sign = Fraction(1), None
    else:
        q = min(range(odd // 2 + 1, odd), key=lambda q: _cost(segments, Fraction(odd, q), q))
        factor, sign = Fraction(odd, q), (odd, q)
    found = []
    for segment in segments:
        lengths = signs(segment.length * factor)
        start = segment.start
        for number, length in enumerate(lengths, 1):
            tied = bool(segment.pitches) and (segment.tied or number < len(lengths))
            found.append(Piece(start, length, segment.pitches, tied, None, sign is not None))
            start += length / factor
    if sign is not None:
        for at in range(0, len(found), MAX_IN_TUPLET):
            p, q, r = *sign, min(len(found) - at, MAX_IN_TUPLET)
            # Three in the time of two is what (3 means in every metre.
            q = 0 if (p, q, r) == (3, 2, 3) else q
            found[at] = found[at]._replace(tuplet=(p, q, r), inside=False)
    return found


def _cost(segments: list[Segment], factor: Fraction, q: int) -> tuple[bool, int, bool]:
    """Rate in how many notes' time a tuplet is played: simple lengths first, then powers of two."""
    lengths = [segment.length * factor for segment in segments]
    return (
        any(odd_part(length) > 1 for length in lengths),
        sum(length.numerator for length in lengths),
        q & (q - 1) > 0,
    )


def is_sign(length: Fraction) -> bool:
    """Whether one sign stands for a length: a note, dotted, or doubly dotted."""
    return length.numerator // (length.numerator & -length.numerator) in SHAPES


def signs(length: Fraction) -> list[Fraction]:
    """Add up a length from such that one sign stands for, the longest first."""
    found = []
    while not is_sign(length):
        longest = Fraction(1 << (length.numerator.bit_length() - 1), length.denominator)
        found.append(longest)
        length -= longest
    return [*found, length]
