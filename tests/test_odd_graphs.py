"""Unusual uses of the engine: shared nodes, frozen weights, captured leaves, strange arrays."""

import numpy as np
import pytest

from musicgen.engine import (
    RTRL,
    Add,
    CategoricalCrossEntropy,
    Composite,
    Constant,
    Delay,
    Dense,
    Embedding,
    Exp,
    Gather,
    Graph,
    Input,
    MatMul,
    Mean,
    Multiply,
    Node,
    Parameter,
    SoftmaxCrossEntropy,
    SquaredNorm,
    Sum,
    Tanh,
    Transpose,
    check_gradients,
    replicate,
)
from musicgen.errors import GraphError
from musicgen.optim import Adam


@pytest.fixture
def p():
    return Parameter("p", np.array([0.3, -0.7]))


def test_graphs_that_share_nodes_freeze_and_thaw_together(p):
    t = Tanh(p)
    first, second = Graph(SquaredNorm(t)), Graph(Sum(t))
    found = []
    for graph, frozen in ((first, False), (second, True), (first, False)):
        p.frozen = frozen
        graph.forward()
        graph.backward()
        found.append(p.gradient.copy())
    assert found[0].any()
    np.testing.assert_array_equal(found[2], found[0])


def test_a_composite_refuses_what_is_computed_outside(p):
    t = Tanh(p)

    class Reads(Composite):
        def build(self, x):
            return Multiply(x, t)

    with pytest.raises(GraphError, match="build reads Tanh, which it must be given as an input"):
        Reads(Exp(p))


def test_a_composite_refuses_a_delay():
    class Count(Composite):
        def build(self, x):
            state = Delay(Constant(np.zeros(1)), name="state")
            y = Add(state, x)
            state.connect(y)
            return y

    with pytest.raises(GraphError, match=r"build reads Count\.state"):
        Count(Constant(np.ones(1)))


def test_a_composite_passes_gradients_to_an_input_from_outside(p):
    outside = Input("outside", (2,), float, differentiable=True)

    class Reads(Composite):
        def build(self, x):
            return Multiply(x, outside)

    graph = Graph(SquaredNorm(Reads(Tanh(p))))
    assert list(graph.inputs) == ["outside"]
    assert max(check_gradients(graph, {"outside": [1.5, -2.0]}).values()) < 1e-9


def test_a_composite_computes_in_the_type_of_what_is_inside():
    class Half(Composite):
        def build(self, x):
            return Multiply(x, Constant(np.array(0.5)))

    graph = Graph(Tanh(Half(Input("x", (2,), int))))
    np.testing.assert_allclose(graph.forward({"x": [0, 2]}), np.tanh([0, 1]))


def test_a_copy_of_a_composite_may_read_other_weights(p):
    class Scaled(Composite):
        def build(self, x):
            return Multiply(x, Parameter("w", np.array([2.0, 3.0])))

    scaled = Scaled(Tanh(p))
    other = Parameter("other", np.array([5.0, 7.0]))
    (copy,) = replicate([scaled.output], {scaled.inputs[1]: other.output})
    graph = Graph(copy)
    np.testing.assert_allclose(graph.forward(), np.tanh(p.value) * other.value)
    assert sorted(graph.parameters) == ["other", "p"]
    assert max(check_gradients(graph).values()) < 1e-9
    with pytest.raises(GraphError, match="has 1 inputs and 1 weights; given 3"):
        scaled.clone(p, p, p)


def test_weights_in_another_memory_order():
    W = Parameter("W", np.asfortranarray(np.random.default_rng(0).random((3, 3))))
    assert max(check_gradients(Graph(SquaredNorm(Tanh(W)))).values()) < 1e-8
    T = Parameter("T", np.random.default_rng(0).random((3, 4)).T)
    assert max(check_gradients(Graph(SquaredNorm(Tanh(T)))).values()) < 1e-8

    def network(W):
        h = Delay(Constant(np.zeros((1, 3))))
        new = Tanh(Add(Constant(np.ones((1, 3))), MatMul(h, W)))
        h.connect(new)
        rtrl = RTRL(Graph(SquaredNorm(new)))
        rtrl.step()
        rtrl.step()
        return rtrl.gradients["W"]

    plain = network(Parameter("W", np.ascontiguousarray(W.value)))
    assert plain.any()
    np.testing.assert_allclose(network(W), plain, rtol=1e-14)


def test_a_thawed_weight_takes_adams_first_steps():
    adam, a, b, g = Adam(), np.zeros(1), np.zeros(1), np.ones(1)
    for _ in range(1000):
        adam.update({"a": a}, {"a": g}, 0.01)
    adam.update({"a": a, "b": b}, {"a": g, "b": g}, 0.01)
    np.testing.assert_allclose(b, [-0.01], rtol=1e-6)


@pytest.mark.parametrize(("node", "shape"), [(Sum, ()), (Mean, ()), (Transpose, (3, 2))])
def test_a_copy_by_default_works_on_all_axes_of_what_it_reads(node, shape):
    small, large = Parameter("small", np.ones(3)), Parameter("large", np.ones((2, 3)))
    assert node(small).clone(large).output.shape == shape


def test_a_delay_starts_from_what_its_input_is_fed():
    start = Input("start", (1,), float)
    h = Delay(start)
    new = Add(h, Constant(np.ones(1)))
    h.connect(new)
    graph = Graph(new)
    assert graph.forward({"start": [5.0]}) == 6
    graph.advance()
    assert graph.forward({"start": [9.0]}) == 7
    graph.reset()
    assert graph.forward({"start": [9.0]}) == 10


def test_broadcasting_over_nothing():
    a, b = Parameter("a", np.ones((0, 3))), Parameter("b", np.ones((1, 3)))
    graph = Graph(Add(a, b))
    graph.forward()
    graph.backward()
    np.testing.assert_array_equal(b.gradient, np.zeros((1, 3)))


def test_all_weights_frozen(p):
    p.frozen = True
    assert check_gradients(Graph(SquaredNorm(Tanh(p)))) == {"tangent": 0.0}


def test_a_certain_prediction_of_what_never_happens_costs_nothing():
    target = Constant(np.array([0.0, 1.0]))
    prediction = Parameter("y", np.array([0.0, 1.0]))
    graph = Graph(CategoricalCrossEntropy(target, prediction))
    assert graph.forward() == 0
    graph.backward()
    np.testing.assert_array_equal(prediction.gradient, [0, -1])


class Broken(Node):
    def infer(self, x):
        return x

    def forward(self, x):
        return x * 2

    def backward(self, dy):
        return dy @ np.ones(77)

    def tangent(self, dx):
        return dx @ np.ones(77)


def ids(values):
    return Constant(np.array(values))


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda p: Graph(Tanh(p)).backward(), "needs a forward pass before it"),
        (lambda p: run(Tanh(p)).backward(np.ones(3)), r"given for Tanh has shape \(3,\); expected"),
        (lambda p: run(Tanh(p)).tangent({"p": np.ones((2, 2))}), r"direction has shape \(2, 2\)"),
        (lambda p: run(Tanh(p)).tangent({"q": np.ones(2)}), "no leaf is called 'q'; there are: p"),
        (lambda p: MatMul(p), r"node MatMul\(p\): cannot work on inputs of these shapes: \(2,\)"),
        (lambda p: Dense(p, p), "cannot work on inputs of these shapes"),
        (lambda p: Add(p, 1.0), r"Add \(Add\): found float as an input; expected a node"),
        (lambda p: Broken(), "has no inputs, and would never be computed"),
        (
            lambda p: Delay(Constant(np.zeros(2, int)), name="count").connect(p),
            "count .* starts with int64, cannot be followed by float64",
        ),
        (
            lambda p: run(Embedding(ids([0, 9, -1]), Parameter("W", np.ones((4, 2))))),
            "ids run from -1 to 9; expected 0 to 3",
        ),
        (lambda p: run(Gather(p, ids(-1))), "indices run from -1 to -1; expected 0 to 1"),
        (
            lambda p: run(SoftmaxCrossEntropy(Parameter("z", np.ones((1, 2))), ids([-1]))),
            "targets run from -1 to -1; expected 0 to 1",
        ),
    ],
)
def test_what_does_not_fit_is_named(p, act, message):
    with pytest.raises(GraphError, match=message):
        act(p)


def run(node):
    graph = Graph(node)
    graph.forward()
    return graph


@pytest.mark.parametrize("act", [lambda g: g.backward(), lambda g: g.tangent({"p": np.ones(2)})])
def test_an_exception_of_an_own_node_is_placed(p, act):
    graph = run(Broken(p, name="mine"))
    with pytest.raises(ValueError, match="matmul") as caught:
        act(graph)
    assert "mine = Broken(p)" in caught.value.__notes__[0]
