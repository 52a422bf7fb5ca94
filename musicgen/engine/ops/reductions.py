"""Sums over axes."""

from __future__ import annotations

import math

import numpy as np

from musicgen.engine.node import Array, Node, Shape, Value

__all__ = ["Mean", "SquaredNorm", "Sum"]


class Sum(Node):
    """``y = Σ x`` over some axes, or over all; every element's gradient is dy.

    Parameters
    ----------
    x
        Any shape.
    axes
        Axes that disappear; all by default.
    """

    def __init__(
        self, x: Value | Node, axes: tuple[int, ...] | None = None, name: str = ""
    ) -> None:
        self._wanted = axes
        super().__init__(x, name=name)

    def infer(self, *shapes: Shape) -> Shape:
        """Drop the axes."""
        (shape,) = shapes
        wanted = range(len(shape)) if self._wanted is None else self._wanted
        if not all(-len(shape) <= axis < len(shape) for axis in wanted):
            self.fail(f"axes {self._wanted} do not lie within shape {shape}")
        self._axes = tuple(axis % len(shape) for axis in wanted)
        self._kept = tuple(1 if i in self._axes else n for i, n in enumerate(shape))
        return tuple(n for i, n in enumerate(shape) if i not in self._axes)

    @property
    def _factor(self) -> float:
        return 1.0

    def forward(self, *arrays: Array) -> Array:
        """Add up."""
        y = np.sum(arrays[0], axis=self._axes, out=self.buffer("y", self.outputs[0].shape))
        return np.multiply(y, self._factor, out=y)

    def backward(self, *gradients: Array) -> Array:
        """Spread dy over the axes."""
        dy = gradients[0].reshape(self._kept)
        return np.multiply(dy, self._factor, out=self.buffer("dx", self.inputs[0].shape))

    def tangent(self, *directions: Array) -> Array:
        """Return the same sum of dx."""
        return self._factor * directions[0].sum(axis=tuple(axis + 1 for axis in self._axes))


class Mean(Sum):
    """``y = Σ x / N`` over some axes of N elements together, or over all.

    Parameters
    ----------
    x
        Any shape.
    axes
        Axes that disappear; all by default.
    """

    @property
    def _factor(self) -> float:
        return math.prod(self.outputs[0].shape) / math.prod(self.inputs[0].shape)


class SquaredNorm(Node):
    """``y = ‖x‖² = Σ x ⊙ x``; ``dx = 2 dy x`` (report, section 3.4)."""

    def infer(self, *shapes: Shape) -> Shape:
        """Return the shape of a number."""
        return ()

    def forward(self, *arrays: Array) -> Array:
        """Add up the squares."""
        return np.asarray(np.vdot(arrays[0], arrays[0]), self.outputs[0].dtype)

    def backward(self, *gradients: Array) -> Array:
        """Return 2 dy x."""
        (x,) = self.data
        return np.multiply(x, 2 * gradients[0], out=self.buffer("dx", x.shape))

    def tangent(self, *directions: Array) -> Array:
        """Return 2 Σ x ⊙ dx."""
        (dx,) = directions
        return 2 * (self.data[0] * dx).sum(axis=tuple(range(1, dx.ndim)))
