"""Small graphs that hold each node, cell and layer once, for tests that run over all of them."""

import numpy as np

import musicgen.engine as engine
from musicgen.engine import (
    GRU,
    LSTM,
    Cell,
    Constant,
    Dropout,
    Elman,
    Input,
    Node,
    Parameter,
    Recurrent,
    stack,
    unroll,
)
from musicgen.engine.recurrent import initial_stack

T, B, D, H, V = 4, 3, 5, 6, 7


def leaf(rng, name, *shape, dtype=np.float64):
    return Parameter(name, rng.standard_normal(shape).astype(dtype) * 0.7)


def integers(rng, name, *shape, below=V):
    node = Input(name, shape, np.int64)
    node.feed(rng.integers(0, below, shape))
    return node


def probabilities(rng, name, *shape):
    return engine.Sigmoid(leaf(rng, name, *shape))


class FixedDropout(Dropout):
    """Draws the same mask at every pass, so that differences can be taken."""

    def forward(self, *arrays):
        self._rng = np.random.default_rng(1)
        return super().forward(*arrays)


class Weighted(Node):
    """Σ w ⊙ y for fixed random w: a cost to which each element of y matters differently."""

    def __init__(self, y):
        super().__init__(y)
        self.w = np.random.default_rng(5).standard_normal(self.inputs[0].shape)

    def infer(self, *shapes):
        return ()

    def forward(self, y):
        return np.sum(self.w * y)

    def backward(self, dy):
        return dy * self.w

    def tangent(self, dy):
        return np.sum(self.w * dy, axis=tuple(range(1, dy.ndim)))


def total(values):
    """A cost to which each of several values matters."""
    cost, *others = [Weighted(value) for value in values]
    for other in others:
        cost = engine.Add(cost, other)
    return cost


def cell_inputs(rng, cell, dtype=np.float64, width=D):
    """Initial states and weights of a cell or of its layer."""
    states = [leaf(rng, f"{state}_0", B, H, dtype=dtype) for state in cell.states]
    shapes = cell.weight_shapes(width, H)
    return *states, *(leaf(rng, name, *shape, dtype=dtype) for name, shape in shapes.items())


def lengths(*numbers):
    return Constant(np.array(numbers), name="lengths")


def cell_case(cell):
    def build(rng):
        y, finals = unroll(cell, leaf(rng, "x", T, B, D), *cell_inputs(rng, cell))
        return total([y, *finals])

    return build


def layer_case(layer, *timed):
    def build(rng):
        x = leaf(rng, "x", T, B, D)
        return total(layer(x, *cell_inputs(rng, layer.cell), *timed).outputs)

    return build


def stack_case(layer):
    """Two bidirectional layers over unequal lengths."""

    def build(rng):
        arrays = initial_stack(layer, rng, D, H, 2, bidirectional=True, dtype=np.float64)
        weights = {name: Parameter(name, array) for name, array in arrays.items()}
        states = {
            f"{i}.{direction}{state}": leaf(rng, f"{i}.{direction}{state}", B, H)
            for i in range(2)
            for direction in ("", "reverse.")
            for state in layer.cell.states
        }
        y, finals = stack(layer, leaf(rng, "x", T, B, D), states, weights, lengths=lengths(4, 1, 3))
        return total([y, *finals.values()])

    return build


def loss_case(loss, targets):
    def build(rng):
        weights = Input("weights", (T, B), np.float64)
        weights.feed(rng.random((T, B)) * (rng.random((T, B)) > 0.3))
        plain = loss(leaf(rng, "z", T, B, V), targets(rng, "targets"))
        masked = loss(leaf(rng, "masked z", T, B, V), targets(rng, "more targets"), weights)
        return engine.Add(plain, masked)

    return build


def batch_normalization(rng, prefix, *, training):
    names = ("gamma", "beta", "mean")
    x, *others = leaf(rng, f"{prefix}x", T, B, D), *(leaf(rng, prefix + n, D) for n in names)
    variance = Parameter(f"{prefix}variance", 0.5 + rng.random(D))
    others[2].frozen = variance.frozen = training
    return engine.BatchNormalization(x, *others, variance, training=training)


CASES = {
    engine.Add: lambda r: Weighted(engine.Add(leaf(r, "a", T, B, D), leaf(r, "b", D))),
    engine.Subtract: lambda r: Weighted(engine.Subtract(leaf(r, "a", B, D), leaf(r, "b", B, 1))),
    engine.Multiply: lambda r: Weighted(engine.Multiply(leaf(r, "a", B, D), leaf(r, "b", T, 1, D))),
    engine.Divide: lambda r: Weighted(
        engine.Divide(leaf(r, "a", T, B, D), engine.Exp(leaf(r, "b", B, D)))
    ),
    engine.MatMul: lambda r: Weighted(engine.MatMul(leaf(r, "a", B, D), leaf(r, "b", D, H))),
    engine.Dense: lambda r: Weighted(
        engine.Dense(leaf(r, "x", T, B, D), leaf(r, "W", D, H), leaf(r, "b", H))
    ),
    engine.Dot: lambda r: engine.Dot(leaf(r, "a", B, D), leaf(r, "b", B, D)),
    engine.Sum: lambda r: Weighted(engine.Sum(leaf(r, "x", T, B, D), axes=(0, -1))),
    engine.Mean: lambda r: Weighted(engine.Mean(leaf(r, "x", T, B, D), axes=(1,))),
    engine.WeightedSum: lambda r: engine.WeightedSum(
        leaf(r, "x"), leaf(r, "x'"), leaf(r, "x''"), leaf(r, "w", 4)
    ),
    engine.SquaredNorm: lambda r: engine.SquaredNorm(leaf(r, "x", B, D)),
    **{
        activation: lambda r, activation=activation: Weighted(activation(leaf(r, "x", T, B, D)))
        for activation in (
            engine.Arctan,
            engine.Exp,
            engine.Identity,
            engine.LogSoftmax,
            engine.ReLU,
            engine.Sigmoid,
            engine.Softmax,
            engine.Step,
            engine.Tanh,
        )
    },
    engine.Log: lambda r: Weighted(engine.Log(probabilities(r, "x", B, D))),
    engine.Slice: lambda r: Weighted(engine.Slice(leaf(r, "x", T, B, D), 1, 3, axis=1)),
    engine.Select: lambda r: Weighted(engine.Select(leaf(r, "x", T, B, D), 2, axis=-1)),
    engine.Concatenate: lambda r: Weighted(
        engine.Concatenate(leaf(r, "a", T, B, D), leaf(r, "b", T, 2, D), axis=1)
    ),
    engine.Stack: lambda r: Weighted(engine.Stack(leaf(r, "a", B, D), leaf(r, "b", B, D))),
    engine.PrependOne: lambda r: Weighted(engine.PrependOne(leaf(r, "x", T, B, D))),
    engine.Reshape: lambda r: Weighted(engine.Reshape(leaf(r, "x", T, B, D), (B, -1))),
    engine.Flatten: lambda r: Weighted(engine.Flatten(leaf(r, "x", T, B, D))),
    engine.Transpose: lambda r: Weighted(engine.Transpose(leaf(r, "x", T, B, D), (1, 2, 0))),
    engine.Reverse: lambda r: Weighted(engine.Reverse(leaf(r, "x", T, B, D), lengths(4, 0, 3))),
    engine.Embedding: lambda r: Weighted(
        engine.Embedding(integers(r, "ids", T, B), leaf(r, "W", V, D))
    ),
    engine.Gather: lambda r: Weighted(
        engine.Gather(leaf(r, "x", T, B, V), integers(r, "indices", T, B))
    ),
    engine.Conv1D: lambda r: Weighted(
        engine.Conv1D(leaf(r, "x", B, 9, D), leaf(r, "W", 3, D, 2), leaf(r, "b", 2), 2, 2, "same")
    ),
    engine.Conv2D: lambda r: Weighted(
        engine.Conv2D(leaf(r, "x", B, 5, 6, 2), leaf(r, "W", 2, 3, 2, D), leaf(r, "b", D), (2, 1))
    ),
    **{
        pool: lambda r, pool=pool: Weighted(pool(leaf(r, "x", B, 7, D), 3, 2))
        for pool in (engine.AveragePool1D, engine.MaxPool1D)
    },
    **{
        pool: lambda r, pool=pool: Weighted(pool(leaf(r, "x", B, 4, 5, 2), (2, 3), 1))
        for pool in (engine.AveragePool2D, engine.MaxPool2D)
    },
    engine.UpSampling1D: lambda r: Weighted(engine.UpSampling1D(leaf(r, "x", B, 4, D), 3)),
    engine.UpSampling2D: lambda r: Weighted(engine.UpSampling2D(leaf(r, "x", B, 2, 3, D), (2, 3))),
    engine.BatchNormalization: lambda r: total(
        [
            batch_normalization(r, "training.", training=True),
            batch_normalization(r, "evaluation.", training=False),
        ]
    ),
    engine.Dropout: lambda r: Weighted(FixedDropout(leaf(r, "x", T, B, D), 0.4, None)),
    engine.BinaryCrossEntropy: lambda r: engine.BinaryCrossEntropy(
        probabilities(r, "targets", B, D), probabilities(r, "outputs", B, D)
    ),
    engine.CategoricalCrossEntropy: lambda r: engine.CategoricalCrossEntropy(
        engine.Softmax(leaf(r, "targets", B, D)), engine.Softmax(leaf(r, "outputs", B, D))
    ),
    engine.SoftmaxCrossEntropy: loss_case(
        engine.SoftmaxCrossEntropy, lambda r, name: integers(r, name, T, B)
    ),
    engine.SigmoidCrossEntropy: loss_case(
        engine.SigmoidCrossEntropy, lambda r, name: Constant(r.random((T, B, V)), name)
    ),
    engine.SquaredError: loss_case(
        engine.SquaredError, lambda r, name: Constant(r.random((T, B, V)), name)
    ),
    **{layer: layer_case(layer) for layer in (Elman, GRU, LSTM)},
    **{
        cell: cell_case(cell)
        for cell in (
            engine.ElmanCell,
            engine.FullyConnectedCell,
            engine.GRUCell,
            engine.LSTMCell,
            engine.LSTMWithoutForgetGateCell,
            engine.PeepholeLSTMCell,
        )
    },
}
LAYERS = [item for item in CASES if issubclass(item, Recurrent)]
CELLS = [item for item in CASES if issubclass(item, Cell)]
