"""The computational graph: nodes, their gradients, and recurrent layers.

>>> import numpy as np
>>> from musicgen.engine import Graph, Parameter, Tanh
>>> w = Parameter("w", np.array([0.0, 1.0]))
>>> Graph(Tanh(w)).forward().round(4)
array([0.    , 0.7616])
"""

from musicgen.engine.cells import elman_cell, gru_cell, lstm_cell
from musicgen.engine.gradcheck import check_gradients
from musicgen.engine.graph import Graph
from musicgen.engine.initialisers import glorot_uniform, orthogonal
from musicgen.engine.node import Array, Input, Node, Parameter, Shape, Value
from musicgen.engine.ops import (
    Add,
    Dense,
    Dropout,
    Embedding,
    MatMul,
    Multiply,
    Sigmoid,
    Slice,
    SoftmaxCrossEntropy,
    Subtract,
    Tanh,
)
from musicgen.engine.recurrent import GRU, LSTM, Elman, Recurrent

__all__ = [
    "GRU",
    "LSTM",
    "Add",
    "Array",
    "Dense",
    "Dropout",
    "Elman",
    "Embedding",
    "Graph",
    "Input",
    "MatMul",
    "Multiply",
    "Node",
    "Parameter",
    "Recurrent",
    "Shape",
    "Sigmoid",
    "Slice",
    "SoftmaxCrossEntropy",
    "Subtract",
    "Tanh",
    "Value",
    "check_gradients",
    "elman_cell",
    "glorot_uniform",
    "gru_cell",
    "lstm_cell",
    "orthogonal",
]
