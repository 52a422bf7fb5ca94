"""Sequences of symbols laid out in batches."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from musicgen.encodings import Symbols

__all__ = ["Batch", "batches"]


class Batch(NamedTuple):
    """T steps of B rows.

    Attributes
    ----------
    symbols, targets
        Numbers ``(T, B)``: what is seen, and what comes next.
    weights
        ``(T, B)``: 1 where a symbol is predicted, 0 where the row only waits.
    fresh
        ``(B,)``: whether a piece starts at the row's first step.
    """

    symbols: Symbols
    targets: Symbols
    weights: npt.NDArray[np.float32]
    fresh: npt.NDArray[np.bool_]


def batches(pieces: Sequence[Symbols], order: Iterable[int], T: int, B: int) -> list[Batch]:
    """Lay pieces out in B rows and cut the rows into batches of T steps.

    A row goes on in the next batch where it stopped. Each piece starts at the first step of a
    batch, from the boundary symbol 0, and the next one of its row waits for the batch after its
    last: so every symbol is predicted exactly once, from its own piece alone. A piece goes to the
    row that is free first.

    Parameters
    ----------
    pieces
        Arrays ``(n,)``, each ended by the boundary symbol.
    order
        Numbers of the pieces to lay out.
    T, B
        Steps and rows of a batch.

    Examples
    --------
    >>> first, second = batches([np.array([5, 6, 0]), np.array([7, 0])], [0, 1], T=2, B=2)
    >>> first.symbols.T.tolist(), first.targets.T.tolist()
    ([[0, 5], [0, 7]], [[5, 6], [7, 0]])
    >>> second.targets.T.tolist(), second.weights.T.tolist(), second.fresh.tolist()
    ([[0, 0], [0, 0]], [[1.0, 0.0], [0.0, 0.0]], [False, False])
    """
    free = [(0, row) for row in range(B)]
    places = []
    for number in order:
        start, row = heapq.heappop(free)
        places.append((start, row, pieces[number]))
        heapq.heappush(free, (start + -(-len(pieces[number]) // T), row))
    count = max(end for end, _ in free)
    symbols, targets = np.zeros((2, count * T, B), np.int32)
    weights = np.zeros((count * T, B), np.float32)
    fresh = np.zeros((count, B), np.bool_)
    for start, row, piece in places:
        t, end = start * T, start * T + len(piece)
        symbols[t + 1 : end, row] = piece[:-1]
        targets[t:end, row] = piece
        weights[t:end, row] = 1
        fresh[start, row] = True
    spans = (slice(k * T, (k + 1) * T) for k in range(count))
    return [Batch(symbols[s], targets[s], weights[s], fresh[k]) for k, s in enumerate(spans)]
