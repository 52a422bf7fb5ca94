"""Choice, sequences and beam search, with made-up networks."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musicgen.errors import ModelError
from musicgen.sampling import beam_search, draw, generate, probabilities, repetitions

LOGITS = np.log([0.4, 0.3, 0.2, 0.1])


def rngs(*seeds):
    return [np.random.default_rng(seed) for seed in seeds]


def test_temperature():
    np.testing.assert_allclose(probabilities(LOGITS), [0.4, 0.3, 0.2, 0.1])
    squared = np.array([0.16, 0.09, 0.04, 0.01])
    np.testing.assert_allclose(probabilities(LOGITS, temperature=0.5), squared / squared.sum())
    np.testing.assert_array_equal(probabilities(LOGITS, temperature=0), [1, 0, 0, 0])


def test_top_k_top_p_and_min_p():
    np.testing.assert_allclose(probabilities(LOGITS, top_k=2), [4 / 7, 3 / 7, 0, 0])
    np.testing.assert_allclose(probabilities(LOGITS, top_p=0.65), [4 / 7, 3 / 7, 0, 0])
    np.testing.assert_allclose(probabilities(LOGITS, top_k=3, top_p=0.4), [1, 0, 0, 0])
    np.testing.assert_allclose(probabilities(LOGITS, top_k=99, top_p=1.0), np.exp(LOGITS))
    np.testing.assert_allclose(probabilities(LOGITS, min_p=0.6), [4 / 7, 3 / 7, 0, 0])
    np.testing.assert_allclose(probabilities(LOGITS, min_p=0.0), np.exp(LOGITS))
    np.testing.assert_allclose(probabilities(LOGITS, top_k=3, min_p=0.3), [4 / 9, 3 / 9, 2 / 9, 0])


@pytest.mark.parametrize(
    "setting",
    [
        {"temperature": -1},
        {"temperature": np.nan},
        {"top_k": 0},
        {"top_p": 0},
        {"top_p": 1.5},
        {"min_p": -0.1},
        {"min_p": 1.1},
    ],
)
def test_settings_outside_their_range(setting):
    with pytest.raises(ValueError, match="expected"):
        probabilities(LOGITS, **setting)


SETTINGS = {
    "temperature": st.floats(0, 5),
    "top_k": st.none() | st.integers(1, 30),
    "top_p": st.none() | st.floats(0.01, 1),
    "min_p": st.none() | st.floats(0, 1),
}


@given(st.lists(st.floats(-700, 700), min_size=2, max_size=20), st.fixed_dictionaries(SETTINGS))
def test_probabilities_are_probabilities(logits, settings):
    p = probabilities(np.array([*logits, -np.inf]), **settings)
    assert p.sum() == pytest.approx(1)
    assert (p >= 0).all()
    assert p[-1] == 0
    assert p[np.argmax(logits)] > 0
    assert settings["top_k"] is None or np.count_nonzero(p) <= settings["top_k"]
    assert p[draw(p[None], rngs(0))[0]] > 0


@given(st.integers(0, 2**32), st.fixed_dictionaries(SETTINGS))
def test_rows_are_treated_alike(seed, settings):
    logits = np.random.default_rng(seed).integers(-3, 4, (5, 7)).astype(float)  # with ties
    rows = [probabilities(row, **settings) for row in logits]
    np.testing.assert_array_equal(probabilities(logits, **settings), rows)


def test_draws_follow_the_probabilities():
    p = np.array([[0.1, 0.0, 0.6, 0.3], [0.0, 1.0, 0.0, 0.0]])
    sources = rngs(0, 1)
    drawn = np.array([draw(p, sources) for _ in range(20_000)])
    counts = np.bincount(drawn[:, 0], minlength=4) / 20_000
    np.testing.assert_allclose(counts, p[0], atol=0.01)
    assert (drawn[:, 1] == 1).all()


class Top:
    """A generator at its greatest number."""

    def random(self):
        return np.nextafter(1.0, 0.0)


@given(st.lists(st.floats(1e-300, 1e3), min_size=1, max_size=9))
def test_a_draw_stays_among_the_possible(weights):
    p = np.array([[0.0, *weights, 0.0]])
    assert p[0, draw(p, [Top()])[0]] > 0


def test_repetitions_are_counted_by_what_came_before():
    bar = [1, 2, 3, 4]
    history = np.array([[-1] * 4 + bar * 3 + [1, 2, 3], [9, 9, 9] + bar + [5] * 8 + [1, 2, 3, 4]])
    counts = repetitions(history, 10, context=3)
    assert counts[0].tolist() == [0, 0, 0, 0, 3, 0, 0, 0, 0, 0]
    assert counts[1].tolist() == [0, 0, 0, 0, 0, 1, 0, 0, 0, 0]
    assert repetitions(history[:, :3], 10, context=3).sum() == 0


class Memory:
    """Logits that make the likeliest symbol one more than the last; notes what it was given."""

    def __init__(self, size=5):
        self.size, self.given = size, []

    def __call__(self, symbols):
        self.given.append(symbols.tolist())
        logits = np.zeros((len(symbols), self.size), np.float32)
        logits[np.arange(len(symbols)), (symbols + 1) % self.size] = 2.0
        return logits


def test_sequence_starts_with_the_end_symbol_and_the_primer():
    step = Memory()
    (drawn,) = generate(step, rngs(0), length=9, primers=[[2, 3]], temperature=0)
    assert step.given == [[0], [2], [3], [4]]
    assert drawn.symbols == [2, 3, 4]
    assert drawn.ended
    assert drawn.drawn == 2
    assert drawn.log_likelihood == pytest.approx(2 * (2 - np.log(np.exp(2) + 4)))


def test_sequence_stops_at_its_length():
    (drawn,) = generate(Memory(), rngs(0), length=3, temperature=0)
    assert drawn.symbols == [1, 2, 3]
    assert drawn.drawn == 3
    assert not drawn.ended


def test_forbidden_symbols_are_not_drawn():
    (drawn,) = generate(Memory(), rngs(0), length=300, never=(0, 3), temperature=2)
    assert len(drawn.symbols) == 300
    assert not {0, 3} & set(drawn.symbols)


def test_rows_wait_for_each_other():
    step = Memory()
    primers = [[], [1, 2, 3], [4]]
    rows = generate(step, rngs(0, 1, 2), length=9, primers=primers, temperature=0)
    assert [row.symbols for row in rows] == [[1, 2, 3, 4], [1, 2, 3, 4], [4]]
    assert [row.drawn for row in rows] == [5, 2, 1]
    assert step.given == [[0, 0, 0], [1, 1, 4], [2, 2, 0], [3, 3, 0], [4, 4, 0]]


def test_a_row_is_the_same_in_any_company():
    primers = [[1], [], [2, 3], []]
    settings = {"length": 40, "temperature": 1.5, "top_k": 4, "repetition_penalty": 1.0}
    together = generate(Memory(), rngs(*range(4)), primers=primers, **settings)
    for seed, primer in enumerate(primers):
        (alone,) = generate(Memory(), rngs(seed), primers=[primer], **settings)
        assert alone == together[seed]
    assert len({tuple(row.symbols) for row in together}) == 4


def test_the_penalty_breaks_a_loop_but_not_a_repeat():
    def loop(symbols):  # four symbols on and on, the end far less likely
        logits = np.full((len(symbols), 5), -50.0)
        logits[:, 0] = -3.0
        logits[np.arange(len(symbols)), symbols % 4 + 1] = 0.0
        return logits

    for penalty, bars in ((0.0, 25), (1.0, 10)):
        settings = {"length": 100, "temperature": 0, "repetition_penalty": penalty}
        (row,) = generate(loop, rngs(0), **settings)
        assert row.symbols[:16] == [1, 2, 3, 4] * 4
        assert len(row.symbols) // 4 <= bars
        assert row.ended == (penalty > 0)


class Alternating:
    """Even and odd symbols in turn; an end after an odd one."""

    def __init__(self, size=5):
        self.size, self.last = size, 0

    def allowed(self):
        number = np.arange(self.size)
        return (number % 2 != self.last % 2) & (number > 0) | (number == 0) & (self.last % 2 == 1)

    def advance(self, symbol):
        self.last = symbol


def test_constraints_follow_their_rows():
    settings = {"length": 200, "primers": [[2], [], [4, 1]], "temperature": 3.0}
    constraints = [Alternating() for _ in range(3)]
    for row in generate(Memory(), rngs(0, 1, 2), constraints=constraints, **settings):
        assert all((a + b) % 2 for a, b in itertools.pairwise(row.symbols))
        assert not row.ended or row.symbols[-1] % 2
        assert len(row.symbols) > 2


def test_the_likelihood_is_that_of_the_network_without_constraint():
    constraints = [Alternating()]
    (row,) = generate(Memory(), rngs(0), length=60, constraints=constraints, never=(2,))
    before = [0, *row.symbols]
    after = [*row.symbols, 0] if row.ended else row.symbols
    logits = Memory()(np.array(before[: len(after)]))
    ln_p = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    assert row.log_likelihood == pytest.approx(ln_p[np.arange(len(after)), after].sum(), rel=1e-5)


def test_errors_name_the_place():
    settings = {"length": 9, "primers": [[], [1, 2]], "never": (1, 3), "temperature": 0}
    constraints = [Memory(), Alternating()]
    constraints[0].allowed = lambda: np.ones(5, bool)
    constraints[0].advance = lambda symbol: None
    with pytest.raises(ModelError, match=r"symbol 1 of row 1, after \[1, 2\]"):
        generate(Memory(), rngs(0, 1), constraints=constraints, **settings)
    with pytest.raises(ModelError, match="not numbers"):
        generate(lambda symbols: np.full((1, 3), np.nan), rngs(0), length=3)
    with pytest.raises(ValueError, match="as many"):
        generate(Memory(), rngs(0, 1), length=3, primers=[[1]])
    with pytest.raises(ValueError, match="repetition_penalty"):
        generate(Memory(), rngs(0), length=3, repetition_penalty=-1)


class Chain:
    """A Markov chain of second order, whose rows can be selected."""

    def __init__(self, rows, size=4, seed=0):
        self.table = np.random.default_rng(seed).normal(0, 2, (size, size, size))
        self.before = self.last = np.zeros(rows, int)

    def __call__(self, symbols):
        self.before, self.last = self.last, symbols
        return self.table[self.before, self.last]

    def select(self, rows):
        self.before, self.last = self.before[rows], self.last[rows]

    def log_likelihood(self, symbols):
        symbols = [0, 0, *symbols]
        table = self.table - np.log(np.exp(self.table).sum(-1, keepdims=True))
        return sum(
            table[a, b, c] for a, b, c in zip(symbols, symbols[1:], symbols[2:], strict=False)
        )


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("power", [0.0, 1.0])
@pytest.mark.parametrize("constraint", [None, Alternating(4)])
def test_a_wide_beam_finds_the_likeliest(seed, power, constraint):
    chain = Chain(100, seed=seed)
    every = [(*body, 0) for n in range(5) for body in itertools.product((1, 2, 3), repeat=n)]
    if constraint:
        every = [
            s
            for s in every
            if len(s) > 1
            and s[-2] % 2
            and s[0] % 2
            and all((a + b) % 2 for a, b in itertools.pairwise(s[:-1]))
        ]
    every.sort(key=lambda s: chain.log_likelihood(s) / len(s) ** power, reverse=True)
    found = beam_search(
        chain, width=100, length=5, count=3, constraint=constraint, length_power=power
    )
    assert [(*row.symbols, 0) for row in found] == every[:3]
    for row in found:
        assert row.ended
        assert row.drawn == len(row.symbols) + 1
        assert row.log_likelihood == pytest.approx(chain.log_likelihood([*row.symbols, 0]))


def test_a_beam_of_one_takes_the_likeliest_symbol_each_time():
    (greedy,) = generate(Chain(1, seed=3), rngs(0), length=6, never=(0,), temperature=0)
    (found,) = beam_search(Chain(1, seed=3), width=1, length=6, never=(0,))
    assert found.symbols == greedy.symbols
    assert found.log_likelihood == pytest.approx(greedy.log_likelihood)
    assert not found.ended


def test_a_beam_continues_its_primer():
    constraint = Alternating(4)
    rows = beam_search(Chain(9), width=9, length=6, primer=[1, 2], constraint=constraint, count=4)
    for row in rows:
        assert row.symbols[:2] == [1, 2]
        assert row.symbols[2] % 2


def test_beam_errors():
    with pytest.raises(ModelError, match="nothing is allowed after the primer"):
        beam_search(Chain(2), width=2, length=5, never=(0, 1, 2, 3))
    with pytest.raises(ValueError, match="width of 0"):
        beam_search(Chain(1), width=0, length=5)
