"""Feed-forward networks: weights, training, early stopping."""

import numpy as np
import pytest

from musicgen.engine import SoftmaxCrossEntropy, check_gradients, he_normal
from musicgen.errors import GraphError, ModelError
from musicgen.networks import LOSSES, Sequential
from musicgen.networks.layers import (
    Activation,
    AveragePool1D,
    AveragePool2D,
    BatchNormalization,
    Conv1D,
    Conv2D,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    Layer,
    MaxPool1D,
    MaxPool2D,
    Reshape,
    UpSampling1D,
    UpSampling2D,
)
from musicgen.networks.losses import cost_graph
from musicgen.optim import SGD, Adam

XOR = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([[0], [1], [1], [0]])


@pytest.fixture
def rng():
    return np.random.default_rng(3)


def rings(rng, n=240):
    """Two classes of points: a disc, and the ring around it."""
    classes = np.arange(n) % 2
    radius, angle = 0.2 + 0.8 * classes + 0.3 * rng.random(n), 2 * np.pi * rng.random(n)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1), classes


def noise(rng, n=40, classes=3):
    """Targets that have nothing to do with the examples, so that every network overfits."""
    return rng.standard_normal((n, 6)), rng.integers(0, classes, n)


def small(*layers, seed=0, **settings):
    return Sequential((6,), [*layers, Dense(3, "softmax")], seed=seed, **settings)


def assert_equal_weights(one, other):
    assert one.keys() == other.keys()
    for name, array in one.items():
        np.testing.assert_array_equal(array, other[name], name)


def test_counts_of_a_perceptron():
    network = Sequential((10,), [Dense(20, "relu"), Dense(3, "softmax")])
    assert network.size == 283
    assert list(network.parameters) == ["dense_1.W", "dense_1.b", "dense_2.W", "dense_2.b"]
    network.parameters["dense_1.W"].frozen = True
    assert network.summary().splitlines() == [
        "layer    output  parameters",
        "dense_1  (20,)          220",
        "dense_2  (3,)            63",
        "total: 283",
        "trainable: 83",
        "not trainable: 200",
    ]


def test_counts_of_le_net():
    network = Sequential(
        (32, 32, 1),
        [
            Conv2D(6, 5, activation="tanh"),
            AveragePool2D(2),
            Conv2D(16, 5, activation="tanh"),
            AveragePool2D(2),
            Flatten(),
            Dense(120, "tanh"),
            Dense(84, "tanh"),
            Dense(10, "softmax"),
        ],
    )
    assert network.size == 61_706
    rows = [" ".join(line.split()) for line in network.summary().splitlines()]
    assert "conv2d_2 (10, 10, 16) 2,416" in rows
    assert "flatten_1 (400,) 0" in rows


def test_running_moments_are_not_trainable():
    network = small(BatchNormalization())
    assert network.summary().splitlines()[1].split() == ["batch_normalization_1", "(6,)", "24"]
    assert "trainable: 33\nnot trainable: 12" in network.summary()


def test_every_layer_together(rng):
    network = Sequential(
        (8,),
        [
            Embedding(5, 4),
            Conv1D(6, 3, padding="same", activation="tanh"),
            BatchNormalization(),
            MaxPool1D(2),
            UpSampling1D(2),
            AveragePool1D(3, 1),
            Activation("arctan"),
            Reshape((2, 3, -1)),
            UpSampling2D((2, 1)),
            Conv2D(4, (2, 3), initialiser=he_normal),
            MaxPool2D((3, 1)),
            Flatten(),
            Dropout(0.5),
            Dense(3, "softmax"),
        ],
        dtype=np.float64,
    )
    x, y = rng.integers(0, 5, (10, 8)), rng.integers(0, 3, 10)
    network.fit(x, y, epochs=2, batch_size=4)
    p = network.predict(x)
    assert (p.shape, p.dtype) == ((10, 3), np.float64)
    np.testing.assert_allclose(p.sum(axis=1), 1)
    graph = cost_graph(network.build(4, False, network.rng), LOSSES["softmax cross-entropy"])
    errors = check_gradients(graph, {"x": x[:4], "targets": y[:4]}, most=10)
    assert max(errors.values()) <= 1e-6, errors


@pytest.mark.parametrize(
    ("output", "loss"),
    [
        (Dense(1, "sigmoid"), None),
        (Dense(1), "sigmoid cross-entropy"),
        (Dense(1, "tanh"), "squared error"),
    ],
)
def test_xor_is_learned(output, loss):
    x, y = XOR
    network = Sequential((2,), [Dense(8, "tanh"), output])
    history = network.fit(x, y, loss=loss, epochs=300, learning_rate=0.03)
    assert history[-1]["loss"] < 0.05
    right = network.predict(x) > (0 if loss == "sigmoid cross-entropy" else 0.5)
    np.testing.assert_array_equal(right, y > 0)
    assert network.evaluate(x, y, loss=loss).get("accuracy", 1) == 1


def test_rings_are_told_apart(rng):
    x, y = rings(rng)
    network = Sequential((2,), [Dense(16, "relu"), Dense(16, "relu"), Dense(2, "softmax")])
    history = network.fit(x, y, epochs=30, learning_rate=0.02, validation_data=rings(rng))
    assert [record["epoch"] for record in history] == list(range(1, 31))
    assert history[-1]["accuracy"] > 0.97
    assert history[-1]["validation_accuracy"] > 0.97
    assert history[-1]["validation_loss"] < history[0]["validation_loss"] / 5


def test_an_image_network_learns_where_the_line_is(rng):
    y = rng.integers(0, 2, 64)
    x = 0.2 * rng.standard_normal((64, 6, 6, 1))
    x[y == 0, 2] += 1
    x[y == 1, :, 3] += 1
    network = Sequential(
        (6, 6, 1), [Conv2D(4, 3, activation="relu"), MaxPool2D(2), Flatten(), Dense(2, "softmax")]
    )
    network.fit(x, y, epochs=20, learning_rate=0.03)
    assert network.evaluate(x, y)["accuracy"] == 1


def test_costs_are_computed_from_logits(rng):
    x, y = noise(rng)
    network = small()
    plain = -np.log(network.predict(x)[np.arange(len(x)), y]).mean()
    assert network.evaluate(x, y)["loss"] == pytest.approx(plain, rel=1e-5)
    network.parameters["dense_1.b"].value[0] = 1e4
    assert network.evaluate(x, np.ones(len(x), int))["loss"] == pytest.approx(1e4, rel=1e-2)


def test_measures_do_not_depend_on_the_batches(rng):
    x, y = noise(rng, 23)
    network = small(Dense(5, "relu"), Dropout(0.5), dtype=np.float64)
    whole = network.evaluate(x, y, batch_size=23)
    assert network.evaluate(x, y, batch_size=5) == pytest.approx(whole)
    np.testing.assert_allclose(network.predict(x, batch_size=5), network.predict(x), rtol=1e-12)
    right = np.mean(network.predict(x).argmax(axis=1) == y)
    assert whole["accuracy"] == pytest.approx(right)


def test_an_unequal_last_batch_is_trained_on(rng):
    x, y = noise(rng, 7)
    seen = []

    class Spy(Adam):
        def update(self, values, gradients, learning_rate):
            seen.append({name: g.copy() for name, g in gradients.items()})

    network = small(dtype=np.float64)
    network.fit(x, y, batch_size=3, epochs=1, optimiser=Spy(), rng=np.random.default_rng(8))
    order = np.random.default_rng(8).permutation(7)
    assert len(seen) == 3
    for gradients, rows in zip(seen, (order[:3], order[3:6], order[6:]), strict=True):
        p = network.predict(x[rows]) - np.eye(3)[y[rows]]
        np.testing.assert_allclose(gradients["dense_1.b"], p.mean(axis=0), atol=1e-12)


def test_equal_seeds_give_equal_weights(rng):
    x, y = noise(rng)

    def train(seed):
        network = small(Dense(5, "relu"), Dropout(0.5), BatchNormalization(), seed=seed)
        first = network.weights()
        network.fit(x, y, epochs=2)
        return first, network.weights()

    for one, other in zip(train(4), train(4), strict=True):
        assert_equal_weights(one, other)
    assert not np.array_equal(train(4)[0]["dense_1.W"], train(5)[0]["dense_1.W"])


def test_early_stopping_puts_the_best_weights_back(rng):
    x, y = noise(rng)
    held_out = noise(rng)
    network = small(Dense(40, "relu"), BatchNormalization())
    history = network.fit(
        x, y, epochs=300, learning_rate=0.02, validation_data=held_out, patience=5
    )
    losses = [record["validation_loss"] for record in history]
    assert len(losses) == np.argmin(losses) + 6 < 300
    assert network.evaluate(*held_out)["loss"] == min(losses) < losses[-1]


def test_without_patience_the_last_weights_stay(rng):
    x, y = noise(rng)
    held_out = noise(rng)
    network = small(Dense(40, "relu"))
    history = network.fit(x, y, epochs=30, learning_rate=0.02, validation_data=held_out)
    assert network.evaluate(*held_out)["loss"] == history[-1]["validation_loss"]


def test_a_split_keeps_the_last_examples_from_training(rng):
    x, y = noise(rng)
    x[-10:] = np.nan
    network = small()
    history = network.fit(x, y, epochs=2, validation_split=0.25)
    assert np.isfinite(history[-1]["loss"])
    assert np.isnan(history[-1]["validation_loss"])
    assert all(np.isfinite(array).all() for array in network.weights().values())
    other = small()
    other.fit(x[:30], y[:30], epochs=2)
    assert_equal_weights(network.weights(), other.weights())


def test_dropout_acts_while_training_only(rng):
    x, y = noise(rng)
    with_dropout, without = small(Dropout(0.9)), small()
    np.testing.assert_array_equal(with_dropout.predict(x), without.predict(x))
    with_dropout.fit(x, y, epochs=1, learning_rate=0.1)
    without.fit(x, y, epochs=1, learning_rate=0.1)
    assert not np.allclose(with_dropout.predict(x), without.predict(x))


def test_batch_normalisation_learns_its_moments(rng):
    x = 5 + 3 * rng.standard_normal((64, 6))
    y = rng.integers(0, 3, 64)
    network = small(BatchNormalization(momentum=0.5))
    before = network.predict(x)
    network.fit(x, y, epochs=20, batch_size=64, optimiser=SGD(0), learning_rate=0.0)
    moments = network.weights()
    np.testing.assert_allclose(moments["batch_normalization_1.mean"], x.mean(0), rtol=1e-4)
    np.testing.assert_allclose(moments["batch_normalization_1.variance"], x.var(0), rtol=1e-4)
    after = network.predict(x)
    assert not np.allclose(before, after)
    np.testing.assert_allclose(network.predict(x[:1]), after[:1], rtol=1e-5)
    assert_equal_weights(moments, network.weights())


def test_frozen_weights_stay(rng):
    x, y = noise(rng)
    network = small(Dense(5, "relu"))
    network.parameters["dense_1.W"].frozen = True
    before = network.weights()
    network.fit(x, y, epochs=3, learning_rate=0.1, l2=0.1)
    after = network.weights()
    np.testing.assert_array_equal(after["dense_1.W"], before["dense_1.W"])
    for name in ("dense_1.b", "dense_2.W", "dense_2.b"):
        assert not np.array_equal(after[name], before[name])


def test_penalty_and_clipping(rng):
    x, y = noise(rng)
    plain, clipped = small(dtype=np.float64), small(dtype=np.float64)
    first = plain.weights()
    settings = {"epochs": 1, "batch_size": 40, "optimiser": SGD(0), "learning_rate": 0.5}
    plain.fit(x, y, **settings)
    clipped.fit(x, y, l2=0.25, **settings)
    # Both take the same step but for the penalty's: 0.5 · 2 · 0.25 θ.
    expected = plain.weights()["dense_1.W"] - 0.25 * first["dense_1.W"]
    np.testing.assert_allclose(clipped.weights()["dense_1.W"], expected, atol=1e-12)
    np.testing.assert_allclose(clipped.weights()["dense_1.b"], plain.weights()["dense_1.b"])
    clipped.load_weights(first)
    clipped.fit(x, y, grad_clip=0.01, **settings)
    step = sum(np.sum((array - first[name]) ** 2) for name, array in clipped.weights().items())
    assert np.sqrt(step) == pytest.approx(0.005)


def test_weights_move_from_one_network_to_another(rng):
    x, _ = noise(rng)
    one, other = small(BatchNormalization()), small(BatchNormalization(), seed=1)
    other.load_weights(one.weights())
    np.testing.assert_array_equal(one.predict(x), other.predict(x))
    with pytest.raises(ModelError, match=r"do not fit the layers: dense_2\.W, dense_2\.b"):
        other.load_weights(small(BatchNormalization(), Dense(3)).weights())
    with pytest.raises(ModelError, match=r"dense_1\.W is \(6, 3\); expected \(6, 4\)"):
        Sequential((6,), [Dense(4)]).load_weights(small().weights())


def test_progress_is_told_every_epoch(rng):
    x, y = noise(rng)
    records = []
    assert small().fit(x, y, epochs=3, progress=records.append) == records
    assert records[0].keys() == {"epoch", "loss", "accuracy"}


def test_a_sequence_of_classes(rng):
    x = rng.integers(0, 4, (32, 5))
    network = Sequential((5,), [Embedding(4, 8), Dense(4, "softmax")])
    network.fit(x, (x + 1) % 4, epochs=60, learning_rate=0.05)
    assert network.evaluate(x, (x + 1) % 4)["accuracy"] == 1
    np.testing.assert_array_equal(network.predict(x).argmax(-1), (x + 1) % 4)


def test_a_cost_that_is_no_number_stops_the_training(rng):
    x, y = noise(rng)
    x[7, 2] = np.nan
    network = small(Dense(5, "relu"))
    before = network.weights()
    with pytest.raises(
        GraphError, match=r"the cost is nan: node x \(input\) holds nan at \[7, 2\]"
    ):
        network.fit(x, y, batch_size=40, rng=FixedOrder())
    assert_equal_weights(before, network.weights())


class FixedOrder:
    def permutation(self, n):
        return np.arange(n)


def test_graphs_are_kept(rng):
    x, y = noise(rng)
    network = small()
    network.predict(x)
    network.evaluate(x, y)
    kept = dict(network._graphs)
    network.fit(x, y, epochs=1)
    network.predict(x)
    network.evaluate(x, y)
    assert kept == network._graphs
    assert {size for size, _ in kept} == {32, 8}
    assert any(isinstance(g.outputs[0].node, SoftmaxCrossEntropy) for g in kept.values())


NETWORK = small()
X, Y = np.zeros((4, 6)), np.zeros(4, int)


@pytest.mark.parametrize(
    ("act", "error", "message"),
    [
        (lambda: Sequential((4,), []), ModelError, "there are no layers"),
        (lambda: Sequential((), [Dense(2)]), ModelError, r"Dense\(units=2.* axis of channels"),
        (lambda: Sequential((4,), [Dense(2, "rleu")]), ModelError, "'rleu'; there are: arctan"),
        (
            lambda: Sequential((4, 4), [Conv2D(2, 3)]),
            GraphError,
            r"node conv2d_1\.Conv2D.*x \(1, 4, 4\)",
        ),
        (
            lambda: Sequential((4, 4, 1), [MaxPool2D(3), MaxPool2D(3)]),
            GraphError,
            r"max_pool2d_2\.MaxPool2D.* \(3, 3\) does not fit into \(1, 1\)",
        ),
        (lambda: Sequential((4,), [Reshape((3, -1))]), GraphError, r"reshape_1.*\(1, 3, -1\)"),
        (lambda: Sequential((4,), [Dropout(1)]), GraphError, "rate is 1"),
        (lambda: Sequential((4,), [Dense(4), Embedding(3, 2)]), GraphError, "ids are float32"),
        (lambda: Sequential((4,), [Layer()]), NotImplementedError, r"Layer\.build"),
        (lambda: NETWORK.predict(X[:, :5]), ModelError, r"\(4, 5\); expected examples of \(6,\)"),
        (lambda: NETWORK.predict(X[:0]), ModelError, r"x has shape \(0, 6\)"),
        (lambda: NETWORK.fit(X, Y[:3]), ModelError, r"y has shape \(3,\); expected \(4,\)"),
        (lambda: NETWORK.fit(X, X[:, :3]), ModelError, r"expected \(4,\) for a softmax"),
        (lambda: NETWORK.fit(X, Y + 3), ModelError, "y holds int64 from 3 to 3.*0 to 2"),
        (lambda: NETWORK.fit(X, Y + 0.5), ModelError, "y holds float64"),
        (lambda: NETWORK.fit(X, Y, loss="hinge"), ModelError, "'hinge'; there are: sigmoid"),
        (
            lambda: NETWORK.fit(X, X[:, :3], loss="sigmoid cross-entropy"),
            ModelError,
            "does not fit the last activation, Softmax; expected softmax cross-entropy",
        ),
        (lambda: NETWORK.fit(X, Y, patience=2), ModelError, "patience needs"),
        (lambda: NETWORK.fit(X, Y, validation_split=1), ModelError, "validation_split is 1"),
        (
            lambda: NETWORK.fit(X, Y, validation_split=0.5, validation_data=(X, Y)),
            ModelError,
            "expected one of them",
        ),
        (
            lambda: NETWORK.fit(X, Y, validation_split=0.1),
            ModelError,
            "leaves 4 of 4 examples to train on",
        ),
        (lambda: NETWORK.fit(X, Y, batch_size=-1), ModelError, "batch_size is -1; expected 1"),
        (
            lambda: NETWORK.fit(X, Y, validation_data=(X, Y[:1])),
            ModelError,
            r"y has shape \(1,",
        ),
        (
            lambda: Sequential((2,), [Embedding(3, 2)]).predict([[0, 3]]),
            ModelError,
            "x holds int64 from 0 to 3; expected integers from 0 to 2",
        ),
    ],
)
def test_what_does_not_fit_is_named(act, error, message):
    with pytest.raises(error, match=message):
        act()
