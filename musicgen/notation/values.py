"""Note values: the lengths that one sign stands for, and how others are cut into such."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING

from musicgen.notation.metre import beat, levels

if TYPE_CHECKING:
    from musicgen.notation.metre import Metre

__all__ = ["FINEST", "is_sign", "odd_part", "split"]

FINEST = Fraction(1, 2**12)
UNDOTTED = [Fraction(2) / 2**power for power in range(12)]
ON_STAVES = sorted([*UNDOTTED, *(length * 3 / 2 for length in UNDOTTED[:-1])], reverse=True)
"""The lengths from the breve down to the 1024th note, and these with a dot."""

SHAPES = (1, 3, 7)
"""A note, dotted and doubly dotted, in halves, quarters and eighths of it."""


def odd_part(length: Fraction) -> int:
    """Return the odd part of the denominator: which tuplet the length belongs to."""
    return length.denominator // (length.denominator & -length.denominator)


def is_sign(length: Fraction, dots: int = 2) -> bool:
    """Whether one sign stands for a length: a note with so many dots at most."""
    numerator = length.numerator
    return numerator // (numerator & -numerator) in SHAPES[: dots + 1]


@lru_cache(maxsize=65536)
def split(
    start: Fraction, end: Fraction, metre: Metre | None, *, is_rest: bool, show_beats: bool
) -> tuple[Fraction, ...]:
    """Cut a time into parts for each of which one sign stands.

    It is cut at its strongest beats, and only if it must; or into the fewest parts that leave the
    beats to be seen.

    Parameters
    ----------
    start, end
        In whole notes from the start of a bar.
    metre
        Its metre; None in a tuplet, which is halved again and again.
    is_rest
        Whether it is silence.
    show_beats
        As a staff asks for, on which a note may begin on a weak place and sound over one that is a
        step stronger, not more; a rest hides none, and has dots only where three eighths make a
        beat.

    Examples
    --------
    >>> from musicgen.notation.metre import Metre
    >>> eighths, metre = [Fraction(number, 8) for number in range(9)], Metre(4, 4)
    >>> for show_beats in (False, True):
    ...     found = split(*eighths[3:7:3], metre, is_rest=False, show_beats=show_beats)
    ...     print([str(length) for length in found])
    ['3/8']
    ['1/8', '1/4']
    """
    if show_beats:
        return _showing_beats(start, end, metre, is_rest=is_rest)
    return _at_strongest(start, end, metre)


def _at_strongest(start: Fraction, end: Fraction, metre: Metre | None) -> tuple[Fraction, ...]:
    if is_sign(end - start):
        return (end - start,)
    place = _strongest(start, end, metre)
    if place is None:
        return _signs(end - start)
    return _at_strongest(start, place[1], metre) + _at_strongest(place[1], end, metre)


def _showing_beats(
    start: Fraction, end: Fraction, metre: Metre | None, *, is_rest: bool
) -> tuple[Fraction, ...]:
    if start == end:
        return ()
    sizes = UNDOTTED if is_rest and _dotted(metre) is None else ON_STAVES
    stop = next(
        start + size
        for size in sizes
        if start + size <= end and _is_clear(start, start + size, metre, is_rest=is_rest)
    )
    return stop - start, *_showing_beats(stop, end, metre, is_rest=is_rest)


def _is_clear(start: Fraction, end: Fraction, metre: Metre | None, *, is_rest: bool) -> bool:
    """Whether no place is hidden that is stronger than may be."""
    dotted, place = _dotted(metre), _strongest(start, end, metre)
    if dotted is not None and start // dotted != -(-end // dotted) - 1:
        return start % dotted == 0 == end % dotted
    sizes = _sizes(metre)
    own = next((rank for rank, size in enumerate(sizes) if start % size == 0), len(sizes))
    return start == 0 or place is None or place[0] >= own - (not is_rest)


def _dotted(metre: Metre | None) -> Fraction | None:
    """Return the beat where three eighths, or the like, make one."""
    return None if metre is None or (length := beat(metre)).numerator != 3 else length


@lru_cache(maxsize=256)
def _sizes(metre: Metre | None) -> list[Fraction]:
    """List the lengths whose multiples are beats, the strongest first."""
    sizes = [Fraction(8)] if metre is None else levels(metre)
    while sizes[-1] > FINEST:
        sizes.append(sizes[-1] / 2)
    return sizes


def _strongest(start: Fraction, end: Fraction, metre: Metre | None) -> tuple[int, Fraction] | None:
    """Find where the beat within a time is strongest, and its rank; None where no beat is in it."""
    if odd_part(start) > 1:
        return None
    for rank, size in enumerate(_sizes(metre)):
        points = [at * size for at in range(int(start // size) + 1, -int(-end // size))]
        if points:
            # The longest first part, if one sign can stand for both.
            return rank, max(points, key=lambda at: (is_sign(at - start) + is_sign(end - at), at))
    return None


def _signs(length: Fraction) -> tuple[Fraction, ...]:
    """Add up a length from such that one sign stands for, the longest first."""
    if is_sign(length):
        return (length,)
    longest = Fraction(1 << (length.numerator.bit_length() - 1), length.denominator)
    return longest, *_signs(length - longest)
