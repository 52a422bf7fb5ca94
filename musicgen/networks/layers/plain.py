"""Layers without weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from numpy.random import Generator

from musicgen import engine
from musicgen.engine import Node, Shape
from musicgen.networks.layers.base import Layer, Weights, activate

__all__ = [
    "Activation",
    "AveragePool1D",
    "AveragePool2D",
    "Dropout",
    "Flatten",
    "MaxPool1D",
    "MaxPool2D",
    "Reshape",
    "UpSampling1D",
    "UpSampling2D",
]


@dataclass(frozen=True)
class Dropout(Layer):
    """Elements set to 0 by chance while training.

    Attributes
    ----------
    rate
        How many of all.
    """

    rate: float

    def build(self, x: Node, weights: Weights, training: bool, rng: Generator) -> Node:
        """Return x itself in a graph for evaluation."""
        return engine.Dropout(x, self.rate, rng) if training else x


@dataclass(frozen=True)
class Activation(Layer):
    """An activation by itself.

    Attributes
    ----------
    activation
        A key of `ACTIVATIONS`.
    """

    activation: str

    def build(self, x: Node, weights: Weights, training: bool, rng: Generator) -> Node:
        """Return the activation."""
        return activate(x, self.activation)


@dataclass(frozen=True)
class Reshape(Layer):
    """The same elements in another shape.

    Attributes
    ----------
    shape
        The new one; one length may be −1, which means what is left.
    """

    shape: Shape

    def build(self, x: Node, weights: Weights, training: bool, rng: Generator) -> Node:
        """Return the reshaped input."""
        return engine.Reshape(x, (x.output.shape[0], *self.shape))


class Flatten(Layer):
    """All axes in one."""

    def build(self, x: Node, weights: Weights, training: bool, rng: Generator) -> Node:
        """Return the flat input."""
        return engine.Flatten(x)


@dataclass(frozen=True)
class _Pool(Layer):
    size: int | tuple[int, ...]
    stride: int | tuple[int, ...] | None = None

    _node: ClassVar[
        type[engine.MaxPool1D | engine.MaxPool2D | engine.AveragePool1D | engine.AveragePool2D]
    ]

    def build(self, x: Node, weights: Weights, training: bool, rng: Generator) -> Node:
        """Return the pooled input."""
        return self._node(x, self.size, self.stride)


class MaxPool1D(_Pool):
    """The greatest element of each window of ``(L, C)``.

    Attributes
    ----------
    size
        Length of a window.
    stride
        Step from one window to the next; the size by default.
    """

    _node = engine.MaxPool1D


class MaxPool2D(_Pool):
    """As `MaxPool1D`, of ``(Y, X, C)``; size and stride are one number or a pair."""

    _node = engine.MaxPool2D


class AveragePool1D(_Pool):
    """The mean of each window of ``(L, C)``.

    Attributes
    ----------
    size
        Length of a window.
    stride
        Step from one window to the next; the size by default.
    """

    _node = engine.AveragePool1D


class AveragePool2D(_Pool):
    """As `AveragePool1D`, of ``(Y, X, C)``; size and stride are one number or a pair."""

    _node = engine.AveragePool2D


@dataclass(frozen=True)
class _UpSampling(Layer):
    size: int | tuple[int, ...]

    _node: ClassVar[type[engine.UpSampling1D | engine.UpSampling2D]]

    def build(self, x: Node, weights: Weights, training: bool, rng: Generator) -> Node:
        """Return the repeated input."""
        return self._node(x, self.size)


class UpSampling1D(_UpSampling):
    """Every place of ``(L, C)`` several times.

    Attributes
    ----------
    size
        How often.
    """

    _node = engine.UpSampling1D


class UpSampling2D(_UpSampling):
    """As `UpSampling1D`, of ``(Y, X, C)``; size is one number or a pair."""

    _node = engine.UpSampling2D
