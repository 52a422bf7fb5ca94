"""Gradient descent, plain and with momentum."""

from __future__ import annotations

import numpy as np

from musicgen.optim.base import Array, Optimiser

__all__ = ["SGD"]


class SGD(Optimiser):
    """``v ← μ v − η ∇; w ← w + v`` (report, chapter 7).

    Parameters
    ----------
    momentum
        μ; 0 is plain gradient descent.
    """

    def __init__(self, momentum: float = 0.9) -> None:
        super().__init__()
        self.momentum = momentum

    def change(self, name: str, value: Array, gradient: Array, learning_rate: float) -> None:
        """Change one array in place."""
        v, step = self.slot("v", name, value), self.scratch(value)
        np.multiply(v, self.momentum, out=v)
        np.multiply(gradient, learning_rate, out=step)
        np.subtract(v, step, out=v)
        np.add(value, v, out=value)
