"""The Reber grammars, the networks that learn them, and both tasks."""

import re
from collections import Counter
from itertools import product
from types import SimpleNamespace

import numpy as np
import pytest

from musicgen.charts import Heatmap, Lines
from musicgen.engine import check_gradients
from musicgen.errors import ModelError
from musicgen.tasks import embedded_reber, find_task, reber, word_studies
from musicgen.tasks.grammar import EMBEDDED_REBER, LETTERS, REBER, Automaton
from musicgen.tasks.word_network import CELLS, WordNetwork
from musicgen.tasks.word_training import Course, share_of_memory, share_of_transitions, train

# The grammars once more, as regular expressions.
INNER = "B(TS*X(XT*VP)*(S|XT*VV)|PT*V(PXT*V)*(V|PS))E"
GRAMMARS = [
    pytest.param(REBER, re.compile(INNER), id="reber"),
    pytest.param(EMBEDDED_REBER, re.compile(f"B(T{INNER}T|P{INNER}P)E"), id="embedded"),
]
BATCH = ["BTXXVVE", "BPVVE", "BTSSXXTVPSE"]


def quiet(share):
    """Progress that nobody watches."""


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize(("grammar", "expression"), GRAMMARS)
def test_accepts_what_the_regular_expression_matches(grammar, expression, rng):
    for length in range(6):
        for letters in product(LETTERS, repeat=length):
            word = "".join(letters)
            assert grammar.accepts(word) == bool(expression.fullmatch(word)), word
    for word in grammar.words(rng, 500):
        assert expression.fullmatch(word)
        place, letter = rng.integers(len(word)), LETTERS[rng.integers(7)]
        other = word[:place] + letter + word[place + 1 :]
        assert grammar.accepts(other) == bool(expression.fullmatch(other)), other
        assert not grammar.accepts(word[:-1])
        assert not grammar.accepts(word + "E")


def test_following_letters():
    assert [set(ways) for ways in REBER.following("BTXXVVE")] == [
        set("TP"), set("SX"), set("XS"), set("TV"), set("PV"), set("E"),
    ]  # fmt: skip
    # The second letter alone says what the last but one is.
    assert EMBEDDED_REBER.following("BTBPVVETE")[-2:] == ["T", "E"]
    assert EMBEDDED_REBER.following("BPBPVVEPE")[-2:] == ["P", "E"]


def test_words_of_a_chosen_length_are_equally_likely(rng):
    found = Counter(REBER.words(rng, 4000, length=8))
    possible = {"".join(("B", *middle, "E")) for middle in product("TPSXV", repeat=6)}
    possible = {word for word in possible if re.fullmatch(INNER, word)}
    assert set(found) == possible
    expected = 4000 / len(possible)
    assert all(abs(n - expected) < 5 * expected**0.5 for n in found.values())


def test_every_letter_that_may_follow_is_equally_likely(rng):
    words = REBER.words(rng, 2000)
    assert abs(sum(word[1] == "T" for word in words) - 1000) < 120
    assert {len(word) for word in REBER.words(rng, 200, longest=6)} == {5, 6}


def test_words_that_cannot_be(rng):
    with pytest.raises(ModelError, match="no word of 4 letters; choose another length"):
        REBER.words(rng, 1, length=4)
    with pytest.raises(ModelError, match="no word of up to 8 letters; allow more"):
        EMBEDDED_REBER.words(rng, 1, longest=8)
    with pytest.raises(ModelError, match="letter 3 is 'V'; expected S or X"):
        REBER.following("BTV")
    with pytest.raises(ModelError, match="letter 6 is 'E'; expected the end"):
        REBER.following("BPVVEE")


@pytest.mark.parametrize("cell", CELLS)
def test_gradients(cell, rng):
    network = WordNetwork(CELLS[cell], 3, rng, np.float64)
    feeds, graph = network.unrolled(BATCH)
    assert max(check_gradients(graph, feeds, most=10).values()) < 1e-6


@pytest.mark.parametrize("cell", CELLS)
def test_both_learners_find_the_same_gradients(cell, rng):
    network = WordNetwork(CELLS[cell], 4, rng, np.float64)
    cost, backward = network.gradients(BATCH)
    other, forward = network.gradients(BATCH, forwards=True)
    assert other == pytest.approx(cost, rel=1e-12)
    for name, gradient in backward.items():
        assert np.abs(gradient).max() > 0
        np.testing.assert_allclose(forward[name], gradient, rtol=0, atol=1e-14)


@pytest.mark.parametrize("cell", CELLS)
def test_words_in_a_batch_do_not_touch_each_other(cell, rng):
    network = WordNetwork(CELLS[cell], 4, rng, np.float64)
    costs = [network.gradients([word])[0] for word in BATCH]
    transitions = [len(word) - 1 for word in BATCH]
    assert network.gradients(BATCH)[0] == pytest.approx(np.average(costs, weights=transitions))
    for word, outputs in zip(BATCH, network.predict(BATCH), strict=True):
        assert outputs.shape == (len(word) - 1, 7)
        np.testing.assert_allclose(outputs, network.predict([word])[0], atol=1e-12)


def perfect(words, grammar):
    """The outputs of a network that knows the grammar."""
    return [
        np.array([[0.5 * (letter in ways) for letter in LETTERS] for ways in grammar.following(w)])
        for w in words
    ]


def test_one_wrong_transition_spoils_a_word(rng):
    words = REBER.words(rng, 10)
    outputs = perfect(words, REBER)
    network = SimpleNamespace(predict=lambda words: outputs)
    assert share_of_transitions(network, words, REBER) == 1
    outputs[3][2, LETTERS.index("B")] = 0.31
    outputs[5][0, LETTERS.index("T")] = 0.29
    assert share_of_transitions(network, words, REBER) == 0.8
    outputs[3][2, LETTERS.index("B")] = 0.29
    assert share_of_transitions(network, words, REBER) == 0.9


def test_memory_is_judged_before_the_last_letter_but_one(rng):
    words = EMBEDDED_REBER.words(rng, 10)
    outputs = perfect(words, EMBEDDED_REBER)
    network = SimpleNamespace(predict=lambda words: outputs)
    assert share_of_memory(network, words) == 1
    outputs[4][-2] = outputs[4][-2, [0, 2, 1, 3, 4, 5, 6]]
    assert share_of_memory(network, words) == 0.9


def test_words_needed_are_those_after_which_all_looks_are_perfect():
    words = [10, 20, 30, 40]
    assert Course([], words, [0.2, 1, 1, 1], 0).words_needed == 20
    assert Course([], words, [1, 0.9, 1, 1], 0).words_needed == 30
    assert Course([], words, [1, 1, 1, 0.9], 0).words_needed is None


def test_training_counts_every_word_and_repeats_itself():
    def run():
        rng = np.random.default_rng(5)
        network, drawn, shares = WordNetwork(CELLS["LSTM"], 4, rng), [], []

        def draw(count):
            drawn.extend(REBER.words(rng, count))
            return drawn[-count:]

        looks = []
        course = train(network, draw, 12, 3, shares.append, look=lambda n: looks.append(n) or 0.5)
        assert looks == [network, network]
        assert (course.words, course.scores, len(drawn)) == ([30, 36], [0.5, 0.5], 36)
        assert shares == [pytest.approx(n / 12) for n in range(1, 13)]
        return course.costs

    costs = run()
    assert costs[-1] < costs[0]
    assert run() == costs


def test_reber_is_learned():
    check = find_task("reber").checks[0]
    reached = check.run(0, quiet)
    assert check.name == "Elman"
    assert check.passes(reached.score)
    assert reached.facts == {"words": 9600}


def test_embedded_reber_is_learned(monkeypatch):
    monkeypatch.setattr(embedded_reber, "UPDATES", 200)
    check = find_task("embedded-reber").checks[0]
    reached = check.run(0, quiet)
    assert check.name == "LSTM"
    assert check.passes(reached.score)
    assert reached.facts["words"] < 3200
    assert reached.facts["every transition"] > 0.9


@pytest.mark.parametrize(("task", "grammar"), [(reber, REBER), (embedded_reber, EMBEDDED_REBER)])
def test_studies(task, grammar, monkeypatch):
    monkeypatch.setattr(task, "UNITS", 4)
    monkeypatch.setattr(task, "UPDATES", 2)
    monkeypatch.setattr(word_studies, "LENGTHS", (10, 12))
    if task is reber:
        monkeypatch.setattr(task, "FORWARDS_UPDATES", 2)
        monkeypatch.setattr(task, "TIMED_UNITS", (2, 3))
    studies = {name: study(0, quiet) for name, study in task.TASK.studies.items()}
    for study in studies.values():
        assert study.charts
        assert {len(row) for row in study.table.rows} == {len(study.table.header)}
        for chart in study.charts:
            if isinstance(chart, Lines):
                assert all(len(xs) == len(ys) > 0 for xs, ys in chart.lines.values())
    [chart] = studies["outputs"].charts
    assert isinstance(chart, Heatmap)
    assert "".join(reversed(chart.rows)) == task.WORD[:-1]
    assert grammar.accepts(task.WORD)
    assert set(studies["cells"].charts[0].lines) == set(CELLS)
    assert set(studies["lengths"].charts[0].lines) == set(CELLS)


def test_both_learners_run_the_same_course(monkeypatch):
    monkeypatch.setattr(reber, "FORWARDS_UPDATES", 10)
    monkeypatch.setattr(reber, "TIMED_UNITS", (2,))
    costs = find_task("reber").studies["rtrl"](0, quiet).charts[0].lines
    np.testing.assert_allclose(costs["RTRL"][1], costs["BPTT"][1], rtol=1e-4)


def test_a_cell_that_fails_gets_no_longer_gap(monkeypatch):
    scores = {5: 1.0, 10: 0.9, 20: 0.5, 40: 1.0}
    monkeypatch.setattr(embedded_reber, "_score_gap", lambda cell, gap, *rest: scores[gap])
    study = find_task("embedded-reber").studies["gap"](0, quiet)
    assert study.charts[0].lines["Elman"] == ((5, 10, 20), [1.0, 0.9, 0.5])
    assert study.table.header[1:] == ["5", "10", "20"]


def test_a_grammar_of_one_word(rng):
    assert Automaton([{"B": 1}, {"E": 2}, {}]).words(rng, 2) == ["BE", "BE"]
