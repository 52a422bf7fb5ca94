"""The shape of a network of stacked recurrent layers."""

from __future__ import annotations

from dataclasses import dataclass

from musicgen.engine import (
    GRU,
    LSTM,
    Elman,
    Node,
    Recurrent,
    SigmoidCrossEntropy,
    SoftmaxCrossEntropy,
    SquaredError,
)
from musicgen.errors import ModelError

__all__ = ["CELLS", "HEADS", "Architecture"]

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
