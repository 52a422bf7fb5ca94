"""The disc: a neuron finds it among squared features, and does not without them."""

import math

import numpy as np
import pytest

from musicgen.tasks import disc, find_task

TASK = find_task("disc")
(CHECK,) = TASK.checks


def quiet(share):
    """Take no notice of the progress."""


def test_points_lie_evenly_and_their_classes_tell_the_disc():
    points, classes = disc.draw_points(np.random.default_rng(0), 20_000)
    assert points.shape == (20_000, 2)
    assert classes.shape == (20_000, 1)
    assert np.abs(points).max() <= 1
    np.testing.assert_array_equal(classes[:, 0], (points**2).sum(axis=1) <= 0.25)
    assert classes.mean() == pytest.approx(math.pi / 16, abs=0.01)
    np.testing.assert_allclose(points.mean(axis=0), 0, atol=0.02)


@pytest.mark.parametrize("seed", range(3))
def test_the_mark_is_reached(seed):
    assert CHECK.passes(CHECK.run(seed, quiet).score)


def test_the_same_seed_gives_the_same_score_and_another_another(monkeypatch):
    monkeypatch.setattr(disc, "EPOCHS", 5)
    assert CHECK.run(0, quiet) == CHECK.run(0, quiet)
    assert CHECK.run(0, quiet) != CHECK.run(1, quiet)


def test_raw_features_miss_the_mark(monkeypatch):
    monkeypatch.setattr(disc, "squared", lambda points: points)
    score, facts = CHECK.run(0, quiet)
    assert not CHECK.passes(score)
    assert score == pytest.approx(facts["share outside"], abs=0.01)


def test_progress_goes_from_the_first_epoch_to_the_last(monkeypatch):
    monkeypatch.setattr(disc, "EPOCHS", 4)
    shares = []
    CHECK.run(0, shares.append)
    assert shares == [0.25, 0.5, 0.75, 1]


def test_the_study_shows_which_features_matter():
    shares = []
    study = TASK.studies["features"](0, shares.append)
    assert shares == pytest.approx([1 / 3, 2 / 3, 1])
    raw, squares, both = study.charts
    places = [[40, 40], [40, 0], [0, 40], [0, 0]]  # the middle, two sides and a corner
    for chart in (squares, both):
        middle, *outside = (chart.values[row, column] for row, column in places)
        assert middle > 0.9
        assert max(outside) < 0.1
    assert raw.values.max() < 0.5  # it never says "inside"
    for chart in study.charts:
        radii = {name: np.hypot(*points.T) for name, points in chart.points.items()}
        assert radii["inside"].max() <= 0.5 < radii["outside"].min()
        assert len(radii["inside"]) + len(radii["outside"]) == 500
    accuracies = [float(row[1].rstrip("%")) for row in study.table.rows]
    assert accuracies[0] < 85
    assert min(accuracies[1:]) >= 98
