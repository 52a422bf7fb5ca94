"""The stacked network: gradients of the whole, stepping, model files."""

import json
import math

import numpy as np
import pytest
from safetensors.numpy import save_file

from musicgen.encodings.characters import Characters
from musicgen.engine import check_gradients
from musicgen.errors import ModelError
from musicgen.music import Tune
from musicgen.networks import CELLS, HEADS, Architecture, Model, Network

T, B, V = 5, 3, 7


def network(dtype=np.float32, **shape):
    shape = {"hidden_size": 6, "num_layers": 2, "embedding_size": 4, **shape}
    return Network.initialise(Architecture(V, **shape), np.random.default_rng(0), dtype)


def feeds(dtype=np.float32, head="categorical"):
    rng = np.random.default_rng(1)
    weights = rng.random((T, B)).astype(dtype)
    if head == "categorical":
        inputs, targets = rng.integers(0, V, (2, T, B))
    else:
        inputs, targets = rng.random((2, T, B, V)).astype(dtype)
    return {"inputs": inputs, "targets": targets, "weights": weights / weights.sum()}


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("head", HEADS)
def test_gradient_of_the_whole_network(cell, head):
    unrolled = network(np.float64, cell=cell, head=head).unroll(T, B)
    for name, node in unrolled.graph.inputs.items():
        if name.startswith("recurrent"):
            node.feed(np.random.default_rng(len(name)).standard_normal((B, 6)))
    errors = check_gradients(unrolled.graph, feeds(np.float64, head))
    assert ("embedding.W" in errors) == (head == "categorical")
    assert {"recurrent.0.W_x", "recurrent.0.W_h", "recurrent.1.W_x", "dense.b"} <= errors.keys()
    assert max(errors.values()) <= 1e-6, errors


@pytest.mark.parametrize("cell", CELLS)
def test_steps_equal_the_sequence(cell):
    net = network(np.float64, cell=cell)
    given = feeds(np.float64)
    cost = float(net.unroll(T, B).forward(given))
    total = 0.0
    step = net.stepper(B)
    for t in range(T):
        logits = step(given["inputs"][t])
        p = np.exp(logits - np.logaddexp.reduce(logits, axis=1, keepdims=True))
        total -= given["weights"][t] @ np.log(p[range(B), given["targets"][t]])
    assert cost == pytest.approx(total, rel=1e-12)


@pytest.mark.parametrize("head", ["bernoulli", "gaussian"])
def test_steps_equal_the_sequence_of_frames(head):
    net = network(np.float64, head=head)
    given = feeds(np.float64, head)
    net.unroll(T, B)
    unrolled = net.unroll(T, B)
    unrolled.forward(given)
    step = net.stepper(B)
    for t in range(T):
        expected = unrolled.graph.outputs[1].data[t]
        np.testing.assert_allclose(step(given["inputs"][t]), expected, rtol=1e-12)


def test_a_stepper_can_forget():
    step = network().stepper()
    first = step([3]).copy()
    assert not np.array_equal(step([3]), first)
    step.reset()
    np.testing.assert_array_equal(step([3]), first)


def test_a_stepper_can_go_on_from_another_row():
    step = network(np.float64).stepper(2)
    step([3, 4])
    step.select(np.array([1, 1]))
    one, other = step([5, 5])
    np.testing.assert_array_equal(one, other)
    alone = network(np.float64).stepper()
    alone([4])
    np.testing.assert_allclose(alone([5])[0], one, rtol=1e-12)


def test_states_are_carried_and_reset_by_row():
    unrolled = network(np.float64).unroll(T, B)
    given = feeds(np.float64) | {"weights": np.eye(B)[:1].repeat(T, 0)}
    fresh = float(unrolled.forward(given))
    unrolled.carry()
    assert float(unrolled.forward(given)) != fresh
    unrolled.carry()
    unrolled.reset(np.array([False, True, True]))
    assert float(unrolled.forward(given)) != fresh
    unrolled.carry()
    unrolled.reset(np.array([True, False, False]))
    assert float(unrolled.forward(given)) == fresh


@pytest.mark.parametrize("share", [{"dropout": 0.5}, {"weight_dropout": 0.5}])
def test_dropout_is_for_training_graphs_only(share):
    net = network()
    given = feeds()
    plain = net.unroll(T, B)
    assert float(plain.forward(given)) == float(plain.forward(given))
    dropping = net.unroll(T, B, **share, rng=np.random.default_rng(0))
    assert float(dropping.forward(given)) != float(dropping.forward(given))


def test_fresh_weights():
    net = network(hidden_size=8)
    assert net.size == sum(w.size for w in net.weights().values())
    bias = net.weights()["recurrent.0.b"]
    np.testing.assert_array_equal(bias, np.repeat([0, 1, 0, 0], 8))
    W = net.weights()["recurrent.1.W_h"][:, 8:16]
    np.testing.assert_allclose(W.T @ W, np.eye(8), atol=1e-6)


def test_an_untrained_network_is_undecided():
    cost = float(network(hidden_size=32).unroll(T, B).forward(feeds()))
    assert cost == pytest.approx(math.log(V), abs=0.5)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ({"cell": "lsmt"}, "there are: lstm, gru, elman"),
        ({"hidden_size": 0}, "hidden_size is 0"),
        ({"head": "bald"}, "there are: categorical, bernoulli, gaussian"),
    ],
)
def test_impossible_architectures(shape, message):
    with pytest.raises(ModelError, match=message):
        Architecture(V, **shape)


@pytest.fixture
def model():
    encoding = Characters.fit([Tune("abcde")])
    training = {"batches": 3, "order": np.array([2, 0, 1])}
    return Model(network(), encoding, {"history": [{"validation": 1.5}]}, training)


def test_model_file_round_trip(model, tmp_path):
    path = tmp_path / "m.safetensors"
    model.save(path)
    loaded = Model.load(path)
    assert loaded.facts == model.facts
    assert loaded.training["batches"] == 3
    np.testing.assert_array_equal(loaded.training["order"], [2, 0, 1])
    assert loaded.encoding.vocabulary == model.encoding.vocabulary
    assert loaded.network.architecture == model.network.architecture
    step, same = model.network.stepper(), loaded.network.stepper()
    for symbol in (0, 3, 5):
        np.testing.assert_array_equal(step([symbol]), same([symbol]))
    first = path.read_bytes()
    loaded.save(path)
    assert path.read_bytes() == first


def break_header(path, **changes):
    import safetensors

    with safetensors.safe_open(path, "np") as stream:
        header = json.loads(stream.metadata()["musicgen"])
        weights = {name: stream.get_tensor(name) for name in stream.keys()}  # noqa: SIM118
    save_file(weights, path, {"musicgen": json.dumps({**header, **changes})})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": 99}, "version 99.*update musicgen"),
        ({"version": 1}, "older musicgen: train it again"),
        ({"encoding": {"name": "smoke", "state": {}}}, "'smoke' is not known"),
        ({"architecture": {"size": 7}}, "do not fit|expected"),
        ({"architecture": {"colour": 7}}, "broken.*colour"),
        ({"encoding": {"name": "characters", "state": {}}}, "broken.*vocabulary"),
    ],
)
def test_broken_headers(model, tmp_path, changes, message):
    path = tmp_path / "m.safetensors"
    model.save(path)
    break_header(path, **changes)
    with pytest.raises(ModelError, match=message):
        Model.load(path)


@pytest.mark.parametrize(
    "content", [b"", b"MThd", b"\xff" * 5000, b"\x08" + b"\0" * 7 + b"{}      "]
)
def test_files_that_are_no_models(tmp_path, content):
    path = tmp_path / "m.safetensors"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"m\.safetensors"):
        Model.load(path)


def test_truncated_model(model, tmp_path):
    path = tmp_path / "m.safetensors"
    model.save(path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ModelError, match="no model file"):
        Model.load(path)


def test_weights_of_somebody_else(tmp_path):
    path = tmp_path / "m.safetensors"
    save_file({"w": np.zeros(3)}, path)
    with pytest.raises(ModelError, match="not written by musicgen"):
        Model.load(path)


def test_a_missing_model_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        Model.load(tmp_path / "none.safetensors")
