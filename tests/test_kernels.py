"""The kernels in C against numpy, on every instruction set that this machine has."""

import copy
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from musicgen import kernels
from musicgen.engine import (
    LSTM,
    Add,
    Constant,
    Embedding,
    Graph,
    Input,
    Multiply,
    Parameter,
    SoftmaxCrossEntropy,
    Sum,
)
from musicgen.errors import GraphError
from musicgen.networks import Architecture, Network
from musicgen.optim import Adam, RMSProp, clip_global_norm

POSSIBLE = kernels.chosen().possible[:-1]
SIZES = (1, 3, 17, 50, 130)

if not POSSIBLE:
    pytest.skip("no kernels were compiled", allow_module_level=True)


@pytest.fixture(autouse=True)
def _as_before():
    former = kernels.chosen()
    yield
    kernels.choose(former.name, former.threads)


@pytest.fixture
def rng():
    return np.random.default_rng(5)


def floats(rng, *shape):
    return rng.standard_normal(shape, np.float32)


def matrix(rng, n, m, turned):
    return floats(rng, m, n).T if turned else floats(rng, n, m)


@pytest.mark.parametrize("name", POSSIBLE)
@pytest.mark.parametrize("turned", [(0, 0), (0, 1), (1, 0), (1, 1)], ids=str)
def test_products_equal_numpys(name, turned, rng):
    kernels.choose(name, 2)
    for M in (*SIZES, 4, 1100):
        for N in SIZES:
            for K in (1, 3, 16, 300):
                a, b = matrix(rng, M, K, turned[0]), matrix(rng, K, N, turned[1])
                bias = floats(rng, N) if K % 2 else None
                out = np.full((M, N), np.nan, np.float32)
                kernels.product(a, b, out, bias)
                expected = a.astype(float) @ b + (0 if bias is None else bias)
                np.testing.assert_allclose(out, expected, atol=2e-4, err_msg=f"{M} {N} {K}")


def layer_results(T, B, H, D, timed):
    """Outputs and gradients of an LSTM layer over fixed random numbers."""
    rng = np.random.default_rng(T * B + H)
    arrays = {
        "x": floats(rng, T, B, D), "h": floats(rng, B, H), "c": floats(rng, B, H),
        "W_x": floats(rng, D, 4 * H), "W_h": floats(rng, H, 4 * H) / np.float32(H**0.5),
        "b": floats(rng, 4 * H),
    }  # fmt: skip
    leaves = [Parameter(key, array) for key, array in arrays.items()]
    lengths = [Constant(rng.integers(0, T + 1, B))] if timed else []
    outputs = LSTM(*leaves, *lengths).outputs
    y, h, c = (Sum(Multiply(o, Constant(floats(rng, *o.shape)))) for o in outputs)
    graph = Graph(Add(Add(y, h), c), *outputs)
    found = [array.copy() for array in graph.forward()]
    graph.backward()
    return found + [leaf.gradient.copy() for leaf in leaves]


@pytest.mark.parametrize("timed", [False, True], ids=["whole", "lengths"])
@pytest.mark.parametrize(("T", "B"), [(1, 1), (1, 4), (3, 3), (17, 17), (2, 50), (3, 130)])
def test_lstm_equals_numpys(T, B, timed):
    for H in SIZES:
        for D in (1, 17):
            kernels.choose("numpy")
            expected = layer_results(T, B, H, D, timed)
            for name in POSSIBLE:
                kernels.choose(name, 2)
                for found, wanted in zip(layer_results(T, B, H, D, timed), expected, strict=True):
                    scale = 1 + np.abs(wanted).max()
                    np.testing.assert_allclose(found / scale, wanted / scale, atol=2e-5)


@pytest.mark.parametrize("B", [17, 50])  # threads share the units, or the rows
@pytest.mark.parametrize("name", POSSIBLE)
def test_results_do_not_depend_on_the_number_of_threads(name, B):
    results = []
    for threads in (1, 2, 3, 7):
        kernels.choose(name, threads)
        results.append(layer_results(3, B, 50, 17, True))
    for other in results[1:]:
        for found, wanted in zip(other, results[0], strict=True):
            np.testing.assert_array_equal(found, wanted)


def test_float64_is_numpys(rng):
    kernels.choose(POSSIBLE[0])
    a = rng.standard_normal((5, 6))
    np.testing.assert_array_equal(kernels.product(a, a.T, np.empty((5, 5))), a @ a.T)
    assert kernels.lay_out(1, (a, a, a, a, a), 6) is None


def training_step():
    """Cost and all gradients of a graph that looks symbols up and predicts symbols."""
    rng = np.random.default_rng(8)
    W = Parameter("W", floats(rng, 33, 33))
    ids = Input("ids", (7, 3), np.int32)
    targets, weights = Input("targets", (7, 3), np.int32), Input("weights", (7, 3), np.float32)
    graph = Graph(SoftmaxCrossEntropy(Embedding(ids, W), targets, weights))
    feeds = {key: rng.integers(0, 33, (7, 3)) for key in ("ids", "targets")}
    cost = graph.forward({**feeds, "weights": rng.random((7, 3))}).copy()
    graph.backward()
    return cost, W.gradient


def test_costs_and_embeddings_equal_numpys():
    kernels.choose("numpy")
    cost, gradient = training_step()
    for name in POSSIBLE:
        kernels.choose(name, 2)
        found, slope = training_step()
        assert found == pytest.approx(float(cost), rel=1e-6)
        np.testing.assert_allclose(slope, gradient, atol=1e-6)


@pytest.mark.parametrize("optimiser", [RMSProp, Adam])
def test_updates_equal_numpys(optimiser, rng):
    start, slopes = floats(rng, 130, 129), [3 * floats(rng, 130, 129) for _ in range(3)]

    def updated():
        w, method = start.copy(), optimiser()
        for slope in slopes:
            gradient = slope.copy()
            norm = clip_global_norm([gradient], 10.0)
            method.update({"w": w}, {"w": gradient}, 0.01)
        return norm, w

    kernels.choose("numpy")
    norm, expected = updated()
    for name in POSSIBLE:
        kernels.choose(name, 2)
        found, w = updated()
        assert found == pytest.approx(norm, rel=1e-5)
        np.testing.assert_allclose(w, expected, atol=1e-6)


def test_what_is_no_number_stays_none(rng):
    for name in POSSIBLE:
        kernels.choose(name)
        for value in (np.nan, np.inf):
            z = floats(rng, 2, 40)
            z[1, 38] = value
            p, costs = np.empty_like(z), np.empty(2, np.float32)
            assert kernels.softmax(z, np.zeros(2, np.int32), p, costs)
            assert np.isfinite(costs).tolist() == [True, False]
        x, W_x, W_h = floats(rng, 3, 2, 5), floats(rng, 5, 80), floats(rng, 20, 80)
        x[1, 1, 3] = np.nan
        a, b, h = floats(rng, 3, 2, 80), floats(rng, 80), np.zeros((4, 2, 20), np.float32)
        assert kernels.lstm_forward(x, W_x, b, W_h, a, h, h.copy(), floats(rng, 3, 2, 20), None)
        assert np.isnan(h[2:, 1]).all()
        assert not np.isnan(h[:, 0]).any()
        assert not np.isnan(h[:2]).any()


@pytest.mark.parametrize("head", ["categorical", "gaussian"])
@pytest.mark.parametrize("B", [1, 4, 5, 64])
@pytest.mark.parametrize("name", POSSIBLE)
def test_a_stepper_gives_what_the_graph_gives(head, B, name, rng):
    kernels.choose(name, 2)
    network = Network.initialise(Architecture(17, head, 50, 2, "lstm", 5), rng)
    step, graph = network.stepper(B), network.unroll(1, B)
    for t in range(6):
        x = rng.integers(0, 17, B) if head == "categorical" else floats(rng, B, 17)
        logits = step(x)
        graph.forward({"inputs": x[None]})
        np.testing.assert_allclose(logits, graph.graph.outputs[1].data[0], rtol=1e-4, atol=1e-6)
        graph.carry()
        if t == 4:
            rows = rng.integers(0, B, B)
            step.select(rows)
            graph.select(rows)
    step.reset()
    graph.reset()
    graph.forward({"inputs": x[None]})
    np.testing.assert_allclose(step(x), graph.graph.outputs[1].data[0], rtol=1e-4, atol=1e-6)


def test_a_stepper_of_other_kernels_is_refused(rng):
    kernels.choose(POSSIBLE[0])
    step = Network.initialise(Architecture(16, hidden_size=16), rng).stepper()
    for name in POSSIBLE[1:]:
        kernels.choose(name)
        with pytest.raises(ValueError, match="by other kernels"):
            step([1])
    kernels.choose("numpy")
    with pytest.raises(GraphError, match="make a new stepper"):
        step([1])


def test_a_copied_stepper_is_refused(rng):
    kernels.choose(POSSIBLE[0])
    step = Network.initialise(Architecture(16, hidden_size=16), rng).stepper()
    with pytest.raises(ValueError, match="elsewhere; make a new stepper"):
        copy.deepcopy(step)([1])


def test_a_step_from_an_unknown_symbol_is_refused(rng):
    kernels.choose(POSSIBLE[0])
    step = Network.initialise(Architecture(17, hidden_size=8), rng).stepper()
    for symbol in (17, -1):
        with pytest.raises(ValueError, match=f"a number is {symbol}; expected 0 to 16"):
            step([symbol])


def test_several_python_threads_take_turns(rng):
    kernels.choose(POSSIBLE[0], 2)
    expected = layer_results(3, 17, 50, 17, False)
    with ThreadPoolExecutor(4) as pool:
        for results in pool.map(lambda _: layer_results(3, 17, 50, 17, False), range(12)):
            for found, wanted in zip(results, expected, strict=True):
                np.testing.assert_array_equal(found, wanted)


FORK = """
import os, signal
import numpy as np
from musicgen import kernels
kernels.choose(kernels.chosen().possible[0], 3)
a = np.ones((300, 300), np.float32)
out = kernels.product(a, a, np.empty_like(a)).copy()
child = os.fork()
if child == 0:
    signal.alarm(60)
    same = (kernels.product(a, a, np.empty_like(a)) == out).all()
    os._exit(0 if same else 1)
assert (kernels.product(a, a, np.empty_like(a)) == out).all()
assert os.waitpid(child, 0)[1] == 0
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_forked_process_goes_on():
    subprocess.run([sys.executable, "-W", "ignore", "-c", FORK], check=True, timeout=120)
