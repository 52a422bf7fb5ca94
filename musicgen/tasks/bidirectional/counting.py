"""What counting finds, for comparison: notes and the two notes around each."""

from __future__ import annotations

import numpy as np

from musicgen.engine import Array
from musicgen.tasks.bidirectional.network import END
from musicgen.tasks.melodies import HELD, SYMBOLS

__all__ = ["most_frequent_between", "neighbours"]


def neighbours(phrases: Array) -> tuple[Array, Array, Array]:
    """Return the note before each note of phrases ``(N, T)``, the note, and the one behind it.

    Examples
    --------
    >>> neighbours(np.array([[5, HELD, 7], [HELD, 9, 9]]))
    (array([35,  5, 35,  9]), array([5, 7, 9, 9]), array([ 7, 35,  9, 35]))
    """
    ended = np.pad(phrases, ((0, 0), (1, 1)), constant_values=END)
    symbols = ended[ended != HELD]
    places = np.flatnonzero(symbols != END)
    return symbols[places - 1], symbols[places], symbols[places + 1]


def most_frequent_between(known: Array, asked: Array) -> Array:
    """Answer each note by the one that most often stands between the same two.

    Parameters
    ----------
    known, asked
        Phrases ``(N, T)``, to count in and to answer for.

    Returns
    -------
    ndarray
        An answer for each note asked, in order.

    Examples
    --------
    >>> most_frequent_between(np.array([[5, 7, 9], [5, 7, 9], [5, 8, 9]]), np.array([[5, 8, 9]]))
    array([5, 7, 9])
    """
    counts = np.zeros((END + 1, END + 1, SYMBOLS), np.int64)
    before, note, behind = neighbours(known)
    np.add.at(counts, (before, behind, note), 1)
    before, _, behind = neighbours(asked)
    return counts[before, behind].argmax(axis=-1)
