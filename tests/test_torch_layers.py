"""Convolution, pooling and batch normalisation in PyTorch, where it is installed."""

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
    MaxPool1D,
    MaxPool2D,
    Parameter,
)

torch = pytest.importorskip("torch")
functional = torch.nn.functional

B, C, F = 3, 4, 5


@pytest.fixture
def rng():
    return np.random.default_rng(7)


def channels_first(array):
    return torch.tensor(np.moveaxis(array, -1, 1).copy(), requires_grad=True)


def kernel_first(W):
    """(k, …, C, F) as PyTorch has it: (F, C, k, …)."""
    return torch.tensor(np.moveaxis(W, (-1, -2), (0, 1)).copy(), requires_grad=True)


def assert_same(node, y, **tensors):
    """Compare outputs, and the gradients of a weighted sum of them by all of `tensors`."""
    cost = Weighted(node)
    graph = Graph(cost)
    graph.forward()
    graph.backward()
    y = y.movedim(1, -1)
    np.testing.assert_allclose(node.output.data, y.detach().numpy(), rtol=0, atol=1e-10)
    (y * torch.tensor(cost.w)).sum().backward()
    for name, tensor in tensors.items():
        gradient = tensor.grad.numpy()
        if name == "x":
            gradient = np.moveaxis(gradient, 1, -1)
        elif name == "W":
            gradient = np.moveaxis(gradient, (0, 1), (-1, -2))
        found = graph.parameters[name].gradient
        np.testing.assert_allclose(found, gradient, rtol=0, atol=1e-10)


@pytest.mark.parametrize(
    ("k", "stride", "dilation", "padding"),
    [
        (3, 1, 1, "valid"),
        (3, 2, 1, "valid"),
        (2, 3, 2, "valid"),
        (3, 1, 1, "same"),
        (4, 1, 1, "same"),
        (3, 1, 3, "same"),
        (2, 1, 1, "same"),
    ],
)
@pytest.mark.parametrize("axes", [1, 2])
@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
def test_convolution(axes, k, stride, dilation, padding, rng):
    x, b = leaf(rng, "x", B, *(9, 8)[:axes], C), leaf(rng, "b", F)
    W = leaf(rng, "W", *(k, 3)[:axes], C, F)
    node = (Conv1D if axes == 1 else Conv2D)(x, W, b, stride, dilation, padding)
    tensors = {
        "x": channels_first(x.value),
        "W": kernel_first(W.value),
        "b": torch.tensor(b.value, requires_grad=True),
    }
    convolve = functional.conv1d if axes == 1 else functional.conv2d
    y = convolve(
        tensors["x"], tensors["W"], tensors["b"], stride=stride, dilation=dilation, padding=padding
    )
    assert_same(node, y, **tensors)


@pytest.mark.parametrize(("size", "stride"), [(2, None), (3, 2), (3, 1), (2, 3)])
@pytest.mark.parametrize(
    ("pool", "name"),
    [
        (MaxPool1D, "max_pool1d"),
        (MaxPool2D, "max_pool2d"),
        (AveragePool1D, "avg_pool1d"),
        (AveragePool2D, "avg_pool2d"),
    ],
)
def test_pools(pool, name, size, stride, rng):
    x = leaf(rng, "x", B, *(9, 8)[: int(name[-2])], C)
    tensor = channels_first(x.value)
    assert_same(pool(x, size, stride), getattr(functional, name)(tensor, size, stride), x=tensor)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("shape", [(6, C), (5, 7, C), (3, 4, 5, C)])
def test_batch_normalisation(training, shape, rng):
    x, gamma, beta = leaf(rng, "x", *shape), leaf(rng, "gamma", C), leaf(rng, "beta", C)
    mean, variance = leaf(rng, "mean", C), Parameter("variance", 0.5 + rng.random(C))
    mean.frozen = variance.frozen = True
    running, kept = torch.tensor(mean.value), torch.tensor(variance.value)
    before = variance.value.copy()
    node = BatchNormalization(
        x, gamma, beta, mean, variance, training=training, momentum=0.9, epsilon=1e-3
    )
    tensors = {
        "x": channels_first(x.value),
        "gamma": torch.tensor(gamma.value, requires_grad=True),
        "beta": torch.tensor(beta.value, requires_grad=True),
    }
    weights = tensors["gamma"], tensors["beta"]
    y = functional.batch_norm(tensors["x"], running, kept, *weights, training, 0.1, 1e-3)
    assert_same(node, y, **tensors)
    np.testing.assert_allclose(mean.value, running.numpy(), rtol=0, atol=1e-12)
    # PyTorch's running variance is the unbiased one.
    N = x.size // C
    moved = (variance.value - 0.9 * before) * N / (N - 1)
    expected = 0.9 * before + moved if training else before
    np.testing.assert_allclose(kept.numpy(), expected, rtol=0, atol=1e-12)
