"""Corpora, batches and the loop."""

import itertools
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musicgen.errors import CorpusError, ModelError
from musicgen.networks import Architecture, Network
from musicgen.training import evaluate, loop, read_corpus, split, train
from musicgen.training.batches import batches

TUNE = "X:1\nT:{}\nM:4/4\nL:1/4\nK:C\n{}|]\n"


def write(folder, **bodies):
    for name, body in bodies.items():
        (folder / f"{name}.abc").write_text(TUNE.format(name, body))


def test_corpus_reads_a_folder_and_its_folders(tmp_path):
    (tmp_path / "sub" / ".hidden").mkdir(parents=True)
    write(tmp_path, b="CDEF", a="GABc")
    write(tmp_path / "sub", c="cccc")
    write(tmp_path / "sub" / ".hidden", d="dddd")
    (tmp_path / "notes.txt").write_text("buy bread")
    corpus = read_corpus(tmp_path)
    assert [piece.text.split("\n")[1] for piece in corpus.pieces] == ["T:a", "T:b", "T:c"]
    assert corpus.format.name == "abc"
    assert corpus.files == 3
    assert [file.name for file, _ in corpus.left_out] == ["notes.txt"]


def test_corpus_takes_one_file(tmp_path):
    write(tmp_path, a="CDEF")
    assert len(read_corpus(tmp_path / "a.abc").pieces) == 1


def test_bad_files_are_left_out_with_the_reason(tmp_path):
    write(tmp_path, a="CDEF", b="GABc")
    (tmp_path / "binary.abc").write_bytes(bytes(range(256)) * 20)
    (tmp_path / "cut.mid").write_bytes(b"MThd\0\0")
    corpus = read_corpus(tmp_path)
    reasons = {file.name: reason for file, reason in corpus.left_out}
    assert len(corpus.pieces) == 2
    assert reasons.keys() == {"binary.abc", "cut.mid"}
    assert "binary.abc" in reasons["binary.abc"]
    assert "midi file among abc files" in reasons["cut.mid"]


def test_the_same_music_counts_once(tmp_path):
    write(tmp_path, a="CDEF", again="CDEF", b="GABc")
    corpus = read_corpus(tmp_path)
    assert len(corpus.pieces) == 2
    assert corpus.duplicates == 1
    assert "T:a" in corpus.pieces[0].text


def test_fingerprint_tells_corpora_apart(tmp_path):
    write(tmp_path, a="CDEF", b="GABc")
    before = read_corpus(tmp_path).fingerprint
    assert read_corpus(tmp_path).fingerprint == before
    write(tmp_path, b="GABd")
    assert read_corpus(tmp_path).fingerprint != before


def test_nothing_to_learn_from(tmp_path):
    with pytest.raises(CorpusError, match="does not exist"):
        read_corpus(tmp_path / "none")
    with pytest.raises(CorpusError, match="is empty"):
        read_corpus(tmp_path)
    (tmp_path / "a.txt").write_text("no music")
    with pytest.raises(CorpusError, match="1 file, none readable"):
        read_corpus(tmp_path)
    (tmp_path / "b.abc").write_bytes(b"\0" * 99)
    with pytest.raises(CorpusError, match=r"no readable abc file; .*b\.abc"):
        read_corpus(tmp_path)


@given(st.integers(2, 50), st.floats(0.01, 0.99), st.integers(0, 9))
def test_split_takes_each_piece_once(count, fraction, seed):
    training, validation = split(range(count), fraction, np.random.default_rng(seed))
    assert sorted(training + validation) == list(range(count))
    assert training
    assert validation
    assert abs(len(validation) - fraction * count) <= 1


@pytest.mark.parametrize(("count", "fraction"), [(1, 0.5), (5, 0.0), (5, 1.0)])
def test_impossible_splits(count, fraction):
    with pytest.raises(CorpusError, match="expected"):
        split(range(count), fraction, np.random.default_rng(0))


@given(st.lists(st.integers(1, 12), min_size=1, max_size=20), st.integers(1, 5), st.integers(1, 6))
def test_batches_predict_every_symbol_once_from_its_own_piece(lengths, T, B):
    ids = itertools.count(1)
    pieces = [np.array([*(next(ids) for _ in range(n - 1)), 0], np.int32) for n in lengths]
    layout = batches(pieces, range(len(pieces)), T, B)
    seen = [[] for _ in range(B)]
    for batch in layout:
        assert batch.symbols.shape == batch.targets.shape == batch.weights.shape == (T, B)
        for row in range(B):
            if batch.fresh[row]:
                seen[row].append([])
            for t in range(T):
                if batch.weights[t, row]:
                    before = seen[row][-1][-1] if seen[row][-1] else 0
                    assert batch.symbols[t, row] == before
                    seen[row][-1].append(batch.targets[t, row])
    found = sorted(map(tuple, itertools.chain(*seen)))
    assert found == sorted(tuple(piece) for piece in pieces)


def counting():
    """Pieces that count up to 7 from each number: all is certain but where they start."""
    return [np.array([*range(start, 8), 0], np.int32) for start in range(2, 7)] * 4


def small(**shape):
    architecture = Architecture(8, **{"hidden_size": 16, "num_layers": 1, **shape})
    return Network.initialise(architecture, np.random.default_rng(0))


@pytest.fixture(autouse=True)
def _validation_after_every_epoch(monkeypatch):
    monkeypatch.setattr(loop, "SHORTEST_INTERVAL", 1)


def fit(network, *, seed=0, **settings):
    pieces = counting()
    settings = {"batch_size": 4, "seq_length": 8, **settings}
    return list(train(network, pieces, pieces[:5], np.random.default_rng(seed), **settings))


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
    assert progress[-1].symbols == 3 * sum(map(len, counting()))
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
    progress = list(train(small(), pieces, noise, np.random.default_rng(0), epochs=99, patience=3))
    judged = [p for p in progress if p.validation is not None]
    assert len(judged) < 99
    assert not any(p.best for p in judged[-3:])
    assert judged[-4].best


def test_training_ends_on_request_and_on_time():
    stopped = fit(small(), epochs=99, stop=lambda: True)
    assert len(stopped) == 1
    assert stopped[-1].best
    timed = fit(small(), minutes=1e-9)
    assert len(timed) == 1
    assert timed[-1].validation is not None


def test_a_cost_that_is_no_number_is_an_error():
    network = small()
    network.parameters["dense.b"].value[0] = np.nan
    with pytest.raises(ModelError, match="learning-rate lower than"):
        fit(network, epochs=1)


def test_real_starter_corpus_reads():
    corpus = read_corpus(Path(__file__).parents[1] / "corpora" / "starter")
    assert len(corpus.pieces) >= 24
    assert corpus.duplicates == 0
    assert {file.suffix for file, _ in corpus.left_out} <= {".md"}
