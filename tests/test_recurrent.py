"""Recurrent networks: layers against cells, three ways to unroll, RTRL against BPTT."""

import numpy as np
import pytest
from engine_cases import (
    CELLS,
    LAYERS,
    B,
    D,
    H,
    T,
    V,
    Weighted,
    cell_inputs,
    integers,
    leaf,
    lengths,
    total,
)

from musicgen.engine import (
    LSTM,
    RTRL,
    Composite,
    Constant,
    Delay,
    Dense,
    Elman,
    ElmanCell,
    FullyConnectedCell,
    Graph,
    Input,
    LSTMCell,
    Parameter,
    Select,
    SoftmaxCrossEntropy,
    Stack,
    Sum,
    stack,
    unroll,
    unroll_clones,
    unroll_delays,
)
from musicgen.engine.recurrent import initial_stack
from musicgen.errors import GraphError


@pytest.fixture
def rng():
    return np.random.default_rng(3)


def name(item):
    return getattr(item, "__name__", str(item))


def results(cost, *values):
    """The values' arrays and the gradients of all parameters."""
    graph = Graph(cost, *values)
    arrays = [array.copy() for array in graph.forward()[1:]]
    graph.backward()
    return arrays, {name: p.gradient.copy() for name, p in graph.parameters.items()}


def assert_equal(found, expected, tolerance):
    for array, other in zip(found[0], expected[0], strict=True):
        np.testing.assert_allclose(array, other, atol=tolerance)
    assert found[1].keys() == expected[1].keys()
    for key, gradient in expected[1].items():
        np.testing.assert_allclose(found[1][key], gradient, atol=10 * tolerance, err_msg=key)


@pytest.mark.parametrize("layer", LAYERS, ids=name)
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-12), (np.float32, 1e-5)])
def test_layer_equals_unrolled_cell(layer, dtype, tolerance, rng):
    x = leaf(rng, "x", T, B, D, dtype=dtype)
    inputs = cell_inputs(rng, layer.cell, dtype)
    whole = layer(x, *inputs).outputs
    y, finals = unroll(layer.cell, x, *inputs)
    steps = y, *finals
    assert_equal(results(total(whole), *whole), results(total(steps), *steps), tolerance)


@pytest.mark.parametrize("layer", LAYERS, ids=name)
def test_unequal_lengths_equal_each_sequence_alone(layer, rng):
    x = leaf(rng, "x", T, B, D)
    inputs = cell_inputs(rng, layer.cell)
    n = len(layer.cell.states)
    y, *finals = Graph(*layer(x, *inputs, lengths(4, 1, 0)).outputs).forward()
    for b, length in enumerate((4, 1)):
        alone = Parameter("alone", x.value[:length, b : b + 1])
        states = [Parameter(p.name, p.value[b : b + 1]) for p in inputs[:n]]
        y_b, *finals_b = Graph(*layer(alone, *states, *inputs[n:]).outputs).forward()
        np.testing.assert_allclose(y[:length, b], y_b[:, 0], atol=1e-12)
        np.testing.assert_allclose(y[length:, b], np.tile(y_b[-1], (T - length, 1)), atol=1e-12)
        for final, final_b in zip(finals, finals_b, strict=True):
            np.testing.assert_allclose(final[b], final_b[0], atol=1e-12)
    for final, initial in zip(finals, inputs, strict=False):
        np.testing.assert_array_equal(final[2], initial.value[2])


def test_states_carry_a_sequence_across_pieces(rng):
    inputs = cell_inputs(rng, LSTMCell)
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


def test_a_bidirectional_stack_equals_layers_put_together_by_hand(rng):
    arrays = initial_stack(Elman, rng, D, H, 2, bidirectional=True, dtype=float)
    weights = {key: Parameter(key, array) for key, array in arrays.items()}
    assert weights["1.reverse.W_x"].value.shape == (2 * H, H)
    zeros = Constant(np.zeros((B, H)))
    states = {f"{i}.{way}h": zeros for i in (0, 1) for way in ("", "reverse.")}
    x = rng.standard_normal((T, B, D))
    y, finals = stack(Elman, Constant(x), states, weights)
    found = Graph(y, *finals.values()).forward()

    def run(x, prefix):
        own = (weights[f"{prefix}{key}"] for key in ("W_x", "W_h", "b"))
        return Graph(*Elman(Constant(x), zeros, *own).outputs).forward()

    seen, last = x, {}
    for i in (0, 1):
        ahead, last[f"{i}.h"] = run(seen, f"{i}.")
        back, last[f"{i}.reverse.h"] = run(np.ascontiguousarray(seen[::-1]), f"{i}.reverse.")
        seen = np.concatenate([ahead, back[::-1]], axis=2)
    np.testing.assert_allclose(found[0], seen, atol=1e-12)
    for key, array in zip(finals, found[1:], strict=True):
        np.testing.assert_allclose(array, last[key], atol=1e-12)


def test_dropout_lies_between_layers_only(rng):
    def outputs(num_layers):
        arrays = initial_stack(Elman, np.random.default_rng(0), D, H, num_layers, dtype=float)
        weights = {key: Parameter(key, array) for key, array in arrays.items()}
        states = {f"{i}.h": Constant(np.zeros((B, H))) for i in range(num_layers)}
        x = Constant(np.ones((T, B, D)))
        y, _ = stack(Elman, x, states, weights, dropout=0.5, rng=rng)
        graph = Graph(y)
        return graph.forward().copy(), graph.forward().copy()

    first, again = outputs(1)
    np.testing.assert_array_equal(first, again)
    first, again = outputs(2)
    assert (first != again).any()
    assert (first != 0).all()


def test_weight_dropout_drops_the_same_weights_at_every_step(rng):
    H, rate = 6, 0.5
    weights = {"0.W_x": np.eye(1, H), "0.W_h": np.eye(H), "0.b": np.zeros(H)}
    parameters = {key: Parameter(key, array) for key, array in weights.items()}
    h_0 = np.full((1, H), 1e-3)
    x = Constant(np.zeros((4, 1, 1)))
    y, _ = stack(Elman, x, {"0.h": Constant(h_0)}, parameters, weight_dropout=rate, rng=rng)
    graph = Graph(Sum(y), y)
    seen = []
    for _ in range(20):
        graph.forward()
        graph.backward()
        passed = y.data[-1, 0] != 0
        seen.append(passed)
        # What passes is as much larger as was dropped, at each of the four steps.
        np.testing.assert_allclose(y.data[-1, 0, passed], 1e-3 / (1 - rate) ** 4, rtol=1e-3)
        # A weight that was dropped learns nothing, here of those to the unit from itself.
        gradient = np.diag(parameters["0.W_h"].gradient)
        np.testing.assert_array_equal(gradient != 0, passed)
    assert 0.3 < np.mean(seen) < 0.7
    np.testing.assert_array_equal(parameters["0.W_h"].value, np.eye(H))


def delayed(cell, inputs):
    """A graph of one step with delayed edges: its input, its new states, its weights."""
    n = len(cell.states)
    x = Input("x_t", (B, D), inputs[0].value.dtype)
    delays = [Delay(initial, name=f"{initial.name} delayed") for initial in inputs[:n]]
    step = cell(x, *delays, *inputs[n:])
    for delay, new in zip(delays, step.outputs, strict=True):
        delay.connect(new)
    return x, step.outputs


class Inside(Composite):
    """A layer of one step that has its weights inside, and is made of a node made of nodes."""

    def __init__(self, cell, weights, *inputs):
        self._cell, self._weights = cell, weights
        super().__init__(*inputs)

    def build(self, *inputs):
        return self._cell(*inputs, *self._weights).outputs


@pytest.mark.parametrize("cell", CELLS, ids=name)
def test_three_ways_to_unroll_are_equal(cell, rng):
    n = len(cell.states)
    inputs = cell_inputs(rng, cell)
    x = leaf(rng, "x", T, B, D)
    y, finals = unroll(cell, x, *inputs)
    expected = results(total([y, *finals]), y, *finals)

    first = Inside(cell, inputs[n:], Select(x, 0), *inputs[:n])
    y, finals = unroll_clones(first, x, inputs[:n])
    assert_equal(results(total([y, *finals]), y, *finals), expected, 1e-14)

    x_t, states = delayed(cell, inputs)
    steps = unroll_delays(states, {x_t: x})
    y = Stack(*(step[0] for step in steps)).output
    finals = steps[-1]
    assert_equal(results(total([y, *finals]), y, *finals), expected, 1e-14)


def predicting(cell, inputs, W, b):
    """One step with delayed edges that predicts symbols; its first output is the cost."""
    x, states = delayed(cell, inputs)
    target, weight = Input("target", (B,), np.int64), Input("weight", (B,), float)
    logits = Dense(states[0], W, b)
    return SoftmaxCrossEntropy(logits, target, weight), x, target, weight


@pytest.mark.parametrize("cell", CELLS, ids=name)
def test_rtrl_equals_bptt(cell, rng):
    inputs = cell_inputs(rng, cell)
    W, b = leaf(rng, "W_y", H, V), leaf(rng, "b_y", V)
    cost, x, target, weight = predicting(cell, inputs, W, b)
    xs, targets = leaf(rng, "xs", T, B, D), integers(rng, "targets", T, B)
    weights = Constant(rng.random((T, B)))
    steps = unroll_delays([cost], {x: xs, target: targets, weight: weights})
    bptt = Graph(Sum(Stack(*(step for (step,) in steps))))
    expected = bptt.forward()
    bptt.backward()

    rtrl = RTRL(Graph(cost), chunk=50)
    for repeated in range(2):
        rtrl.reset()
        rtrl.clear()
        found = sum(
            rtrl.step({"x_t": x, "target": target, "weight": weight})
            for x, target, weight in zip(
                xs.value, targets.output.data, weights.output.data, strict=True
            )
        )
        assert found == pytest.approx(expected, abs=1e-12), repeated
        assert rtrl.gradients.keys() == bptt.parameters.keys() - {"xs"}
        for key, gradient in rtrl.gradients.items():
            np.testing.assert_allclose(
                gradient, bptt.parameters[key].gradient, rtol=0, atol=1e-10, err_msg=key
            )


def test_rtrl_equals_the_equation_of_the_report(rng):
    """Equation 5.4, written out for a fully connected network with squared error."""
    w = leaf(rng, "W", 1 + D + H, H)
    y0 = Constant(np.zeros((B, H)))
    h = Delay(y0)
    x = Input("x", (B, D), float)
    cell = FullyConnectedCell(x, h, w)
    h.connect(cell)
    rtrl = RTRL(Graph(Sum(cell)))
    xs = rng.standard_normal((T, B, D))
    y, p = np.zeros((B, H)), np.zeros((B, H, 1 + D + H, H))
    expected = 0
    for x_t in xs:
        rtrl.step({"x": x_t})
        z = np.concatenate([np.ones((B, 1)), x_t, y], axis=1)
        y = 1 / (1 + np.exp(-z @ w.value))
        slope = y * (1 - y)
        fresh = np.einsum("lk,blij->bkij", w.value[1 + D :], p)
        for k in range(H):
            fresh[:, k, :, k] += z
        p = slope[:, :, None, None] * fresh
        expected = expected + p.sum(axis=(0, 1))
    np.testing.assert_allclose(rtrl.gradients["W"], expected, atol=1e-12)


def test_rtrl_applied_at_every_step_learns(rng):
    """An echo: the output is what was fed two steps before, learned without ever looking back."""
    weights = ElmanCell.initial_weights(rng, 2, 8, np.float64)
    parameters = [Parameter(key, array) for key, array in weights.items()]
    h = Delay(Constant(np.zeros((1, 8))))
    x, target = Input("x", (1, 2), float), Input("target", (1,), np.int64)
    cell = ElmanCell(x, h, *parameters)
    h.connect(cell)
    W, b = Parameter("W_y", np.zeros((8, 2))), Parameter("b_y", np.zeros(2))
    rtrl = RTRL(Graph(SoftmaxCrossEntropy(Dense(cell, W, b), target)))
    bits = rng.integers(0, 2, 1500)
    costs = []
    for t in range(2, len(bits)):
        costs.append(rtrl.step({"x": np.eye(2)[[bits[t]]], "target": [bits[t - 2]]}))
        for key, gradient in rtrl.gradients.items():
            rtrl.graph.parameters[key].value[...] -= 0.1 * gradient
        rtrl.clear()
    assert np.mean(costs[:20]) > 0.5
    assert np.mean(costs[-100:]) < 0.05


def test_rtrl_leaves_frozen_weights_out(rng):
    inputs = cell_inputs(rng, ElmanCell)
    inputs[2].frozen = True
    cost, *_ = predicting(ElmanCell, inputs, leaf(rng, "W_y", H, V), leaf(rng, "b_y", V))
    assert "W_h" not in RTRL(Graph(cost)).gradients


def test_rtrl_needs_a_number(rng):
    _, states = delayed(ElmanCell, cell_inputs(rng, ElmanCell))
    with pytest.raises(GraphError, match=r"first output, ElmanCell, has shape \(3, 6\)"):
        RTRL(Graph(*states))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda x, h, *w: Elman(x, h), "has 2 inputs; expected x, h, W_x, W_h, b and"),
        (lambda x, h, *w: Elman(x, x, *w), r"expected x \(T, B, D\)"),
        (lambda x, h, W, *w: Elman(x, h, w[0], *w), r"do not fit; expected .*\(5, 6\)"),
        (lambda *i: Elman(*i, lengths(1, 2)), r"\(2,\) do not fit; expected .*\(3,\)"),
        (lambda x, h, W, *w: unroll(ElmanCell, x, h, w[0], *w), r"step 0.ElmanCell.x W_x = MatMul"),
        (lambda x, h, *w: unroll_delays([Weighted(x)], {}), "sequences of one length"),
    ],
)
def test_what_does_not_fit_is_named(build, message, rng):
    with pytest.raises(GraphError, match=message):
        build(leaf(rng, "x", T, B, D), *cell_inputs(rng, ElmanCell))
