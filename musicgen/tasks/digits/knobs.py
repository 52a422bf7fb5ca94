"""The seven parameters of a network, one turned at a time (report, section 4.3)."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from musicgen.charts import Lines
from musicgen.datasets import Digits
from musicgen.engine import Array, gaussian, glorot_uniform, uniform
from musicgen.networks import Sequential
from musicgen.networks.layers import Dense, Flatten, Layer
from musicgen.networks.layers.base import Initialiser
from musicgen.optim import SGD
from musicgen.tasks.base import Progress, Study, Table, part
from musicgen.tasks.digits.recognition import digits_of

__all__ = ["REFERENCE", "SHOWN", "STUDIES", "Curve", "Knobs", "learning_curve"]

# Digits shown in a training: 10 passes over MNIST, 120 over 5,000 digits.
SHOWN = 600_000
# A point of a curve comes after so many digits, or after a pass where there are fewer.
BLOCK = 5_000
# About so many test digits are enough for a curve.
TESTED = 2_000


# Of images ``(N, Y, X)`` with values from 0, paper, to 1, ink, and the mean of the training images.
SCALINGS: dict[str, Callable[[Array, Array], Array]] = {
    "centred": lambda x, mean: x - mean,
    "0 to 1": lambda x, mean: x,
    "−1 to 1": lambda x, mean: 2 * x - 1,
    "0 to 255": lambda x, mean: 255 * x,
}


class Knobs(NamedTuple):
    """What can be set; the report's reference by default.

    Attributes
    ----------
    hidden
        Units of each hidden layer.
    scaling
        A key of `SCALINGS`. The report has its inputs "centred and normalised" between −1 and 1;
        that this means the mean image taken off is our reading.
    initialiser
        Draws the weights; by default from N(0, 0.1).
    activation
        Of the hidden layers.
    output
        Activation of the ten outputs.
    cost
        A key of `musicgen.networks.LOSSES`.
    batch_size
        Digits in an update.
    learning_rate
        η of the gradient descent.
    """

    hidden: tuple[int, ...] = ()
    scaling: str = "centred"
    initialiser: Initialiser = gaussian
    activation: str = "tanh"
    output: str = "sigmoid"
    cost: str = "squared error"
    batch_size: int = 128
    learning_rate: float = 0.1

    def layers(self) -> list[Layer]:
        """Return the network."""
        hidden = [Dense(units, self.activation, self.initialiser) for units in self.hidden]
        return [Flatten(), *hidden, Dense(10, self.output, self.initialiser)]

    def targets(self, labels: Array) -> Array:
        """Return what the cost compares with: classes, or 1 for the right output, 0 elsewhere."""
        if self.cost == "softmax cross-entropy":
            return labels
        return np.eye(10, dtype=np.float32)[labels]


class Curve(NamedTuple):
    """How a training went.

    Attributes
    ----------
    shown
        Digits shown up to each point.
    seconds
        Time of training up to there.
    accuracy
        Share of the test digits recognised then.
    """

    shown: list[int]
    seconds: list[float]
    accuracy: list[float]

    @property
    def thousands(self) -> list[float]:
        """Thousands of digits shown."""
        return [shown / 1000 for shown in self.shown]


def learning_curve(
    digits: Digits, knobs: Knobs, seed: int, progress: Progress, shown: int = SHOWN
) -> Curve:
    """Train by plain gradient descent, and test again and again.

    Parameters
    ----------
    digits
        To train and to test with.
    knobs
        The settings.
    seed
        Of the weights and the order.
    progress
        Told the share that is done.
    shown
        How many digits are shown, each time another 5,000 of them or, where there are fewer, all.
    """
    rng = np.random.default_rng(seed)
    x, y = digits.training_images, knobs.targets(digits.training_labels)
    scale, mean, size = SCALINGS[knobs.scaling], x.mean(axis=0), min(BLOCK, len(x))
    network, optimiser = Sequential(mean.shape, knobs.layers(), seed=rng), SGD(momentum=0)
    test = scale(digits.test_images, mean)
    curve, seconds, blocks = Curve([], [], []), 0.0, math.ceil(shown / size)
    for number in range(1, blocks + 1):
        start = time.perf_counter()
        rows = rng.choice(len(x), size, replace=False)
        network.fit(
            scale(x[rows], mean),
            y[rows],
            loss=knobs.cost,
            optimiser=optimiser,
            learning_rate=knobs.learning_rate,
            epochs=1,
            batch_size=knobs.batch_size,
        )
        seconds += time.perf_counter() - start
        found = network.predict(test, batch_size=1000).argmax(axis=1)
        curve.shown.append(number * size)
        curve.seconds.append(seconds)
        curve.accuracy.append(float(np.mean(found == digits.test_labels)))
        progress(number / blocks)
    return curve


def _compare(
    title: str, variants: Mapping[str, Knobs], source: Path | None, seed: int, progress: Progress
) -> Study:
    """Draw a curve for each variant, by the digits shown and by the time."""
    digits = digits_of(source)
    step = max(1, len(digits.test_labels) // TESTED)
    digits = digits._replace(
        test_images=digits.test_images[::step], test_labels=digits.test_labels[::step]
    )
    curves = {}
    for number, (label, knobs) in enumerate(variants.items()):
        curves[label] = learning_curve(digits, knobs, seed, part(progress, number, len(variants)))
    by_digits = {label: (curve.thousands, curve.accuracy) for label, curve in curves.items()}
    by_time = {label: (curve.seconds, curve.accuracy) for label, curve in curves.items()}
    y = "share of the test digits recognised"
    shown = next(iter(curves.values())).shown
    rows, early = [], (len(shown) - 1) // 10
    for label, (_, seconds, accuracy) in curves.items():
        ends = f"{accuracy[early]:.3f}", f"{accuracy[-1]:.3f}", f"{seconds[-1]:.1f}"
        rows.append([label, *ends])
    return Study(
        title,
        [
            Lines("by the digits shown", "thousands of digits shown", y, by_digits, y_log=False),
            Lines("by the time", "seconds", y, by_time, x_log=True, y_log=False),
        ],
        Table(["", f"after {shown[early]:,}", f"after {shown[-1]:,} digits", "seconds"], rows),
    )


REFERENCE = Knobs()
_DEVIATION = math.sqrt(0.1)
# Behind a hidden layer, weights of that variance hide what is compared: all networks learn slowly.
_DEEP = Knobs(initialiser=glorot_uniform)
_WIDTH = math.sqrt(12) * _DEVIATION  # of a uniform distribution of the same variance

COMPARISONS: dict[str, tuple[str, dict[str, Knobs]]] = {
    "architecture": (
        "How many units, in how many layers?",
        {
            "no hidden layer": REFERENCE,
            "100 tanh": _DEEP._replace(hidden=(100,)),
            "400 tanh": _DEEP._replace(hidden=(400,)),
            "100 tanh, twice": _DEEP._replace(hidden=(100, 100)),
        },
    ),
    "input scaling": (
        "What values have the pixels?",
        {name: Knobs(scaling=name) for name in SCALINGS},
    ),
    "initialisation": (
        "How are the first weights drawn?",
        {
            "normal": REFERENCE,
            "normal × 0.1": Knobs(initialiser=partial(gaussian, deviation=0.1 * _DEVIATION)),
            "normal × 10": Knobs(initialiser=partial(gaussian, deviation=10 * _DEVIATION)),
            "uniform": Knobs(initialiser=partial(uniform, low=-_WIDTH / 2, high=_WIDTH / 2)),
            "uniform, from 0": Knobs(initialiser=partial(uniform, low=0.0, high=_WIDTH)),
        },
    ),
    "activation": (
        "What do 100 hidden units compute?",
        {
            name: _DEEP._replace(hidden=(100,), activation=name)
            for name in ("tanh", "sigmoid", "relu", "arctan", "identity")
        },
    ),
    "batch size": (
        "How many digits in an update?",
        {str(size): Knobs(batch_size=size) for size in (8, 32, 128, 512)},
    ),
    "learning rate": (
        "How far does an update go?",
        {f"η = {rate:g}": Knobs(learning_rate=rate) for rate in (0.01, 0.1, 1, 10, 100)},
    ),
}
STUDIES: dict[str, Callable[[Path | None, int, Progress], Study]] = {
    name: partial(_compare, title, variants) for name, (title, variants) in COMPARISONS.items()
}
