"""Thresholds against brute force, and what becomes of the frames that a network speaks of."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musicgen.encodings import boundary_frame
from musicgen.encodings.piano_roll import PianoRoll
from musicgen.encodings.velocity_roll import VelocityRoll
from musicgen.music import Music, Note, Tempo, TimeSignature, Track
from musicgen.sampling.frames import (
    decide_switches,
    decide_values,
    decide_velocities,
    generate_frames,
)
from musicgen.sampling.pitches import choose
from musicgen.sampling.thresholds import best_f1, calibrate, same_polyphony

CERTAIN = 40.0


def rngs(count, seed=0):
    return list(np.random.default_rng(seed).spawn(count))


# Thresholds


def f1(values, truth, threshold):
    through = values >= threshold
    both = np.count_nonzero(through) + np.count_nonzero(truth)
    return 2 * np.count_nonzero(through & truth) / both if both else 0


def unlike(values, truth, threshold):
    return abs(np.count_nonzero(values >= threshold) - np.count_nonzero(truth))


@st.composite
def predictions(draw, dtype=np.float64):
    pairs = draw(
        st.lists(st.tuples(st.sampled_from(np.linspace(0, 1, 9)), st.booleans()), min_size=1)
    )
    values, truth = zip(*pairs, strict=True)
    return np.array(values, dtype), np.array(truth)


@given(predictions())
def test_no_threshold_has_a_better_f1(predicted):
    values, truth = predicted
    found = best_f1(values, truth)
    tried = [f1(values, truth, threshold) for threshold in [*values, 2.0]]
    assert f1(values, truth, found) == pytest.approx(max(tried))
    assert all(
        f1(values, truth, higher) < max(tried) - 1e-12 for higher in values if higher > found
    )


@given(predictions())
def test_no_threshold_has_a_nearer_polyphony(predicted):
    values, truth = predicted
    found = same_polyphony(values, truth)
    tried = [unlike(values, truth, threshold) for threshold in [*values, 2.0]]
    assert unlike(values, truth, found) == min(tried)
    assert all(unlike(values, truth, higher) > min(tried) for higher in values if higher > found)


@pytest.mark.parametrize("find", [best_f1, same_polyphony])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_without_notes_nothing_passes(find, dtype):
    values = np.array([0.3, 0.9], dtype)
    assert not (values >= dtype(find(values, np.zeros(2)))).any()


def test_thresholds_of_float32_hold_exactly():
    rng = np.random.default_rng(0)
    values, truth = rng.random((500, 4), np.float32), rng.random((500, 4)) < 0.2
    threshold = calibrate(values, truth, criterion="polyphony")
    assert np.count_nonzero(values >= threshold) == np.count_nonzero(truth)


def test_a_rare_pitch_takes_the_threshold_of_all():
    rng = np.random.default_rng(1)
    truth = rng.random((1000, 3)) < [0.5, 0.4, 0.01]
    values = np.clip(rng.normal(0.3 * truth + [0.6, 0.1, 0.3], 0.1), 0, 1)
    common = calibrate(values, truth)
    found = calibrate(values, truth, per_pitch=True)
    assert found[2] == common
    for pitch in (0, 1):
        assert found[pitch] == best_f1(values[:, pitch], truth[:, pitch]) != common
    assert calibrate(values, truth, per_pitch=True, rare=1)[2] != common


def test_what_cannot_be_calibrated_is_refused():
    good = np.ones((3, 2))
    with pytest.raises(ValueError, match="expected one of f1, polyphony"):
        calibrate(good, good, criterion="recall")
    with pytest.raises(ValueError, match=r"expected \(N, P\)"):
        calibrate(good, good[:2])
    with pytest.raises(ValueError, match=r"expected \(N, P\)"):
        calibrate(good[:0], good[:0])
    with pytest.raises(ValueError, match="no finite numbers"):
        calibrate(good * np.nan, good)


# Notes


def brute_choice(p, threshold, top, most):
    """Choose the pitches of one row."""
    total = p.sum(axis=0)
    ranked = sorted(range(len(total)), key=lambda pitch: -total[pitch])
    kept = [k for k in ranked if total[k] >= threshold] if top is None else ranked[:top]
    return {(int(p[:, k].argmax()), k) for k in kept[:most]}


@given(
    st.integers(0, 999),
    st.sampled_from([0.3, 0.8]),
    st.none() | st.integers(0, 7),
    st.none() | st.integers(0, 7),
)
def test_notes_are_chosen_by_threshold_and_rank(seed, threshold, top, most):
    p = np.random.default_rng(seed).random((3, 2, 5)).round(1) / 2
    settings = {"threshold": threshold} if top is None else {"top": top}
    chosen = choose(p, None, **settings, most=most)
    assert chosen.shape == p.shape
    for row in range(3):
        found = set(zip(*map(np.ndarray.tolist, chosen[row].nonzero()), strict=True))
        assert found == brute_choice(p[row], threshold, top, most)


def test_a_threshold_a_pitch():
    p = np.array([[[0.4, 0.4]]])
    assert choose(p, None, threshold=np.array([0.3, 0.5])).tolist() == [[[True, False]]]


def test_notes_are_drawn_as_often_as_they_are_likely():
    p = np.tile([[0.2, 0.0, 1.0, 0.8], [0.5, 0.0, 0.0, 0.8]], (20_000, 1, 1))
    chosen = choose(p, np.random.default_rng(0).random((20_000, 4)))
    assert chosen.sum(axis=1).max() == 1
    expected = [[0.2, 0, 1, 0.5], [0.5, 0, 0, 0.5]]  # 160 % are made 100 %
    np.testing.assert_allclose(chosen.mean(axis=0), expected, atol=0.015)


def test_the_likeliest_of_the_drawn_notes_are_kept():
    p, draws = np.array([[[0.5, 0.9, 0.8, 0.7]]]), np.array([[0.1, 0.95, 0.1, 0.1]])
    assert choose(p, draws, most=2).tolist() == [[[False, False, True, True]]]


def test_there_is_one_way_to_choose():
    p = np.ones((1, 1, 2))
    with pytest.raises(ValueError, match="neither threshold nor top"):
        choose(p, None)
    with pytest.raises(ValueError, match="threshold and top are given"):
        choose(p, None, threshold=0.5, top=1)
    for name in ("top", "most"):
        with pytest.raises(ValueError, match=f"{name} is -1; expected 0 or more"):
            choose(p, np.zeros((1, 2)), **{name: -1})


# Frames of switches: the end, a bar line, a tempo of two channels, two pitches of two layers

NOTES, TEMPO = slice(4, 8), slice(2, 4)
switches = partial(decide_switches, notes=NOTES, layers=2, thermometers=(TEMPO,))
START = boundary_frame(8)


def logit(p):
    return np.log(p) - np.log1p(-np.asarray(p, float))


def test_only_what_sounded_is_sustained():
    z = np.full((1, 8), -CERTAIN)
    z[:, 6:] = CERTAIN
    before = np.array([[0, 0, 0, 0, 1, 0, 0, 0]])
    assert switches(z, before, rngs(1)).tolist() == [[0, 0, 0, 0, 0, 0, 1, 0]]
    once_more = np.array([[0, 0, 0, 0, 0, 0, 1, 0]])
    assert switches(z, once_more, rngs(1), threshold=0.5).tolist() == [[0, 0, 0, 0, 0, 0, 1, 0]]


def test_metre_and_tempo_are_drawn_at_the_start_and_likelier_than_not_later():
    B = 4000
    z = np.tile(logit([1e-9, 0.3, 0.6, 0.2, 0.5, 0.5, 0.5, 0.5]), (B, 1))
    first = switches(z, np.tile(START, (B, 1)), rngs(B))
    np.testing.assert_allclose(first[:, 1:4].mean(axis=0), [0.3, 0.6, 0.2], atol=0.03)
    assert (first[:, 2] >= first[:, 3]).all()
    later = switches(z, first, rngs(B))
    assert (later[:, 1:4] == [0, 1, 0]).all()


def test_a_thermometer_has_no_gaps():
    z = np.full((1, 8), -CERTAIN)
    z[0, 3] = CERTAIN
    assert not switches(z, np.zeros((1, 8)), rngs(1)).any()
    assert not switches(z, START[np.newaxis], rngs(1)).any()


def test_the_end_is_drawn_but_not_at_the_start():
    B = 4000
    z = np.full((B, 8), -CERTAIN)
    z[:, 0] = logit(0.1)
    assert not switches(z, np.tile(START, (B, 1)), rngs(B)).any()
    for temperature, share in [(1.0, 0.1), (3.0, 0.1), (0.5, 1 / 82), (0.0, 0)]:
        ends = switches(z, np.zeros((B, 8)), rngs(B), temperature=temperature)[:, 0]
        assert ends.mean() == pytest.approx(share, abs=0.015)


def test_temperature_divides_the_logits_of_notes():
    B = 4000
    z = np.full((B, 8), -CERTAIN)
    z[:, 4] = logit(0.2)
    for temperature, share in [(1.0, 0.2), (2.0, 1 / 3), (0.5, 1 / 17), (0.0, 0)]:
        found = switches(z, np.zeros((B, 8)), rngs(B), temperature=temperature)[:, 4]
        assert found.mean() == pytest.approx(share, abs=0.025)


# Frames of values


def test_velocities_below_the_threshold_are_silence():
    values = np.array([[0.0, 0.6, 0.1, 0.2, 1.5, -0.3]])
    found = decide_velocities(values, np.zeros((1, 6)), rngs(1), notes=slice(2, 6), threshold=0.15)
    np.testing.assert_allclose(found, [[0, 1, 0, 0.2, 1, 0]])
    found = decide_velocities(values, np.zeros((1, 6)), rngs(1), notes=slice(2, 6), top=2, most=1)
    np.testing.assert_allclose(found, [[0, 1, 0, 0, 1, 0]])


def test_notes_are_drawn_by_their_share_of_loudness():
    B = 4000
    values = np.tile([0.0, 0.1, 0.5, 0.9, 0.04], (B, 1))
    draw = partial(decide_velocities, notes=slice(1, 5), loudness=0.5)
    found = draw(values, np.zeros((B, 5)), rngs(B))
    assert set(found[:, 1].tolist()) == {0, 0.5}
    assert (found[:, 1] > 0).mean() == pytest.approx(0.2, abs=0.03)
    np.testing.assert_allclose(found[:, 2:], np.tile([0.5, 0.9, 0], (B, 1)))
    with pytest.raises(ValueError, match="neither threshold nor top"):
        draw(values, np.zeros((B, 5)), rngs(B), loudness=None)


def test_a_small_value_is_no_end():
    B = 4000
    for value, share in [(0.09, 0), (0.3, 0.3), (1.2, 1)]:
        values = np.tile([value, 0.0], (B, 1))
        found = decide_velocities(values, np.zeros((B, 2)), rngs(B), notes=slice(1, 2), top=1)
        assert found[:, 0].mean() == pytest.approx(share, abs=0.03)


def test_values_get_noise():
    B = 4000
    values = np.tile([0.4, 3.0, -2.0], (B, 1))
    found = decide_values(values, np.zeros((B, 3)), rngs(B), deviation=np.array([9, 0.5, 0]))
    assert found.dtype == np.float32
    assert not found[:, 0].any()
    assert found[:, 1].mean() == pytest.approx(3, abs=0.05)
    assert found[:, 1].std() == pytest.approx(0.5, abs=0.05)
    assert (found[:, 2] == -2).all()
    assert (decide_values(values + 0.1, np.zeros((B, 3)), rngs(B))[:, 0] == 1).all()


# Sequences

TUNE = Music(
    480,
    [Tempo(0, 120.0)],
    [TimeSignature(0, 1, 8), TimeSignature(240, 6, 8)],
    [],
    [
        Track(
            notes=[
                Note(0, 59, 240), Note(240, 60, 720), Note(960, 62, 240), Note(1200, 62, 480),
                Note(1200, 67, 960),
            ]
        )
    ],
)  # fmt: skip


class Parrot:
    """Says a piece again, whatever it hears."""

    def __init__(self, frames, say):
        self.frames, self.say, self.heard = frames, say, []

    def __call__(self, frames):
        self.heard.append(frames.copy())
        at = len(self.heard) - 1
        return np.tile(self.say(self.frames[at].astype(np.float64)), (len(frames), 1))


def parrot(roll):
    encoding = roll.fit([TUNE])
    frames = encoding.encode(TUNE)
    if encoding.head == "gaussian":
        decide = partial(
            decide_velocities,
            notes=encoding.notes,
            thermometers=encoding.thermometers,
            threshold=15 / 127,
        )
        return encoding, decide, Parrot(frames, np.asarray)
    decide = partial(
        decide_switches,
        notes=encoding.notes,
        layers=encoding.layers,
        thermometers=encoding.thermometers,
    )
    return encoding, decide, Parrot(frames, lambda frame: (2 * frame - 1) * CERTAIN)


@pytest.mark.parametrize("roll", [PianoRoll, VelocityRoll], ids=lambda roll: roll.name)
@pytest.mark.parametrize("count", [0, 5])
def test_a_sure_network_says_its_piece(roll, count):
    encoding, decide, step = parrot(roll)
    boundary = boundary_frame(encoding.size)
    found = generate_frames(
        step, rngs(3), length=99, boundary=boundary, decide=decide, primer=step.frames[:count]
    )
    for frames in found:
        np.testing.assert_array_equal(frames, step.frames[:-1])
    assert encoding.decode(found[0]) == encoding.decode(step.frames)
    heard = np.array(step.heard)
    assert heard.shape == (len(step.frames), 3, encoding.size)
    np.testing.assert_array_equal(heard[0], np.tile(boundary, (3, 1)))
    np.testing.assert_array_equal(heard[1:, 0], step.frames[:-1])


def test_a_piece_stops_at_its_length():
    encoding, decide, step = parrot(PianoRoll)
    (found,) = generate_frames(
        step, rngs(1), length=3, boundary=boundary_frame(encoding.size), decide=decide,
        primer=step.frames[:2],
    )  # fmt: skip
    np.testing.assert_array_equal(found, step.frames[:5])


def unsure(frames):
    z = np.full(frames.shape, -1.0)
    z[:, 0] = -2
    return z + frames[:, ::-1]


def drawn(sources):
    return generate_frames(unsure, sources, length=30, boundary=START, decide=switches)


def test_no_sequence_depends_on_the_others():
    together = drawn(rngs(6))
    assert len({len(frames) for frames in together}) > 2
    for frames, rng in zip(together, rngs(6), strict=True):
        np.testing.assert_array_equal(drawn([rng])[0], frames)
        assert frames.dtype == np.float32
        assert 1 <= len(frames) <= 30
        assert not frames[:, 0].any()


def test_nothing_drawn_is_no_frame():
    (found,) = generate_frames(unsure, rngs(1), length=0, boundary=START, decide=switches)
    assert found.shape == (0, 8)
