"""Layers with weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.random import Generator
from numpy.typing import DTypeLike

from musicgen import engine
from musicgen.engine import Array, Node, Shape, glorot_uniform, uniform
from musicgen.networks.layers.base import Initialiser, Layer, Weights, activate, channels

__all__ = ["BatchNormalization", "Conv1D", "Conv2D", "Dense", "Embedding"]


@dataclass(frozen=True)
class Dense(Layer):
    """``activation(x W + b)`` over the last axis.

    Attributes
    ----------
    units
        Length of the last axis of the output.
    activation
        A key of `ACTIVATIONS`.
    initialiser
        Draws W; b starts at 0.
    """

    units: int
    activation: str = "identity"
    initialiser: Initialiser = glorot_uniform

    def initial_weights(self, rng: Generator, shape: Shape, dtype: DTypeLike) -> dict[str, Array]:
        """Draw W ``(D, M)`` and b ``(M,)``."""
        W = self.initialiser(rng, (channels(self, shape), self.units), dtype)
        return {"W": W, "b": np.zeros(self.units, dtype)}

    def build(self, x: Node, weights: Weights, training: bool, rng: Generator) -> Node:
        """Return the activation of the product."""
        return activate(engine.Dense(x, weights["W"], weights["b"]), self.activation)


@dataclass(frozen=True)
class _Convolution(Layer):
    filters: int
    size: int | tuple[int, ...]
    stride: int | tuple[int, ...] = 1
    dilation: int | tuple[int, ...] = 1
    padding: str = "valid"
    activation: str = "identity"
    initialiser: Initialiser = glorot_uniform

    _node: ClassVar[type[engine.Conv1D | engine.Conv2D]]
    _axes: ClassVar[int]

    def initial_weights(self, rng: Generator, shape: Shape, dtype: DTypeLike) -> dict[str, Array]:
        """Draw W ``(k, …, C, F)`` and b ``(F,)``."""
        window = (self.size,) * self._axes if isinstance(self.size, int) else self.size
        W = self.initialiser(rng, (*window, channels(self, shape), self.filters), dtype)
        return {"W": W, "b": np.zeros(self.filters, dtype)}

    def build(self, x: Node, weights: Weights, training: bool, rng: Generator) -> Node:
        """Return the activation of the convolution."""
        settings = self.stride, self.dilation, self.padding
        return activate(self._node(x, weights["W"], weights["b"], *settings), self.activation)


class Conv1D(_Convolution):
    """Convolution of ``(L, C)``.

    Attributes
    ----------
    filters
        F: channels of the output.
    size
        k: length of the kernel.
    stride, dilation, padding
        As the engine's node has them.
    activation
        A key of `ACTIVATIONS`.
    initialiser
        Draws W; b starts at 0.
    """

    _node, _axes = engine.Conv1D, 1


class Conv2D(_Convolution):
    """Convolution of ``(Y, X, C)``, as `Conv1D`; size and steps are one number or a pair."""

    _node, _axes = engine.Conv2D, 2


@dataclass(frozen=True)
class Embedding(Layer):
    """A vector for each integer; stands first in a network, which then reads integers.

    Attributes
    ----------
    symbols
        V: the integers are 0 to V − 1.
    size
        D: length of a vector.
    initialiser
        Draws W ``(V, D)``.
    """

    symbols: int
    size: int
    initialiser: Initialiser = uniform

    def initial_weights(self, rng: Generator, shape: Shape, dtype: DTypeLike) -> dict[str, Array]:
        """Draw W."""
        return {"W": self.initialiser(rng, (self.symbols, self.size), dtype)}

    def build(self, x: Node, weights: Weights, training: bool, rng: Generator) -> Node:
        """Return rows of W."""
        return engine.Embedding(x, weights["W"])


@dataclass(frozen=True)
class BatchNormalization(Layer):
    """Channels normalised over the batch while training, by running moments otherwise.

    Attributes
    ----------
    momentum, epsilon
        As the engine's node has them.
    """

    momentum: float = 0.99
    epsilon: float = 1e-3

    frozen = "mean", "variance"

    def initial_weights(self, rng: Generator, shape: Shape, dtype: DTypeLike) -> dict[str, Array]:
        """Start with mean 0 and deviation 1."""
        starts = {"gamma": 1, "beta": 0, "mean": 0, "variance": 1}
        return {k: np.full(channels(self, shape), start, dtype) for k, start in starts.items()}

    def build(self, x: Node, weights: Weights, training: bool, rng: Generator) -> Node:
        """Return the normalised channels."""
        return engine.BatchNormalization(
            x,
            weights["gamma"],
            weights["beta"],
            weights["mean"],
            weights["variance"],
            training=training,
            momentum=self.momentum,
            epsilon=self.epsilon,
        )
