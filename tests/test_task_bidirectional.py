"""A missing note: the graph that sees all but it, and that two sides find more than one."""

import numpy as np
import pytest

from musicgen.engine import check_gradients
from musicgen.tasks.bidirectional import TASK, learning
from musicgen.tasks.bidirectional.counting import most_frequent_between
from musicgen.tasks.bidirectional.network import SIDES, feeds, initial_weights, missing_note
from musicgen.tasks.melodies import HELD, SYMBOLS, reels

T, B = 5, 2


def graph_of(side, seed=0):
    rng = np.random.default_rng(seed)
    weights = initial_weights(SIDES[side], rng, D=3, H=4, dtype=np.float64)
    phrases = rng.integers(1, SYMBOLS, (B, T))
    phrases[0, 1] = phrases[1, 4] = HELD
    return missing_note(SIDES[side], weights, T, B), phrases


@pytest.mark.parametrize("side", SIDES)
def test_gradients(side):
    graph, phrases = graph_of(side)
    worst = check_gradients(graph, feeds(phrases), most=60)
    assert set(worst) == {*graph.parameters, "tangent"}
    assert max(worst.values()) < 1e-6


@pytest.mark.parametrize("side", SIDES)
def test_a_note_is_found_without_being_read(side):
    graph, phrases = graph_of(side)
    before = graph.forward(feeds(phrases))[1].copy()
    for step in range(T):
        other = phrases.copy()
        other[:, step] = (other[:, step] + 1) % SYMBOLS
        changed = (graph.forward(feeds(other))[1] != before).any(axis=(1, 2))
        expected = np.zeros(T, bool)
        if "left" in SIDES[side]:
            expected[step + 1 :] = True
        if "right" in SIDES[side]:
            expected[:step] = True
        assert changed.tolist() == expected.tolist()


def test_one_sided_networks_are_halves_of_the_other():
    both = initial_weights(SIDES["both"], np.random.default_rng(0))
    left = initial_weights(SIDES["left"], np.random.default_rng(0))
    right = initial_weights(SIDES["right"], np.random.default_rng(0))
    assert both.keys() == left.keys() | right.keys()
    assert len(both["dense.W"].value) == 2 * len(left["dense.W"].value)


def test_only_notes_are_asked_for():
    graph, phrases = graph_of("both")
    fed = feeds(phrases)
    cost = graph.forward(fed)[0].item()
    fed["targets"] = np.where(phrases.T == HELD, 3, phrases.T)
    assert graph.forward(fed)[0].item() == cost
    probabilities = graph.forward(fed)[1]
    right = np.take_along_axis(probabilities, phrases.T[..., None], axis=-1)[..., 0]
    assert cost == pytest.approx(-np.log(right[phrases.T != HELD]).mean())


def test_phrases_are_whole():
    melody = np.arange(1, 1 + 9 * 8).reshape(9, 8)
    cut = learning.phrases([melody, melody[:3], melody[:4]])
    assert cut.shape == (3, 32)
    assert cut[1].tolist() == list(range(33, 65))
    assert cut[2].tolist() == cut[0].tolist()


def test_counting_sees_the_ends_and_skips_what_is_held():
    known = np.array([[5, HELD, 6], [7, 9, 6]])
    asked = np.array([[8, 6, HELD], [HELD, 7, 4]])
    assert most_frequent_between(np.array([[5, 6, HELD]] * 2), known).tolist() == [5, 6, 0, 0, 0]
    assert most_frequent_between(known, asked).tolist() == [5, 0, 0, 0]


@pytest.fixture
def short(monkeypatch):
    monkeypatch.setattr(learning, "EPOCHS", 2)
    monkeypatch.setattr(learning, "reels", lambda: reels()[:200])


@pytest.mark.usefixtures("short")
def test_two_sides_find_more_than_one():
    told = []
    reached = TASK.checks[1].run(1, told.append)
    assert reached.score > 0.02
    shares = reached.facts
    assert reached.score == shares["both"] - max(shares["left"], shares["right"])
    assert told == sorted(told)
    assert told[-1] == 1
    both = TASK.checks[0].run(1, told.append)
    assert both.score == shares["both"]
    assert both.score > both.facts["found as the most frequent of all"]


@pytest.mark.usefixtures("short")
def test_studies():
    sides, tune = (study(0, lambda share: None) for study in TASK.studies.values())
    curves, places = sides.charts
    assert curves.lines.keys() == SIDES.keys()
    assert all(len(shares) == 8 for _, shares in places.lines.values())
    assert [len(row) for row in sides.table.rows] == [len(sides.table.header)] * 4

    values = np.concatenate([chart.values for chart in tune.charts], axis=1)
    assert values.shape == (3, len(tune.table.rows))
    assert ((values >= 0) & (values <= 1)).all()
    assert [row[2] for row in tune.table.rows] == [
        *tune.charts[0].columns,
        *tune.charts[1].columns,
    ]
