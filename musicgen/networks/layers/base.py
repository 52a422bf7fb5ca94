"""What the descriptions of layers share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

from numpy.random import Generator
from numpy.typing import DTypeLike

from musicgen import engine
from musicgen.engine import Array, Node, Parameter, Shape
from musicgen.errors import ModelError

__all__ = ["ACTIVATIONS", "Initialiser", "Layer", "Weights", "activate", "channels"]

Initialiser = Callable[[Generator, Shape, DTypeLike], Array]
Weights = Mapping[str, Parameter]

ACTIVATIONS: dict[str, type[Node]] = {
    "arctan": engine.Arctan,
    "identity": engine.Identity,
    "relu": engine.ReLU,
    "sigmoid": engine.Sigmoid,
    "softmax": engine.Softmax,
    "tanh": engine.Tanh,
}


class Layer:
    """A layer of a feed-forward network. An own one is a subclass that says what it builds.

    Attributes
    ----------
    frozen
        Names of the weights that no optimiser changes.

    Examples
    --------
    >>> import numpy as np
    >>> class Scale(Layer):
    ...     '''y = x ⊙ s.'''
    ...
    ...     def initial_weights(self, rng, shape, dtype):
    ...         return {"s": np.ones(shape[-1:], dtype)}
    ...
    ...     def build(self, x, weights, training, rng):
    ...         return engine.Multiply(x, weights["s"])
    >>> from musicgen.networks import Sequential
    >>> Sequential((3,), [Scale()]).predict([[1, 2, 3]])
    array([[1., 2., 3.]], dtype=float32)
    """

    frozen: ClassVar[tuple[str, ...]] = ()

    def initial_weights(self, rng: Generator, shape: Shape, dtype: DTypeLike) -> dict[str, Array]:
        """Draw fresh weights for inputs of this shape; by default none are needed."""
        return {}

    def build(self, x: Node, weights: Weights, training: bool, rng: Generator) -> Node:
        """Return the output as a node.

        Parameters
        ----------
        x
            The input, ``(B, …)``.
        weights
            By the names of `initial_weights`.
        training
            Whether the graph is for training.
        rng
            Source of what a graph for training draws.
        """
        raise NotImplementedError(f"{type(self).__name__}.build")


def activate(x: Node, activation: str) -> Node:
    """Return the activation of that name.

    Raises
    ------
    ModelError
        When there is none.
    """
    if activation not in ACTIVATIONS:
        known = ", ".join(ACTIVATIONS)
        raise ModelError(f"no activation is called {activation!r}; there are: {known}")
    return ACTIVATIONS[activation](x)


def channels(layer: Layer, shape: Shape) -> int:
    """Return the length of the last axis of a layer's input.

    Raises
    ------
    ModelError
        When it has no axis but the batch's.
    """
    if not shape:
        raise ModelError(f"{layer} needs an axis of channels; its input has only the batch's")
    return shape[-1]
