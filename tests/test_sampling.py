"""Choice and sequences, with made-up networks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musicgen.sampling import draw, generate, probabilities

LOGITS = np.log([0.4, 0.3, 0.2, 0.1])


def test_temperature():
    np.testing.assert_allclose(probabilities(LOGITS), [0.4, 0.3, 0.2, 0.1])
    squared = np.array([0.16, 0.09, 0.04, 0.01])
    np.testing.assert_allclose(probabilities(LOGITS, temperature=0.5), squared / squared.sum())
    np.testing.assert_array_equal(probabilities(LOGITS, temperature=0), [1, 0, 0, 0])


def test_top_k_and_top_p():
    np.testing.assert_allclose(probabilities(LOGITS, top_k=2), [4 / 7, 3 / 7, 0, 0])
    np.testing.assert_allclose(probabilities(LOGITS, top_p=0.65), [4 / 7, 3 / 7, 0, 0])
    np.testing.assert_allclose(probabilities(LOGITS, top_k=3, top_p=0.4), [1, 0, 0, 0])
    np.testing.assert_allclose(probabilities(LOGITS, top_k=99, top_p=1.0), np.exp(LOGITS))


@pytest.mark.parametrize(
    "setting",
    [{"temperature": -1}, {"temperature": np.nan}, {"top_k": 0}, {"top_p": 0}, {"top_p": 1.5}],
)
def test_settings_outside_their_range(setting):
    with pytest.raises(ValueError, match="expected"):
        probabilities(LOGITS, **setting)


@given(
    st.lists(st.floats(-700, 700), min_size=2, max_size=20),
    st.floats(0, 5),
    st.none() | st.integers(1, 30),
    st.none() | st.floats(0.01, 1),
)
def test_probabilities_are_probabilities(logits, temperature, top_k, top_p):
    forbidden = np.array([*logits, -np.inf])
    p = probabilities(forbidden, temperature=temperature, top_k=top_k, top_p=top_p)
    assert p.sum() == pytest.approx(1)
    assert (p >= 0).all()
    assert p[-1] == 0
    assert p[np.argmax(logits)] > 0
    assert top_k is None or np.count_nonzero(p) <= top_k
    assert p[draw(p, np.random.default_rng(0))] > 0


def test_draws_follow_the_probabilities():
    rng = np.random.default_rng(0)
    p = np.array([0.1, 0.0, 0.6, 0.3])
    counts = np.bincount([draw(p, rng) for _ in range(20_000)], minlength=4) / 20_000
    np.testing.assert_allclose(counts, p, atol=0.01)


class Memory:
    """Logits that make the likeliest symbol one more than the last; notes what it was given."""

    def __init__(self, size=5):
        self.size, self.given = size, []

    def __call__(self, symbol):
        self.given.append(symbol)
        logits = np.zeros(self.size)
        logits[(symbol + 1) % self.size] = 2.0
        return logits


def test_sequence_starts_with_the_end_symbol_and_the_primer():
    step = Memory()
    drawn = generate(step, np.random.default_rng(0), length=9, primer=[2, 3], temperature=0)
    assert step.given == [0, 2, 3, 4]
    assert drawn.symbols == [2, 3, 4]
    assert drawn.ended
    assert drawn.drawn == 2
    assert drawn.log_likelihood == pytest.approx(2 * (2 - np.log(np.exp(2) + 4)))


def test_sequence_stops_at_its_length():
    drawn = generate(Memory(), np.random.default_rng(0), length=3, temperature=0)
    assert drawn.symbols == [1, 2, 3]
    assert not drawn.ended


def test_forbidden_symbols_are_not_drawn():
    drawn = generate(Memory(), np.random.default_rng(0), length=300, never=(0, 3), temperature=2)
    assert len(drawn.symbols) == 300
    assert not {0, 3} & set(drawn.symbols)


def test_same_seed_same_sequence():
    one, two, other = (
        generate(Memory(), np.random.default_rng(seed), length=50, never=(0,)) for seed in (1, 1, 2)
    )
    assert one == two != other
