"""Metre: how bars divide."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

__all__ = ["Metre", "beam", "beat", "fitting", "levels", "span"]


@dataclass(frozen=True, slots=True)
class Metre:
    """A time signature."""

    numerator: int
    denominator: int

    @property
    def is_compound(self) -> bool:
        """Whether beats divide into three, which sets the default of some tuplets of ABC."""
        return self.numerator % 3 == 0 and self.numerator > 3

    @property
    def bar(self) -> Fraction:
        """Length of a bar in whole notes."""
        return Fraction(self.numerator, self.denominator)


def beam(metre: Metre) -> Fraction:
    """Return the time that one beam covers, in whole notes.

    Examples
    --------
    >>> [str(beam(Metre(*metre))) for metre in ((4, 4), (3, 4), (6, 8), (5, 8))]
    ['1/2', '1/4', '3/8', '1/4']
    """
    unit = Fraction(1, metre.denominator)
    if metre.denominator >= 8:
        return unit * (3 if metre.numerator % 3 == 0 else min(2, metre.numerator))
    return unit * 2 if metre.denominator == 4 and metre.numerator % 4 == 0 else unit


def beat(metre: Metre) -> Fraction:
    """Return the beat in whole notes: dotted in 6/8 and its like, else a quarter note or longer.

    Examples
    --------
    >>> [str(beat(Metre(*metre))) for metre in ((4, 4), (3, 2), (6, 8), (5, 8))]
    ['1/4', '1/2', '3/8', '1/4']
    """
    if metre.is_compound and metre.denominator >= 8:
        return beam(metre)
    return Fraction(1, min(metre.denominator, 4))


def span(metre: Metre) -> Fraction:
    """Return the time in which an irregular tuplet lies: a quarter note or shorter.

    Examples
    --------
    >>> [str(span(Metre(*metre))) for metre in ((4, 4), (3, 2), (6, 8))]
    ['1/4', '1/4', '1/8']
    """
    return Fraction(1, min(max(metre.denominator, 4), 16))


def levels(metre: Metre) -> list[Fraction]:
    """Return the lengths into which a bar divides, down to eighths or the metre's unit.

    Examples
    --------
    >>> [[str(length) for length in levels(Metre(*metre))] for metre in ((6, 8), (5, 8))]
    [['3/4', '3/8', '1/8'], ['5/8', '1/8']]
    """
    length = beam(metre)
    if metre.bar % length:
        length = Fraction(1, metre.denominator)
    found = {metre.bar: None}
    while length >= min(Fraction(1, 8), Fraction(1, metre.denominator)):
        found[length] = None
        length /= 3 if length.numerator == 3 else 2
    return list(found)


def fitting(length: Fraction, nominal: tuple[int, int]) -> tuple[int, int]:
    """Find a metre of the given length in quarters; the nominal one where no signature has it.

    Examples
    --------
    >>> fitting(Fraction(5, 2), (4, 4))
    (5, 8)
    """
    denominator = nominal[1]
    while denominator <= 128:
        beats = length * denominator / 4
        if beats.denominator == 1 and 1 <= beats <= 255:
            return int(beats), denominator
        denominator *= 2
    return nominal
