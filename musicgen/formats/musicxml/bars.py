"""Where the bar lines of played measures fall, told as changes of metre."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from musicgen.notation.metre import fitting

__all__ = ["Bar", "metre_changes"]

Metre = tuple[int, int]
# A bar is cut at repeats into so many measures at most.
MOST_JOINED = 4


class Bar(NamedTuple):
    """One measure as it is played.

    Attributes
    ----------
    start, length
        In quarter notes.
    metre
        Beats and beat type in force; None where the score has none.
    """

    start: Fraction
    length: Fraction
    metre: Metre | None


def metre_changes(bars: list[Bar]) -> list[tuple[Fraction, Metre]]:
    """List the changes of metre that put every bar line where the score has it.

    A measure that is shorter than its metre, such as a pickup, gets a metre of its own length, as
    sequencers write it; two that make up one bar, around a repeat, are one. A last measure may be
    short.

    Examples
    --------
    >>> lengths = [1, 4, 4, 3]
    >>> bars = [Bar(Fraction(sum(lengths[:at])), Fraction(lengths[at]), (4, 4)) for at in range(4)]
    >>> [(int(time), metre) for time, metre in metre_changes(bars)]
    [(0, (1, 4)), (1, (4, 4))]
    """
    changes: list[tuple[Fraction, Metre]] = []
    joined = _joined(bars)
    for number, bar in enumerate(joined):
        if bar.metre is None:
            continue
        full = _length(bar.metre)
        is_last = number == len(joined) - 1 and bar.length < full
        metre = bar.metre if is_last or bar.length % full == 0 else fitting(bar.length, bar.metre)
        if changes:
            since, in_force = changes[-1]
            if metre == in_force and (bar.start - since) % _length(in_force) == 0:
                continue
        changes.append((bar.start, metre))
    return changes


def _length(metre: Metre) -> Fraction:
    return Fraction(4 * metre[0], metre[1])


def _joined(bars: list[Bar]) -> list[Bar]:
    """Join short measures that make up one bar together."""
    joined: list[Bar] = []
    at = 0
    while at < len(bars):
        start, length, metre = bars[at]
        at += 1
        if metre is not None:
            full, after = _length(metre), at
            while length < full and bars[after : at + MOST_JOINED]:
                if bars[after].metre != metre:
                    break
                length += bars[after].length
                after += 1
            if length == full:
                at = after
            else:
                length = bars[at - 1].length
        joined.append(Bar(start, length, metre))
    return joined
