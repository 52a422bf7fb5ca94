"""Operations on the elements of two arrays, which numpy's rules may broadcast."""

from __future__ import annotations

import numpy as np

from musicgen.engine.node import Array, Node, Shape

__all__ = ["Add", "Divide", "Multiply", "Subtract"]


class _Binary(Node):
    """Two inputs of shapes that numpy broadcasts."""

    def infer(self, *shapes: Shape) -> Shape:
        """Broadcast the shapes."""
        if len(shapes) != 2:
            self.fail(f"has {len(shapes)} inputs; expected 2")
        try:
            return np.broadcast_shapes(*shapes)
        except ValueError:
            self.fail(f"cannot broadcast {shapes[0]} with {shapes[1]}")

    @property
    def _shape(self) -> Shape:
        return self.outputs[0].shape

    def _lift(self, directions: tuple[Array, ...]) -> list[Array]:
        """Insert the axes that broadcasting adds behind the axis of the directions."""
        n = len(self._shape)
        return [d.reshape(len(d), *(1,) * (n + 1 - d.ndim), *d.shape[1:]) for d in directions]


def _unbroadcast(gradient: Array, shape: Shape) -> Array:
    """Sum over the axes that broadcasting repeated."""
    extra = gradient.ndim - len(shape)
    repeated = (i + extra for i, n in enumerate(shape) if n == 1 and gradient.shape[i + extra] != 1)
    axes = (*range(extra), *repeated)
    return gradient.sum(axes, keepdims=True).reshape(shape) if axes else gradient


class Add(_Binary):
    """``y = x1 + x2``; the gradient goes to both, summed where an input was broadcast.

    Report, section 3.4.
    """

    def forward(self, *arrays: Array) -> Array:
        """Add."""
        return np.add(arrays[0], arrays[1], out=self.buffer("y", self._shape))

    def backward(self, *gradients: Array) -> tuple[Array, ...]:
        """Pass ∂E/∂y on to both."""
        return tuple(_unbroadcast(gradients[0], x.shape) for x in self.data)

    def tangent(self, *directions: Array) -> Array:
        """Return dx1 + dx2."""
        dx1, dx2 = self._lift(directions)
        return dx1 + dx2


class Subtract(_Binary):
    """``y = x1 − x2``; the gradient goes to both, with its sign turned for the second.

    Report, section 3.4.
    """

    def forward(self, *arrays: Array) -> Array:
        """Subtract."""
        return np.subtract(arrays[0], arrays[1], out=self.buffer("y", self._shape))

    def backward(self, *gradients: Array) -> tuple[Array, ...]:
        """Return (dy, −dy)."""
        (dy,) = gradients
        x1, x2 = self.data
        negative = np.negative(dy, out=self.buffer("-dy", self._shape))
        return _unbroadcast(dy, x1.shape), _unbroadcast(negative, x2.shape)

    def tangent(self, *directions: Array) -> Array:
        """Return dx1 − dx2."""
        dx1, dx2 = self._lift(directions)
        return dx1 - dx2


class Multiply(_Binary):
    """``y = x1 ⊙ x2``; gradients ``dy ⊙ x2`` and ``dy ⊙ x1`` (report, section 3.4)."""

    def forward(self, *arrays: Array) -> Array:
        """Multiply."""
        return np.multiply(arrays[0], arrays[1], out=self.buffer("y", self._shape))

    def backward(self, *gradients: Array) -> tuple[Array, ...]:
        """Return (dy ⊙ x2, dy ⊙ x1)."""
        (dy,) = gradients
        x1, x2 = self.data
        dx1 = np.multiply(dy, x2, out=self.buffer("dx1", self._shape))
        dx2 = np.multiply(dy, x1, out=self.buffer("dx2", self._shape))
        return _unbroadcast(dx1, x1.shape), _unbroadcast(dx2, x2.shape)

    def tangent(self, *directions: Array) -> Array:
        """Return dx1 ⊙ x2 + x1 ⊙ dx2."""
        x1, x2 = self.data
        dx1, dx2 = self._lift(directions)
        return dx1 * x2 + x1 * dx2


class Divide(_Binary):
    """``y = x1 / x2``, element by element; gradients ``dy / x2`` and ``−dy ⊙ y / x2``."""

    def forward(self, *arrays: Array) -> Array:
        """Divide."""
        return np.divide(arrays[0], arrays[1], out=self.buffer("y", self._shape))

    def backward(self, *gradients: Array) -> tuple[Array, ...]:
        """Return (dy / x2, −dy ⊙ y / x2)."""
        (dy,) = gradients
        x1, x2 = self.data
        dx1 = np.divide(dy, x2, out=self.buffer("dx1", self._shape))
        dx2 = np.multiply(dx1, self.outputs[0].data, out=self.buffer("dx2", self._shape))
        np.negative(dx2, out=dx2)
        return _unbroadcast(dx1, x1.shape), _unbroadcast(dx2, x2.shape)

    def tangent(self, *directions: Array) -> Array:
        """Return (dx1 − y ⊙ dx2) / x2."""
        dx1, dx2 = self._lift(directions)
        return (dx1 - self.outputs[0].data * dx2) / self.data[1]
