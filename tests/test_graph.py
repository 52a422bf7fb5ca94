"""The graph's habits: order, accumulation, freezing, memory, composites, pictures, messages."""

import gc
import tracemalloc

import numpy as np
import pytest
from engine_cases import B, D, H, T, V, Weighted, cell_inputs, integers, leaf, total

from musicgen.engine import (
    LSTM,
    Add,
    Composite,
    Concatenate,
    Constant,
    Delay,
    Dense,
    Divide,
    Dropout,
    Elman,
    Embedding,
    Gather,
    Graph,
    Input,
    Log,
    LSTMCell,
    MatMul,
    Multiply,
    Node,
    Parameter,
    PrependOne,
    Reshape,
    Reverse,
    Select,
    Sigmoid,
    SigmoidCrossEntropy,
    Slice,
    SoftmaxCrossEntropy,
    SquaredNorm,
    Stack,
    Subtract,
    Sum,
    Tanh,
    Transpose,
    WeightedSum,
    neurons,
    replicate,
    scope,
    stack,
)
from musicgen.engine.recurrent import initial_stack
from musicgen.errors import GraphError
from musicgen.optim import RMSProp, clip_global_norm
from musicgen.testing import check_node


@pytest.fixture
def rng():
    return np.random.default_rng(3)


def test_a_long_chain_needs_no_recursion():
    x = Parameter("x", np.ones(1))
    node = x
    for _ in range(100_000):
        node = Add(node, x)
    graph = Graph(node)
    assert graph.forward() == 100_001
    graph.backward()
    assert x.gradient == 100_001
    assert graph.tangent({"x": np.ones(1)}) == 100_001


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


def test_several_outputs_are_returned_together(rng):
    x = leaf(rng, "x", 2)
    low, high = Graph(Subtract(x, Constant(np.ones(2))), Add(x, x)).forward()
    np.testing.assert_array_equal(low, x.value - 1)
    np.testing.assert_array_equal(high, 2 * x.value)


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


def test_two_graphs_share_a_weight_and_its_gradient(rng):
    W = leaf(rng, "W", 2)
    first, second = Graph(Weighted(Tanh(W))), Graph(Weighted(Sigmoid(W)))
    gradients = []
    for graph in (first, second):
        graph.forward()
        graph.backward()
        gradients.append(W.gradient.copy())
    first.backward(accumulate=True)
    np.testing.assert_allclose(W.gradient, sum(gradients), rtol=1e-14)


def test_a_parameter_that_does_not_reach_the_cost_has_gradient_zero(rng):
    W, unused = leaf(rng, "W", 2), leaf(rng, "unused", 2)
    unused.gradient[...] = 9
    graph = Graph(Weighted(Tanh(W)), Tanh(unused))
    graph.forward()
    graph.backward()
    assert not unused.gradient.any()


def test_frozen_weights_are_left_out_until_they_thaw(rng):
    calls = []

    class Watched(Tanh):
        def backward(self, *gradients):
            calls.append(self)
            return super().backward(*gradients)

    below, above = leaf(rng, "below", 2), leaf(rng, "above", 2)
    graph = Graph(Weighted(Multiply(Watched(below), above)))
    graph.forward()
    graph.backward()
    expected = below.gradient.copy(), above.gradient.copy()
    below.frozen = True
    graph.backward()
    assert len(calls) == 1
    assert not below.gradient.any()
    np.testing.assert_array_equal(above.gradient, expected[1])
    below.frozen = False
    graph.backward()
    np.testing.assert_array_equal(below.gradient, expected[0])


def test_freezing_reaches_into_composites(rng):
    inputs = cell_inputs(rng, LSTMCell)
    graph = Graph(total(LSTMCell(leaf(rng, "x", B, D), *inputs).outputs))
    graph.forward()
    graph.backward()
    expected = {name: p.gradient.copy() for name, p in graph.parameters.items()}
    graph.parameters["W_h"].frozen = True
    graph.backward()
    for name, parameter in graph.parameters.items():
        np.testing.assert_array_equal(
            parameter.gradient, 0 if name == "W_h" else expected[name], err_msg=name
        )


def training_step(rng):
    """A step of a network as it is trained: two layers, unequal weights, clipping, RMSProp."""
    arrays = initial_stack(LSTM, rng, 32, 64, 2)
    weights = {name: Parameter(name, array) for name, array in arrays.items()}
    states = {
        f"{i}.{state}": Constant(np.zeros((16, 64), np.float32)) for i in (0, 1) for state in "hc"
    }
    W = Parameter("embedding", rng.standard_normal((80, 32)).astype(np.float32))
    x = Embedding(Input("symbols", (20, 16), np.int32), W)
    y, _ = stack(LSTM, x, states, weights, dropout=0.2, rng=rng)
    W_y = Parameter("W_y", rng.standard_normal((64, 80)).astype(np.float32))
    top = Dense(y, W_y, Parameter("b_y", np.zeros(80, np.float32)))
    places = Input("weights", (20, 16), np.float32)
    graph = Graph(SoftmaxCrossEntropy(top, Input("targets", (20, 16), np.int32), places))
    optimiser = RMSProp()
    values = {name: p.value for name, p in graph.parameters.items()}
    gradients = {name: p.gradient for name, p in graph.parameters.items()}
    feeds = {
        "symbols": rng.integers(0, 80, (20, 16)).astype(np.int32),
        "targets": rng.integers(0, 80, (20, 16)).astype(np.int32),
        "weights": np.full((20, 16), 1 / 320, np.float32),
    }

    def step():
        graph.forward(feeds)
        graph.backward()
        clip_global_norm(gradients.values(), 1.0)
        optimiser.update(values, gradients, 1e-3)

    return step


def test_after_the_first_step_memory_does_not_grow(rng):
    step = training_step(rng)
    tracemalloc.start()
    try:
        step()
        gc.collect()  # empties the interpreter's own stores of freed tuples and floats
        held = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        for _ in range(20):
            step()
        peak = tracemalloc.get_traced_memory()[1]
        gc.collect()
        after = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert held > 2_000_000
    assert after - held < 1_000
    assert peak - held < 0.05 * held


def test_values_fed_and_left(rng):
    x = Input("x", (2,), np.float32)
    graph = Graph(Tanh(x))
    first = graph.forward({"x": [1.0, 2.0]}).copy()
    np.testing.assert_array_equal(graph.forward(), first)


def test_scopes_name_what_is_made_inside():
    with scope("decoder"):
        x = Parameter("x", np.zeros((1, 2)))
        with scope("0"):
            node = Tanh(x)
    assert (x.name, node.name) == ("decoder.x", "decoder.0.Tanh")
    assert Tanh(x).name == "Tanh"


class Gate(Composite):
    """y = σ(w) ⊙ x, with its weight inside."""

    def build(self, x):
        self.made = Parameter("w", np.zeros(x.output.shape[-1:]))
        return Multiply(Sigmoid(self.made), x)


class Gates(Composite):
    """Two gates that share their weight: made of nodes that are made of nodes."""

    def build(self, x):
        first = Gate(x)
        return first, first.clone(Tanh(x))


def test_composites_nest_and_clones_share_their_weights(rng):
    x, other = leaf(rng, "x", B, D), leaf(rng, "other", 2, D)
    gates = Gates(x, name="gates")
    twin = gates.clone(other)
    assert [v.shape for v in twin.outputs] == [(2, D), (2, D)]
    graph = Graph(total([*gates.outputs, *twin.outputs]))
    assert list(graph.parameters) == ["x", "gates.Gate.w", "other"]
    w = graph.parameters["gates.Gate.w"]
    w.value[...] = rng.standard_normal(D)
    graph.forward()
    graph.backward()
    s = 1 / (1 + np.exp(-w.value))
    np.testing.assert_allclose(gates.outputs[0].data, s * x.value)
    np.testing.assert_allclose(twin.outputs[1].data, s * np.tanh(other.value))
    weights = Weighted(x).w, Weighted(other).w
    expected = sum(
        (v * (p.value + np.tanh(p.value))).sum(0) for v, p in zip(weights, (x, other), strict=True)
    )
    np.testing.assert_allclose(w.gradient, s * (1 - s) * expected, rtol=1e-12)


def test_a_composite_passes_an_input_through(rng):
    class Both(Composite):
        def build(self, x):
            return x, Tanh(x)

    x = leaf(rng, "x", B, D)
    graph = Graph(total(Both(x).outputs))
    graph.forward()
    graph.backward()
    w = Weighted(x).w
    np.testing.assert_allclose(x.gradient, w * (2 - np.tanh(x.value) ** 2), rtol=1e-12)


def test_replicas_share_leaves_and_read_substitutes(rng):
    x, w = Input("x", (2,), float), leaf(rng, "w", 2)
    y = Multiply(Tanh(x), w)
    other = Constant(np.array([1.0, 2.0]))
    (copy,) = replicate([y.output], {x.output: other.output})
    assert copy.node.inputs[1] is w.output
    np.testing.assert_allclose(Graph(copy).forward(), np.tanh([1, 2]) * w.value)


def test_delays_go_on_all_at_once_and_go_back():
    start = Parameter("start", np.array([1.0]))
    first, second = Delay(start, name="first"), Delay(Constant(np.array([0.0])), name="second")
    new = Add(first, second, name="sum")
    second.connect(first)
    first.connect(new)
    graph = Graph(new)
    assert "start" in graph.parameters
    for _ in range(2):
        found = []
        for _ in range(6):
            found.append(graph.forward().item())
            graph.advance()
        assert found == [1, 2, 3, 5, 8, 13]
        graph.reset()


def test_pictures_show_leaves_frames_and_delays(rng):
    h = Delay(Constant(np.zeros((B, H)), name="zeros"), name="h")
    c = Delay(Constant(np.zeros((B, H)), name="zeros"), name="c")
    cell = LSTMCell(Input("x", (B, D), float), h, c, *cell_inputs(rng, LSTMCell)[2:], name="lstm")
    h.connect(cell.outputs[0])
    c.connect(cell.outputs[1])
    dot = Graph(cell.outputs[0]).to_dot()
    assert dot.count("{") == dot.count("}")
    assert 'subgraph "cluster lstm" { label="lstm"' in dot
    assert dot.count("style=dashed, label=delay") == 2
    assert dot.count("style=dashed, label=initial") == 2
    lines = dot.splitlines()
    numbers = {
        label: line.split()[0]
        for label in ("x", "i", "a_i", "i g", "g", "c'", "tanh c'", "h'", "o")
        for line in lines
        if f'[label="{label}\\n' in line
    }
    edges = {tuple(line.strip(" ;").split(" -> ")) for line in lines if " -> " in line}
    for start, end in (("a_i", "i"), ("i", "i g"), ("g", "i g"), ("c'", "tanh c'"), ("o", "h'")):
        assert (numbers[start], numbers[end]) in edges, (start, end)
    assert "input 0" not in dot


def test_a_nonfinite_cost_stops_with_the_first_node_that_made_it():
    x = Input("x", (2, 2), float)
    with scope("head"):
        cost = Sum(Multiply(Log(x), Constant(np.ones((2, 2)), name="ones")))
    graph = Graph(cost)
    assert graph.find_nonfinite() is None
    with np.errstate(divide="ignore"):
        graph.forward({"x": [[1, 1], [1, 0]]})
    with pytest.raises(
        GraphError,
        match=r"the cost is -inf: node head.Log\(x\) holds -inf at \[1, 1\]; x is finite",
    ):
        graph.backward()


def test_debugging_stops_a_pass_at_once():
    calls = []

    class Watched(Tanh):
        def forward(self, *arrays):
            calls.append(self)
            return super().forward(*arrays)

    x = Input("x", (2,), float)
    graph = Graph(Watched(Log(x)), debug=True)
    with np.errstate(divide="ignore"), pytest.raises(GraphError, match=r"Log\(x\) holds -inf"):
        graph.forward({"x": [0, 1]})
    assert not calls
    with pytest.raises(GraphError, match=r"node x \(input\) holds nan at \[1\]"):
        graph.forward({"x": [1, np.nan]})


def test_debugging_looks_into_composites_and_at_gradients():
    class Ratio(Composite):
        def build(self, a, b):
            return Divide(a, b, name="ratio")

    a, b = Parameter("a", np.ones(1)), Parameter("b", np.array([1e-200]))
    graph = Graph(Ratio(a, b), debug=True)
    graph.forward()
    with np.errstate(over="ignore"), pytest.raises(GraphError, match="gradient of b holds -inf"):
        graph.backward()
    b.value[...] = 0
    with np.errstate(divide="ignore"), pytest.raises(GraphError, match=r"Ratio.ratio = Divide"):
        graph.forward()


class Broken(Node):
    """Promises the shape of its input and keeps other promises."""

    def infer(self, x):
        return x

    def forward(self, x):
        return x[:1]

    def backward(self, dy):
        return dy


def test_a_node_must_keep_its_promises(rng):
    x = leaf(rng, "x", 2)
    with pytest.raises(GraphError, match=r"node Broken\(x\): promised \(2,\), computed \(1,\)"):
        Graph(Broken(x)).forward()

    class Fewer(Broken):
        forward = Tanh.forward

        def backward(self, dy):
            return dy[:1]

    graph = Graph(Fewer(x))
    graph.forward()
    with pytest.raises(GraphError, match=r"gradient of x has shape \(1,\); expected \(2,\)"):
        graph.backward()

    class More(Fewer):
        def backward(self, dy):
            return dy, dy

    graph = Graph(More(x))
    graph.forward()
    with pytest.raises(GraphError, match="has 1 inputs, its backward returned 2"):
        graph.backward()
    with pytest.raises(GraphError, match="has no tangent"):
        graph.tangent({"x": np.ones(2)})


def test_an_error_inside_a_node_tells_where(rng):
    class Faulty(Broken):
        def forward(self, x):
            return x.reshape(7)

    with pytest.raises(ValueError, match="reshape") as caught:
        Graph(Faulty(leaf(rng, "x", 2), name="odd")).forward()
    assert caught.value.__notes__ == ["in the forward pass of odd = Faulty(x)"]


def array(name, *shape):
    return Parameter(name, np.zeros(shape))


def numbers(*shape):
    return Constant(np.zeros(shape, np.int64), name="numbers")


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: MatMul(array("a", 2, 3), array("b", 2, 3), name="up"),
         r"node up = MatMul\(a, b\): cannot multiply \(2, 3\) by \(2, 3\)"),
        (lambda: Add(array("a", 2), array("b", 3)), r"broadcast \(2,\) with \(3,\)"),
        (lambda: Add(array("a", 2)), "has 1 inputs; expected 2"),
        (lambda: Tanh(array("a", 2), array("b", 2)), "has 2 inputs; expected 1"),
        (lambda: Dense(array("x", 4), array("W", 3, 2), array("b", 2)), r"x \(4,\)"),
        (lambda: Slice(array("x", 4), 2, 5), r"\[2:5\]"),
        (lambda: Slice(array("x", 4), 0, 1, axis=1), r"\(4,\) has no axis 1"),
        (lambda: Select(array("x", 4), 4), r"\[4\] does not lie"),
        (lambda: Concatenate(array("a", 2, 3), array("b", 3, 3)), "differ not only in axis 1"),
        (lambda: Stack(array("a", 2), array("b", 3)), "differ"),
        (lambda: Reshape(array("a", 2, 3), (4, -1)), r"\(2, 3\) the shape \(4, -1\)"),
        (lambda: Transpose(array("a", 2, 3), (0, 0)), "no order of the axes"),
        (lambda: Reverse(array("a", 4, 2), numbers(3)), r"expected \(T, B, …\)"),
        (lambda: Sum(array("a", 2), axes=(1,)), r"do not lie within shape \(2,\)"),
        (lambda: WeightedSum(array("x"), array("w", 3)), "1 inputs and weights"),
        (lambda: Embedding(numbers(2), array("W", 2)), r"expected \(V, D\)"),
        (lambda: Embedding(array("i", 2), array("W", 2, 2)), "float64; expected integers"),
        (lambda: Gather(array("x", 2, 3), numbers(3)), r"expected \(…, V\)"),
        (lambda: SoftmaxCrossEntropy(array("z", 2, 3), numbers(3)), "do not fit"),
        (lambda: SigmoidCrossEntropy(array("z", 2, 3), array("t", 2)), r"expected \(…, D\), \(…"),
        (lambda: Dropout(array("x", 2), 1.0, None, name="drop"), "node drop = .*rate is 1.0"),
        (lambda: Graph(Add(array("a", 1), array("a", 1))), "two leaves are called 'a'"),
        (lambda: Graph(Tanh(array("a", 1))).forward({"b": 1}), "no input is called 'b'"),
        (lambda: Input("x", (2,), float).feed(np.ones(3)), r"node x \(input\): expects shape \(2,"),
        (lambda: Input("x", (2,), int).feed(np.ones(2)), "expects int64, was fed float64"),
        (lambda: Delay(Tanh(array("a", 1))), "starts from Tanh; expected a leaf"),
        (lambda: Graph(Tanh(Delay(array("a", 1), name="d"))), "d .delay.: is not connected"),
        (lambda: Delay(array("a", 1)).connect(array("b", 2)), r"cannot be followed by \(2,\)"),
        (lambda: Tanh(Elman(array("x", T, B, D), *cell_inputs(np.random.default_rng(0),
                                                             Elman.cell))), "has 2 outputs"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named(build, message):
    with pytest.raises(GraphError, match=message):
        build()


def test_an_error_in_a_composite_names_the_path():
    class Inner(Composite):
        def build(self, x):
            return MatMul(x, array("W", 9, 9), name="product")

    class Outer(Composite):
        def build(self, x):
            return Inner(x, name="inner")

    with scope("net"), pytest.raises(GraphError, match=r"node net.outer.inner.product = MatMul"):
        Outer(array("x", 2, 3), name="outer")


def test_softmax_cross_entropy_is_stable_and_right():
    z = Parameter("z", np.array([[1000.0, 0.0], [-1000.0, -1000.0]]))
    t = Input("t", (2,), np.int64)
    graph = Graph(SoftmaxCrossEntropy(z, t))
    np.testing.assert_allclose(graph.forward({"t": [0, 1]}), np.log(2) / 2)
    np.testing.assert_allclose(graph.forward({"t": [1, 0]}), (1000 + np.log(2)) / 2)
    graph.backward()
    np.testing.assert_allclose(z.gradient, [[0.5, -0.5], [-0.25, 0.25]])


def test_sigmoid_cross_entropy_is_stable_and_right():
    z = Parameter("z", np.array([[1000.0, -1000.0, 0.0]]))
    t = Input("t", (1, 3), float)
    graph = Graph(SigmoidCrossEntropy(z, t))
    np.testing.assert_allclose(graph.forward({"t": [[1, 0, 0]]}), np.log(2))
    np.testing.assert_allclose(graph.forward({"t": [[0, 1, 0.5]]}), 2000 + np.log(2))
    graph.backward()
    np.testing.assert_allclose(z.gradient, [[1, -1, 0]])


def test_masked_places_count_nothing(rng):
    z, t = leaf(rng, "z", T, B, V), integers(rng, "t", T, B)
    mask = np.arange(T)[:, None] < np.array([4, 1, 2])
    weights = Constant(mask / mask.sum())
    graph = Graph(SoftmaxCrossEntropy(z, t, weights))
    cost = float(graph.forward())
    log_p = z.value - np.log(np.exp(z.value).sum(-1, keepdims=True))
    chosen = np.take_along_axis(log_p, t.output.data[..., None], -1)[..., 0]
    assert cost == pytest.approx(-chosen[mask].mean())
    graph.backward()
    assert not z.gradient[~mask].any()
    assert z.gradient[mask].all()


def test_neurons_one_by_one_equal_matrices(rng):
    """Two layers of neurons against two matrix products: outputs and gradients."""
    x = rng.standard_normal(3)
    hidden = neurons([Constant(np.array(value)) for value in x], 4, rng, name="hidden")
    outputs = neurons(hidden, 2, rng, Sigmoid, name="output")
    cost = SquaredNorm(Stack(*outputs))
    graph = Graph(cost)
    found = graph.forward().item()
    graph.backward()

    def matrix(layer, count):
        return np.stack([graph.parameters[f"{layer}.{k}.w"].value for k in range(count)], axis=1)

    W1, W2 = Parameter("W1", matrix("hidden", 4)), Parameter("W2", matrix("output", 2))
    h = Tanh(MatMul(PrependOne(Constant(x[None])), W1))
    matrices = Graph(SquaredNorm(Sigmoid(MatMul(PrependOne(h), W2))))
    assert found == pytest.approx(matrices.forward().item(), rel=1e-12)
    matrices.backward()
    for W, layer, count in ((W1, "hidden", 4), (W2, "output", 2)):
        for k in range(count):
            np.testing.assert_allclose(
                graph.parameters[f"{layer}.{k}.w"].gradient, W.gradient[:, k], atol=1e-12
            )


def test_dropout_keeps_the_mean_and_the_share():
    x = Parameter("x", np.ones((200, 200), np.float32))
    y = Graph(Dropout(x, 0.3, np.random.default_rng(0))).forward()
    assert y.mean() == pytest.approx(1, abs=0.02)
    assert (y == 0).mean() == pytest.approx(0.3, abs=0.01)


def test_the_contract_test_for_own_nodes_tells_what_is_wrong(rng):
    class Wrong(Tanh):
        def backward(self, *gradients):
            return 1.01 * super().backward(*gradients)

    class Moody(Tanh):
        def forward(self, x):
            return x + rng.random()

    x = leaf(rng, "x", 2, 3)
    check_node(LSTMCell(leaf(rng, "x", B, D), *cell_inputs(rng, LSTMCell)))
    with pytest.raises(AssertionError, match=r"Wrong\(x\): relative error of x is 0.00"):
        check_node(Wrong(x))
    with pytest.raises(AssertionError, match="differs at a second pass"):
        check_node(Moody(x))
    with pytest.raises(AssertionError, match="depends on no Parameter"):
        check_node(Tanh(Constant(np.ones(2))))
