"""The operations, a few a module."""

from musicgen.engine.ops.activations import (
    Arctan,
    Exp,
    Identity,
    Log,
    LogSoftmax,
    ReLU,
    Sigmoid,
    Softmax,
    Step,
    Tanh,
)
from musicgen.engine.ops.convolution import Conv1D, Conv2D
from musicgen.engine.ops.dropout import Dropout
from musicgen.engine.ops.elementwise import Add, Divide, Multiply, Subtract
from musicgen.engine.ops.linear import Dense, Dot, MatMul
from musicgen.engine.ops.lookup import Embedding, Gather
from musicgen.engine.ops.losses import (
    BinaryCrossEntropy,
    CategoricalCrossEntropy,
    SigmoidCrossEntropy,
    SoftmaxCrossEntropy,
    SquaredError,
)
from musicgen.engine.ops.normalisation import BatchNormalization
from musicgen.engine.ops.pooling import (
    AveragePool1D,
    AveragePool2D,
    MaxPool1D,
    MaxPool2D,
    UpSampling1D,
    UpSampling2D,
)
from musicgen.engine.ops.reductions import Mean, SquaredNorm, Sum
from musicgen.engine.ops.shaping import (
    Concatenate,
    Flatten,
    PrependOne,
    Reshape,
    Reverse,
    Select,
    Slice,
    Stack,
    Transpose,
)

__all__ = [
    "Add",
    "Arctan",
    "AveragePool1D",
    "AveragePool2D",
    "BatchNormalization",
    "BinaryCrossEntropy",
    "CategoricalCrossEntropy",
    "Concatenate",
    "Conv1D",
    "Conv2D",
    "Dense",
    "Divide",
    "Dot",
    "Dropout",
    "Embedding",
    "Exp",
    "Flatten",
    "Gather",
    "Identity",
    "Log",
    "LogSoftmax",
    "MatMul",
    "MaxPool1D",
    "MaxPool2D",
    "Mean",
    "Multiply",
    "PrependOne",
    "ReLU",
    "Reshape",
    "Reverse",
    "Select",
    "Sigmoid",
    "SigmoidCrossEntropy",
    "Slice",
    "Softmax",
    "SoftmaxCrossEntropy",
    "SquaredError",
    "SquaredNorm",
    "Stack",
    "Step",
    "Subtract",
    "Sum",
    "Tanh",
    "Transpose",
    "UpSampling1D",
    "UpSampling2D",
]
