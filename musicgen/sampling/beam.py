"""The likeliest sequences, by beam search."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from copy import copy
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from musicgen.errors import ModelError
from musicgen.sampling.constraint import Constraint
from musicgen.sampling.sequence import Sequence, log_probabilities

__all__ = ["Stepper", "beam_search"]


class Stepper(Protocol):
    """B states of a network, which go on together."""

    def __call__(self, symbols: npt.NDArray[np.int32]) -> npt.NDArray[Any]:
        """Take the next symbols ``(B,)``; return the logits ``(B, V)`` of those after them."""

    def select(self, rows: npt.NDArray[np.intp]) -> None:
        """Let state b be what state ``rows[b]`` was; a state may be taken several times."""


def beam_search(
    step: Stepper,
    *,
    width: int,
    length: int,
    count: int = 1,
    end: int = 0,
    primer: Iterable[int] = (),
    never: Collection[int] = (),
    constraint: Constraint | None = None,
    length_power: float = 1.0,
) -> list[Sequence]:
    """Find the likeliest continuations of a primer.

    The `width` likeliest sequences of each length are kept and continued. Those that end compete by
    ``ln p / drawn^length_power``: the more symbols, the less likely any sequence is. The likeliest
    music is often dull; a narrow beam and drawing serve other ends.

    Parameters
    ----------
    step
        `width` fresh states.
    width
        Sequences kept, at least 1; 1 takes the likeliest symbol each time.
    length
        Most symbols after the primer.
    count
        Sequences wanted.
    end, never
        As in `generate`.
    primer
        Symbols that the sequences start with.
    constraint
        A fresh one; it is copied with `copy.copy`.
    length_power
        1 compares the mean per symbol, 0 the whole sequences, which favours short ones.

    Returns
    -------
    list of Sequence
        The best first. Only where fewer than `count` have ended do others follow.

    Raises
    ------
    ModelError
        When the network's logits are not numbers, or nothing is allowed.
    ValueError
        When `width` or `count` is below 1.

    References
    ----------
    .. [1] Graves, "Sequence transduction with recurrent neural networks", 2012.

    Examples
    --------
    >>> class Chain:  # the next number or the end, whatever came before
    ...     def __call__(self, symbols):
    ...         return np.where(np.arange(4) == (symbols[:, None] + 1) % 4, 9.0, 0.0)
    ...     def select(self, rows):
    ...         pass
    >>> beam_search(Chain(), width=2, length=9)[0].symbols
    [1, 2, 3]
    """
    if width < 1 or count < 1:
        raise ValueError(f"found a width of {width}, a count of {count}; expected 1 or more")
    start = [int(symbol) for symbol in primer]
    logits = step(np.full(width, end, np.int32))
    for symbol in start:
        logits = step(np.full(width, symbol, np.int32))
        if constraint is not None:
            constraint.advance(symbol)

    def rank(found: Sequence) -> float:
        return found.log_likelihood / max(found.drawn, 1) ** length_power

    # The states are all alike at first, so all but one sit out.
    scores = np.where(np.arange(width) == 0, 0.0, -np.inf)
    beams, constraints = [start] * width, [constraint] * width
    finished: list[Sequence] = []
    for drawn in range(1, length + 1):
        total = scores[:, None] + log_probabilities(logits)
        total[:, list(never)] = -np.inf
        for row, rule in enumerate(constraints):
            if rule is not None and scores[row] > -np.inf:
                total[row, ~rule.allowed()] = -np.inf
        finished += [
            Sequence(beam, float(score), drawn, ended=True)
            for beam, score in zip(beams, total[:, end], strict=True)
            if score > -np.inf
        ]
        finished = sorted(finished, key=rank, reverse=True)[:count]
        total[:, end] = -np.inf
        best = np.argsort(-total, axis=None, kind="stable")[:width]
        rows, symbols = np.divmod(best, total.shape[1])
        scores = total[rows, symbols]
        going_on = scores > -np.inf
        # A sequence that goes on can only lose likelihood, and gain length.
        hope = float(scores[0]) / length**length_power
        if not going_on.any() or (len(finished) == count and rank(finished[-1]) >= hope):
            break
        beams = [[*beams[row], symbol] for row, symbol in zip(rows, symbols.tolist(), strict=True)]
        constraints = [copy(constraints[row]) for row in rows]
        for rule, symbol, goes in zip(constraints, symbols.tolist(), going_on, strict=True):
            if rule is not None and goes:
                rule.advance(symbol)
        step.select(rows)
        logits = step(symbols.astype(np.int32))
    else:
        finished += [
            Sequence(beam, float(score), length, ended=False)
            for beam, score in zip(beams, scores, strict=True)
            if score > -np.inf
        ]
    if not finished:
        raise ModelError(f"nothing is allowed after the primer within {length} symbols")
    return finished[:count]
