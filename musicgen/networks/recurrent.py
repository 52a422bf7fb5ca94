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
    orthogonal,
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

        Products with inputs are drawn as Glorot and Bengio have it, products with the hidden
        state are orthogonal block by block, biases are 0 but for the LSTM's forget gate, whose
        bias starts at 1.
        """
        H = architecture.hidden_size
        weights: dict[str, Array] = {}
        for name, shape in _shapes(architecture).items():
            kind = name.rpartition(".")[2]
            if name == "embedding.W":
                weights[name] = rng.standard_normal(shape).astype(dtype)
            elif kind == "W_h":
                blocks = [orthogonal(rng, (H, H), dtype) for _ in range(shape[1] // H)]
                weights[name] = np.concatenate(blocks, axis=1)
            elif kind in ("W_x", "W"):
                weights[name] = glorot_uniform(rng, shape, dtype)
            else:
                weights[name] = np.zeros(shape, dtype)
                if architecture.cell == "lstm" and name != "dense.b":
                    weights[name][H : 2 * H] = 1
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
        weight = self.parameters
        cell = CELLS[self.architecture.cell]
        symbols = Input("symbols", (T, B), np.int32)
        x: Node | Value = Embedding(symbols, weight["embedding.W"], name="embedding")
        states: dict[Input, Value] = {}
        for i in range(self.architecture.num_layers):
            initial = [
                Input(f"recurrent.{i}.{state}_0", (B, self.architecture.hidden_size), self.dtype)
                for state in cell.states
            ]
            own = (weight[f"recurrent.{i}.{kind}"] for kind in ("W_x", "W_h", "b"))
            layer = cell(x, *initial, *own, name=f"recurrent.{i}")
            states.update(zip(initial, layer.outputs[1:], strict=True))
            x = layer.outputs[0]
            if dropout:
                assert rng is not None
                x = Dropout(x, dropout, rng, name=f"dropout.{i}")
        return Dense(x, weight["dense.W"], weight["dense.b"], name="dense"), states


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
    cell, H = CELLS[a.cell], a.hidden_size
    shapes: dict[str, tuple[int, ...]] = {"embedding.W": (a.symbols, a.embedding_size)}
    for i in range(a.num_layers):
        width = H if i else a.embedding_size
        shapes[f"recurrent.{i}.W_x"] = (width, cell.blocks * H)
        shapes[f"recurrent.{i}.W_h"] = (H, cell.blocks * H)
        shapes[f"recurrent.{i}.b"] = (cell.bias_blocks * H,)
    return {**shapes, "dense.W": (H, a.symbols), "dense.b": (a.symbols,)}
