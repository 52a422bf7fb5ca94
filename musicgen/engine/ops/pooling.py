"""Coarser and finer grids, channels last."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from musicgen.engine.node import Array, Node, Shape, Value
from musicgen.engine.ops.windows import Windows, spread

__all__ = [
    "AveragePool1D",
    "AveragePool2D",
    "MaxPool1D",
    "MaxPool2D",
    "UpSampling1D",
    "UpSampling2D",
]


class _Pool(Node):
    """One number for each window and channel. Windows lie within x; what is left over is unread."""

    _axes: ClassVar[int]

    def __init__(
        self,
        x: Value | Node,
        size: int | tuple[int, ...],
        stride: int | tuple[int, ...] | None = None,
        name: str = "",
    ) -> None:
        self._size, self._stride = size, size if stride is None else stride
        super().__init__(x, name=name)

    def infer(self, *shapes: Shape) -> Shape:
        """Return ``(B, …, C)`` with a place for each window."""
        (x,) = shapes
        axes = self._axes
        if len(x) != axes + 2:
            self.fail(f"x has shape {x}; expected {axes + 2} axes, (B, …, C)")
        sizes, strides = spread(self._size, axes), spread(self._stride, axes)
        for numbers in (sizes, strides):
            if len(numbers) != axes or min(numbers) < 1:
                self.fail(f"size or stride is {numbers}; expected {axes} of 1 or more")
        self._windows = Windows(x[1:-1], sizes, strides, (1,) * axes, "valid")
        if min(self._windows.counts) < 1:
            self.fail(f"a window of {sizes} does not fit into {x[1:-1]}")
        return (x[0], *self._windows.counts, x[-1])


class _MaxPool(_Pool):
    def forward(self, *arrays: Array) -> Array:
        """Find the greatest element of each window."""
        first, *others = self._windows.views(arrays[0])
        y = self.buffer("y", self.outputs[0].shape)
        np.copyto(y, first)
        for view in others:
            np.maximum(y, view, out=y)
        return y

    def _won(self) -> Iterator[Array]:
        """Yield for each place of the window where it holds the first of the greatest elements."""
        y = self.outputs[0].data
        free = np.ones(y.shape, bool)
        for view in self._windows.views(self.data[0]):
            greatest = view == y
            yield free & greatest
            free &= ~greatest

    def backward(self, *gradients: Array) -> Array:
        """Give dy to the greatest element."""
        dx = self.buffer("dx", self.inputs[0].shape)
        dx[...] = 0
        for won, view in zip(self._won(), self._windows.views(dx), strict=True):
            view += won * gradients[0]
        return dx

    def tangent(self, *directions: Array) -> Array:
        """Pick the direction of the greatest element."""
        views = self._windows.views(directions[0])
        return np.sum([won * dx for won, dx in zip(self._won(), views, strict=True)], axis=0)


class _AveragePool(_Pool):
    def forward(self, *arrays: Array) -> Array:
        """Average each window."""
        y = self.buffer("y", self.outputs[0].shape)
        y[...] = 0
        for view in self._windows.views(arrays[0]):
            np.add(y, view, out=y)
        return np.divide(y, self._windows.places, out=y)

    def backward(self, *gradients: Array) -> Array:
        """Give each of k elements dy / k."""
        dx, share = self.buffer("dx", self.inputs[0].shape), gradients[0] / self._windows.places
        dx[...] = 0
        for view in self._windows.views(dx):
            view += share
        return dx

    def tangent(self, *directions: Array) -> Array:
        """Average the direction."""
        return np.mean(self._windows.views(directions[0]), axis=0)


class MaxPool1D(_MaxPool):
    """``y_{b,p,c} = max_i x_{b, p·stride + i, c}`` for ``0 ≤ i < size``.

    The gradient goes to the greatest element, the first of several that are equal.

    Parameters
    ----------
    x
        Shape ``(B, L, C)``.
    size
        Length of a window.
    stride
        Step from one window to the next; the size by default.
    """

    _axes = 1


class MaxPool2D(_MaxPool):
    """The greatest element of each window, as `MaxPool1D` over two axes.

    Parameters
    ----------
    x
        Shape ``(B, Y, X, C)``.
    size, stride
        One number, or one for each axis.
    """

    _axes = 2


class AveragePool1D(_AveragePool):
    """``y_{b,p,c} = Σ_i x_{b, p·stride + i, c} / size`` for ``0 ≤ i < size``.

    Each element's gradient is the sum of ``dy / size`` over the windows that it lies in.

    Parameters
    ----------
    x
        Shape ``(B, L, C)``.
    size
        Length of a window.
    stride
        Step from one window to the next; the size by default.
    """

    _axes = 1


class AveragePool2D(_AveragePool):
    """The mean of each window, as `AveragePool1D` over two axes.

    Parameters
    ----------
    x
        Shape ``(B, Y, X, C)``.
    size, stride
        One number, or one for each axis.
    """

    _axes = 2


class _UpSampling(Node):
    """x with an axis of length 1 behind each that is to grow, repeated along these."""

    _axes: ClassVar[int]

    def __init__(self, x: Value | Node, size: int | tuple[int, ...], name: str = "") -> None:
        self._size = size
        super().__init__(x, name=name)

    def infer(self, *shapes: Shape) -> Shape:
        """Return ``(B, …, C)`` with the lengths multiplied."""
        (x,) = shapes
        axes = self._axes
        if len(x) != axes + 2:
            self.fail(f"x has shape {x}; expected {axes + 2} axes, (B, …, C)")
        sizes = spread(self._size, axes)
        if len(sizes) != axes or min(sizes) < 1:
            self.fail(f"size is {sizes}; expected {axes} of 1 or more")
        pairs = list(zip(x[1:-1], sizes, strict=True))
        self._narrow = (x[0], *(m for n, _ in pairs for m in (n, 1)), x[-1])
        self._wide = (x[0], *(m for pair in pairs for m in pair), x[-1])
        return (x[0], *(n * size for n, size in pairs), x[-1])

    def forward(self, *arrays: Array) -> Array:
        """Repeat."""
        y = self.buffer("y", self.outputs[0].shape)
        np.copyto(y.reshape(self._wide), arrays[0].reshape(self._narrow))
        return y

    def backward(self, *gradients: Array) -> Array:
        """Add up what was repeated."""
        repeated = tuple(range(2, len(self._wide) - 1, 2))
        dx = self.buffer("dx", self.inputs[0].shape)
        return np.sum(gradients[0].reshape(self._wide), axis=repeated, out=dx)

    def tangent(self, *directions: Array) -> Array:
        """Repeat the direction."""
        (dx,) = directions
        wide = np.broadcast_to(dx.reshape(len(dx), *self._narrow), (len(dx), *self._wide))
        return wide.reshape(len(dx), *self.outputs[0].shape)


class UpSampling1D(_UpSampling):
    """``y_{b,p,c} = x_{b, ⌊p/size⌋, c}``: every place `size` times; ``dx`` sums dy over them.

    Parameters
    ----------
    x
        Shape ``(B, L, C)``.
    size
        How often.
    """

    _axes = 1


class UpSampling2D(_UpSampling):
    """Every place several times, as `UpSampling1D` over two axes.

    Parameters
    ----------
    x
        Shape ``(B, Y, X, C)``.
    size
        One number, or one for each axis.
    """

    _axes = 2
