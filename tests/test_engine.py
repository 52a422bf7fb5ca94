"""The engine: every node against central differences, layers against cells, the graph's habits."""

import inspect

import numpy as np
import pytest

import musicgen.engine as engine
from musicgen.engine import (
    GRU,
    LSTM,
    Add,
    Dense,
    Dropout,
    Elman,
    Embedding,
    Graph,
    Input,
    MatMul,
    Multiply,
    Node,
    Parameter,
    Recurrent,
    Sigmoid,
    Slice,
    SoftmaxCrossEntropy,
    Subtract,
    Tanh,
    check_gradients,
    elman_cell,
    glorot_uniform,
    gru_cell,
    lstm_cell,
    orthogonal,
)
from musicgen.errors import GraphError

T, B, D, H, V = 4, 3, 5, 6, 7
LAYERS = {LSTM: lstm_cell, GRU: gru_cell, Elman: elman_cell}


@pytest.fixture
def rng():
    return np.random.default_rng(3)


def leaf(rng, name, *shape, dtype=np.float64):
    return Parameter(name, rng.standard_normal(shape).astype(dtype) * 0.7)


def integers(rng, name, *shape):
    node = Input(name, shape, np.int64)
    node.feed(rng.integers(0, V, shape))
    return node


def layer_inputs(rng, layer, dtype=np.float64, width=D, prefix=""):
    states = [leaf(rng, f"{prefix}{s}_0", B, H, dtype=dtype) for s in layer.states]
    W_x = leaf(rng, f"{prefix}W_x", width, layer.blocks * H, dtype=dtype)
    W_h = leaf(rng, f"{prefix}W_h", H, layer.blocks * H, dtype=dtype)
    return *states, W_x, W_h, leaf(rng, f"{prefix}b", layer.bias_blocks * H, dtype=dtype)


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
        return np.sum(self.w * dy)


def layer_case(layer):
    def build(rng):
        node = layer(leaf(rng, "x", T, B, D), *layer_inputs(rng, layer))
        total = Weighted(node.outputs[0])
        for state in node.outputs[1:]:
            total = Add(total, Weighted(state))
        return total

    return build


CASES = {
    Add: lambda r: Weighted(Add(leaf(r, "a", T, B, D), leaf(r, "b", D))),
    Subtract: lambda r: Weighted(Subtract(leaf(r, "a", B, D), leaf(r, "b", B, 1))),
    Multiply: lambda r: Weighted(Multiply(leaf(r, "a", B, D), leaf(r, "b", T, 1, D))),
    MatMul: lambda r: Weighted(MatMul(leaf(r, "a", B, D), leaf(r, "b", D, H))),
    Dense: lambda r: Weighted(Dense(leaf(r, "x", T, B, D), leaf(r, "W", D, H), leaf(r, "b", H))),
    Slice: lambda r: Weighted(Slice(leaf(r, "x", T, B, D), 1, 4)),
    Sigmoid: lambda r: Weighted(Sigmoid(leaf(r, "x", B, D))),
    Tanh: lambda r: Weighted(Tanh(leaf(r, "x", B, D))),
    Embedding: lambda r: Weighted(Embedding(integers(r, "ids", T, B), leaf(r, "W", V, D))),
    Dropout: lambda r: Weighted(FixedDropout(leaf(r, "x", T, B, D), 0.4, None)),
    SoftmaxCrossEntropy: lambda r: SoftmaxCrossEntropy(
        leaf(r, "z", T, B, V), integers(r, "targets", T, B)
    ),
    **{layer: layer_case(layer) for layer in LAYERS},
}
NODES = {
    item
    for item in vars(engine).values()
    if inspect.isclass(item) and issubclass(item, Node) and item.__name__ in engine.__all__
}


def test_every_node_is_checked():
    assert NODES - {Node, Input, Parameter, Recurrent} == set(CASES)


@pytest.mark.parametrize("node", CASES, ids=lambda node: node.__name__)
def test_gradients_equal_central_differences(node, rng):
    errors = check_gradients(Graph(CASES[node](rng)))
    assert len(errors) > 1
    assert max(errors.values()) <= 1e-6, errors


def test_weighted_cross_entropy(rng):
    weights = Input("weights", (T, B), np.float64)
    weights.feed(rng.random((T, B)))
    z = leaf(rng, "z", T, B, V)
    errors = check_gradients(Graph(SoftmaxCrossEntropy(z, integers(rng, "t", T, B), weights)))
    assert max(errors.values()) <= 1e-6


@pytest.mark.parametrize("method", ["backward", "tangent"])
def test_a_wrong_node_is_caught(rng, method):
    class Wrong(Tanh):
        def backward(self, *gradients):
            return super().backward(*gradients) * (1.001 if method == "backward" else 1)

        def tangent(self, *directions):
            return super().tangent(*directions) * (1.001 if method == "tangent" else 1)

    errors = check_gradients(Graph(Weighted(Wrong(leaf(rng, "x", B, D)))))
    assert errors["tangent" if method == "tangent" else "x"] > 1e-4


def test_gradient_check_refuses_single_precision(rng):
    with pytest.raises(GraphError, match="float64"):
        check_gradients(Graph(Tanh(leaf(rng, "x", 2, dtype=np.float32))))


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.__name__)
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-12), (np.float32, 1e-5)])
def test_layer_equals_unrolled_cell(layer, dtype, tolerance, rng):
    x = rng.standard_normal((T, B, D)).astype(dtype)
    inputs = layer_inputs(rng, layer, dtype)
    states, weights = inputs[: len(layer.states)], inputs[len(layer.states) :]
    steps = [Input(f"x{t}", (B, D), dtype) for t in range(T)]
    ys, current = [], states
    for step in steps:
        current = LAYERS[layer](step, *current, *weights)
        ys.append(current[0])
    unrolled = Graph(*ys, *current)
    whole = layer(Input("x", (T, B, D), dtype), *inputs)
    graph = Graph(*whole.outputs)

    y, *final = graph.forward({"x": x})
    found = unrolled.forward({f"x{t}": x[t] for t in range(T)})
    np.testing.assert_allclose(y, found[:T], atol=tolerance)
    np.testing.assert_allclose(final, found[T:], atol=tolerance)

    cost = Weighted(whole.outputs[0])
    Graph(cost).forward({"x": x})
    Graph(cost).backward()
    gradients = [node.gradient.copy() for node in inputs]
    total = None
    for t, node in enumerate(ys):
        part = Multiply(node, Parameter(f"w{t}", cost.w[t].astype(dtype)))
        total = part if total is None else Add(total, part)
    summed = Graph(total)
    summed.forward({f"x{t}": x[t] for t in range(T)})
    summed.backward()
    for node, gradient in zip(inputs, gradients, strict=True):
        np.testing.assert_allclose(node.gradient, gradient, atol=tolerance * 10)


def test_states_carry_a_sequence_across_pieces(rng):
    inputs = layer_inputs(rng, LSTM)
    x = rng.standard_normal((2 * T, B, D))
    whole = Graph(*LSTM(Input("x", (2 * T, B, D), float), *inputs).outputs)
    y, h, c = whole.forward({"x": x})
    h_in, c_in = Input("h", (B, H), float), Input("c", (B, H), float)
    half = Graph(*LSTM(Input("x", (T, B, D), float), h_in, c_in, *inputs[2:]).outputs)
    y1, h1, c1 = half.forward({"x": x[:T], "h": inputs[0].value, "c": inputs[1].value})
    np.testing.assert_allclose(y1, y[:T], atol=1e-12)
    y2, h2, c2 = half.forward({"x": x[T:], "h": h1, "c": c1})
    np.testing.assert_allclose(y2, y[T:], atol=1e-12)
    np.testing.assert_allclose([h2, c2], [h, c], atol=1e-12)


def test_a_long_chain_needs_no_recursion():
    x = Parameter("x", np.ones(1))
    node = x
    for _ in range(100_000):
        node = Add(node, x)
    graph = Graph(node)
    assert graph.forward() == 100_001
    graph.backward()
    assert x.gradient == 100_001


def test_each_node_runs_once_a_pass():
    calls = []

    class Counted(Tanh):
        def forward(self, *arrays):
            calls.append(self)
            return super().forward(*arrays)

    node = Parameter("x", np.ones(1))
    for _ in range(40):
        middle = Counted(node)
        node = Add(middle, middle)
    Graph(node).forward()
    assert len(calls) == 40


def test_gradients_accumulate_on_request(rng):
    W = leaf(rng, "W", 2, 2)
    graph = Graph(Weighted(Tanh(W)))
    graph.forward()
    graph.backward()
    once = W.gradient.copy()
    graph.backward()
    np.testing.assert_array_equal(W.gradient, once)
    graph.backward(accumulate=True)
    np.testing.assert_array_equal(W.gradient, 2 * once)


def test_a_parameter_that_does_not_reach_the_cost_has_gradient_zero(rng):
    W, unused = leaf(rng, "W", 2), leaf(rng, "unused", 2)
    unused.gradient[...] = 9
    graph = Graph(Weighted(Tanh(W)), Tanh(unused))
    graph.forward()
    graph.backward()
    assert not unused.gradient.any()


def test_second_pass_allocates_no_buffer(rng):
    inputs = layer_inputs(rng, LSTM)
    logits = LSTM(Input("x", (T, B, D), float), *inputs).outputs[0]
    graph = Graph(SoftmaxCrossEntropy(logits, Input("t", (T, B), np.int64)))
    graph.forward()
    graph.backward()
    before = [{id(a) for a in node._buffers.values()} for node in graph.nodes]
    graph.forward()
    graph.backward()
    assert before == [{id(a) for a in node._buffers.values()} for node in graph.nodes]


def test_softmax_cross_entropy_is_stable_and_right():
    z = Parameter("z", np.array([[1000.0, 0.0], [-1000.0, -1000.0]]))
    t = Input("t", (2,), np.int64)
    graph = Graph(SoftmaxCrossEntropy(z, t))
    np.testing.assert_allclose(graph.forward({"t": [0, 1]}), np.log(2) / 2)
    np.testing.assert_allclose(graph.forward({"t": [1, 0]}), (1000 + np.log(2)) / 2)
    graph.backward()
    np.testing.assert_allclose(z.gradient, [[0.5, -0.5], [-0.25, 0.25]])


def test_dropout_keeps_the_mean_and_the_share():
    x = Parameter("x", np.ones((200, 200), np.float32))
    y = Graph(Dropout(x, 0.3, np.random.default_rng(0))).forward()
    assert y.mean() == pytest.approx(1, abs=0.02)
    assert (y == 0).mean() == pytest.approx(0.3, abs=0.01)


def test_initialisers(rng):
    W = glorot_uniform(rng, (30, 50))
    assert W.dtype == np.float32
    assert np.abs(W).max() <= np.sqrt(6 / 80)
    for shape in ((8, 20), (20, 8), (8, 8)):
        q = orthogonal(rng, shape, float)
        small = q @ q.T if shape[0] <= shape[1] else q.T @ q
        np.testing.assert_allclose(small, np.eye(8), atol=1e-12)


def array(name, *shape):
    return Parameter(name, np.zeros(shape))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: MatMul(array("a", 2, 3), array("b", 2, 3), name="up"), r"node up: .*\(2, 3\)"),
        (lambda: Add(array("a", 2), array("b", 3)), r"broadcast \(2,\) with \(3,\)"),
        (lambda: Dense(array("x", 4), array("W", 3, 2), array("b", 2)), r"x \(4,\)"),
        (lambda: Slice(array("x", 4), 2, 5), r"\[2:5\]"),
        (lambda: Embedding(array("i", 2), array("W", 2)), r"expected \(V, D\)"),
        (lambda: SoftmaxCrossEntropy(array("z", 2, 3), array("t", 3)), "do not fit"),
        (lambda: Dropout(array("x", 2), 1.0, None, name="drop"), "node drop: rate is 1.0"),
        (lambda: Elman(array("x", 2, 2, 2), array("h", 2, 2)), "has 2 inputs"),
        (
            lambda: Elman(
                array("x", 2, 2, 2), array("h", 3, 2), array("W", 2, 2), array("W", 2, 2),
                array("b", 2),
            ),
            "do not fit",
        ),
        (lambda: Graph(Add(array("a", 1), array("a", 1))), "two leaves are called 'a'"),
        (lambda: Graph(Tanh(array("a", 1))).forward({"b": 1}), "no input is called 'b'"),
        (lambda: Input("x", (2,), float).feed(np.ones(3)), r"expects shape \(2,\)"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named(build, message):
    with pytest.raises(GraphError, match=message):
        build()


def test_a_node_with_several_outputs_must_be_asked_for_one(rng):
    node = Elman(leaf(rng, "x", T, B, D), *layer_inputs(rng, Elman))
    with pytest.raises(GraphError, match="has 2 outputs"):
        Tanh(node)
