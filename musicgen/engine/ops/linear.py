"""Matrix products."""

from __future__ import annotations

import numpy as np

from musicgen.engine.node import Array, Node, Shape
from musicgen.kernels import product

__all__ = ["Dense", "Dot", "MatMul"]


class MatMul(Node):
    """``y = x1 x2`` for matrices ``(n, k)`` and ``(k, m)``; ``dx1 = dy x2ᵀ``, ``dx2 = x1ᵀ dy``.

    Report, section 3.4.
    """

    def infer(self, *shapes: Shape) -> Shape:
        """Return ``(n, m)``."""
        a, b = shapes
        if len(a) != 2 or len(b) != 2 or a[1] != b[0]:
            self.fail(f"cannot multiply {a} by {b}; expected (n, k) by (k, m)")
        return (a[0], b[1])

    def forward(self, *arrays: Array) -> Array:
        """Multiply."""
        return product(arrays[0], arrays[1], self.buffer("y", self.outputs[0].shape))

    def backward(self, *gradients: Array) -> tuple[Array | None, ...]:
        """Return (dy x2ᵀ, x1ᵀ dy)."""
        (dy,), (x1, x2) = gradients, self.data
        dx1 = dx2 = None
        if self.inputs[0].differentiable:
            dx1 = product(dy, x2.T, self.buffer("dx1", x1.shape))
        if self.inputs[1].differentiable:
            dx2 = product(x1.T, dy, self.buffer("dx2", x2.shape))
        return dx1, dx2

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
        product(x.reshape(-1, W.shape[0]), W, y.reshape(-1, W.shape[1]), b)
        return y

    def backward(self, *gradients: Array) -> tuple[Array | None, ...]:
        """Return (dx, dW, db)."""
        x, W, b = self.data
        dy = gradients[0].reshape(-1, W.shape[1])
        dx = dW = None
        if self.inputs[0].differentiable:
            dx = self.buffer("dx", x.shape)
            product(dy, W.T, dx.reshape(-1, W.shape[0]))
        if self.inputs[1].differentiable:
            dW = product(x.reshape(-1, W.shape[0]).T, dy, self.buffer("dW", W.shape))
        return dx, dW, np.sum(dy, axis=0, out=self.buffer("db", b.shape))

    def tangent(self, *directions: Array) -> Array:
        """Return dx W + x dW + db."""
        x, W, _ = self.data
        dx, dW, db = directions
        flat = x.reshape(-1, W.shape[0])
        dy = np.matmul(dx.reshape(len(dx), *flat.shape), W) + np.matmul(flat, dW) + db[:, None]
        return dy.reshape(len(dy), *self.outputs[0].shape)


class Dot(Node):
    """Scalar product of two arrays of one shape: ``y = Σ x1 ⊙ x2``; gradients (dy x2, dy x1)."""

    def infer(self, *shapes: Shape) -> Shape:
        """Return the shape of a number."""
        if shapes[0] != shapes[1]:
            self.fail(f"shapes {shapes[0]} and {shapes[1]} differ")
        return ()

    def forward(self, *arrays: Array) -> Array:
        """Multiply and add up."""
        return np.asarray(np.vdot(arrays[0], arrays[1]), self.outputs[0].dtype)

    def backward(self, *gradients: Array) -> tuple[Array, ...]:
        """Return (dy x2, dy x1)."""
        (dy,), (x1, x2) = gradients, self.data
        return (
            np.multiply(dy, x2, out=self.buffer("dx1", x1.shape)),
            np.multiply(dy, x1, out=self.buffer("dx2", x2.shape)),
        )

    def tangent(self, *directions: Array) -> Array:
        """Return Σ dx1 ⊙ x2 + x1 ⊙ dx2."""
        x1, x2 = self.data
        dx1, dx2 = directions
        return (dx1 * x2 + x1 * dx2).sum(axis=tuple(range(1, dx1.ndim)))
