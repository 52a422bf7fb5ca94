"""How the bars of a score are numbered."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Stretch", "bar_numbers"]


class Stretch(NamedTuple):
    """What stands between two bar lines, in all voices.

    Attributes
    ----------
    length
        How long it lasts.
    bar
        How long the metre says that a bar lasts, in the same unit.
    bars
        How many bars it is: more than one for a rest of several.
    """

    length: Fraction
    bar: Fraction
    bars: int = 1


def bar_numbers(stretches: Iterable[Stretch]) -> Iterator[int]:
    """Give the number of the bar to which each stretch belongs.

    What is shorter than a bar counts as one with the stretches after it that fit into the same bar,
    for a repeat sign or a double bar line may stand within one. A tune may start with a part of a
    bar, its pickup: that is bar 0.

    Parameters
    ----------
    stretches
        In the order of the text.

    Examples
    --------
    Six eighths a bar: a pickup, a bar, and a second one that the pickup of what follows completes.

    >>> lengths = [Fraction(eighths, 8) for eighths in (1, 6, 5, 1, 6)]
    >>> list(bar_numbers(Stretch(length, Fraction(6, 8)) for length in lengths))
    [0, 1, 2, 2, 3]
    """
    number, filled = 0, Fraction(0)
    for at, (length, bar, bars) in enumerate(stretches):
        if not filled or filled + length > bar:
            number += bool(at) or length >= bar
            filled = Fraction(0)
        yield number
        number += bars - 1
        filled = filled + length if at and filled + length < bar else Fraction(0)
