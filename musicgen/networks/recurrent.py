"""The stacked recurrent network: symbols embedded, or frames → L recurrent layers → dense."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

import numpy as np
import numpy.typing as npt

from musicgen.engine import (
    Array,
    Dense,
    Dropout,
    Embedding,
    Graph,
    Input,
    Node,
    Parameter,
    Shape,
    Value,
    glorot_uniform,
)
from musicgen.networks.architecture import HEADS, Architecture
from musicgen.networks.sequence import SequenceNetwork, initial_recurrent, recurrent_shapes
from musicgen.networks.stepper import GraphStepper, KernelStepper, Stepper
from musicgen.networks.unrolled import Unrolled
from musicgen.networks.weights import check_weights

__all__ = ["Network"]


class Network(SequenceNetwork):
    """The weights of a stacked recurrent network, and the graphs that use them.

    Parameters
    ----------
    architecture
        Its shape.
    weights
        Arrays by name, as `initialise` makes them and `weights` returns them.

    Raises
    ------
    ModelError
        When a weight is missing, too many, or of another shape.
    """

    def __init__(self, architecture: Architecture, weights: Mapping[str, Array]) -> None:
        check_weights(_shapes(architecture), weights)
        self.architecture = architecture
        self.parameters = {name: Parameter(name, weights[name]) for name in _shapes(architecture)}
        self.dtype = self.parameters["dense.b"].value.dtype

    @classmethod
    def initialise(
        cls,
        architecture: Architecture,
        rng: np.random.Generator,
        dtype: npt.DTypeLike = np.float32,
    ) -> Self:
        """Make a network with fresh weights.

        The embedding is drawn from a normal distribution, the last layer's product as Glorot and
        Bengio have it, the recurrent layers' weights as their cell has them.
        """
        a = architecture
        weights = {}
        if a.head == "categorical":
            embedding = rng.standard_normal((a.size, a.embedding_size)).astype(dtype)
            weights["embedding.W"] = embedding
        weights |= initial_recurrent(a, rng, dtype)
        weights["dense.W"] = glorot_uniform(rng, (a.hidden_size, a.size), dtype)
        weights["dense.b"] = np.zeros(a.size, dtype)
        return cls(architecture, weights)

    def unroll(
        self,
        T: int,
        B: int,
        *,
        dropout: float = 0.0,
        weight_dropout: float = 0.0,
        rng: np.random.Generator | None = None,
    ) -> Unrolled:
        """Build the graph of `SequenceNetwork.unroll`; logits are ``(T, B, V)``, ``(T, B, D)``."""
        top, states = self._layers(T, B, dropout, weight_dropout, rng)
        weights = Input("weights", (T, B), self.dtype)
        cost = HEADS[self.architecture.head](top, self._input("targets", T, B), weights)
        return Unrolled(Graph(cost, top, *states.values()), states)

    def stepper(self, B: int = 1) -> Stepper:
        """Return a fresh function from one step of B sequences to the logits of the next.

        Weights that change afterwards are for the next stepper: this one may have laid out the old
        ones.
        """
        if (laid := KernelStepper.lay_out(self)) is not None:
            return KernelStepper(self, B, laid)
        top, states = self._layers(1, B)
        return GraphStepper(Unrolled(Graph(top, *states.values()), states))

    def _input(self, name: str, T: int, B: int) -> Input:
        if self.architecture.head == "categorical":
            return Input(name, (T, B), np.int32)
        return Input(name, (T, B, self.architecture.size), self.dtype)

    def _layers(
        self,
        T: int,
        B: int,
        dropout: float = 0.0,
        weight_dropout: float = 0.0,
        rng: np.random.Generator | None = None,
    ) -> tuple[Node, dict[Input, Value]]:
        a, weight = self.architecture, self.parameters
        x: Node = self._input("inputs", T, B)
        if a.head == "categorical":
            x = Embedding(x, weight["embedding.W"], name="embedding")
        y, states = self.read(x, dropout, weight_dropout, rng)
        if dropout:
            assert rng is not None
            y = Dropout(y, dropout, rng, name="dropout").output
        top = Dense(y, weight["dense.W"], weight["dense.b"], name="dense")
        return top, states


def _shapes(a: Architecture) -> dict[str, Shape]:
    shapes: dict[str, Shape] = {}
    if a.head == "categorical":
        shapes["embedding.W"] = (a.size, a.embedding_size)
    shapes |= recurrent_shapes(a)
    return {**shapes, "dense.W": (a.hidden_size, a.size), "dense.b": (a.size,)}
