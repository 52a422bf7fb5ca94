"""Which times can be filled with the lengths that notes can have."""

from __future__ import annotations

from collections.abc import Iterable
from math import gcd

__all__ = ["LONGEST", "NO_TUPLET", "TICKS", "Filling", "Tuplet"]

TICKS = 512 * 9 * 5 * 7
"""Ticks of a whole note: tuplets and broken rhythms of short notes come out whole."""

LONGEST = 8 * TICKS
"""No bar is longer."""

Tuplet = tuple[int, int, int]
"""``(k, q, p)``: k sounds are to come, each at q/p of its length; k is 0 outside tuplets."""

NO_TUPLET = (0, 1, 1)


class Filling:
    """Lengths, and what they add up to.

    Parameters
    ----------
    lengths
        In ticks.

    Examples
    --------
    >>> filling = Filling([2, 3])
    >>> [time for time in range(8) if filling.fills(time)]
    [0, 2, 3, 4, 5, 6, 7]
    >>> filling.fills(4, (3, 2, 3)), filling.fills(5, (3, 2, 3))
    (True, False)
    """

    def __init__(self, lengths: Iterable[int]) -> None:
        self.lengths = tuple(sorted(set(lengths)))
        self._grain = gcd(*self.lengths) or 1
        most = LONGEST // self._grain
        # Bit t stands for the time of t grains.
        self._sums = 1
        for length in self.lengths:
            step = length // self._grain
            while step <= most:
                self._sums |= self._sums << step
                step *= 2
        self._known: dict[tuple[int, Tuplet], bool] = {}

    def fills(self, time: int, tuplet: Tuplet = NO_TUPLET) -> bool:
        """Whether the sounds that a tuplet lacks, then others as needed, fill a time exactly."""
        left, q, p = tuplet
        if not left:
            grains, rest = divmod(time, self._grain)
            return time >= 0 and not rest and bool(self._sums >> grains & 1)
        known = self._known.get((time, tuplet))
        if known is None:
            after = (left - 1, q, p)
            known = self._known[time, tuplet] = any(
                self.fills(time - scaled, after)
                for length in self.lengths
                if 0 < (scaled := self.scaled(length, tuplet)) <= time
            )
        return known

    @staticmethod
    def scaled(length: int, tuplet: Tuplet) -> int:
        """Return the time that a length takes within a tuplet; 0 where ticks are too coarse."""
        left, q, p = tuplet
        if not left:
            return length
        scaled, rest = divmod(length * q, p)
        return 0 if rest else scaled
