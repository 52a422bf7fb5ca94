"""A bar denoised: its music, its noise, its network, and that this learns."""

import numpy as np
import pytest

from musicgen.charts import Heatmap
from musicgen.music import Tune
from musicgen.networks import Sequential
from musicgen.tasks import autoencoder
from musicgen.tasks.autoencoder import TASK, nearest_bars, spoil
from musicgen.tasks.melodies import HELD, LOWEST, STEPS, SYMBOLS, eighths, reels

C5 = 72 - LOWEST + 1


def tune(key, body, metre="C|"):
    return Tune(f"X:1\nM:{metre}\nL:1/8\nK:{key}\n{body}")


@pytest.mark.parametrize(
    ("key", "tonic"), [("C", "c"), ("D", "d"), ("A", "A"), ("Eb", "e"), ("Dmix", "G"), ("Am", "c")]
)
def test_a_tune_moves_to_a_key_without_signs(key, tonic):
    [bar] = eighths(tune(key, f"{tonic}8|"))
    assert (bar[0] - C5) % 12 == 0
    assert list(bar[1:]) == [HELD] * 7


def test_a_key_that_changes_moves_what_follows():
    first, second = eighths(tune("D", "d8|[K:C]c8|"))
    assert first[0] == second[0] == C5


def test_only_whole_bars_count_and_only_notes_on_eighths():
    melody = eighths(tune("C", "G|c2 d>e (3fga [gb]c'|z4 c4|c4|c9|"))
    assert (melody + LOWEST - 1).tolist() == [
        [72, 54, 74, 54, 77, 54, 83, 84],
        [54, 54, 54, 54, 72, 54, 54, 54],
    ]  # fmt: skip


def test_bars_beyond_the_symbols_are_left_out():
    assert eighths(tune("C", "c8|c,,8|c'''8|g8|")).tolist() == [
        [C5, *[HELD] * 7],
        [C5 + 7, *[HELD] * 7],
    ]


def test_reels_are_many_and_stand_in_one_key():
    melodies = reels()
    bars = np.concatenate(melodies)
    assert len(melodies) > 700
    assert len({melody.tobytes() for melody in melodies}) == len(melodies)
    assert bars.min() == HELD
    assert bars.max() < SYMBOLS
    notes = (bars[bars != HELD] + LOWEST - 1) % 12
    assert np.mean(np.isin(notes, [0, 2, 4, 5, 7, 9, 11])) > 0.98


def test_noise_changes_drops_and_adds():
    rng = np.random.default_rng(0)
    bars = rng.integers(0, 2, (20_000, STEPS)) * C5
    spoilt = spoil(bars, 0.3, rng)
    hit = spoilt != bars
    assert hit.mean() == pytest.approx(0.3, abs=0.005)
    assert set(spoilt[hit & (bars == HELD)].tolist()) == set(range(1, SYMBOLS))
    assert set(spoilt[hit & (bars == C5)].tolist()) == set(range(SYMBOLS)) - {C5}


def test_no_noise_and_nothing_but_noise():
    bars = np.full((50, STEPS), C5)
    rng = np.random.default_rng(0)
    assert (spoil(bars, 0, rng) == bars).all()
    assert (spoil(bars, 1, rng) != bars).all()


def test_the_nearest_bar_agrees_in_most_steps():
    known = np.array([[5] * 8, [6] * 8, [5, 6] * 4])
    asked = np.array([[5, 6, 5, 6, 5, 6, 9, 9], [6, 6, 6, 6, 6, 5, 5, 5], [5] * 8])
    assert (nearest_bars(asked, known) == known[[2, 1, 0]]).all()


def test_all_that_passes_the_middle_is_the_code():
    network = Sequential((STEPS, SYMBOLS), autoencoder.autoencoder(code=7))
    assert network.output_shape == (STEPS, SYMBOLS)
    assert network.parameters["dense_1.b"].value.shape == (7,)
    # A code of zeros hides what was read.
    network.parameters["dense_1.W"].value[...] = 0
    bars = np.eye(SYMBOLS)[np.random.default_rng(0).integers(0, SYMBOLS, (2, STEPS))]
    first, second = network.predict(bars)
    assert np.array_equal(first, second)


@pytest.fixture
def short(monkeypatch):
    monkeypatch.setattr(autoencoder, "EPOCHS", 5)
    monkeypatch.setattr(autoencoder, "reels", lambda: reels()[:250])
    monkeypatch.setattr(autoencoder, "CODES", (2, 64))


@pytest.mark.usefixtures("short")
def test_a_few_epochs_mend_more_than_they_spoil():
    told = []
    reached = TASK.checks[0].run(3, told.append)
    assert 0.05 < reached.score < 0.5
    facts = reached.facts
    before, after = facts["steps right before"], facts["steps right after"]
    assert reached.score == pytest.approx((after - before) / (1 - before))
    assert before > facts["steps right in the nearest known bar"]
    assert told[-1] == 1
    assert TASK.checks[0].run(3, told.append) == reached


@pytest.mark.usefixtures("short")
def test_studies():
    bars, noise, code = (study(0, lambda share: None) for study in TASK.studies.values())
    assert all(isinstance(chart, Heatmap) for chart in bars.charts)
    played, spoilt, likely = (chart.values for chart in bars.charts[:3])
    assert played.shape == spoilt.shape == likely.shape == (SYMBOLS - 1, STEPS)
    assert (played != spoilt).any()
    assert (likely.sum(axis=0) <= 1 + 1e-6).all()
    assert [len(row) for row in bars.table.rows] == [1 + STEPS] * 6

    [chart] = noise.charts
    untouched = chart.lines["left as they are"]
    assert untouched[1] == pytest.approx([1 - share for share in untouched[0]], abs=0.02)
    assert chart.lines["denoised"][1][-1] > untouched[1][-1]

    [chart] = code.charts
    narrow, wide = chart.lines["denoised"][1]
    assert narrow < wide
