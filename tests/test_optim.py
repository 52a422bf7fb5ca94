"""Optimisers against their equations, clipping, schedules."""

import numpy as np
import pytest

from musicgen.optim import OPTIMISERS, SGD, Adam, RMSProp, clip_global_norm, cosine

RNG = np.random.default_rng(0)
START = RNG.standard_normal(4)
GRADIENTS = RNG.standard_normal((5, 4))


def run(optimiser, rate=0.1):
    w = START.copy()
    for gradient in GRADIENTS:
        optimiser.update({"w": w}, {"w": gradient}, rate)
    return w


def test_sgd_with_momentum():
    w, v = START.copy(), 0
    for g in GRADIENTS:
        v = 0.8 * v - 0.1 * g
        w = w + v
    np.testing.assert_allclose(run(SGD(0.8)), w, rtol=1e-12)


def test_rmsprop():
    w, s = START.copy(), 0
    for g in GRADIENTS:
        s = 0.9 * s + 0.1 * g**2
        w = w - 0.1 * g / (np.sqrt(s) + 1e-3)
    np.testing.assert_allclose(run(RMSProp(0.9, 1e-3)), w, rtol=1e-12)


def test_adam():
    w, m, v = START.copy(), 0, 0
    for t, g in enumerate(GRADIENTS, 1):
        m = 0.9 * m + 0.1 * g
        v = 0.99 * v + 0.01 * g**2
        w = w - 0.1 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.99**t)) + 1e-8)
    np.testing.assert_allclose(run(Adam(0.9, 0.99)), w, rtol=1e-12)


@pytest.mark.parametrize("name", OPTIMISERS)
def test_every_optimiser_descends_in_place_and_leaves_gradients_alone(name):
    curvature = np.array([1.0, 30.0])
    values = {"a": np.array([2.0, -1.0]), "b": np.array([[1.0, 1.0]])}
    arrays = dict(values)
    optimiser = OPTIMISERS[name]()
    for _ in range(400):
        gradients = {key: curvature * value for key, value in values.items()}
        kept = {key: gradient.copy() for key, gradient in gradients.items()}
        optimiser.update(values, gradients, 0.01)
        for key in kept:
            np.testing.assert_array_equal(gradients[key], kept[key])
    assert all(values[key] is arrays[key] for key in arrays)
    assert max(np.abs(value).max() for value in values.values()) < 0.1


def test_clipping_scales_all_gradients_by_one_factor():
    a, b = np.array([3.0]), np.array([[4.0, 12.0]])
    assert clip_global_norm([a, b], 6.5) == 13
    np.testing.assert_allclose(a, [1.5])
    np.testing.assert_allclose(b, [[2.0, 6.0]])


def test_clipping_leaves_small_gradients_alone():
    a = np.array([0.3, 0.4])
    assert clip_global_norm([a], 1.0) == pytest.approx(0.5)
    np.testing.assert_array_equal(a, [0.3, 0.4])


def test_cosine_falls_and_stays():
    factors = [cosine(x) for x in np.linspace(0, 1, 20)]
    assert factors == sorted(factors, reverse=True)
    assert cosine(2.0) == cosine(1.0) == 0.01
