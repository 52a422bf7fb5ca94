"""The polyphonic benchmark: what is loaded, and that the likelihood of a frame is counted right."""

import gzip
import hashlib
import itertools
import json
import math
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from musicgen.datasets import load_polyphonic, polyphonic
from musicgen.engine import check_gradients
from musicgen.errors import CorpusError, FormatError, ModelError
from musicgen.evaluation import MarginalBernoulli, NetworkFrames, frame_likelihood
from musicgen.evaluation.frame_likelihood import frames_of
from musicgen.networks import Architecture, ChordNetwork, Network
from musicgen.networks.chord_symbols import spell_chords
from musicgen.training import Trainer, evaluate

DATA = Path(__file__).parents[2] / "shared" / "data" / "polyphonic"
SHARED = pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is absent")

# Two training pieces, one to validate with and one to test with, as MIDI numbers.
PIECES = {
    "train": [[[60, 64], [], [108]], [[21]]],
    "valid": [[[60], [62]]],
    "test": [[[64, 60, 67]]],
}


def rolls(pieces):
    keys = range(21, 109)
    return [np.array([[key in frame for key in keys] for frame in piece]) for piece in pieces]


def write_mat(path):
    content = {}
    for part, pieces in PIECES.items():
        content[f"{part}data"] = row = np.empty((1, len(pieces)), object)
        row[0] = [roll.astype(np.uint8) for roll in rolls(pieces)]
    savemat(path, content)
    return path


def write_json(path, content):
    path.write_bytes(gzip.compress(json.dumps(content).encode()))
    return path


@pytest.fixture(params=["JSB_Chorales.mat", "JSB_Chorales.json.gz"])
def file(request, tmp_path, monkeypatch):
    path = tmp_path / request.param
    if path.suffix == ".gz":
        return write_json(path, PIECES)
    sha256 = hashlib.sha256(write_mat(path).read_bytes()).hexdigest()
    monkeypatch.setitem(polyphonic.POLYPHONIC, "jsb", ("JSB_Chorales", sha256))
    return path


def check_pieces(loaded):
    for part, pieces in zip(loaded, PIECES.values(), strict=True):
        for roll, expected in zip(part, rolls(pieces), strict=True):
            assert roll.dtype == np.bool_
            assert np.array_equal(roll, expected)


def test_both_kinds_of_file_hold_the_same_keys(file):
    check_pieces(load_polyphonic("jsb", file))
    check_pieces(load_polyphonic("jsb", file.parent))


def test_without_a_source_the_file_is_downloaded(tmp_path, monkeypatch):
    path = write_mat(tmp_path / "downloaded.mat")
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setitem(polyphonic.POLYPHONIC, "jsb", ("JSB_Chorales", sha256))
    asked = []
    monkeypatch.setattr(polyphonic, "download", lambda *what: asked.append(what) or path)
    check_pieces(load_polyphonic("jsb"))
    ((url, checksum, name),) = asked
    assert url.endswith("/mdata/JSB_Chorales.mat")
    assert (checksum, name) == (sha256, "polyphonic/JSB_Chorales.mat")


def test_an_unknown_name_is_refused():
    with pytest.raises(CorpusError, match="'bach'; there are: jsb, nottingham, piano-midi"):
        load_polyphonic("bach")


def test_a_folder_without_the_file_is_refused(tmp_path):
    write_mat(tmp_path / "Nottingham.mat")
    with pytest.raises(CorpusError, match=r"has no JSB_Chorales\.mat or JSB_Chorales\.json\.gz"):
        load_polyphonic("jsb", tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([1], "found list; expected train, valid, test"),
        ({"train": [], "valid": []}, r"found \['train', 'valid'\]; expected train, valid, test"),
        (PIECES | {"valid": []}, "found no pieces in valid"),
        (PIECES | {"test": {"a": 1}}, "found no pieces in test"),
        *[
            (PIECES | {"test": [[[60]], piece]}, "found something else as piece 2 of test")
            for piece in ([], 5, [60], [["C"]], [[20]], [[109]], [[60.5]], [[[60]]], None)
        ],
    ],
)
def test_json_of_something_else_is_refused(content, message, tmp_path):
    path = write_json(tmp_path / "a.json.gz", content)
    with pytest.raises(FormatError, match=message) as caught:
        load_polyphonic("jsb", path)
    assert str(path) in str(caught.value)


def test_a_damaged_file_is_refused(file):
    whole = file.read_bytes()
    for damaged in (b"", b"X:1\nK:C\n", whole[:-9], whole[: len(whole) // 2]):
        file.write_bytes(damaged)
        with pytest.raises(FormatError, match=r"found SHA-256|cannot be read as packed JSON"):
            load_polyphonic("jsb", file)


def test_another_matlab_file_is_refused(tmp_path):
    write_mat(tmp_path / "JSB_Chorales.mat")
    with pytest.raises(FormatError, match=r"JSB_Chorales.mat: found SHA-256 .* own file"):
        load_polyphonic("jsb", tmp_path)


@SHARED
def test_both_kinds_of_the_real_file_agree():
    one, other = (
        load_polyphonic("jsb", DATA / f"JSB_Chorales{kind}") for kind in (".mat", ".json.gz")
    )
    for part, same in zip(one, other, strict=True):
        assert all(map(np.array_equal, part, same))


# Counting


TRAINING = [
    np.array([[1, 0], [1, 1], [1, 0]], np.bool_),
    np.array([[0, 0], [1, 0], [1, 0], [0, 1], [1, 0]], np.bool_),
]
TEST = [np.array([[0, 0], [1, 1], [1, 0], [0, 1]], np.bool_), np.array([[0, 1], [1, 0]], np.bool_)]


def test_key_frequencies_cost_what_is_computed_by_hand():
    model = MarginalBernoulli.fit(TRAINING)
    # Eight frames, with the first key in six of them and the second in two.
    assert model.probabilities.tolist() == [7 / 10, 3 / 10]
    found = frame_likelihood(model, TEST)
    both, first, second, none = (math.log(p) for p in (0.21, 0.49, 0.09, 0.21))
    later = -(both + first + second + first)
    assert found.nats == pytest.approx(later / 4)
    assert found.nats_with_first == pytest.approx((later - none - second) / 6)
    assert (found.frames, found.frames_with_first) == (4, 6)


def test_pieces_of_a_single_frame_have_nothing_to_predict():
    for n in (0, 2):
        with pytest.raises(CorpusError, match=f"found {n} pieces and no second frame"):
            frame_likelihood(MarginalBernoulli(np.array([0.5])), [np.ones((1, 1), np.bool_)] * n)


# What is published beside the data, for frames 2 to T
MARGINALS = {
    "jsb": (4725, 11.09),
    "nottingham": (44463, 10.26),
    "piano-midi": (19036, 11.05),
    "musedata": (64339, 11.51),
}


@SHARED
@pytest.mark.parametrize("name", MARGINALS)
def test_key_frequencies_of_the_real_collections(name):
    training, _, test = load_polyphonic(name, DATA)
    found = frame_likelihood(MarginalBernoulli.fit(training), test)
    frames, nats = MARGINALS[name]
    assert found.frames_with_first == frames
    assert found.frames == frames - len(test)
    assert round(found.nats, 2) == nats


# Networks

KEYS = 4


def network(kind, dtype=np.float64, **shape):
    architecture = Architecture(1 + KEYS, "bernoulli", **{"hidden_size": 5, **shape})
    rng = np.random.default_rng(1)
    if kind is Network:
        made = Network.initialise(architecture, rng, dtype)
    else:
        made = ChordNetwork.initialise(architecture, rng, architecture.hidden_size + 1, dtype)
    for parameter in made.parameters.values():  # no bias is to stay at zero
        parameter.value[...] += rng.standard_normal(parameter.value.shape) * 0.7
    return made


def random_rolls(*lengths, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.random((T, KEYS)) < 0.4 for T in lengths]


CHORDS = [np.array(chord, np.bool_) for chord in itertools.product((0, 1), repeat=KEYS)]
KINDS = pytest.mark.parametrize("kind", [Network, ChordNetwork])


@KINDS
@pytest.mark.parametrize("past", [0, 1, 5])
def test_all_chords_together_have_a_probability_of_one(kind, past):
    (before,) = random_rolls(past)
    pieces = [np.concatenate([before, chord[None]]) for chord in CHORDS]
    costs = NetworkFrames(network(kind)).costs(pieces)
    probabilities = [math.exp(-piece[-1]) for piece in costs]
    assert len(set(probabilities)) == 2**KEYS
    assert math.fsum(probabilities) == pytest.approx(1, abs=1e-14)


@KINDS
def test_all_pairs_of_chords_together_have_a_probability_of_one(kind):
    pieces = [np.array(pair) for pair in itertools.product(CHORDS, repeat=2)]
    costs = NetworkFrames(network(kind)).costs(pieces)
    assert math.fsum(math.exp(-piece.sum()) for piece in costs) == pytest.approx(1, abs=1e-13)


def test_notes_of_a_chord_depend_on_each_other():
    """Of two independent keys, P(both) P(none) = P(one) P(other)."""

    def ratio(kind):
        pieces = [np.array([[*low, False, False]], np.bool_) for low in np.ndindex(2, 2)]
        none, other, one, both = (cost[0] for cost in NetworkFrames(network(kind)).costs(pieces))
        return both + none - one - other

    assert abs(ratio(Network)) < 1e-13
    assert abs(ratio(ChordNetwork)) > 0.1


@KINDS
def test_the_layout_in_batches_changes_nothing(kind):
    made, pieces = network(kind, num_layers=2), random_rolls(7, 1, 12, 3, 5)
    expected = NetworkFrames(made, T=12, B=1).costs(pieces)
    for T, B in ((3, 2), (100, 20), (1, 5)):
        found = NetworkFrames(made, T, B).costs(pieces)
        assert list(map(len, found)) == list(map(len, pieces))
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-12)


@KINDS
def test_a_frame_is_predicted_from_those_before_it(kind):
    made, (piece,) = network(kind), random_rolls(8)
    changed = piece.copy()
    changed[5] ^= True
    one, other = NetworkFrames(made).costs([piece, changed])
    same = np.isclose(one, other, rtol=1e-12)
    assert same[:5].all()
    assert not same[5:].any()


def test_the_cost_of_independent_keys_is_that_of_the_network_step_by_step():
    made, (piece,) = network(Network), random_rolls(6)
    step, frame, expected = made.stepper(), np.eye(1 + KEYS)[:1], []
    for keys in piece:
        p = 1 / (1 + np.exp(-step(frame)[0, 1:]))
        expected.append(-np.log(np.where(keys, p, 1 - p)).sum())
        frame = np.concatenate([[0], keys])[None]
    np.testing.assert_allclose(NetworkFrames(made).costs([piece])[0], expected, rtol=1e-12)


def test_the_cost_that_chords_are_trained_with_is_their_likelihood():
    made, pieces = network(ChordNetwork), random_rolls(9, 4, 6)
    nats = evaluate(made, frames_of(pieces), T=4, B=2) * math.log(2)
    assert nats == pytest.approx(frame_likelihood(NetworkFrames(made), pieces).nats_with_first)


def test_gradients_of_chords():
    made = network(ChordNetwork, num_layers=2)
    frames = np.array(frames_of(random_rolls(3, 3, 3)))
    unrolled = made.unroll(3, 2)
    weights = np.array([[0.5, 1.0], [0.25, 0.0], [1.0, 2.0]])
    unrolled.forward(
        {"inputs": frames[:2].swapaxes(0, 1), "targets": frames[1:].swapaxes(0, 1)}
        | {"weights": weights}
    )
    assert max(check_gradients(unrolled.graph).values()) < 1e-6


def test_every_chord_is_spelled_in_its_own_way():
    (before,) = random_rolls(len(CHORDS))
    spelling = spell_chords(CHORDS, before)
    assert len({tuple(spelling.symbols[spelling.chords == i]) for i in range(len(CHORDS))}) == 16
    symbols = zip(*spelling, strict=True)
    for number, chord in enumerate(CHORDS):
        notes, old = np.flatnonzero(chord), np.flatnonzero(before[number])
        for rank in range(len(notes) + 1):
            of, symbol, known, possible = next(symbols)
            so_far, last, voice = map(np.flatnonzero, np.split(known, 3))
            assert of == number
            assert symbol == (1 + notes[rank] if rank < len(notes) else 0)
            assert so_far.tolist() == notes[:rank].tolist()
            assert last.tolist() == so_far[-1:].tolist()
            assert voice.tolist() == old[rank : rank + 1].tolist()
            assert np.flatnonzero(possible).tolist() == [0, *range(max(last, default=-1) + 2, 5)]
    assert next(symbols, None) is None


def test_chords_are_learned():
    """Either of two chords, whose notes are told apart by the lower one, in turn with silence."""
    either = np.array([[1, 0, 1, 0], [0, 1, 0, 1]], np.bool_)
    rng = np.random.default_rng(3)
    pieces = [np.zeros((8, KEYS), np.bool_) for _ in range(40)]
    for piece in pieces:
        piece[::2] = either[rng.integers(0, 2, 4)]
    costs = {}
    for kind in (Network, ChordNetwork):
        made = network(kind, np.float32, hidden_size=12)
        frames = frames_of(pieces)
        trainer = Trainer(made, frames, frames, rng, learning_rate=0.03, batch_size=8, epochs=60)
        for _ in trainer.run():
            pass
        costs[kind] = frame_likelihood(NetworkFrames(made), pieces).nats_with_first
    # A choice of two in every second frame; to independent keys it looks like four of them.
    assert costs[ChordNetwork] == pytest.approx(math.log(2) / 2, abs=0.05)
    assert costs[Network] > 1.2


def test_ever_fuller_chords_change_nothing_but_themselves():
    """The graph grows with the number of symbols, and its states go on."""
    made, (piece,) = network(ChordNetwork), random_rolls(9)
    piece[:3], piece[6:] = False, True
    whole, parts = (NetworkFrames(made, T).costs([piece])[0] for T in (9, 3))
    np.testing.assert_allclose(parts, whole, rtol=1e-12)


def test_a_network_of_symbols_is_refused():
    architecture = Architecture(5, "categorical", hidden_size=3)
    with pytest.raises(ModelError, match="head is categorical; expected bernoulli"):
        NetworkFrames(Network.initialise(architecture, np.random.default_rng(0)))
    with pytest.raises(ModelError, match="head is categorical; chords need frames"):
        ChordNetwork(architecture, {})
