"""Finding runs of symbols in a long text of them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["BORDER", "SuffixArray"]

BORDER = 0
"""The symbol between two sequences, which no pattern holds."""

WIDTH = 4


class SuffixArray:
    """A text of symbols and the order of its suffixes, for fast search [1]_.

    Suffixes are sorted by prefix doubling: once they are sorted by their first n symbols, the rank
    of each with that of the suffix n symbols on sorts them by 2n. Symbols behind a border do not
    count, so that n needs no more than the longest sequence. Every answer is exact.

    Parameters
    ----------
    symbols
        Array ``(n,)`` of integers from 1 to 2³² − 1, and `BORDER` after each sequence.

    References
    ----------
    .. [1] Manber & Myers, "Suffix Arrays: A New Method for On-Line String Searches", SIAM Journal
       on Computing 22 (5), 1993.

    Examples
    --------
    >>> text = SuffixArray(np.array([7, 8, 9, BORDER, 8, 9, 7, BORDER]))
    >>> text.prefixes(np.array([9, 8, 9, 7]))
    array([1, 3, 2, 1])
    >>> text.find(np.array([8, 9])), text.find(np.array([9, 7])), text.find(np.array([9, 8]))
    (1, 5, None)
    """

    def __init__(self, symbols: npt.NDArray[Any]) -> None:
        # Bytes compare as fast as memory is read, and with the highest byte first as numbers do.
        self._text = _bytes(symbols)
        borders = np.flatnonzero(symbols == BORDER)
        depth = int(np.diff(borders, prepend=-1, append=len(symbols)).max())
        self._order = _sorted_suffixes(symbols, depth).astype(np.int32).data
        # Counted by first symbol, the suffixes up to it: they narrow every search.
        self._below: list[int] = np.cumsum(np.bincount(symbols)).tolist()

    def prefixes(self, pattern: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        """Return for each place of a pattern how many symbols from there on stand in the text.

        Parameters
        ----------
        pattern
            Array ``(n,)`` of integers from 1 to 2³² − 1.

        Returns
        -------
        Array ``(n,)``: the length of the longest run that starts there.
        """
        run = _bytes(pattern)
        lengths = np.zeros(len(pattern), np.int64)
        end = 0
        # What matches from one place on matches from the next, less its first symbol.
        for start in range(len(pattern)):
            end = max(end, start)
            while end < len(pattern) and self._holds(run[WIDTH * start : WIDTH * (end + 1)]):
                end += 1
            lengths[start] = end - start
        return lengths

    def find(self, pattern: npt.NDArray[Any]) -> int | None:
        """Return the first place in the text where a pattern stands; None where it does not.

        Parameters
        ----------
        pattern
            As for `prefixes`, of at least one symbol.
        """
        run = _bytes(pattern)
        first = self._rank(run)
        end = bisect_right(self._order, run, first, key=self._opening(len(run)))
        return min(self._order[first:end], default=None)

    def _holds(self, run: bytes) -> bool:
        at = self._rank(run)
        return at < len(self._order) and self._text.startswith(run, WIDTH * self._order[at])

    def _rank(self, run: bytes) -> int:
        """Return the number of suffixes below a run."""
        symbol = int.from_bytes(run[:WIDTH], "big")
        if symbol >= len(self._below):
            return len(self._order)
        low, high = self._below[symbol - 1], self._below[symbol]
        return bisect_left(self._order, run, low, high, key=self._opening(len(run)))

    def _opening(self, size: int) -> Callable[[int], bytes]:
        """Return what gives the first bytes of the suffix at a place."""
        text = self._text
        return lambda place: text[WIDTH * place : WIDTH * place + size]


def _bytes(symbols: npt.NDArray[Any]) -> bytes:
    return symbols.astype(f">u{WIDTH}").tobytes()


def _sorted_suffixes(symbols: npt.NDArray[Any], depth: int) -> npt.NDArray[np.int64]:
    """Return where the suffixes start, in the order of their first `depth` symbols."""
    rank = np.unique(symbols, return_inverse=True)[1].astype(np.int64)
    length = 1
    while length < depth:
        following = np.zeros_like(rank)
        following[:-length] = rank[length:] + 1
        rank = np.unique(rank * (len(rank) + 1) + following, return_inverse=True)[1]
        length *= 2
    return np.argsort(rank)
