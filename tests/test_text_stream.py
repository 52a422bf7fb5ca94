"""Training on one endless text: what is fed, what it costs, and what the task makes of it."""

import itertools
import math

import numpy as np
import pytest

from musicgen.datasets import load_shakespeare
from musicgen.errors import CorpusError, ModelError
from musicgen.networks import Architecture, Network
from musicgen.optim import SGD
from musicgen.tasks import find_task, shakespeare
from musicgen.tasks.text_stream import nats_a_character, rows, train

V = 5


@pytest.fixture
def network():
    shape = Architecture(V, hidden_size=8, num_layers=2, embedding_size=4)
    return Network.initialise(shape, np.random.default_rng(0), np.float64)


def symbols(n, seed=0):
    return np.random.default_rng(seed).integers(0, V, n)


def test_every_symbol_after_the_first_is_a_target_once():
    text = np.arange(101)
    inputs, targets = rows(text, 4)
    assert sorted(targets.ravel()) == list(range(1, 101))
    assert (targets == inputs + 1).all()


def test_a_text_shorter_than_a_row_is_refused():
    with pytest.raises(ModelError, match="found a text of 4 characters; expected more than 4"):
        rows(np.arange(4), 4)


def test_the_cost_is_that_of_the_network_step_by_step(network):
    text = symbols(58)
    total = 0.0
    for column in np.transpose(rows(text, 3), (2, 0, 1)):
        step = network.stepper()
        for symbol, target in column.T:
            logits = step([symbol])[0]
            total += math.log(np.exp(logits).sum()) - logits[target]
    assert nats_a_character(network, text, T=7, B=3) == pytest.approx(total / 57, rel=1e-12)


def test_a_network_that_knows_nothing_needs_ln_v(network):
    for parameter in network.parameters.values():
        parameter.value[...] = 0
    assert nats_a_character(network, symbols(1000)) == pytest.approx(math.log(V))


def test_states_are_carried_from_batch_to_batch(network):
    """With nothing learned, the costs of two batches of T are those of one of 2T."""
    text = symbols(161)
    still = {"epochs": 1, "B": 4, "learning_rate": 0.0, "optimiser": SGD()}

    class AtTheStart(np.random.Generator):
        def integers(self, high):
            return 0

    rng = AtTheStart(np.random.PCG64(0))
    short = [step.cost for step in train(network, text, rng, T=10, **still)]
    whole = next(train(network, text, rng, T=20, **still)).cost
    assert sum(short[:2]) / 2 == pytest.approx(whole, rel=1e-12)


def test_training_learns_an_alphabet(network):
    text = np.tile(np.arange(V), 400)
    steps = list(
        train(network, text, np.random.default_rng(0), T=10, B=8, epochs=10, learning_rate=0.03)
    )
    assert nats_a_character(network, text) < 0.05
    assert steps[-1].characters == steps[-1].updates * 80
    assert all(a.done < b.done for a, b in itertools.pairwise(steps))


def test_the_plan_ends_the_training(network):
    text = symbols(1601)
    assert len(list(train(network, text, np.random.default_rng(0), T=10, B=8, epochs=2))) == 40
    assert not list(train(network, text, np.random.default_rng(0), T=10, B=8, minutes=1e-9))


def test_a_text_shorter_than_a_batch_is_refused(network):
    with pytest.raises(ModelError, match="expected more than 2112"):
        next(train(network, symbols(2000), np.random.default_rng(0)))


def test_the_same_seed_gives_the_same_network():
    text = shakespeare.Text.of("to be or not to be, that is the question. " * 100)
    settings = {"hidden_size": 8, "num_layers": 1, "T": 10, "B": 4, "epochs": 2, "dropout": 0.5}
    one, two, other = (
        shakespeare.learn(text, seed, lambda done: None, **settings)[0].weights()
        for seed in (1, 1, 2)
    )
    assert all((one[name] == two[name]).all() for name in one)
    assert any((one[name] != other[name]).any() for name in one)


def test_numbers_of_a_text():
    text = shakespeare.Text.of("abba" * 10)
    assert text.characters == "ab"
    assert text.training.tolist() == [0, 1, 1, 0] * 9
    assert text.validation.tolist() == [0, 1, 1, 0]


@pytest.fixture
def small_text(tmp_path, monkeypatch):
    """A text of its own, and studies that take a moment."""
    path = tmp_path / "text.txt"
    path.write_text("It was the best of times, it was the worst of times.\n" * 100)
    for name in ("SMALL", "WRITER"):
        small = {"hidden_size": 4, "T": 10, "B": 4}
        monkeypatch.setattr(shakespeare, name, getattr(shakespeare, name) | small)
    monkeypatch.setattr(shakespeare, "SMALL_CHARACTERS", 800)
    monkeypatch.setattr(shakespeare, "SETTINGS", {"cell": ("elman", "lstm"), "T": (5, 10)})
    return path


def test_the_studies(small_text):
    task = find_task("shakespeare", small_text)
    done = []
    found = {name: run(0, done.append) for name, run in task.studies.items()}
    assert max(done) == pytest.approx(1, abs=0.1)
    assert len(found["optimisers"].table.rows) == 7
    assert set(found["optimisers"].charts[0].lines) == set(shakespeare.RATES)
    assert [row[:2] for row in found["settings"].table.rows] == [
        ("as they are", ""), ("cell", "elman"), ("T", "5"),
    ]  # fmt: skip
    assert len(found["sample"].text) == shakespeare.WRITTEN
    assert set(found["sample"].text) <= set(small_text.read_text())


def test_a_text_without_line_ends_is_written_on(monkeypatch):
    small = {"hidden_size": 4, "T": 10, "B": 4, "epochs": 1}
    monkeypatch.setattr(shakespeare, "WRITER", shakespeare.WRITER | small)
    text = shakespeare.Text.of("abc def " * 100)
    assert set(shakespeare.sample(text, 0, lambda done: None).text) <= set("abc def")


def test_a_short_text(tmp_path):
    (tmp_path / "a.txt").write_text("To be")
    with pytest.raises(CorpusError, match=r"a\.txt holds 5 characters; expected 5,000 or more"):
        load_shakespeare(tmp_path / "a.txt")


def test_a_file_that_is_no_text(tmp_path):
    (tmp_path / "a.bin").write_bytes(b"ab\xff\xfe")
    with pytest.raises(CorpusError, match=r"a\.bin is no text: byte 2"):
        load_shakespeare(tmp_path / "a.bin")
