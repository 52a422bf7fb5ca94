"""Which times can be filled with the lengths that notes can have."""

from __future__ import annotations

from collections.abc import Iterable
from math import gcd

__all__ = ["LONGEST", "NO_TUPLET", "TICKS", "Filling", "Tuplet"]

TICKS = 4096 * 9 * 5 * 7
"""Ticks of a whole note: tuplets and broken rhythms of short notes come out whole."""

LONGEST = 4 * TICKS
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
    >>> filling = Filling([6, 9])
    >>> [time for time in range(25) if filling.fills(time)]
    [0, 6, 9, 12, 15, 18, 21, 24]
    >>> filling.fills(12, (3, 2, 3)), filling.fills(9, (3, 2, 3))
    (True, False)
    """

    def __init__(self, lengths: Iterable[int]) -> None:
        self._lengths = set(lengths)
        self._grain = gcd(*self._lengths) or 1
        self._tuplets: dict[Tuplet, int] = {}
        self._sums = self._find_sums(1)

    def _find_sums(self, p: int) -> int:
        """Find what lengths add up to; bit t stands for t/p grains."""
        sums, most = 1, LONGEST // self._grain * p
        for length in self._lengths:
            step = length // self._grain * p
            while step <= most:
                sums |= sums << step
                step *= 2
        return sums & (1 << most + 1) - 1

    def fills(self, time: int, tuplet: Tuplet = NO_TUPLET) -> bool:
        """Whether the sounds that a tuplet lacks, then others as needed, fill a time exactly."""
        if time < 0:
            return False
        left, _, p = tuplet
        if not left:
            grains, rest = divmod(time, self._grain)
            return not rest and bool(self._sums >> grains & 1)
        grains, rest = divmod(time * p, self._grain)
        return not rest and bool(self._with_tuplet(tuplet) >> grains & 1)

    def _with_tuplet(self, tuplet: Tuplet) -> int:
        """Find the sums of a tuplet and other sounds; bit t stands for t/p grains."""
        found = self._tuplets.get(tuplet)
        if found is None:
            left, q, p = tuplet
            if self._grain % p:
                return 0
            found = self._find_sums(p)
            for _ in range(left):
                shorter, found = found, 0
                for length in self._lengths:
                    found |= shorter << length // self._grain * q
            self._tuplets[tuplet] = found
        return found

    @staticmethod
    def scaled(length: int, tuplet: Tuplet) -> int:
        """Return the time that a length takes within a tuplet; 0 where ticks are too coarse."""
        left, q, p = tuplet
        if not left:
            return length
        scaled, rest = divmod(length * q, p)
        return 0 if rest else scaled
