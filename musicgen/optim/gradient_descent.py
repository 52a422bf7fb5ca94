"""Gradient descent, plain and with momentum."""

from __future__ import annotations

import numpy as np

from musicgen.optim.base import Array, Optimiser

__all__ = ["SGD"]


class SGD(Optimiser):
    """``v ← μ v − η ∇; w ← w + v`` (report, equations 7.1 and 7.2).

    Parameters
    ----------
    momentum
        μ; 0 is plain gradient descent.

    Examples
    --------
    >>> w = np.array([1.0, 2.0])
    >>> SGD(momentum=0).update({"w": w}, {"w": np.array([1.0, -1.0])}, 0.5)
    >>> w
    array([0.5, 2.5])
    """

    def __init__(self, momentum: float = 0.9) -> None:
        super().__init__()
        self.momentum = momentum

    def change(self, name: str, value: Array, gradient: Array, learning_rate: float) -> None:
        """Change one array in place."""
        step = self.scratch("step", value)
        np.multiply(gradient, learning_rate, out=step)
        self.descend(name, value, step, self.momentum)
