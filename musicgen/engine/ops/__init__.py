"""The operations, a few a module."""

from musicgen.engine.ops.dropout import Dropout
from musicgen.engine.ops.elementwise import Add, Multiply, Sigmoid, Subtract, Tanh
from musicgen.engine.ops.linear import Dense, MatMul, Slice
from musicgen.engine.ops.lookup import Embedding
from musicgen.engine.ops.losses import SoftmaxCrossEntropy

__all__ = [
    "Add",
    "Dense",
    "Dropout",
    "Embedding",
    "MatMul",
    "Multiply",
    "Sigmoid",
    "Slice",
    "SoftmaxCrossEntropy",
    "Subtract",
    "Tanh",
]
