"""Learning rates that change while training goes on."""

from __future__ import annotations

import math

__all__ = ["cosine"]


def cosine(progress: float, lowest: float = 0.01) -> float:
    """Return the factor that falls from 1 to `lowest` along half a cosine.

    Parameters
    ----------
    progress
        Share of the training that is done, 0 to 1.
    lowest
        The factor at the end.

    References
    ----------
    Loshchilov & Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR 2017.

    Examples
    --------
    >>> cosine(0.0), round(cosine(0.5), 3), cosine(1.0)
    (1.0, 0.505, 0.01)
    """
    return lowest + (1 - lowest) * (1 + math.cos(math.pi * min(progress, 1.0))) / 2
