"""Note values: how a stretch of time inside a measure is written as notes with dots and ties."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple, TypeGuard

__all__ = ["Value", "beat", "split"]

NAMES = ["128th", "64th", "32nd", "16th", "eighth", "quarter", "half", "whole", "breve"]
FLAGS = {"eighth": 1, "16th": 2, "32nd": 3, "64th": 4, "128th": 5}
WHOLE = 128
START = 99


class Value(NamedTuple):
    """One note value.

    Attributes
    ----------
    size
        128th notes that it lasts.
    name
        Such as ``quarter``.
    dots
        None or one.
    """

    size: int
    name: str
    dots: int

    @property
    def flags(self) -> int:
        """Number of flags or beams."""
        return FLAGS.get(self.name, 0)


VALUES = sorted(
    [Value(2**power, name, 0) for power, name in enumerate(NAMES)]
    + [Value(3 * 2 ** (power - 1), name, 1) for power, name in enumerate(NAMES) if power],
    reverse=True,
)


def beat(metre: tuple[int, int]) -> int:
    """Length of a beat in 128th notes: three eighths in 6/8, 9/8, 12/8, else a quarter at least."""
    numerator, denominator = metre
    if _is_compound(metre):
        return 3 * WHOLE // denominator
    return WHOLE // min(denominator, 4)


def _is_compound(metre: tuple[int, int] | None) -> TypeGuard[tuple[int, int]]:
    return metre is not None and metre[0] % 3 == 0 and metre[0] > 3 and metre[1] >= 8


@lru_cache(maxsize=65536)
def split(start: int, end: int, metre: tuple[int, int] | None, *, is_rest: bool) -> list[Value]:
    """Write a stretch of time as the fewest note values that leave the beats to be seen.

    A note may begin on a weak place and sound over one that is a step stronger, not more: a quarter
    note after an eighth, but nothing over the middle of a 4/4 bar that begins between two beats.

    Parameters
    ----------
    start, end
        128th notes since the start of the measure.
    metre
        Beats and beat type; None inside a tuplet.
    is_rest
        Whether it is silence, which hides no stronger place at all, and has dots only where
        three eighths make a beat.

    Examples
    --------
    >>> [(value.name, value.dots) for value in split(48, 96, (4, 4), is_rest=False)]
    [('eighth', 0), ('quarter', 0)]
    >>> [(value.name, value.dots) for value in split(0, 80, (6, 8), is_rest=False)]
    [('quarter', 1), ('quarter', 0)]
    """
    found = []
    while start < end:
        value = next(
            value
            for value in VALUES
            if start + value.size <= end
            and not (is_rest and value.dots and not _is_compound(metre))
            and _is_clear(start, start + value.size, metre, is_rest)
        )
        found.append(value)
        start += value.size
    return found


def _is_clear(start: int, end: int, metre: tuple[int, int] | None, is_rest: bool) -> bool:
    if _is_compound(metre):
        dotted = beat(metre)
        if start // dotted != (end - 1) // dotted:
            return start % dotted == 0 and end % dotted == 0
    weakest = _strength(start, metre) + (not is_rest)
    return all(_strength(place, metre) <= weakest for place in range(start + 1, end))


def _strength(place: int, metre: tuple[int, int] | None) -> int:
    """How strong a place is: each step up is twice as far from the next of its kind."""
    if place == 0:
        return START
    if metre is None:
        return _halvings(place)
    numerator, denominator = metre
    unit = _halvings(WHOLE // denominator)
    if _is_compound(metre):
        inside = place % beat(metre)
        return unit + 2 if inside == 0 else min(_halvings(inside), unit)
    if numerator & (numerator - 1):
        return min(_halvings(place), unit)
    return _halvings(place)


def _halvings(number: int) -> int:
    return (number & -number).bit_length() - 1
