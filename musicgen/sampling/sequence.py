"""Drawing a whole sequence, symbol by symbol."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from musicgen.sampling.choice import draw, probabilities

__all__ = ["Sequence", "generate"]


class Sequence(NamedTuple):
    """A drawn sequence.

    Attributes
    ----------
    symbols
        The primer and what was drawn after it, without the end symbol.
    log_likelihood
        Sum of ``ln p`` of the drawn symbols (the end included), p being the network's own
        probability at temperature 1 and with nothing cut off.
    drawn
        Number of drawn symbols, the end included.
    ended
        Whether the end symbol was drawn.
    """

    symbols: list[int]
    log_likelihood: float
    drawn: int
    ended: bool


def generate(
    step: Callable[[int], npt.NDArray[Any]],
    rng: np.random.Generator,
    *,
    length: int,
    end: int = 0,
    primer: Iterable[int] = (),
    never: Collection[int] = (),
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Sequence:
    """Draw symbols one after the other until the end symbol or the length is reached.

    Parameters
    ----------
    step
        Takes a symbol, remembers it, and returns the logits ``(V,)`` of the next. It must start
        fresh; it is given `end` first, since an end is also where a sequence starts.
    rng
        Source of the draws.
    length
        Most symbols drawn.
    end
        The symbol that ends a sequence.
    primer
        Symbols that the sequence starts with.
    never
        Symbols that must not be drawn.
    temperature, top_k, top_p
        As in `probabilities`.

    Examples
    --------
    >>> def step(symbol):  # always the next number, then the end
    ...     logits = np.full(4, -9.0)
    ...     logits[(symbol + 1) % 4] = 9.0
    ...     return logits
    >>> generate(step, np.random.default_rng(0), length=10).symbols
    [1, 2, 3]
    """
    forbidden = list(never)
    logits = step(end)
    symbols: list[int] = []
    for symbol in primer:
        symbols.append(int(symbol))
        logits = step(int(symbol))
    log_likelihood = 0.0
    for drawn in range(1, length + 1):
        z = np.array(logits, np.float64)
        normaliser = np.logaddexp.reduce(z)
        allowed = z.copy()
        allowed[forbidden] = -math.inf
        symbol = draw(
            probabilities(allowed, temperature=temperature, top_k=top_k, top_p=top_p), rng
        )
        log_likelihood += float(z[symbol] - normaliser)
        if symbol == end:
            return Sequence(symbols, log_likelihood, drawn, ended=True)
        symbols.append(symbol)
        logits = step(symbol)
    return Sequence(symbols, log_likelihood, length, ended=False)
