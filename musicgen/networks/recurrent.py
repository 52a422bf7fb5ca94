"""The stacked recurrent network: embed → L recurrent layers → dense."""

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
    SoftmaxCrossEntropy,
    Value,
    glorot_uniform,
    initial_stack,
    stack,
)
from musicgen.errors import ModelError

__all__ = ["CELLS", "Architecture", "Network", "Unrolled"]

CELLS: dict[str, type[Recurrent]] = {"lstm": LSTM, "gru": GRU, "elman": Elman}


@dataclass(frozen=True, slots=True)
class Architecture:
    """The shape of a network.

    Attributes
    ----------
    symbols
        Size of the vocabulary, V.
    hidden_size
        Units of a recurrent layer, H.
    num_layers
        Recurrent layers, L.
    cell
        A key of `CELLS`.
    embedding_size
        Length of the vector that stands for a symbol, D.
    """

    symbols: int
    hidden_size: int = 256
    num_layers: int = 2
    cell: str = "lstm"
    embedding_size: int = 64

    def __post_init__(self) -> None:
        if self.cell not in CELLS:
            raise ModelError(f"no cell is called {self.cell!r}; there are: {', '.join(CELLS)}")
        for name in ("symbols", "hidden_size", "num_layers", "embedding_size"):
            if getattr(self, name) < 1:
                raise ModelError(f"{name} is {getattr(self, name)}; expected 1 or more")


class Network:
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
        shapes = _shapes(architecture)
        if shapes.keys() != weights.keys():
            odd = ", ".join(sorted(shapes.keys() ^ weights.keys()))
            raise ModelError(f"the weights do not fit the architecture: {odd}")
        for name, shape in shapes.items():
            if weights[name].shape != shape:
                raise ModelError(f"weight {name} is {weights[name].shape}; expected {shape}")
        self.architecture = architecture
        self.parameters = {name: Parameter(name, weights[name]) for name in shapes}
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
        embedding = rng.standard_normal((a.symbols, a.embedding_size)).astype(dtype)
        layers = initial_stack(
            CELLS[a.cell], rng, a.embedding_size, a.hidden_size, a.num_layers, dtype=dtype
        )
        weights = {
            "embedding.W": embedding,
            **{f"recurrent.{name}": array for name, array in layers.items()},
            "dense.W": glorot_uniform(rng, (a.hidden_size, a.symbols), dtype),
            "dense.b": np.zeros(a.symbols, dtype),
        }
        return cls(architecture, weights)

    @property
    def size(self) -> int:
        """Number of weights."""
        return sum(parameter.size for parameter in self.parameters.values())

    def weights(self) -> dict[str, Array]:
        """Return copies of all weights by name."""
        return {name: parameter.value.copy() for name, parameter in self.parameters.items()}

    def unroll(
        self,
        T: int,
        B: int,
        *,
        dropout: float = 0.0,
        rng: np.random.Generator | None = None,
    ) -> Unrolled:
        """Build the graph of T steps of B sequences, with the cost of predicting each symbol.

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
        targets = Input("targets", (T, B), np.int32)
        weights = Input("weights", (T, B), self.dtype)
        return Unrolled(Graph(SoftmaxCrossEntropy(top, targets, weights), *states.values()), states)

    def stepper(self) -> Stepper:
        """Return a fresh function that takes one symbol and returns the logits of the next."""
        top, states = self._layers(1, 1, 0.0, None)
        return Stepper(Unrolled(Graph(top, *states.values()), states))

    def _layers(
        self, T: int, B: int, dropout: float, rng: np.random.Generator | None
    ) -> tuple[Node, dict[Input, Value]]:
        a, weight = self.architecture, self.parameters
        layer = CELLS[a.cell]
        symbols = Input("symbols", (T, B), np.int32)
        x = Embedding(symbols, weight["embedding.W"], name="embedding")
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


class Stepper:
    """One symbol in, the logits ``(V,)`` of the next one out, the states kept."""

    def __init__(self, unrolled: Unrolled) -> None:
        self._unrolled = unrolled
        self._symbol = np.zeros((1, 1), np.int32)

    def __call__(self, symbol: int) -> Array:
        """Take a symbol and return the logits of the next; the array is reused."""
        self._symbol[0, 0] = symbol
        logits = self._unrolled.forward({"symbols": self._symbol})[0, 0]
        self._unrolled.carry()
        return logits

    def reset(self) -> None:
        """Forget all symbols."""
        self._unrolled.reset()


def _shapes(a: Architecture) -> dict[str, tuple[int, ...]]:
    cell, H = CELLS[a.cell].cell, a.hidden_size
    shapes: dict[str, tuple[int, ...]] = {"embedding.W": (a.symbols, a.embedding_size)}
    for i in range(a.num_layers):
        own = cell.weight_shapes(H if i else a.embedding_size, H)
        shapes.update({f"recurrent.{i}.{name}": shape for name, shape in own.items()})
    return {**shapes, "dense.W": (H, a.symbols), "dense.b": (a.symbols,)}
