"""Lengths → the notes that show them."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from musicgen.notation.metre import Metre

__all__ = ["beat", "shown", "spell"]

NAMES = {Fraction(16): "long", Fraction(8): "breve"} | {
    Fraction(4, 2**power): str(2**power) for power in range(11)
}
"""Quarter notes → MEI's name of the undotted note."""

DOTS = (Fraction(7, 4), Fraction(3, 2), Fraction(1))
"""By what two, one and no dots multiply a note."""

SHOWN = {
    base * factor: (name, 2 - dots)
    for base, name in NAMES.items()
    for dots, factor in enumerate(DOTS)
}
LENGTHS = sorted(SHOWN, reverse=True)
LONGEST_CUT = 16


def shown(length: Fraction) -> tuple[str, int] | None:
    """Find the note that lasts `length` quarter notes: its name and dots; None where none does.

    Examples
    --------
    >>> shown(Fraction(3, 2)), shown(Fraction(5, 2))
    (('4', 1), None)
    """
    return SHOWN.get(length)


def beat(meter: Metre | None) -> Fraction:
    """Return the length of a beat in quarter notes; dotted in compound metre."""
    if meter is None:
        return Fraction(1)
    return Fraction(4, meter.denominator) * (3 if meter.is_compound else 1)


def spell(length: Fraction, onset: Fraction, unit: Fraction) -> list[Fraction]:
    """Cut a length into ones that a note each shows, at a beat and with few dots where possible.

    Parameters
    ----------
    length, onset
        In quarter notes, from the start of the measure.
    unit
        Length of a beat.

    Examples
    --------
    >>> [str(part) for part in spell(Fraction(5, 2), Fraction(0), Fraction(3, 2))]
    ['3/2', '1']
    >>> [str(part) for part in spell(Fraction(5, 2), Fraction(3, 2), Fraction(1))]
    ['1/2', '2']
    """
    if length in SHOWN:
        return [length]
    if length < LONGEST_CUT * unit:
        first = unit - onset % unit
        cuts = [first + unit * number for number in range(int(length / unit) + 1)]
        pairs = [[cut, length - cut] for cut in reversed(cuts) if cut < length]
        shown_pairs = [pair for pair in pairs if all(part in SHOWN for part in pair)]
        if shown_pairs:
            return min(shown_pairs, key=lambda pair: sum(SHOWN[part][1] for part in pair))
    parts: list[Fraction] = []
    for part in LENGTHS:
        while part <= length:
            parts.append(part)
            length -= part
    return parts or [LENGTHS[-1]]
