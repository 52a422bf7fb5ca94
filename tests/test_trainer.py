"""Batches and the loop."""

import itertools
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musicgen.errors import ModelError
from musicgen.networks import Architecture, Network
from musicgen.training import Trainer, evaluate, loop, predict
from musicgen.training.batches import batches, count_batches


@given(st.lists(st.integers(1, 12), min_size=1, max_size=20), st.integers(1, 5), st.integers(1, 6))
def test_batches_predict_every_symbol_once_from_its_own_piece(lengths, T, B):
    ids = itertools.count(1)
    pieces = [np.array([*(next(ids) for _ in range(n - 1)), 0], np.int32) for n in lengths]
    layout = list(batches(pieces, range(len(pieces)), T, B))
    assert count_batches(lengths, range(len(pieces)), T, B) == len(layout)
    seen = [[] for _ in range(B)]
    for batch in layout:
        assert batch.inputs.shape == batch.targets.shape == batch.weights.shape == (T, B)
        for row in range(B):
            if batch.fresh[row]:
                seen[row].append([])
            for t in range(T):
                if batch.weights[t, row]:
                    before = seen[row][-1][-1] if seen[row][-1] else 0
                    assert batch.inputs[t, row] == before
                    seen[row][-1].append(batch.targets[t, row])
    found = sorted(map(tuple, itertools.chain(*seen)))
    assert found == sorted(tuple(piece) for piece in pieces)


def counting():
    """Pieces that count up to 7 from each number: all is certain but where they start."""
    return [np.array([*range(start, 8), 0], np.int32) for start in range(2, 7)] * 4


def small(**shape):
    architecture = Architecture(**{"size": 8, "hidden_size": 16, "num_layers": 1, **shape})
    return Network.initialise(architecture, np.random.default_rng(0))


@pytest.fixture(autouse=True)
def _validation_after_every_epoch(monkeypatch):
    monkeypatch.setattr(loop, "SHORTEST_INTERVAL", 1)


def fit(network, *, seed=0, **settings):
    return list(trainer(network, seed, **settings).run())


def trainer(network, seed=0, pieces=None, **settings):
    pieces = pieces or counting()
    settings = {"batch_size": 4, "seq_length": 8, **settings}
    return Trainer(network, pieces, pieces[:5], np.random.default_rng(seed), **settings)


@pytest.mark.parametrize("optimizer", ["adam", "rmsprop", "sgd"])
def test_training_learns(optimizer):
    network = small()
    progress = fit(network, epochs=60, optimizer=optimizer, patience=60)
    entropy = 5 * math.log2(5) / sum(map(len, counting()[:5]))
    assert entropy * 0.99 < progress[-1].validation < entropy * 1.2
    assert evaluate(network, counting()[:5]) == pytest.approx(progress[-1].validation, rel=1e-4)


def test_cost_is_counted_by_symbol():
    pieces = counting()
    network = small()
    whole = evaluate(network, pieces, T=7, B=2)
    parts = [evaluate(network, [piece], T=50, B=1) * len(piece) for piece in pieces]
    assert whole == pytest.approx(sum(parts) / sum(map(len, pieces)), rel=1e-5)


def test_progress_tells_the_truth():
    progress = fit(small(), epochs=3)
    assert [p.batches for p in progress] == list(range(1, len(progress) + 1))
    assert progress[-1].steps == 3 * sum(map(len, counting()))
    assert progress[-1].epoch == 3
    done = [p.done for p in progress]
    assert done == sorted(done)
    assert done[0] == 0
    assert done[-1] == 1
    rates = [p.learning_rate for p in progress]
    assert rates == sorted(rates, reverse=True)
    assert [p.validation is not None for p in progress].count(True) == 3


def test_validations_keep_their_distance(monkeypatch):
    monkeypatch.setattr(loop, "SHORTEST_INTERVAL", 12)
    per_epoch = len(fit(small(), epochs=1))
    judged = [p.batches for p in fit(small(), epochs=7) if p.validation is not None]
    assert judged == [3 * per_epoch, 6 * per_epoch, 7 * per_epoch]
    monkeypatch.setattr(loop, "LONGEST_INTERVAL", 2)
    judged = [p.batches for p in fit(small(), epochs=1) if p.validation is not None]
    assert judged == [*range(2, per_epoch, 2), per_epoch]


def test_training_repeats_bit_for_bit():
    one, two = small(), small()
    fit(one, epochs=3, dropout=0.3)
    fit(two, epochs=3, dropout=0.3)
    for name, weight in one.weights().items():
        np.testing.assert_array_equal(weight, two.weights()[name])


def test_training_ends_early_when_nothing_gets_better():
    pieces, noise = counting(), [np.random.default_rng(0).integers(2, 8, 30).astype(np.int32)]
    rng = np.random.default_rng(0)
    progress = list(Trainer(small(), pieces, noise, rng, epochs=99, patience=3).run())
    judged = [p for p in progress if p.validation is not None]
    assert len(judged) < 99
    assert not any(p.best for p in judged[-3:])
    assert judged[-4].best


def test_training_ends_on_request_and_on_time():
    stopped = list(trainer(small(), epochs=99).run(lambda: True))
    assert len(stopped) == 1
    assert stopped[-1].done < 1
    timed = fit(small(), minutes=1e-9)
    assert len(timed) == 1
    assert timed[-1].validation is not None


def test_a_cost_that_is_no_number_is_an_error():
    network = small()
    network.parameters["dense.b"].value[0] = np.nan
    with pytest.raises(ModelError, match="learning-rate lower than"):
        fit(network, epochs=1)


def frames(head):
    """Pieces in which each channel does what the one before did a step ago."""
    rng = np.random.default_rng(3)
    pieces = []
    for length in (5, 9, 14, 9, 6, 7):
        piece = np.zeros((length, 4), np.float32)
        piece[:, 1] = rng.random(length) < 0.5
        piece[1:, 2] = piece[:-1, 1]
        piece[-1] = [1, 0, 0, 0]
        pieces.append(piece)
    return pieces * 4


@pytest.mark.parametrize("head", ["bernoulli", "gaussian"])
def test_frames_are_learned_and_counted_like_symbols(head):
    pieces, network = frames(head), small(size=4, head=head)
    cost = evaluate(network, pieces, T=7, B=3)
    by_hand = 0.0
    for piece in pieces:
        step, before = network.stepper(), np.array([1, 0, 0, 0])
        for frame in piece:
            z = step([before])[0].astype(float)
            if head == "gaussian":
                by_hand += np.sum((z - frame) ** 2)
            else:
                by_hand += np.sum(np.logaddexp(0, z) - frame * z) / math.log(2)
            before = frame
    assert cost == pytest.approx(by_hand / sum(map(len, pieces)), rel=1e-4)
    progress = list(trainer(network, pieces=pieces, epochs=80, patience=80).run())
    assert progress[-1].validation < cost / 2
    logits, targets = (np.concatenate(part) for part in zip(*predict(network, pieces), strict=True))
    threshold = 0.5 if head == "gaussian" else 0
    assert len(targets) == sum(map(len, pieces))
    inside = targets[:, 0] == 0
    assert np.mean((logits > threshold)[inside, 2] == targets[inside, 2]) > 0.95


@pytest.mark.parametrize("optimizer", ["adam", "rmsprop", "sgd", "adadelta", "adagrad"])
@pytest.mark.parametrize("at", [1, 4, 9, 17])
def test_a_resumed_run_equals_an_undisturbed_one_bit_for_bit(optimizer, at):
    settings = {"epochs": 4, "dropout": 0.3, "optimizer": optimizer, "decay": 0.01, "warmup": 0.1}
    whole, half = small(), small()
    undisturbed = list(trainer(whole, **settings).run())
    first = trainer(half, **settings)
    seen = list(itertools.islice(first.run(), at))
    state = {
        key: np.array(value) if isinstance(value, np.ndarray) else json.loads(json.dumps(value))
        for key, value in first.state().items()
    }
    again = Network(half.architecture, half.weights())
    second = trainer(again, seed=99, **settings)
    second.restore(state)
    seen += second.run()
    assert [p.validation for p in seen] == [p.validation for p in undisturbed]
    for name, weight in whole.weights().items():
        np.testing.assert_array_equal(weight, again.weights()[name], strict=True)


def test_a_stopped_run_goes_on_as_if_nothing_had_happened():
    whole, other = small(), small()
    undisturbed = list(trainer(whole, epochs=3).run())
    first = trainer(other, epochs=3)
    count = 0

    def stop():
        nonlocal count
        count += 1
        return count == 5

    list(first.run(stop))
    state = first.state()
    second = trainer(other, epochs=3)
    second.restore(state)
    rest = list(second.run())
    assert rest[-1].batches == undisturbed[-1].batches
    for name, weight in whole.weights().items():
        np.testing.assert_array_equal(weight, other.weights()[name])


def test_an_ended_run_goes_on_where_the_plan_is_longer():
    network = small()
    first = trainer(network, epochs=2)
    list(first.run())
    same, longer = trainer(network, epochs=2), trainer(network, epochs=3)
    same.restore(first.state())
    assert list(same.run()) == []
    longer.restore(first.state())
    assert list(longer.run())[-1].epoch == 3


def test_a_state_of_other_pieces_is_refused():
    first = trainer(small(), epochs=1)
    list(first.run())
    with pytest.raises(ModelError, match="another corpus"):
        trainer(small(), epochs=1, pieces=counting()[:7]).restore(first.state())


def test_weight_decay_spares_the_biases():
    network = small()
    network.parameters["dense.b"].value[:] = 5
    before = network.weights()
    list(trainer(network, epochs=1, learning_rate=1e-9, decay=3e8, optimizer="sgd").run())
    after = network.weights()
    assert np.abs(after["dense.W"]).max() < 0.5 * np.abs(before["dense.W"]).max()
    np.testing.assert_allclose(after["dense.b"], 5, atol=1e-3)


def test_noise_is_on_the_inputs_alone(monkeypatch):
    seen = []
    monkeypatch.setattr(loop, "run", lambda _, batch, __: seen.append(batch) or 1.0)
    monkeypatch.setattr(loop.Trainer, "_validate", lambda _: (None, False))
    network = small(size=4, head="gaussian")
    run = trainer(network, pieces=frames("gaussian"), epochs=1, input_noise=0.3)
    monkeypatch.setattr(run._unrolled.graph, "backward", lambda: None)
    next(run.run())
    (batch,) = seen
    clean = next(batches(run.training, run._order, run.T, run.B))
    np.testing.assert_array_equal(batch.targets, clean.targets)
    noise = batch.inputs - clean.inputs
    assert not noise[..., 0].any()
    assert 0.25 < noise[..., 1:].std() < 0.35
    with pytest.raises(ModelError, match="only values"):
        trainer(small(), epochs=1, input_noise=0.3)
