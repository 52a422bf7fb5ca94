"""Matrix products, and pieces of an array."""

from __future__ import annotations

import numpy as np

from musicgen.engine.node import Array, Node, Shape, Value

__all__ = ["Dense", "MatMul", "Slice"]


class MatMul(Node):
    """``y = x1 x2`` for matrices ``(n, k)`` and ``(k, m)``; ``dx1 = dy x2ᵀ``, ``dx2 = x1ᵀ dy``."""

    def infer(self, *shapes: Shape) -> Shape:
        """Return ``(n, m)``."""
        a, b = shapes
        if len(a) != 2 or len(b) != 2 or a[1] != b[0]:
            self.fail(f"cannot multiply {a} by {b}; expected (n, k) by (k, m)")
        return (a[0], b[1])

    def forward(self, *arrays: Array) -> Array:
        """Multiply."""
        return np.matmul(arrays[0], arrays[1], out=self.buffer("y", self.outputs[0].shape))

    def backward(self, *gradients: Array) -> tuple[Array | None, ...]:
        """Return (dy x2ᵀ, x1ᵀ dy)."""
        (dy,), (x1, x2) = gradients, self.data
        return (
            np.matmul(dy, x2.T, out=self.buffer("dx1", x1.shape)),
            np.matmul(x1.T, dy, out=self.buffer("dx2", x2.shape)),
        )

    def tangent(self, *directions: Array) -> Array:
        """Return dx1 x2 + x1 dx2."""
        x1, x2 = self.data
        return np.matmul(directions[0], x2) + np.matmul(x1, directions[1])


class Dense(Node):
    """``y = x W + b`` over the last axis of `x`, in one matrix product.

    Inputs: x ``(…, D)``, W ``(D, M)``, b ``(M,)``; output ``(…, M)``.
    ``dx = dy Wᵀ``, ``dW = xᵀ dy``, ``db = Σ dy``, with the leading axes flattened.
    """

    def infer(self, *shapes: Shape) -> Shape:
        """Return ``(…, M)``."""
        x, W, b = shapes
        if not x or len(W) != 2 or x[-1] != W[0] or b != W[1:]:
            self.fail(f"x {x}, W {W}, b {b} do not fit; expected (…, D), (D, M), (M,)")
        return (*x[:-1], W[1])

    def forward(self, *arrays: Array) -> Array:
        """Compute x W + b."""
        x, W, b = arrays
        y = self.buffer("y", self.outputs[0].shape)
        np.matmul(x.reshape(-1, W.shape[0]), W, out=y.reshape(-1, W.shape[1]))
        return np.add(y, b, out=y)

    def backward(self, *gradients: Array) -> tuple[Array | None, ...]:
        """Return (dx, dW, db)."""
        x, W, b = self.data
        dy = gradients[0].reshape(-1, W.shape[1])
        dx = None
        if self.inputs[0].differentiable:
            dx = self.buffer("dx", x.shape)
            np.matmul(dy, W.T, out=dx.reshape(-1, W.shape[0]))
        dW = np.matmul(x.reshape(-1, W.shape[0]).T, dy, out=self.buffer("dW", W.shape))
        return dx, dW, np.sum(dy, axis=0, out=self.buffer("db", b.shape))

    def tangent(self, *directions: Array) -> Array:
        """Return dx W + x dW + db."""
        x, W, _ = self.data
        dx, dW, db = directions
        return np.matmul(dx, W) + np.matmul(x, dW) + db


class Slice(Node):
    """``y = x[start:stop]`` along the last axis; the gradient is zero outside.

    Parameters
    ----------
    x
        Shape ``(…, n)``.
    start, stop
        ``0 ≤ start < stop ≤ n``.
    """

    def __init__(self, x: Value | Node, start: int, stop: int, name: str = "") -> None:
        self._range = slice(start, stop)
        super().__init__(x, name=name)

    def infer(self, *shapes: Shape) -> Shape:
        """Return ``(…, stop − start)``."""
        start, stop = self._range.start, self._range.stop
        if not 0 <= start < stop <= shapes[0][-1]:
            self.fail(f"[{start}:{stop}] does not lie within the last axis of {shapes[0]}")
        return (*shapes[0][:-1], stop - start)

    def forward(self, *arrays: Array) -> Array:
        """Return a view."""
        return arrays[0][..., self._range]

    def backward(self, *gradients: Array) -> Array:
        """Put dy in its place among zeros."""
        dx = self.buffer("dx", self.inputs[0].shape)
        dx[..., self._range] = gradients[0]
        return dx

    def tangent(self, *directions: Array) -> Array:
        """Return the same part of dx."""
        return directions[0][..., self._range]
