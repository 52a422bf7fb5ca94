"""Neurons one by one, or matrices: the time that it takes to read digits as well as the report."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from musicgen.charts import Lines
from musicgen.engine import (
    Array,
    Graph,
    Input,
    Select,
    Sigmoid,
    SquaredError,
    Stack,
    glorot_uniform,
    neurons,
)
from musicgen.optim import SGD
from musicgen.tasks.base import Progress, Study, Table, part
from musicgen.tasks.digits.knobs import Curve, Knobs, learning_curve
from musicgen.tasks.digits.recognition import digits_of

__all__ = ["seconds_by_neurons", "study_speed"]

# The report's first implementation, of neurons one by one (section 2.4): accuracy and seconds.
REPORTED, REPORTED_SECONDS = 0.9083, 21_565
# Digits that neurons are timed with.
TIMED = 20

_BEST = Knobs(
    initialiser=glorot_uniform, output="softmax", cost="softmax cross-entropy", learning_rate=0.5
)
BY_MATRICES = {"no hidden layer": _BEST, "400 tanh": _BEST._replace(hidden=(400,))}


def seconds_by_neurons(images: Array, labels: Array) -> float:
    """Return the time that a digit takes where every neuron is an object, no hidden layer.

    Forward, backward and an update for each.

    Parameters
    ----------
    images, labels
        ``(N, Y, X)`` and ``(N,)``.
    """
    rng = np.random.default_rng(0)
    pixels = Input("pixels", (images[0].size,), np.float64)
    ys = neurons([Select(pixels, i) for i in range(images[0].size)], 10, rng, Sigmoid)
    graph = Graph(SquaredError(Stack(*ys), Input("targets", (10,), np.float64)))
    values = {name: p.value for name, p in graph.parameters.items()}
    gradients = {name: p.gradient for name, p in graph.parameters.items()}
    optimiser = SGD(momentum=0)
    start = time.perf_counter()
    for image, label in zip(images, labels, strict=True):
        graph.forward({"pixels": image.ravel(), "targets": np.eye(10)[label]})
        graph.backward()
        optimiser.update(values, gradients, 0.1)
    return (time.perf_counter() - start) / len(images)


def study_speed(source: Path | None, seed: int, progress: Progress) -> Study:
    """Compare the times to the accuracy of the report's first implementation.

    Parameters
    ----------
    source
        Of the digits, as `musicgen.datasets.load_digits` takes it.
    seed
        Of the weights and the order.
    progress
        Told the share that is done.
    """
    digits = digits_of(source)
    one = seconds_by_neurons(digits.training_images[:TIMED], digits.training_labels[:TIMED])
    curves = {
        f"matrices, {name}": learning_curve(
            digits, knobs, seed, part(progress, number, len(BY_MATRICES))
        )
        for number, (name, knobs) in enumerate(BY_MATRICES.items())
    }
    # By neurons the same network would compute the same numbers, and need the same digits.
    same = curves["matrices, no hidden layer"]
    by_neurons = same._replace(seconds=[one * shown for shown in same.shown])
    curves = {"neurons, no hidden layer": by_neurons, **curves}
    report = ["the report's neurons, no hidden layer", "", f"{REPORTED_SECONDS:,}", f"{REPORTED}"]
    return Study(
        f"How long until {REPORTED:.2%} of the test digits are recognised?",
        [
            Lines(
                "by the time (neurons: computed)",
                "seconds",
                "share of the test digits recognised",
                {name: (curve.seconds, curve.accuracy) for name, curve in curves.items()},
                x_log=True,
                y_log=False,
            )
        ],
        Table(
            ["", "ms a digit", f"seconds to {REPORTED:.2%}", "best"],
            [[name, *_figures(curve)] for name, curve in curves.items()] + [report],
        ),
    )


def _figures(curve: Curve) -> list[str]:
    reached = [
        seconds
        for seconds, accuracy in zip(curve.seconds, curve.accuracy, strict=True)
        if accuracy >= REPORTED
    ]
    return [
        f"{1000 * curve.seconds[-1] / curve.shown[-1]:.3f}",
        f"{reached[0]:,.1f}" if reached else "not reached",
        f"{max(curve.accuracy):.4f}",
    ]
