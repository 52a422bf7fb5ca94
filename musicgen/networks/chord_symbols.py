"""Chords of piano rolls as symbols: the notes of each, one after the other, from low to high."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["END", "ChordSymbols", "spell_chords"]

END = 0
"""The symbol that ends a chord; symbol 1 + k is key k."""


class ChordSymbols(NamedTuple):
    """Chords as symbols, one after the other.

    Attributes
    ----------
    chords
        ``(N,)``: the number of the chord that a symbol belongs to, rising.
    symbols
        ``(N,)``: what is predicted, `END` or 1 + the key.
    known
        ``(N, 3K)``, K places each for: the notes of the chord so far; the last of these; and of the
        chord before, the note of the same rank from below, which in four-part music is the same
        voice.
    possible
        ``(N, 1 + K)``: which symbols there could be, the end and the keys above the last note.
    """

    chords: npt.NDArray[np.intp]
    symbols: npt.NDArray[np.intp]
    known: npt.NDArray[np.bool_]
    possible: npt.NDArray[np.bool_]


def spell_chords(rolls: npt.ArrayLike, before: npt.ArrayLike) -> ChordSymbols:
    """Spell chords: the notes of each from low to high, then the end.

    Parameters
    ----------
    rolls
        ``(n, K)``: which keys each chord has.
    before
        ``(n, K)``: which keys the chord before each has.

    Examples
    --------
    >>> spelling = spell_chords([[1, 0, 1], [0, 0, 0]], [[0, 1, 1], [1, 0, 1]])
    >>> spelling.symbols.tolist(), spelling.chords.tolist()
    ([1, 3, 0, 0], [0, 0, 0, 1])
    >>> spelling.possible[1].tolist()
    [True, False, True, True]
    >>> spelling.known[1].astype(int).reshape(3, 3).tolist()
    [[1, 0, 0], [1, 0, 0], [0, 0, 1]]
    """
    rolls, before = np.asarray(rolls, np.bool_), np.asarray(before, np.bool_)
    n, K = rolls.shape
    # The end stands behind the highest key, so that it comes last in each row.
    chords, keys = np.nonzero(np.concatenate([rolls, np.ones((n, 1), np.bool_)], axis=1))
    starts = np.searchsorted(chords, np.arange(n))
    ranks = np.arange(len(chords)) - starts[chords]
    last = np.where(ranks, np.roll(keys, 1), -1)
    above = np.arange(K) > last[:, None]
    voices = before[chords] & (np.cumsum(before, axis=1)[chords] == ranks[:, None] + 1)
    known = [rolls[chords] & ~above, np.arange(K) == last[:, None], voices]
    possible = np.concatenate([np.ones((len(chords), 1), np.bool_), above], axis=1)
    symbols = np.where(keys == K, END, keys + 1)
    return ChordSymbols(chords, symbols, np.concatenate(known, axis=1), possible)
