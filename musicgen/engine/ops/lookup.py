"""Rows of a table, chosen by number."""

from __future__ import annotations

import numpy as np

from musicgen.engine.node import Array, Node, Shape

__all__ = ["Embedding"]


class Embedding(Node):
    """``y = W[ids]``: the product of a one-hot vector with `W`, without the product.

    Inputs: ids ``(…)`` of integers below V, W ``(V, D)``; output ``(…, D)``.
    ``dW[v] = Σ dy`` over the places where ``ids = v``.
    """

    def infer(self, *shapes: Shape) -> Shape:
        """Return ``(…, D)``."""
        ids, W = shapes
        if len(W) != 2:
            self.fail(f"W has shape {W}; expected (V, D)")
        return (*ids, W[1])

    def forward(self, *arrays: Array) -> Array:
        """Look the rows up."""
        ids, W = arrays
        return np.take(W, ids, axis=0, out=self.buffer("y", self.outputs[0].shape), mode="clip")

    def backward(self, *gradients: Array) -> tuple[Array | None, ...]:
        """Add up the gradient's rows by id."""
        ids, W = self.data
        order = np.argsort(ids, axis=None, kind="stable")
        rows = gradients[0].reshape(-1, W.shape[1])[order]
        found, starts = np.unique(ids.ravel()[order], return_index=True)
        dW = self.buffer("dW", W.shape)
        dW[...] = 0
        dW[found] = np.add.reduceat(rows, starts, axis=0)
        return None, dW

    def tangent(self, *directions: Array) -> Array:
        """Look the rows of dW up."""
        return directions[1][self.data[0]]
