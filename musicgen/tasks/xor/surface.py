"""What a network answers between the four points, and when it is stuck."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from musicgen.charts import Lines
from musicgen.optim import SGD
from musicgen.tasks.base import Progress, Study, Table
from musicgen.tasks.surface import decision_surface
from musicgen.tasks.xor.network import INPUTS, TARGETS, network

__all__ = ["study_surface"]

STARTS = 10
UPDATES = 500
LEARNING_RATE = 1.0
POINTS = {
    "0": INPUTS[TARGETS[:, 0] == 0],
    "1": INPUTS[TARGETS[:, 0] == 1],
}


def study_surface(seed: int, progress: Progress) -> Study:
    """Draw what is learned by the best of 10 starts with 4 hidden neurons, and the worst with 2.

    Report, section 2.4, figures 2.3 to 2.6: the tanh bends its borders, the ReLU breaks them, and
    two neurons often end in a local minimum.

    Parameters
    ----------
    seed
        Seed of all starts.
    progress
        Told the share of the starts that is done.
    """
    cases: dict[str, tuple[int, str, Callable[..., Any]]] = {
        f"4 tanh, best of {STARTS}": (4, "tanh", min),
        f"4 ReLU, best of {STARTS}": (4, "relu", min),
        f"2 tanh, worst of {STARTS}": (2, "tanh", max),
    }
    surfaces, costs, rows = [], {}, []
    for done, (name, (hidden, activation, choose)) in enumerate(cases.items()):
        trained = []
        for number, rng in enumerate(np.random.default_rng(seed).spawn(STARTS), 1):
            learner = network(hidden, activation, rng)
            history = learner.fit(
                INPUTS,
                TARGETS,
                optimiser=SGD(momentum=0),
                learning_rate=LEARNING_RATE,
                epochs=UPDATES,
            )
            trained.append(([record["loss"] for record in history], learner))
            progress((done + number / STARTS) / len(cases))
        curve, learner = choose(trained, key=lambda one: one[0][-1])
        surfaces.append(decision_surface(name, learner.predict, -0.5, 1.5, POINTS))
        costs[name] = list(range(UPDATES)), curve
        outputs = learner.predict(INPUTS).ravel()
        rows.append([name, *(f"{output:.2f}" for output in outputs), f"{curve[-1]:.4f}"])
    header = ["hidden", *(f"{x1:.0f} xor {x2:.0f}" for x1, x2 in INPUTS), "cost, nats"]
    return Study(
        "What does the network answer between the four points?",
        [*surfaces, Lines("cost", "updates", "nats", costs)],
        Table(header, rows),
    )
