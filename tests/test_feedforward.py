"""Convolution, pooling and batch normalisation against loops, differences and definitions."""

import itertools

import numpy as np
import pytest
from engine_cases import Weighted, leaf

from musicgen.engine import (
    AveragePool1D,
    AveragePool2D,
    BatchNormalization,
    Conv1D,
    Conv2D,
    Graph,
    Input,
    MaxPool1D,
    MaxPool2D,
    Parameter,
    UpSampling1D,
    UpSampling2D,
    check_gradients,
    gaussian,
    glorot_normal,
    glorot_uniform,
    he_normal,
    he_uniform,
    orthogonal,
    uniform,
)
from musicgen.errors import GraphError

B, C, F = 2, 3, 4
POOLS = [(MaxPool1D, np.max), (AveragePool1D, np.mean)]
POOLS_2D = [(MaxPool2D, np.max), (AveragePool2D, np.mean)]


@pytest.fixture
def rng():
    return np.random.default_rng(3)


def distinct(rng, *shape):
    """Numbers so far apart that none overtakes another while differences are taken."""
    n = np.prod(shape)
    return Parameter("x", (rng.permutation(n) / n - 0.5).reshape(shape) * 3)


def conv_1d(rng, L, k, stride, dilation, padding):
    x, W, b = leaf(rng, "x", B, L, C), leaf(rng, "W", k, C, F), leaf(rng, "b", F)
    return Conv1D(x, W, b, stride, dilation, padding)


def conv_2d(rng, lengths, k, stride, dilation, padding):
    x, W = leaf(rng, "x", B, *lengths, C), leaf(rng, "W", *k, C, F)
    return Conv2D(x, W, leaf(rng, "b", F), stride, dilation, padding)


def pad(x, k, strides, dilations, padding):
    """Put zeros around the middle axes, as TensorFlow's documentation says how many."""
    if padding == "valid":
        return x
    widths = [(0, 0)]
    for n, size, stride, dilation in zip(x.shape[1:-1], k, strides, dilations, strict=True):
        reach = (size - 1) * dilation + 1
        needed = max(reach - (n % stride or stride), 0)
        widths.append((needed // 2, needed - needed // 2))
    return np.pad(x, [*widths, (0, 0)])


def slow_convolution(x, W, b, strides, dilations, padding):
    k = W.shape[:-2]
    x = pad(x, k, strides, dilations, padding)
    reach = [(size - 1) * d + 1 for size, d in zip(k, dilations, strict=True)]
    lengths = zip(x.shape[1:-1], reach, strides, strict=True)
    counts = [(n - r) // s + 1 for n, r, s in lengths]
    y = np.zeros((len(x), *counts, W.shape[-1]))
    for n, f in itertools.product(range(len(x)), range(len(b))):
        for stand in np.ndindex(*counts):
            y[(n, *stand, f)] = b[f]
            for place in np.ndindex(*k):
                at = [p * s + i * d for p, s, i, d in zip(stand, strides, place, dilations)]  # noqa: B905
                y[(n, *stand, f)] += x[(n, *at)] @ W[(*place, slice(None), f)]
    return y


CONVOLUTIONS_1D = list(itertools.product((5, 8), (1, 2, 3), (1, 2, 3), (1, 2), ("valid", "same")))
CONVOLUTIONS_2D = [
    ((5, 6), (3, 2), 1, 1, "valid"),
    ((5, 6), (3, 2), 1, 1, "same"),
    ((6, 5), (2, 3), (2, 1), 1, "same"),
    ((6, 5), (2, 3), (1, 3), (2, 1), "same"),
    ((7, 5), (3, 2), 2, (1, 3), "valid"),
    ((2, 2), (5, 4), 3, 1, "same"),
]


@pytest.mark.parametrize("settings", CONVOLUTIONS_1D)
def test_conv_1d(settings, rng):
    node = conv_1d(rng, *settings)
    _, _, stride, dilation, padding = settings
    y = Graph(node).forward()
    expected = slow_convolution(*node.data, (stride,), (dilation,), padding)
    np.testing.assert_allclose(y, expected, atol=1e-12)
    errors = check_gradients(Graph(Weighted(node)))
    assert errors.keys() == {"x", "W", "b", "tangent"}
    assert max(errors.values()) <= 1e-6


@pytest.mark.parametrize("settings", CONVOLUTIONS_2D)
def test_conv_2d(settings, rng):
    node = conv_2d(rng, *settings)
    _, _, stride, dilation, padding = settings
    strides, dilations = ((s, s) if isinstance(s, int) else s for s in (stride, dilation))
    y = Graph(node).forward()
    np.testing.assert_allclose(
        y, slow_convolution(*node.data, strides, dilations, padding), atol=1e-12
    )
    assert max(check_gradients(Graph(Weighted(node))).values()) <= 1e-6


@pytest.mark.parametrize(("n", "stride"), [(7, 1), (7, 2), (8, 3), (1, 2)])
def test_same_keeps_the_length_up_to_the_stride(n, stride, rng):
    assert conv_1d(rng, n, 3, stride, 2, "same").output.shape == (B, -(-n // stride), F)


def test_the_extra_zero_comes_last():
    x, W = Parameter("x", np.ones((1, 3, 1))), Parameter("W", np.array([[[1.0]], [[10.0]]]))
    y = Graph(Conv1D(x, W, Parameter("b", np.zeros(1)), padding="same")).forward()
    np.testing.assert_array_equal(y.ravel(), [11, 11, 1])


def test_the_kernel_is_not_turned_round():
    x, W = Parameter("x", np.eye(1, 4)[:, :, None]), Parameter("W", np.ones((2, 1, 1)))
    W.value[:, 0, 0] = [5, 7]
    y = Graph(Conv1D(x, W, Parameter("b", np.zeros(1)))).forward()
    np.testing.assert_array_equal(y.ravel(), [5, 0, 0])


def test_what_needs_no_gradient_is_skipped(rng):
    node = conv_1d(rng, 5, 3, 1, 1, "same")
    graph = Graph(Weighted(node))
    graph.forward()
    for parameter in (graph.parameters["x"], graph.parameters["W"]):
        parameter.frozen = True
    graph.backward()
    assert not {"dx", "dW", "dpatches"} & node._buffers.keys()
    assert graph.parameters["b"].gradient.any()


@pytest.mark.parametrize(("pool", "reduce"), POOLS)
@pytest.mark.parametrize(("L", "size", "stride"), [(6, 2, None), (7, 3, 2), (5, 3, 1), (7, 2, 3)])
def test_pool_1d(pool, reduce, L, size, stride, rng):
    x = distinct(rng, B, L, C)
    node = pool(x, size, stride)
    step = stride or size
    stands = range(0, L - size + 1, step)
    expected = np.stack([reduce(x.value[:, p : p + size], axis=1) for p in stands], axis=1)
    np.testing.assert_allclose(Graph(node).forward(), expected, atol=1e-15)
    assert max(check_gradients(Graph(Weighted(node))).values()) <= 1e-6


@pytest.mark.parametrize(("pool", "reduce"), POOLS_2D)
@pytest.mark.parametrize(("size", "stride"), [(2, None), ((3, 2), (1, 2)), ((2, 3), 2)])
def test_pool_2d(pool, reduce, size, stride, rng):
    x = distinct(rng, B, 6, 5, C)
    node = pool(x, size, stride)
    (a, b), (s, t) = np.broadcast_to(size, 2), np.broadcast_to(stride or size, 2)
    expected = [
        [reduce(x.value[:, p : p + a, q : q + b], axis=(1, 2)) for q in range(0, 5 - b + 1, t)]
        for p in range(0, 6 - a + 1, s)
    ]
    np.testing.assert_allclose(
        Graph(node).forward(), np.moveaxis(np.array(expected), 2, 0), atol=1e-15
    )
    assert max(check_gradients(Graph(Weighted(node))).values()) <= 1e-6


def test_the_first_of_equal_elements_gets_the_gradient():
    x = Parameter("x", np.ones((1, 4, 1)))
    graph = Graph(MaxPool1D(x, 3, 1))
    graph.forward()
    graph.backward()
    np.testing.assert_array_equal(x.gradient.ravel(), [1, 1, 0, 0])
    assert graph.tangent({"x": np.arange(4.0).reshape(1, 4, 1)}).ravel().tolist() == [0, 1]


def test_up_sampling(rng):
    x = leaf(rng, "x", B, 2, 3, C)
    node = UpSampling2D(x, (3, 2))
    expected = x.value.repeat(3, axis=1).repeat(2, axis=2)
    np.testing.assert_array_equal(Graph(node).forward(), expected)
    assert max(check_gradients(Graph(Weighted(node))).values()) <= 1e-6
    line = UpSampling1D(leaf(rng, "line", B, 3, C), 2)
    assert Graph(line).forward().shape == (B, 6, C)
    assert max(check_gradients(Graph(Weighted(line))).values()) <= 1e-6


def normalised(rng, training, shape=(5, 4, C), **settings):
    x, gamma, beta, mean = (leaf(rng, n, *s) for n, s in zip(
        ("x", "gamma", "beta", "mean"), (shape, (C,), (C,), (C,)), strict=True
    ))  # fmt: skip
    variance = Parameter("variance", 0.5 + rng.random(C))
    mean.frozen = variance.frozen = training
    return BatchNormalization(x, gamma, beta, mean, variance, training=training, **settings)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("shape", [(6, C), (5, 4, C), (2, 3, 4, C)])
def test_gradients_of_batch_normalisation(training, shape, rng):
    errors = check_gradients(Graph(Weighted(normalised(rng, training, shape))))
    moments = set() if training else {"mean", "variance"}
    assert errors.keys() == {"x", "gamma", "beta", "tangent"} | moments
    assert max(errors.values()) <= 1e-6, errors


def test_training_normalises_the_batch_and_moves_the_running_moments(rng):
    node = normalised(rng, True, momentum=0.9, epsilon=1e-12)
    x, gamma, beta, mean, variance = (value.data.copy() for value in node.inputs)
    y = Graph(node).forward()
    np.testing.assert_allclose(y.mean((0, 1)), beta, atol=1e-12)
    np.testing.assert_allclose(y.std((0, 1)), np.abs(gamma), atol=1e-9)
    np.testing.assert_allclose(node.data[3], 0.9 * mean + 0.1 * x.mean((0, 1)), atol=1e-14)
    np.testing.assert_allclose(node.data[4], 0.9 * variance + 0.1 * x.var((0, 1)), atol=1e-14)


def test_evaluation_takes_the_running_moments_and_leaves_them(rng):
    node = normalised(rng, False)
    before = [value.data.copy() for value in node.inputs]
    x, gamma, beta, mean, variance = before
    expected = gamma * (x - mean) / np.sqrt(variance + 1e-3) + beta
    np.testing.assert_allclose(Graph(node).forward(), expected, atol=1e-12)
    for value, array in zip(node.inputs, before, strict=True):
        np.testing.assert_array_equal(value.data, array)


@pytest.mark.parametrize(
    "build",
    [
        lambda r: conv_1d(r, 7, 3, 2, 2, "same"),
        lambda r: conv_2d(r, (5, 4), (2, 3), (1, 2), 1, "same"),
        lambda r: MaxPool2D(leaf(r, "x", B, 4, 5, C), 2, 1),
        lambda r: AveragePool1D(leaf(r, "x", B, 5, C), 3, 1),
        lambda r: UpSampling2D(leaf(r, "x", B, 2, 2, C), (2, 3)),
        lambda r: normalised(r, True),
        lambda r: normalised(r, False),
    ],
)
def test_stacked_directions_equal_single_ones(build, rng):
    node = build(rng)
    graph = Graph(node)
    graph.forward()
    whole = [rng.standard_normal((3, *value.shape)) for value in node.inputs]
    together = node.tangent(*whole)
    single = [node.tangent(*(d[k : k + 1] for d in whole)) for k in range(3)]
    np.testing.assert_allclose(together, np.concatenate(single), atol=1e-12)
    first = [whole[0], *(np.zeros((1, *d.shape[1:])) for d in whole[1:])]
    assert node.tangent(*first).shape == (3, *node.output.shape)


def test_single_precision_stays_single_and_buffers_are_kept(rng):
    x = Input("x", (B, 6, 6, C), np.float32)
    W, b = leaf(rng, "W", 3, 3, C, F, dtype=np.float32), leaf(rng, "b", F, dtype=np.float32)
    graph = Graph(Weighted(AveragePool2D(MaxPool2D(Conv2D(x, W, b, padding="same"), 2), 2, 1)))
    for _ in range(2):
        assert graph.forward({"x": rng.standard_normal((B, 6, 6, C))}) != 0
        graph.backward()
        kept = {id(a) for node in graph.nodes for a in node._buffers.values()}
    assert all(value.dtype == np.float32 for node in graph.nodes for value in node.outputs)
    graph.forward()
    graph.backward()
    assert kept == {id(a) for node in graph.nodes for a in node._buffers.values()}


def array(name, *shape):
    return Parameter(name, np.zeros(shape))


def conv(x, W, b, *settings):
    return (Conv1D if len(x) == 3 else Conv2D)(
        array("x", *x), array("W", *W), array("b", *b), *settings
    )


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: conv((2, 5, 3), (3, 4, 1), (1,)), r"x \(2, 5, 3\), W \(3, 4, 1\).*\(B, L, C\)"),
        (lambda: conv((2, 5, 3), (3, 3, 2), (1,)), r"b \(1,\) do not fit"),
        (lambda: conv((2, 5, 5), (3, 3, 2, 1), (1,)), "do not fit"),
        (lambda: conv((2, 5, 5, 2), (3, 3, 1, 1), (1,)), r"expected \(B, Y, X, C\), \(k_y"),
        (lambda: conv((2, 5, 3), (3, 3, 2), (2,), 1, 3), r"kernel \(3,\) with dilation \(3,\)"),
        (lambda: conv((2, 5, 3), (3, 3, 2), (2,), 0), r"is \(0,\); expected 1 of 1 or more"),
        (lambda: conv((2, 5, 3), (3, 3, 2), (2,), (1, 2)), "expected 1 of"),
        (lambda: conv((2, 5, 3), (3, 3, 2), (2,), 1, 1, "full"), "padding is 'full'"),
        (lambda: MaxPool1D(array("x", 2, 5), 2), r"x has shape \(2, 5\); expected 3 axes"),
        (lambda: MaxPool2D(array("x", 2, 5, 5, 1), 6, name="p"), r"p = .* \(6, 6\) does not fit"),
        (lambda: AveragePool1D(array("x", 2, 5, 1), 2, 0), "expected 1 of 1 or more"),
        (lambda: UpSampling1D(array("x", 2, 5, 1, 1), 2), "expected 3 axes"),
        (lambda: UpSampling2D(array("x", 2, 5, 5, 1), (2, 0)), r"size is \(2, 0\)"),
        (
            lambda: BatchNormalization(
                array("x", 4, 3), *(array(n, 3) for n in "gbm"), array("v", 2), training=True
            ),
            r"x \(4, 3\), gamma \(3,\).*variance \(2,\) do not fit",
        ),
    ],
)
def test_what_does_not_fit_is_named(build, message):
    with pytest.raises(GraphError, match=message):
        build()


def test_deviations_of_the_initialisers(rng):
    shape = (3, 3, 20, 40)
    fan_in, fan_out = 180, 360
    expected = {
        gaussian: 0.1**0.5,
        uniform: 0.1 / 12**0.5,
        glorot_uniform: (2 / (fan_in + fan_out)) ** 0.5,
        glorot_normal: (2 / (fan_in + fan_out)) ** 0.5,
        he_uniform: (2 / fan_in) ** 0.5,
        he_normal: (2 / fan_in) ** 0.5,
    }
    for draw, deviation in expected.items():
        W = draw(rng, shape)
        assert (W.shape, W.dtype) == (shape, np.float32)
        assert W.std() == pytest.approx(deviation, rel=0.05), draw.__name__
    assert gaussian(rng, (9999,), deviation=2).std() == pytest.approx(2, rel=0.05)
    assert uniform(rng, (9999,), low=3, high=4).min() >= 3


def test_first_draws_of_matrices_have_not_changed():
    limit = (6 / 7) ** 0.5
    expected = np.random.default_rng(0).uniform(-limit, limit, (3, 4)).astype(np.float32)
    np.testing.assert_array_equal(glorot_uniform(np.random.default_rng(0), (3, 4)), expected)


def test_orthogonal_kernels(rng):
    W = orthogonal(rng, (2, 3, 4), float).reshape(6, 4)
    np.testing.assert_allclose(W.T @ W, np.eye(4), atol=1e-12)


def test_a_vector_has_no_fans(rng):
    with pytest.raises(ValueError, match=r"shape \(3,\) has no fans"):
        he_normal(rng, (3,))
