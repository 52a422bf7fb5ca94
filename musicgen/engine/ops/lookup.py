"""Elements and rows chosen by number."""

from __future__ import annotations

from typing import Any

import numpy as np

from musicgen import kernels
from musicgen.engine.node import Array, Node, Shape

__all__ = ["Embedding", "Gather", "check_range"]


def check_range(node: Node, what: str, numbers: Array, n: int) -> None:
    """Fail unless all numbers are from 0 to n − 1; numpy would count negative ones from the end."""
    if numbers.size and (numbers.min() < 0 or numbers.max() >= n):
        node.fail(f"{what} run from {numbers.min()} to {numbers.max()}; expected 0 to {n - 1}")


class Embedding(Node):
    """``y = W[ids]``: the product of a one-hot vector with `W`, without the product.

    Inputs: ids ``(…)`` of integers, ``0 ≤ id < V``; W ``(V, D)``. Output ``(…, D)``.
    ``dW[v] = Σ dy`` over the places where ``ids = v``.
    """

    def infer(self, *shapes: Shape) -> Shape:
        """Return ``(…, D)``."""
        ids, W = shapes
        if len(W) != 2:
            self.fail(f"W has shape {W}; expected (V, D)")
        if self.inputs[0].dtype.kind not in "iu":
            self.fail(f"ids are {self.inputs[0].dtype}; expected integers")
        return (*ids, W[1])

    def forward(self, *arrays: Array) -> Array:
        """Look the rows up."""
        ids, W = arrays
        check_range(self, "ids", ids, len(W))
        return np.take(W, ids, axis=0, out=self.buffer("y", self.outputs[0].shape), mode="clip")

    def backward(self, *gradients: Array) -> tuple[Array | None, ...]:
        """Add up the gradient's rows by id."""
        ids, W = self.data
        dW = self.buffer("dW", W.shape)
        if kernels.add_rows(ids, gradients[0], dW):
            return None, dW
        order = np.argsort(ids, axis=None, kind="stable")
        rows = gradients[0].reshape(-1, W.shape[1])[order]
        found, starts = np.unique(ids.ravel()[order], return_index=True)
        dW[...] = 0
        dW[found] = np.add.reduceat(rows, starts, axis=0)
        return None, dW

    def tangent(self, *directions: Array) -> Array:
        """Look the rows of dW up."""
        return directions[1][:, self.data[0]]


class Gather(Node):
    """``y_n = x_{n, i_n}``: one element of each row, as the probability of what happened.

    Inputs: x ``(…, V)``; i ``(…)`` of integers, ``0 ≤ i < V``. Output ``(…)``. The gradient of the
    other elements is zero.
    """

    def infer(self, *shapes: Shape) -> Shape:
        """Return ``(…)``."""
        x, indices = shapes
        if x[:-1] != indices or not x:
            self.fail(f"x {x} and indices {indices} do not fit; expected (…, V) and (…)")
        if self.inputs[1].dtype.kind not in "iu":
            self.fail(f"indices are {self.inputs[1].dtype}; expected integers")
        return indices

    def infer_dtype(self, *dtypes: np.dtype[Any]) -> np.dtype[Any]:
        """Return the type of x."""
        return dtypes[0]

    def forward(self, *arrays: Array) -> Array:
        """Pick."""
        x, indices = arrays
        check_range(self, "indices", indices, x.shape[-1])
        return np.take_along_axis(x, indices[..., None], axis=-1)[..., 0]

    def backward(self, *gradients: Array) -> tuple[Array | None, ...]:
        """Put dy in its places among zeros."""
        x, indices = self.data
        dx = self.buffer("dx", x.shape)
        dx[...] = 0
        np.put_along_axis(dx, indices[..., None], gradients[0][..., None], axis=-1)
        return dx, None

    def tangent(self, *directions: Array) -> Array:
        """Pick from dx."""
        (dx, _), indices = directions, self.data[1]
        return np.take_along_axis(dx, indices[None, ..., None], axis=-1)[..., 0]
