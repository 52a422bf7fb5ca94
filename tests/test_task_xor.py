"""Exclusive or: both networks learn it, and the studies tell what happened."""

import numpy as np
import pytest

from musicgen.charts import Heatmap
from musicgen.optim import METHODS
from musicgen.tasks import find_task
from musicgen.tasks.surface import decision_surface
from musicgen.tasks.xor import hidden_sizes, network, optimisers, surface

TASK = find_task("xor")
CHECKS = pytest.mark.parametrize("check", TASK.checks, ids=lambda check: check.name)


def quiet(share):
    """Take no notice of the progress."""


def rows_by_name(study):
    return {row[0]: row[1:] for row in study.table.rows}


@CHECKS
def test_the_mark_is_reached(check):
    score, facts = check.run(3, quiet)
    assert check.passes(score)
    assert score == 1
    assert facts["largest error"] < 0.02


@CHECKS
def test_the_same_seed_gives_the_same_and_another_another(check, monkeypatch):
    monkeypatch.setattr(network, "UPDATES", 20)
    assert check.run(0, quiet) == check.run(0, quiet)
    assert check.run(0, quiet).facts != check.run(1, quiet).facts


@CHECKS
def test_too_few_updates_miss_the_mark(check, monkeypatch):
    monkeypatch.setattr(network, "UPDATES", 3)
    assert not check.passes(check.run(0, quiet).score)


@CHECKS
def test_progress_goes_from_the_first_update_to_the_last(check, monkeypatch):
    monkeypatch.setattr(network, "UPDATES", 4)
    shares = []
    check.run(0, shares.append)
    assert shares == [0.25, 0.5, 0.75, 1]


def test_neurons_and_matrices_come_to_the_same_outputs(monkeypatch):
    monkeypatch.setattr(network, "UPDATES", 50)
    matrices, neurons = (check.run(5, quiet).facts["largest error"] for check in TASK.checks)
    assert neurons == pytest.approx(matrices, rel=1e-9)


def test_one_wrong_output_costs_a_quarter(monkeypatch):
    """The score looks at every output, and not only at its side of a half."""

    def predict(self, x):
        return np.array([[0.05], [0.95], [0.6], [-0.05]])

    monkeypatch.setattr(network.Sequential, "predict", predict)
    score, facts = network.learn_by_matrices(0, quiet)
    assert score == 0.75
    assert facts["largest error"] == pytest.approx(0.4)


def test_sizes_matter_more_to_the_relu_than_to_the_tanh(monkeypatch):
    monkeypatch.setattr(hidden_sizes, "STARTS", 6)
    monkeypatch.setattr(hidden_sizes, "UPDATES", 60)
    monkeypatch.setattr(hidden_sizes, "SIZES", (4, 16))
    shares = []
    study = hidden_sizes.study_hidden_sizes(0, shares.append)
    assert shares == [0.25, 0.5, 0.75, 1]
    assert [chart.title.split(",")[0] for chart in study.charts] == ["tanh", "ReLU"]
    solved = {(name, size): float(share.rstrip("%")) for name, size, share, _ in study.table.rows}
    assert solved["tanh", "16"] == solved["ReLU", "16"] == 100
    assert solved["ReLU", "4"] < solved["tanh", "4"]
    for chart in study.charts:
        for updates, accuracies in chart.lines.values():
            assert updates == list(range(60))
            assert 0 <= min(accuracies) <= max(accuracies) <= 1
        assert chart.lines["16"][1][-1] == 1


def test_updates_are_counted_until_nothing_is_wrong_any_more(monkeypatch):
    """One start solves it for good after three updates, one never, one not yet for good."""
    curves = iter([[1, 0.5, 0.75, 1, 1], [0.5] * 5, [1, 1, 1, 1, 0.75]])

    class Told:
        def fit(self, *arrays, **settings):
            return [{"accuracy": accuracy} for accuracy in next(curves)]

    monkeypatch.setattr(hidden_sizes, "network", lambda *arguments: Told())
    monkeypatch.setattr(hidden_sizes, "STARTS", 3)
    monkeypatch.setattr(hidden_sizes, "UPDATES", 5)
    monkeypatch.setattr(hidden_sizes, "SIZES", (2,))
    monkeypatch.setattr(hidden_sizes, "ACTIVATIONS", {"tanh": "tanh"})
    study = hidden_sizes.study_hidden_sizes(0, quiet)
    assert study.table.rows == [["tanh", "2", "33%", "3"]]
    _, means = study.charts[0].lines["2"]
    assert means == pytest.approx([2.5 / 3, 2 / 3, 2.25 / 3, 2.5 / 3, 2.25 / 3])


def test_surfaces_show_who_learned_and_who_is_stuck(monkeypatch):
    monkeypatch.setattr(surface, "STARTS", 5)
    monkeypatch.setattr(surface, "UPDATES", 120)
    study = surface.study_surface(0, quiet)
    tanh, relu, stuck, cost = study.charts
    for chart in (tanh, relu, stuck):
        assert isinstance(chart, Heatmap)
        assert chart.extent == (-0.5, 1.5, -0.5, 1.5)
        assert 0 <= chart.values.min() <= chart.values.max() <= 1
        assert sorted(map(len, chart.points.values())) == [2, 2]
    # Twenty places from a border lies 0, and twenty from the opposite one lies 1.
    answers = [chart.values[np.ix_([20, 60], [20, 60])].round() for chart in (tanh, relu, stuck)]
    exclusive_or = [[0, 1], [1, 0]]
    np.testing.assert_array_equal(answers[0], exclusive_or)
    np.testing.assert_array_equal(answers[1], exclusive_or)
    assert not np.array_equal(answers[2], exclusive_or)
    ends = [curve[-1] for _, curve in cost.lines.values()]
    assert ends[2] > 0.3 > 0.1 > max(ends[:2])
    assert [float(row[-1]) for row in study.table.rows] == pytest.approx(ends, abs=1e-4)


def test_a_surface_is_asked_at_the_middles_of_its_fields():
    chart = decision_surface("", lambda x: x[:, :1], 0, 1, {})
    np.testing.assert_allclose(chart.values[0], (np.arange(80) + 0.5) / 80)
    np.testing.assert_array_equal(chart.values[0], chart.values[-1])
    chart = decision_surface("", lambda x: x[:, 1:], 0, 1, {})
    np.testing.assert_allclose(chart.values[:, 0], (np.arange(80) + 0.5) / 80)


def test_optimisers_are_compared_at_their_best_learning_rates(monkeypatch):
    monkeypatch.setattr(optimisers, "STARTS", 1)
    monkeypatch.setattr(optimisers, "EVALUATIONS", 150)
    monkeypatch.setattr(optimisers, "RATES", (0.3, 3))
    few = {name: optimisers.OPTIMISERS[name] for name in ("SGD", "momentum", "Adam")}
    monkeypatch.setattr(optimisers, "OPTIMISERS", few)
    shares = []
    study = optimisers.study_optimisers(0, shares.append)
    assert shares == pytest.approx([n / 9 for n in range(1, 10)])
    first, second, rates = study.charts
    rows = rows_by_name(study)
    assert list(rows) == [*few, *METHODS]
    assert {name: rows[name][0] for name in few} == {"SGD": "3", "momentum": "3", "Adam": "0.3"}
    for name, (xs, costs) in {**first.lines, **second.lines}.items():
        assert xs == list(range(1, 151))
        assert costs[0] == pytest.approx(first.lines["SGD"][1][0])  # all start alike
        reached = next(x for x, cost in zip(xs, costs, strict=True) if cost < 0.01)
        assert rows[name][1:] == [str(reached), str(reached)]
    assert int(rows["momentum"][1]) < int(rows["SGD"][1])
    assert rates.lines["SGD"] == ([3], [float(rows["SGD"][1])])


def test_an_optimiser_that_never_gets_there_is_said_to(monkeypatch):
    monkeypatch.setattr(optimisers, "STARTS", 2)
    monkeypatch.setattr(optimisers, "EVALUATIONS", 5)
    monkeypatch.setattr(optimisers, "RATES", (0.01,))
    study = optimisers.study_optimisers(0, quiet)
    assert all(row[2:] == ["never", "never"] for row in study.table.rows)
    assert study.charts[2].lines["SGD"] == ([], [])
