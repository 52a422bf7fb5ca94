"""A disc in a square: one neuron finds it among squared features, and not without them.

>>> TASK.title
'a disc in a square, by one neuron that reads squared features'
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from musicgen.engine import Array
from musicgen.networks import Sequential
from musicgen.networks.layers import Dense
from musicgen.tasks.base import Check, Progress, Reached, Study, Table, Task
from musicgen.tasks.surface import decision_surface

__all__ = ["TASK", "draw_points", "squared"]

RADIUS = 0.5
TRAINING, TEST = 500, 2000
EPOCHS = 100
LEARNING_RATE = 0.3

Features = Callable[[Array], Array]


def draw_points(rng: np.random.Generator, count: int) -> tuple[Array, Array]:
    """Draw points evenly from the square ``[−1, 1]²``.

    Parameters
    ----------
    rng
        Random generator.
    count
        N.

    Returns
    -------
    tuple of ndarray
        The points ``(N, 2)``, and their classes ``(N, 1)``: 1 within 0.5 of the origin, else 0.
    """
    points = rng.uniform(-1, 1, (count, 2))
    inside = np.hypot(points[:, :1], points[:, 1:]) <= RADIUS
    return points, inside.astype(np.float64)


def squared(points: Array) -> Array:
    """Return ``(x1, x2, x1 x2, x1², x2²)``, in which a plane separates what an ellipse does.

    Parameters
    ----------
    points
        ``(N, 2)``.

    Returns
    -------
    ndarray
        ``(N, 5)``. Report, section 1.3.

    Examples
    --------
    >>> squared(np.array([[2.0, -3.0]]))
    array([[ 2., -3., -6.,  4.,  9.]])
    """
    x1, x2 = points.T
    return np.stack([x1, x2, x1 * x2, x1**2, x2**2], axis=1)


def _raw(points: Array) -> Array:
    return points


def _squares_alone(points: Array) -> Array:
    return points**2


FEATURES: dict[str, Features] = {
    "x1, x2": _raw,
    "x1², x2²": _squares_alone,
    "x1, x2, x1x2, x1², x2²": squared,
}


class _Learned(NamedTuple):
    predict: Features
    points: Array
    classes: Array
    shares: dict[str, float]


def _learn(features: Features, seed: int, progress: Progress = lambda share: None) -> _Learned:
    """Train one neuron on features of points, and try it on fresh points."""
    rng = np.random.default_rng(seed)
    points, classes = draw_points(rng, TRAINING)
    fresh, answers = draw_points(rng, TEST)
    neuron = Sequential(features(points).shape[1:], [Dense(1, "sigmoid")], seed=rng)
    neuron.fit(
        features(points),
        classes,
        learning_rate=LEARNING_RATE,
        epochs=EPOCHS,
        progress=lambda record: progress(record["epoch"] / EPOCHS),
    )
    shares = {
        "accuracy": neuron.evaluate(features(fresh), answers, batch_size=TEST)["accuracy"],
        "training accuracy": neuron.evaluate(features(points), classes)["accuracy"],
        "share outside": 1 - float(answers.mean()),
    }
    return _Learned(lambda x: neuron.predict(features(x)), points, classes[:, 0], shares)


def _check(seed: int, progress: Progress) -> Reached:
    """Return the accuracy on 2,000 fresh points."""
    shares = _learn(squared, seed, progress).shares
    return Reached(shares.pop("accuracy"), shares)


def _study(seed: int, progress: Progress) -> Study:
    """Compare what one neuron finds among features (report, section 1.3, figure 1.5)."""
    charts, rows = [], []
    for done, (name, features) in enumerate(FEATURES.items(), 1):
        predict, points, classes, shares = _learn(features, seed)
        by_class = {"outside": points[classes == 0], "inside": points[classes == 1]}
        charts.append(decision_surface(name, predict, -1, 1, by_class))
        rows.append([name, *(f"{share:.1%}" for share in shares.values())])
        progress(done / len(FEATURES))
    header = ["features", "accuracy on fresh points", "on the training points", "share outside"]
    return Study("Which features show one neuron the disc?", charts, Table(header, rows))


TASK = Task(
    "disc",
    "a disc in a square, by one neuron that reads squared features",
    [Check("squared features", "accuracy on 2,000 fresh points", 0.98, _check)],
    {"features": _study},
)
