"""Operations on each element: sums, products and activations."""

from __future__ import annotations

import numpy as np

from musicgen.engine.node import Array, Node, Shape

__all__ = ["Add", "Multiply", "Sigmoid", "Subtract", "Tanh", "sigmoid"]


def sigmoid(x: Array, out: Array) -> Array:
    """Compute σ(x) = 1/(1 + e^−x) as ½ + ½ tanh(x/2), which cannot overflow.

    Parameters
    ----------
    x
        Any shape.
    out
        Where the result goes; may be `x`.
    """
    np.multiply(x, 0.5, out=out)
    np.tanh(out, out=out)
    np.multiply(out, 0.5, out=out)
    return np.add(out, 0.5, out=out)


class _Binary(Node):
    """Two inputs of shapes that numpy broadcasts."""

    def infer(self, *shapes: Shape) -> Shape:
        """Broadcast the shapes."""
        try:
            return np.broadcast_shapes(*shapes)
        except ValueError:
            self.fail(f"cannot broadcast {shapes[0]} with {shapes[1]}")
            raise

    @property
    def _shape(self) -> Shape:
        return self.outputs[0].shape


def _unbroadcast(gradient: Array, shape: Shape) -> Array:
    """Sum over the axes that broadcasting repeated."""
    extra = gradient.ndim - len(shape)
    axes = (*range(extra), *(extra + i for i, n in enumerate(shape) if n == 1))
    return gradient.sum(axes, keepdims=True).reshape(shape) if axes else gradient


class Add(_Binary):
    """``y = x1 + x2``; the gradient goes to both, summed where an input was broadcast."""

    def forward(self, *arrays: Array) -> Array:
        """Add."""
        return np.add(arrays[0], arrays[1], out=self.buffer("y", self._shape))

    def backward(self, *gradients: Array) -> tuple[Array, ...]:
        """Pass ∂E/∂y on to both."""
        return tuple(_unbroadcast(gradients[0], x.shape) for x in self.data)

    def tangent(self, *directions: Array) -> Array:
        """Return dx1 + dx2."""
        return directions[0] + directions[1]


class Subtract(_Binary):
    """``y = x1 − x2``; the gradient goes to both, with its sign turned for the second."""

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
        return directions[0] - directions[1]


class Multiply(_Binary):
    """``y = x1 ⊙ x2``; gradients ``dy ⊙ x2`` and ``dy ⊙ x1``."""

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
        return directions[0] * x2 + x1 * directions[1]


class _Activation(Node):
    """One input, one output of the same shape, and a slope that the output alone gives."""

    def infer(self, *shapes: Shape) -> Shape:
        """Keep the shape."""
        return shapes[0]

    def slope(self, y: Array, out: Array) -> Array:
        """Write ∂y/∂x to `out`."""
        raise NotImplementedError

    def backward(self, *gradients: Array) -> Array:
        """Return dy ⊙ ∂y/∂x."""
        y = self.outputs[0].data
        dx = self.slope(y, self.buffer("dx", y.shape))
        return np.multiply(dx, gradients[0], out=dx)

    def tangent(self, *directions: Array) -> Array:
        """Return dx ⊙ ∂y/∂x."""
        y = self.outputs[0].data
        return self.slope(y, np.empty_like(y)) * directions[0]


class Sigmoid(_Activation):
    """``y = 1/(1 + e^−x)``; ``dx = dy ⊙ y ⊙ (1 − y)``."""

    def forward(self, *arrays: Array) -> Array:
        """Apply σ."""
        return sigmoid(arrays[0], self.buffer("y", arrays[0].shape))

    def slope(self, y: Array, out: Array) -> Array:
        """Write y ⊙ (1 − y)."""
        np.subtract(1.0, y, out=out)
        return np.multiply(out, y, out=out)


class Tanh(_Activation):
    """``y = tanh x``; ``dx = dy ⊙ (1 − y ⊙ y)``."""

    def forward(self, *arrays: Array) -> Array:
        """Apply tanh."""
        return np.tanh(arrays[0], out=self.buffer("y", arrays[0].shape))

    def slope(self, y: Array, out: Array) -> Array:
        """Write 1 − y ⊙ y."""
        np.multiply(y, y, out=out)
        return np.subtract(1.0, out, out=out)
