"""The same computations in PyTorch, where it is installed."""

import numpy as np
import pytest

from musicgen.engine import (
    GRU,
    LSTM,
    Add,
    Constant,
    Dot,
    Elman,
    Graph,
    Parameter,
    SquaredNorm,
    initial_stack,
    stack,
)
from musicgen.optim import SGD, Adadelta, Adagrad, Adam, RMSProp, l2_penalty, weight_decay

torch = pytest.importorskip("torch")

SHAPES = {"W": (5, 3), "U": (4, 2, 3), "b": (7,)}
RATE = 0.05


def no_change(values, gradients):
    pass


def assert_same_steps(ours, theirs, settings, before_update=no_change):
    """Take ten float64 steps with the same gradients in both, and compare the weights."""
    rng = np.random.default_rng(11)
    values = {name: rng.standard_normal(shape) for name, shape in SHAPES.items()}
    tensors = {name: torch.tensor(value, requires_grad=True) for name, value in values.items()}
    reference = theirs(tensors.values(), lr=RATE, **settings)
    for _ in range(10):
        gradients = {name: rng.standard_normal(shape) for name, shape in SHAPES.items()}
        for name, gradient in gradients.items():
            tensors[name].grad = torch.tensor(gradient)
        reference.step()
        before_update(values, gradients)
        ours.update(values, gradients, RATE)
        for name, value in values.items():
            expected = tensors[name].detach().numpy()
            np.testing.assert_allclose(value, expected, rtol=0, atol=1e-10)


OPTIMISERS = {
    "sgd": (lambda: SGD(0), torch.optim.SGD, {}),
    "momentum": (lambda: SGD(0.9), torch.optim.SGD, {"momentum": 0.9}),
    "adagrad": (lambda: Adagrad(1e-5), torch.optim.Adagrad, {"eps": 1e-5}),
    "rmsprop": (lambda: RMSProp(0.9, 1e-5), torch.optim.RMSprop, {"alpha": 0.9, "eps": 1e-5}),
    "rmsprop with momentum": (
        lambda: RMSProp(0.9, 1e-5, momentum=0.8),
        torch.optim.RMSprop,
        {"alpha": 0.9, "eps": 1e-5, "momentum": 0.8},
    ),
    "adadelta": (lambda: Adadelta(0.9, 1e-5), torch.optim.Adadelta, {"rho": 0.9, "eps": 1e-5}),
    "adam": (
        lambda: Adam(0.8, 0.99, 1e-5),
        torch.optim.Adam,
        {"betas": (0.8, 0.99), "eps": 1e-5},
    ),
}


@pytest.mark.parametrize("name", OPTIMISERS)
def test_optimiser(name):
    ours, theirs, settings = OPTIMISERS[name]
    assert_same_steps(ours(), theirs, settings)


@pytest.mark.parametrize("name", OPTIMISERS)
def test_l2_penalty_is_half_of_torchs_weight_decay(name):
    """Torch adds ``λ θ`` to the gradient, and we ``2 λ θ``, the gradient of ``λ ‖θ‖²``."""
    ours, theirs, settings = OPTIMISERS[name]
    assert_same_steps(
        ours(),
        theirs,
        settings | {"weight_decay": 0.3},
        lambda values, gradients: l2_penalty(values, gradients, 0.15),
    )


@pytest.mark.parametrize("momentum", [0, 0.8])
def test_centred_rmsprop_but_for_epsilon(momentum):
    """Torch divides by ``√(g − m²) + ε``, the report by ``√(g − m² + ε)``; both agree as ε → 0."""
    settings = {"alpha": 0.9, "eps": 1e-30, "momentum": momentum, "centered": True}
    ours = RMSProp(0.9, 1e-30, centred=True, momentum=momentum)
    assert_same_steps(ours, torch.optim.RMSprop, settings)
    ours, settings = RMSProp(0.9, 0.1, centred=True, momentum=momentum), settings | {"eps": 0.1}
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        assert_same_steps(ours, torch.optim.RMSprop, settings)


def test_adam_with_decoupled_decay_is_adamw():
    assert_same_steps(
        Adam(),
        torch.optim.AdamW,
        {"weight_decay": 0.3},
        lambda values, gradients: weight_decay(values, 0.3, RATE),
    )


def like_torch(layer, weights):
    """Our weights in PyTorch's order: ``weight_ih``, ``weight_hh``, ``bias_ih``, ``bias_hh``.

    PyTorch packs the LSTM's gates as (i, f, g, o), ours are (i, f, o, g); its GRU mixes with
    ``1 − z``, so that what leads to z has the other sign.
    """
    W_x, W_h, b = (weights[name] for name in ("W_x", "W_h", "b"))
    H = W_h.shape[0]
    if layer is LSTM:
        order = np.r_[0 : 2 * H, 3 * H : 4 * H, 2 * H : 3 * H]
        return [W_x[:, order].T, W_h[:, order].T, b[order], np.zeros(4 * H)]
    if layer is GRU:
        sign = np.repeat([1.0, -1.0, 1.0], H)
        b_h = np.concatenate([np.zeros(2 * H), b[3 * H :]])
        return [(W_x * sign).T, (W_h * sign).T, b[: 3 * H] * sign, b_h]
    return [W_x.T, W_h.T, b, np.zeros(H)]


@pytest.mark.parametrize("layer", [LSTM, GRU, Elman], ids=lambda layer: layer.__name__)
@pytest.mark.parametrize("lengths", [None, [5, 3, 1]], ids=["equal", "unequal"])
def test_bidirectional_stacks_equal_torch(layer, lengths):
    """Two layers in both directions: outputs, final states, and every gradient."""
    T, B, D, H = 5, 3, 4, 6
    rng = np.random.default_rng(2)
    arrays = initial_stack(layer, rng, D, H, 2, bidirectional=True, dtype=np.float64)
    for array in arrays.values():
        array += rng.standard_normal(array.shape) * 0.1
    weights = {name: Parameter(name, array) for name, array in arrays.items()}
    ways = [f"{i}.{way}" for i in (0, 1) for way in ("", "reverse.")]
    states = {
        f"{way}{state}": Parameter(f"{way}{state}", rng.standard_normal((B, H)))
        for way in ways
        for state in layer.cell.states
    }
    x = Parameter("x", rng.standard_normal((T, B, D)))
    timed = None if lengths is None else Constant(np.array(lengths))
    y, finals = stack(layer, x, states, weights, lengths=timed)
    seed = rng.standard_normal((T, B, 2 * H))
    if lengths:  # after its end ours repeats the last state, torch has zeros
        seed *= (np.arange(T)[:, None] < np.array(lengths))[..., None]
    cost = Dot(y, Constant(seed))
    for final in finals.values():
        cost = Add(cost, SquaredNorm(final))
    graph = Graph(cost, y, *finals.values())
    _, ours, *our_finals = (array.copy() for array in graph.forward())
    graph.backward()

    kind = {LSTM: torch.nn.LSTM, GRU: torch.nn.GRU, Elman: torch.nn.RNN}[layer]
    theirs = kind(D, H, 2, bidirectional=True, dtype=torch.float64)
    leaves = []
    for way, names in zip(ways, theirs.all_weights, strict=True):
        own = {name: arrays[way + name] for name in ("W_x", "W_h", "b")}
        for parameter, array in zip(names, like_torch(layer, own), strict=True):
            parameter.data = torch.tensor(np.ascontiguousarray(array))
            leaves.append(parameter)
    initial = [
        torch.tensor(np.stack([states[way + s].value for way in ways]), requires_grad=True)
        for s in layer.cell.states
    ]
    x_t = torch.tensor(x.value, requires_grad=True)
    fed = torch.nn.utils.rnn.pack_padded_sequence(x_t, lengths) if lengths else x_t
    out, last = theirs(fed, tuple(initial) if len(initial) > 1 else initial[0])
    if lengths:
        out, _ = torch.nn.utils.rnn.pad_packed_sequence(out)
    last = last if isinstance(last, tuple) else (last,)
    ((out * torch.tensor(seed)).sum() + sum((final**2).sum() for final in last)).backward()

    inside = np.ones((T, B, 1)) if lengths is None else seed[..., :1] != 0
    np.testing.assert_allclose(ours * inside, out.detach().numpy(), rtol=0, atol=1e-10)
    expected = np.stack([final.detach().numpy() for final in last], axis=1)
    np.testing.assert_allclose(np.reshape(our_finals, expected.shape), expected, rtol=0, atol=1e-10)
    found = [x.gradient]
    wanted = [x_t.grad.numpy()]
    for s, tensor in zip(layer.cell.states, initial, strict=True):
        found.append(np.stack([states[way + s].gradient for way in ways]))
        wanted.append(tensor.grad.numpy())
    for way, names in zip(ways, theirs.all_weights, strict=True):
        own = {name: weights[way + name].gradient for name in ("W_x", "W_h", "b")}
        found += like_torch(layer, own)[:3]
        wanted += [parameter.grad.numpy() for parameter in names[:3]]
        if layer is GRU:
            found.append(own["b"][3 * H :])
            wanted.append(names[3].grad.numpy()[2 * H :])
    for ours, theirs in zip(found, wanted, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-10)
