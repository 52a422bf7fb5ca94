"""The stacked recurrent network: symbols embedded, or frames → L recurrent layers → dense."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from musicgen.engine import (
    GRU,
    LSTM,
    Array,
    Dense,
    Dropout,
    Elman,
    Embedding,
    Graph,
    Input,
    Node,
    Parameter,
    Recurrent,
    SigmoidCrossEntropy,
    SoftmaxCrossEntropy,
    SquaredError,
    Value,
    glorot_uniform,
    initial_stack,
    stack,
)
from musicgen.errors import ModelError
from musicgen.networks.stepper import GraphStepper, KernelStepper, Stepper
from musicgen.networks.weights import Weighted, check_weights

__all__ = ["CELLS", "HEADS", "Architecture", "Network", "Unrolled"]

CELLS: dict[str, type[Recurrent]] = {"lstm": LSTM, "gru": GRU, "elman": Elman}

# What is predicted of the next step, and what a wrong prediction costs.
HEADS: dict[str, type[Node]] = {
    "categorical": SoftmaxCrossEntropy,
    "bernoulli": SigmoidCrossEntropy,
    "gaussian": SquaredError,
}


@dataclass(frozen=True, slots=True)
class Architecture:
    """The shape of a network.

    Attributes
    ----------
    size
        Symbols of the vocabulary, V, or channels of a frame, D.
    head
        A key of `HEADS`: ``"categorical"`` reads symbols and predicts the next one, the others read
        frames.
    hidden_size
        Units of a recurrent layer, H.
    num_layers
        Recurrent layers, L.
    cell
        A key of `CELLS`.
    embedding_size
        Length of the vector that stands for a symbol; without meaning for frames.
    """

    size: int
    head: str = "categorical"
    hidden_size: int = 256
    num_layers: int = 2
    cell: str = "lstm"
    embedding_size: int = 64

    def __post_init__(self) -> None:
        if self.cell not in CELLS:
            raise ModelError(f"no cell is called {self.cell!r}; there are: {', '.join(CELLS)}")
        if self.head not in HEADS:
            raise ModelError(f"no head is called {self.head!r}; there are: {', '.join(HEADS)}")
        for name in ("size", "hidden_size", "num_layers", "embedding_size"):
            if getattr(self, name) < 1:
                raise ModelError(f"{name} is {getattr(self, name)}; expected 1 or more")

    @property
    def input_size(self) -> int:
        """Numbers that the first recurrent layer reads a step."""
        return self.embedding_size if self.head == "categorical" else self.size


class Network(Weighted):
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
        layers = initial_stack(
            CELLS[a.cell], rng, a.input_size, a.hidden_size, a.num_layers, dtype=dtype
        )
        weights |= {f"recurrent.{name}": array for name, array in layers.items()}
        weights["dense.W"] = glorot_uniform(rng, (a.hidden_size, a.size), dtype)
        weights["dense.b"] = np.zeros(a.size, dtype)
        return cls(architecture, weights)

    def unroll(
        self,
        T: int,
        B: int,
        *,
        dropout: float = 0.0,
        rng: np.random.Generator | None = None,
    ) -> Unrolled:
        """Build the graph of T steps of B sequences, with the cost of predicting each step.

        Its inputs are ``inputs`` and ``targets``, symbols ``(T, B)`` or frames ``(T, B, D)``, and
        ``weights`` ``(T, B)``; its outputs the cost and the logits ``(T, B, V)`` or ``(T, B, D)``.

        Parameters
        ----------
        T, B
            Steps and sequences.
        dropout
            Share of each recurrent layer's outputs that is dropped; for training only.
        rng
            Source of the dropout masks.
        """
        top, states = self._layers(T, B, dropout, rng)
        weights = Input("weights", (T, B), self.dtype)
        cost = HEADS[self.architecture.head](top, self._input("targets", T, B), weights)
        return Unrolled(Graph(cost, top, *states.values()), states)

    def stepper(self, B: int = 1) -> Stepper:
        """Return a fresh function from one step of B sequences to the logits of the next."""
        if KernelStepper.suits(self):
            return KernelStepper(self, B)
        top, states = self._layers(1, B, 0.0, None)
        return GraphStepper(Unrolled(Graph(top, *states.values()), states))

    def _input(self, name: str, T: int, B: int) -> Input:
        if self.architecture.head == "categorical":
            return Input(name, (T, B), np.int32)
        return Input(name, (T, B, self.architecture.size), self.dtype)

    def _layers(
        self, T: int, B: int, dropout: float, rng: np.random.Generator | None
    ) -> tuple[Node, dict[Input, Value]]:
        a, weight = self.architecture, self.parameters
        layer = CELLS[a.cell]
        x: Node = self._input("inputs", T, B)
        if a.head == "categorical":
            x = Embedding(x, weight["embedding.W"], name="embedding")
        initial = {
            f"{i}.{state}": Input(f"recurrent.{i}.{state}_0", (B, a.hidden_size), self.dtype)
            for i in range(a.num_layers)
            for state in layer.cell.states
        }
        own = {
            name.removeprefix("recurrent."): parameter
            for name, parameter in weight.items()
            if name.startswith("recurrent.")
        }
        y, finals = stack(layer, x, initial, own, dropout=dropout, rng=rng)
        if dropout:
            assert rng is not None
            y = Dropout(y, dropout, rng, name="dropout").output
        top = Dense(y, weight["dense.W"], weight["dense.b"], name="dense")
        return top, {initial[name]: final for name, final in finals.items()}


class Unrolled:
    """A graph over T steps whose final states can become its initial states.

    Attributes
    ----------
    graph
        Its first output is the cost, or the logits.
    """

    def __init__(self, graph: Graph, states: Mapping[Input, Value]) -> None:
        self.graph = graph
        self._states = states

    def forward(self, feeds: Mapping[str, Any]) -> Array:
        """Run the graph and return its first output."""
        return self.graph.forward(feeds)[0]

    def carry(self) -> None:
        """Let the next pass start in the states in which the last one ended."""
        for initial, final in self._states.items():
            np.copyto(initial.output.data, final.data)

    def reset(self, rows: npt.NDArray[np.bool_] | slice = slice(None)) -> None:
        """Let these sequences, or all, start from zero in the next pass.

        Parameters
        ----------
        rows
            ``(B,)``.
        """
        for initial in self._states:
            initial.output.data[rows] = 0

    def select(self, rows: npt.NDArray[np.intp]) -> None:
        """Let sequence i of the next pass go on from where sequence ``rows[i]`` would have.

        Parameters
        ----------
        rows
            ``(B,)``; a row may occur several times.
        """
        for initial in self._states:
            initial.output.data[...] = initial.output.data[rows]

    def states(self) -> dict[str, Array]:
        """Return the arrays ``(B, H)`` in which the next pass starts, by name; not copied."""
        return {initial.name: initial.output.data for initial in self._states}


def _shapes(a: Architecture) -> dict[str, tuple[int, ...]]:
    cell, H = CELLS[a.cell].cell, a.hidden_size
    shapes: dict[str, tuple[int, ...]] = {}
    if a.head == "categorical":
        shapes["embedding.W"] = (a.size, a.embedding_size)
    for i in range(a.num_layers):
        own = cell.weight_shapes(H if i else a.input_size, H)
        shapes.update({f"recurrent.{i}.{name}": shape for name, shape in own.items()})
    return {**shapes, "dense.W": (H, a.size), "dense.b": (a.size,)}
