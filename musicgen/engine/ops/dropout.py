"""Dropout."""

from __future__ import annotations

import numpy as np

from musicgen.engine.node import Array, Node, Shape, Value

__all__ = ["Dropout"]


class Dropout(Node):
    """Inverted dropout: ``y = x ⊙ m/(1 − rate)``, each element of m 0 with probability `rate`.

    A graph for evaluation is built without it; there is no mode to switch.

    Parameters
    ----------
    x
        Any shape.
    rate
        Share of elements set to zero, ``0 ≤ rate < 1``.
    rng
        Source of the masks; a new one is drawn at every forward pass.

    References
    ----------
    Srivastava et al., "Dropout", JMLR 15, 2014.
    """

    def __init__(
        self, x: Value | Node, rate: float, rng: np.random.Generator, name: str = ""
    ) -> None:
        self._rate = rate
        self._rng = rng
        super().__init__(x, name=name)

    def infer(self, *shapes: Shape) -> Shape:
        """Keep the shape."""
        if not 0 <= self._rate < 1:
            self.fail(f"rate is {self._rate}; expected 0 ≤ rate < 1")
        return shapes[0]

    def forward(self, *arrays: Array) -> Array:
        """Draw a mask and apply it."""
        (x,) = arrays
        mask = self.buffer("mask", x.shape)
        self._rng.random(out=mask, dtype=mask.dtype.type)
        np.greater_equal(mask, self._rate, out=mask, casting="unsafe")
        np.multiply(mask, 1 / (1 - self._rate), out=mask)
        return np.multiply(x, mask, out=self.buffer("y", x.shape))

    def backward(self, *gradients: Array) -> Array:
        """Apply the same mask to the gradient."""
        dy = gradients[0]
        return np.multiply(dy, self.buffer("mask", dy.shape), out=self.buffer("dx", dy.shape))

    def tangent(self, *directions: Array) -> Array:
        """Apply the same mask to the direction."""
        return directions[0] * self.buffer("mask", directions[0].shape[1:])
