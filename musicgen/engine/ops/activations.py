"""Functions of one array that keep its shape."""

from __future__ import annotations

import numpy as np

from musicgen.engine.node import Array, Node, Shape

__all__ = [
    "Arctan",
    "Exp",
    "Identity",
    "Log",
    "LogSoftmax",
    "ReLU",
    "Sigmoid",
    "Softmax",
    "Step",
    "Tanh",
    "sigmoid",
    "softmax",
]


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


def softmax(x: Array, out: Array) -> Array:
    """Compute e^{x_j} / Σ_k e^{x_k} along the last axis, from x − max x, which cannot overflow.

    Parameters
    ----------
    x
        Shape ``(…, n)``.
    out
        Where the result goes; may be `x`.
    """
    np.subtract(x, np.max(x, axis=-1, keepdims=True), out=out)
    np.exp(out, out=out)
    return np.divide(out, np.sum(out, axis=-1, keepdims=True), out=out)


class _Activation(Node):
    """One input, one output of the same shape, and a slope for each element."""

    def infer(self, *shapes: Shape) -> Shape:
        """Keep the shape."""
        if len(shapes) != 1:
            self.fail(f"has {len(shapes)} inputs; expected 1")
        return shapes[0]

    def slope(self, out: Array) -> Array:
        """Write ∂y/∂x to `out`, from the last pass."""
        raise NotImplementedError

    def backward(self, *gradients: Array) -> Array:
        """Return dy ⊙ ∂y/∂x."""
        dx = self.slope(self.buffer("dx", self.outputs[0].shape))
        return np.multiply(dx, gradients[0], out=dx)

    def tangent(self, *directions: Array) -> Array:
        """Return dx ⊙ ∂y/∂x."""
        return self.slope(np.empty_like(self.outputs[0].data)) * directions[0]


class Identity(_Activation):
    """``y = x``; ``dx = dy``."""

    def forward(self, *arrays: Array) -> Array:
        """Return x itself."""
        return arrays[0]

    def backward(self, *gradients: Array) -> Array:
        """Return dy itself."""
        return gradients[0]

    def tangent(self, *directions: Array) -> Array:
        """Return dx itself."""
        return directions[0]


class Sigmoid(_Activation):
    """``y = 1/(1 + e^−x)``; ``dx = dy ⊙ y ⊙ (1 − y)`` (report, section 3.4)."""

    def forward(self, *arrays: Array) -> Array:
        """Apply σ."""
        return sigmoid(arrays[0], self.buffer("y", arrays[0].shape))

    def slope(self, out: Array) -> Array:
        """Write y ⊙ (1 − y)."""
        y = self.outputs[0].data
        np.subtract(1.0, y, out=out)
        return np.multiply(out, y, out=out)


class Tanh(_Activation):
    """``y = tanh x``; ``dx = dy ⊙ (1 − y ⊙ y)`` (report, section 3.4)."""

    def forward(self, *arrays: Array) -> Array:
        """Apply tanh."""
        return np.tanh(arrays[0], out=self.buffer("y", arrays[0].shape))

    def slope(self, out: Array) -> Array:
        """Write 1 − y ⊙ y."""
        y = self.outputs[0].data
        np.multiply(y, y, out=out)
        return np.subtract(1.0, out, out=out)


class ReLU(_Activation):
    """``y = max(0, x)``; ``dx = dy ⊙ 1[x > 0]``.

    The report (section 3.4) has ``1[x ≥ 0]``, which differs at 0 only; as everywhere today, the
    slope there is 0.
    """

    def forward(self, *arrays: Array) -> Array:
        """Cut off what is negative."""
        return np.maximum(arrays[0], 0, out=self.buffer("y", arrays[0].shape))

    def slope(self, out: Array) -> Array:
        """Write 1[x > 0]."""
        return np.greater(self.data[0], 0, out=out, casting="unsafe")


class Arctan(_Activation):
    """``y = arctan x``; ``dx = dy / (1 + x²)`` (report, chapter 1)."""

    def forward(self, *arrays: Array) -> Array:
        """Apply arctan."""
        return np.arctan(arrays[0], out=self.buffer("y", arrays[0].shape))

    def slope(self, out: Array) -> Array:
        """Write 1 / (1 + x²)."""
        x = self.data[0]
        np.multiply(x, x, out=out)
        np.add(out, 1.0, out=out)
        return np.reciprocal(out, out=out)


class Step(_Activation):
    """Heaviside's step: ``y = 1[x ≥ 0]``, the perceptron's activation (report, chapter 1).

    Its slope is 0 wherever it has one, so that no gradient passes.
    """

    def forward(self, *arrays: Array) -> Array:
        """Compare with 0."""
        out = self.buffer("y", arrays[0].shape)
        return np.greater_equal(arrays[0], 0, out=out, casting="unsafe")

    def slope(self, out: Array) -> Array:
        """Write 0."""
        out[...] = 0
        return out


class Exp(_Activation):
    """``y = e^x``; ``dx = dy ⊙ y``."""

    def forward(self, *arrays: Array) -> Array:
        """Apply exp."""
        return np.exp(arrays[0], out=self.buffer("y", arrays[0].shape))

    def slope(self, out: Array) -> Array:
        """Write y."""
        np.copyto(out, self.outputs[0].data)
        return out


class Log(_Activation):
    """``y = log x``, the natural logarithm; ``dx = dy / x``."""

    def forward(self, *arrays: Array) -> Array:
        """Apply log."""
        return np.log(arrays[0], out=self.buffer("y", arrays[0].shape))

    def slope(self, out: Array) -> Array:
        """Write 1 / x."""
        return np.reciprocal(self.data[0], out=out)


class Softmax(_Activation):
    """``y_j = e^{x_j} / Σ_k e^{x_k}`` along the last axis.

    ``dx = y ⊙ (dy − Σ_k y_k dy_k)`` (report, section 3.4).
    """

    def forward(self, *arrays: Array) -> Array:
        """Normalise the exponentials."""
        return softmax(arrays[0], self.buffer("y", arrays[0].shape))

    def backward(self, *gradients: Array) -> Array:
        """Return y ⊙ (dy − Σ_k y_k dy_k)."""
        (dy,) = gradients
        y = self.outputs[0].data
        dx = np.multiply(y, dy, out=self.buffer("dx", y.shape))
        np.subtract(dy, np.sum(dx, axis=-1, keepdims=True), out=dx)
        return np.multiply(dx, y, out=dx)

    def tangent(self, *directions: Array) -> Array:
        """Return y ⊙ (dx − Σ_k y_k dx_k): the Jacobian is symmetric."""
        y = self.outputs[0].data
        return y * (directions[0] - np.sum(y * directions[0], axis=-1, keepdims=True))


class LogSoftmax(_Activation):
    """``y_j = x_j − log Σ_k e^{x_k}`` along the last axis; ``dx = dy − e^y Σ_k dy_k``."""

    def forward(self, *arrays: Array) -> Array:
        """Subtract the logarithm of the sum of exponentials."""
        (x,) = arrays
        y, p = self.buffer("y", x.shape), self.buffer("e^y", x.shape)
        np.subtract(x, np.max(x, axis=-1, keepdims=True), out=y)
        np.exp(y, out=p)
        total = np.sum(p, axis=-1, keepdims=True)
        np.divide(p, total, out=p)
        return np.subtract(y, np.log(total), out=y)

    def backward(self, *gradients: Array) -> Array:
        """Return dy − e^y Σ_k dy_k."""
        (dy,) = gradients
        p = self.buffer("e^y", dy.shape)
        dx = np.multiply(p, np.sum(dy, axis=-1, keepdims=True), out=self.buffer("dx", dy.shape))
        return np.subtract(dy, dx, out=dx)

    def tangent(self, *directions: Array) -> Array:
        """Return dx_j − Σ_k e^{y_k} dx_k."""
        p = self.buffer("e^y", self.outputs[0].shape)
        return directions[0] - np.sum(p * directions[0], axis=-1, keepdims=True)
