"""Sequences of symbols or frames laid out in batches."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from musicgen.encodings import BOUNDARY, boundary_frame

__all__ = ["Batch", "batches", "count_batches"]

Array = npt.NDArray[Any]


class Batch(NamedTuple):
    """T steps of B rows.

    Attributes
    ----------
    inputs, targets
        Symbols ``(T, B)`` or frames ``(T, B, D)``: what is seen, and what comes next.
    weights
        ``(T, B)``: 1 where a step is predicted, 0 where the row only waits.
    fresh
        ``(B,)``: whether a piece starts at the row's first step.
    """

    inputs: Array
    targets: Array
    weights: npt.NDArray[np.float32]
    fresh: npt.NDArray[np.bool_]


def batches(pieces: Sequence[Array], order: Iterable[int], T: int, B: int) -> Iterator[Batch]:
    """Lay pieces out in B rows and cut the rows into batches of T steps.

    A row goes on in the next batch where it stopped. Each piece starts at the first step of a
    batch, from the boundary, and the next one of its row waits for the batch after its last: so
    every step is predicted exactly once, from its own piece alone. A piece goes to the row that is
    free first. Only the pieces that the rows are at are held.

    Parameters
    ----------
    pieces
        Arrays ``(n,)`` or ``(n, D)``, each ended by the boundary.
    order
        Numbers of the pieces to lay out.
    T, B
        Steps and rows of a batch.

    Examples
    --------
    >>> first, second = batches([np.array([5, 6, 0]), np.array([7, 0])], [0, 1], T=2, B=2)
    >>> first.inputs.T.tolist(), first.targets.T.tolist()
    ([[0, 5], [0, 7]], [[5, 6], [7, 0]])
    >>> second.targets.T.tolist(), second.weights.T.tolist(), second.fresh.tolist()
    ([[0, 0], [0, 0]], [[1.0, 0.0], [0.0, 0.0]], [False, False])
    """
    waiting = iter(order)
    first = pieces[0]
    boundary = boundary_frame(first.shape[1]) if first.ndim > 1 else BOUNDARY
    rows: list[tuple[Array, int] | None] = [None] * B
    while True:
        fresh = np.zeros(B, np.bool_)
        for row in range(B):
            if rows[row] is None and (number := next(waiting, None)) is not None:
                rows[row], fresh[row] = (pieces[number], 0), True
        if not any(rows):
            return
        inputs, targets = np.zeros((2, T, B, *first.shape[1:]), first.dtype)
        weights = np.zeros((T, B), np.float32)
        for row, place in enumerate(rows):
            if place is None:
                continue
            piece, start = place
            part = piece[start : start + T]
            inputs[0, row] = piece[start - 1] if start else boundary
            inputs[1 : len(part), row] = part[:-1]
            targets[: len(part), row] = part
            weights[: len(part), row] = 1
            rows[row] = (piece, start + T) if start + T < len(piece) else None
        yield Batch(inputs, targets, weights, fresh)


def count_batches(lengths: Sequence[int], order: Iterable[int], T: int, B: int) -> int:
    """Return how many batches `batches` gives.

    Parameters
    ----------
    lengths
        Of the pieces.
    order, T, B
        As for `batches`.

    Examples
    --------
    >>> count_batches([3, 2], [0, 1], T=2, B=2)
    2
    """
    free = [0] * B
    for number in order:
        heapq.heapreplace(free, free[0] - (-lengths[number] // T))
    return max(free)
