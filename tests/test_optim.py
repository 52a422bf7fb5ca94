"""Optimisers against their equations, regularisation, clipping, schedules, second-order methods."""

import math
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest

from musicgen.errors import ModelError
from musicgen.optim import (
    METHODS,
    OPTIMISERS,
    SCHEDULES,
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    RMSProp,
    clip_elements,
    clip_global_norm,
    constant,
    cosine,
    exponential,
    l2_penalty,
    minimise,
    step,
    warm_up,
    weight_decay,
)

RNG = np.random.default_rng(0)
START = RNG.standard_normal(4)
GRADIENTS = RNG.standard_normal((10, 4))


def run(optimiser, rate=0.1):
    w = START.copy()
    for gradient in GRADIENTS:
        optimiser.update({"w": w}, {"w": gradient}, rate)
    return w


def test_sgd():
    np.testing.assert_allclose(run(SGD(0)), START - 0.1 * GRADIENTS.sum(0), rtol=1e-12)


def test_sgd_with_momentum():
    w, v = START.copy(), 0
    for g in GRADIENTS:
        v = 0.8 * v - 0.1 * g
        w = w + v
    np.testing.assert_allclose(run(SGD(0.8)), w, rtol=1e-12)


def test_adagrad():
    w, s = START.copy(), 0
    for g in GRADIENTS:
        s = s + g**2
        w = w - 0.1 * g / (np.sqrt(s) + 1e-3)
    np.testing.assert_allclose(run(Adagrad(1e-3)), w, rtol=1e-12)


@pytest.mark.parametrize("momentum", [0, 0.8])
def test_rmsprop(momentum):
    w, s, v = START.copy(), 0, 0
    for g in GRADIENTS:
        s = 0.9 * s + 0.1 * g**2
        v = momentum * v - 0.1 * g / (np.sqrt(s) + 1e-3)
        w = w + v
    np.testing.assert_allclose(run(RMSProp(0.9, 1e-3, momentum=momentum)), w, rtol=1e-12)


@pytest.mark.parametrize("momentum", [0, 0.8])
def test_centred_rmsprop(momentum):
    w, s, m, v = START.copy(), 0, 0, 0
    for g in GRADIENTS:
        s = 0.9 * s + 0.1 * g**2
        m = 0.9 * m + 0.1 * g
        v = momentum * v - 0.1 * g / np.sqrt(s - m**2 + 1e-3)
        w = w + v
    optimiser = RMSProp(0.9, 1e-3, centred=True, momentum=momentum)
    np.testing.assert_allclose(run(optimiser), w, rtol=1e-12)


@pytest.mark.parametrize("rate", [1.0, 0.1])
def test_adadelta(rate):
    w, s, x = START.copy(), 0, 0
    for g in GRADIENTS:
        s = 0.9 * s + 0.1 * g**2
        v = -np.sqrt(x + 1e-3) * g / np.sqrt(s + 1e-3)
        x = 0.9 * x + 0.1 * v**2
        w = w + rate * v
    np.testing.assert_allclose(run(Adadelta(0.9, 1e-3), rate), w, rtol=1e-12)


def test_adam():
    w, m, v = START.copy(), 0, 0
    for t, g in enumerate(GRADIENTS, 1):
        m = 0.9 * m + 0.1 * g
        v = 0.99 * v + 0.01 * g**2
        w = w - 0.1 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.99**t)) + 1e-8)
    np.testing.assert_allclose(run(Adam(0.9, 0.99)), w, rtol=1e-12)


def test_a_steady_gradient_leaves_no_negative_variance():
    w, gradient = np.zeros(200, np.float32), np.linspace(1, 1000, 200, dtype=np.float32)
    optimiser = RMSProp(centred=True)
    negative = False
    for _ in range(300):
        optimiser.update({"w": w}, {"w": gradient}, 0.1)
        g, m = optimiser.slots["g"]["w"], optimiser.slots["m"]["w"]
        negative |= bool((g - m * m < -optimiser.epsilon).any())
    assert negative
    assert np.isfinite(w).all()


# With these, 400 steps suffice in the bowl below.
RATES = {"adadelta": 3.0, "adagrad": 0.5, "adam": 0.01, "rmsprop": 0.01, "sgd": 0.01}


@pytest.mark.parametrize("name", OPTIMISERS)
def test_every_optimiser_descends_in_place_and_leaves_gradients_alone(name):
    curvature = np.array([1.0, 30.0])
    values = {"a": np.array([2.0, -1.0]), "b": np.array([[1.0, 1.0]])}
    arrays = dict(values)
    optimiser = OPTIMISERS[name]()
    for _ in range(400):
        gradients = {key: curvature * value for key, value in values.items()}
        kept = {key: gradient.copy() for key, gradient in gradients.items()}
        optimiser.update(values, gradients, RATES[name])
        for key in kept:
            np.testing.assert_array_equal(gradients[key], kept[key])
    assert all(values[key] is arrays[key] for key in arrays)
    assert max(np.abs(value).max() for value in values.values()) < 0.1


EVERY_FORM = [
    (SGD(0), set()),
    (SGD(0.9), {"v"}),
    (Adagrad(), {"g"}),
    (RMSProp(), {"g"}),
    (RMSProp(momentum=0.9), {"g", "v"}),
    (RMSProp(centred=True), {"g", "m"}),
    (RMSProp(centred=True, momentum=0.9), {"g", "m", "v"}),
    (Adadelta(), {"g", "x"}),
    (Adam(), {"m", "v"}),
]


@pytest.mark.parametrize(("optimiser", "slots"), EVERY_FORM)
def test_an_update_keeps_what_its_equation_needs_and_allocates_nothing_more(optimiser, slots):
    size = 50_000
    values = {"a": np.ones(size, np.float32), "b": np.ones((2, size), np.float32)}
    gradients = {name: np.full_like(value, 0.5) for name, value in values.items()}
    optimiser.update(values, gradients, 0.1)
    assert set(optimiser.slots) == slots
    assert all(set(kept) == set(values) for kept in optimiser.slots.values())
    tracemalloc.start()
    for _ in range(3):
        optimiser.update(values, gradients, 0.1)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < values["a"].nbytes / 4
    assert all(value.dtype == np.float32 for value in values.values())


def test_scratch_memory_keeps_the_precision_of_each_weight():
    values = {"single": START.astype(np.float32), "double": START.copy()}
    optimiser = SGD(0)
    optimiser.update(values, {"single": values["single"].copy(), "double": START / 3}, 0.1)
    np.testing.assert_allclose(values["double"], START * (1 - 0.1 / 3), rtol=1e-15)


def test_l2_penalty_by_central_differences():
    W = RNG.standard_normal((2, 3))
    gradients = {"W": np.ones((2, 3)), "b": np.ones(3)}
    kept = gradients["W"]
    assert l2_penalty({"W": W}, gradients, 0.3) == pytest.approx(0.3 * (W**2).sum(), rel=1e-12)
    numeric = np.empty_like(W)
    for index in np.ndindex(W.shape):
        difference = 0.0
        for h in (1e-3, -1e-3):
            moved = W.copy()
            moved[index] += h
            difference += l2_penalty({"W": moved}, {"W": np.zeros((2, 3))}, 0.3) / (2 * h)
        numeric[index] = 1 + difference
    assert gradients["W"] is kept
    np.testing.assert_allclose(kept, numeric, rtol=1e-9)
    np.testing.assert_array_equal(gradients["b"], np.ones(3))


def test_weight_decay_of_sgd_is_the_l2_penalty_of_half_the_strength():
    decayed, penalised = {"w": START.copy()}, {"w": START.copy()}
    first, second = SGD(0), SGD(0)
    for gradient in GRADIENTS:
        weight_decay(decayed, 0.2, 0.1)
        first.update(decayed, {"w": gradient}, 0.1)
        gradients = {"w": gradient.copy()}
        l2_penalty(penalised, gradients, 0.1)
        second.update(penalised, gradients, 0.1)
    np.testing.assert_allclose(decayed["w"], penalised["w"], rtol=1e-12)
    assert not np.allclose(decayed["w"], run(SGD(0)))


def test_clipping_scales_all_gradients_by_one_factor():
    a, b = np.array([3.0]), np.array([[4.0, 12.0]])
    assert clip_global_norm([a, b], 6.5) == 13
    np.testing.assert_allclose(a, [1.5])
    np.testing.assert_allclose(b, [[2.0, 6.0]])


def test_clipping_leaves_small_gradients_alone():
    a = np.array([0.3, 0.4])
    assert clip_global_norm([a], 1.0) == pytest.approx(0.5)
    np.testing.assert_array_equal(a, [0.3, 0.4])
    clip_elements([a], 1.0)
    np.testing.assert_array_equal(a, [0.3, 0.4])


def test_clipping_nothing():
    assert clip_global_norm([], 1.0) == 0
    assert clip_global_norm([np.zeros(2)], 0.0) == 0
    clip_elements([], 1.0)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_norm_that_is_no_finite_number_changes_no_gradient(bad):
    a, b = np.array([3.0, bad]), np.array([4.0])
    norm = clip_global_norm([a, b], 1.0)
    assert norm == math.inf or (math.isnan(bad) and math.isnan(norm))
    np.testing.assert_array_equal(a, [3.0, bad])
    np.testing.assert_array_equal(b, [4.0])


def test_elements_are_clipped_one_by_one_in_place():
    a, b = np.array([3.0, -0.5, -math.inf]), np.array([[math.nan, 2.0]], np.float32)
    clip_elements([a, b], 2.0)
    np.testing.assert_array_equal(a, [2.0, -0.5, -2.0])
    np.testing.assert_array_equal(b, [[math.nan, 2.0]])


@pytest.mark.parametrize("name", SCHEDULES)
def test_every_schedule_starts_at_one_never_rises_and_stays_where_it_ends(name):
    schedule = SCHEDULES[name]
    factors = [schedule(x) for x in np.linspace(0, 1, 50)]
    assert factors[0] == 1
    assert factors == sorted(factors, reverse=True)
    assert schedule(2.0) == schedule(1.0) == factors[-1] > 0


def test_schedules_at_known_points():
    assert constant(1.0) == 1
    assert cosine(0.5, lowest=0.2) == pytest.approx(0.6)
    assert cosine(1.0) == exponential(1.0) == 0.01
    assert exponential(0.25, lowest=1 / 16) == 0.5
    assert [step(x, at=(0.2, 0.9), factor=0.5) for x in (0.1, 0.2, 0.8, 0.9)] == [1, 0.5, 0.5, 0.25]


@pytest.mark.parametrize("name", SCHEDULES)
def test_warm_up_rises_in_a_straight_line_and_then_follows_the_schedule(name):
    schedule = SCHEDULES[name]
    warmed = warm_up(schedule, 0.25)
    assert [warmed(x) for x in (0, 0.0625, 0.125, 0.1875)] == [0, 0.25, 0.5, 0.75]
    assert [warmed(0.25 + 0.75 * x) for x in (0, 0.5, 1)] == [schedule(x) for x in (0, 0.5, 1)]
    assert warmed(2.0) == schedule(1.0)
    assert warm_up(schedule, 0)(0.0) == 1


def bowl(dtype):
    """½ Σ c (θ − target)², with curvatures from 1 to 10 000."""
    values = {"W": np.zeros((2, 3), dtype), "b": np.zeros(2, dtype)}
    curvature = np.logspace(0, 4, 8)
    c = {"W": curvature[::-1][:6].reshape(2, 3), "b": curvature[:2]}

    def evaluate():
        error = {name: value - np.ones(value.shape) for name, value in values.items()}
        cost = sum(float((c[name] * error[name] ** 2).sum()) / 2 for name in values)
        return cost, {name: (c[name] * error[name]).astype(dtype) for name in values}

    return values, evaluate


def rosenbrock(dtype):
    """(1 − x)² + 100 (y − x²)²: a bent valley that ends at (1, 1)."""
    values = {"x": np.array([-1.2], dtype), "y": np.array(1.0, dtype)}

    def evaluate():
        x, y = float(values["x"][0]), float(values["y"])
        slopes = {"x": [-2 * (1 - x) - 400 * x * (y - x * x)], "y": 200 * (y - x * x)}
        gradients = {name: np.array(slope, dtype) for name, slope in slopes.items()}
        return (1 - x) ** 2 + 100 * (y - x * x) ** 2, gradients

    return values, evaluate


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("problem", [bowl, rosenbrock])
@pytest.mark.parametrize("method", METHODS)
def test_second_order_methods_reach_the_minimum(method, problem, dtype):
    values, evaluate = problem(dtype)
    arrays, evaluations, told = dict(values), [], []

    def counted():
        cost, gradients = evaluate()
        evaluations.append(cost)
        return cost, gradients

    result = minimise(
        counted,
        values,
        method,
        iterations=200,
        tolerance=1e-8,
        callback=lambda iteration, cost: told.append((iteration, cost)),
    )
    # The gradient of float32 weights can be too rough for so small a tolerance.
    assert result.converged or dtype == np.float32, result.message
    assert result.evaluations == len(evaluations)
    assert result.cost == min(evaluations) == evaluate()[0]
    assert [iteration for iteration, _ in told] == [*range(1, result.iterations + 1)]
    costs = [cost for _, cost in told]
    assert costs == sorted(costs, reverse=True)
    for name, value in values.items():
        assert value is arrays[name]
        assert value.dtype == dtype
        np.testing.assert_allclose(value, 1, atol=2e-3 if dtype == np.float32 else 1e-8)


def test_newton_steps_have_the_right_length():
    values, evaluate = bowl(np.float64)
    result = minimise(evaluate, values, "Newton-CG", tolerance=1e-8)
    # Steps of half the length would halve the error, 26 times.
    assert result.iterations < 13


@pytest.mark.parametrize("method", METHODS)
def test_a_second_order_method_ends_after_the_iterations_it_may_take(method):
    values, evaluate = rosenbrock(np.float64)
    result = minimise(evaluate, values, method, iterations=3)
    assert result.iterations == 3
    assert not result.converged
    assert result.cost == evaluate()[0] < 24


@pytest.mark.parametrize("bad", [math.nan, math.inf])
@pytest.mark.parametrize("method", METHODS)
def test_a_cost_that_is_no_number_ends_the_search_at_the_best_weights(method, bad):
    values, evaluate = bowl(np.float64)
    costs = []

    def breaks():
        cost, gradients = evaluate()
        costs.append(cost if len(costs) < 4 else bad)
        return costs[-1], gradients

    with pytest.raises(ModelError, match=rf"cost became {bad}.*evaluation 5"):
        minimise(breaks, values, method)
    assert evaluate()[0] == min(costs[:4])


def test_a_gradient_that_is_no_number_ends_the_search_where_it_began():
    values = {"w": np.array([1.0, 2.0])}
    with pytest.raises(ModelError, match="gradient nan at evaluation 1;"):
        minimise(lambda: (1.0, {"w": np.array([0.0, math.nan])}), values)
    np.testing.assert_array_equal(values["w"], [1.0, 2.0])


def test_an_unknown_method_is_answered_with_the_known_ones():
    with pytest.raises(ModelError, match="'BFGS'; there are: L-BFGS-B, CG, Newton-CG"):
        minimise(lambda: (0.0, {}), {}, "BFGS")


def test_scipy_is_loaded_only_to_minimise():
    code = "import sys; import musicgen.optim; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "musicgen.optim.second_order" in done.stdout.split()
    assert "scipy" not in done.stdout.split()
