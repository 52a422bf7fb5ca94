"""How many hidden neurons exclusive or needs."""

from __future__ import annotations

import numpy as np

from musicgen.charts import Lines
from musicgen.engine import Array
from musicgen.optim import SGD
from musicgen.tasks.base import Progress, Study, Table
from musicgen.tasks.xor.network import INPUTS, TARGETS, network

__all__ = ["study_hidden_sizes"]

SIZES = (2, 3, 4, 8, 16)
ACTIVATIONS = {"tanh": "tanh", "ReLU": "relu"}
STARTS = 30
UPDATES = 300
LEARNING_RATE = 1.0


def study_hidden_sizes(seed: int, progress: Progress) -> Study:
    """Train networks of 2 to 16 hidden neurons by plain gradient descent, from 30 starts each.

    Report, section 4.2, figures 4.1 and 4.2.

    Parameters
    ----------
    seed
        Seed of all starts.
    progress
        Told the share of the runs that is done.
    """
    rows = []
    runs = [(name, hidden) for name in ACTIVATIONS for hidden in SIZES]
    lines: dict[str, dict[str, tuple[list[float], list[float]]]] = {n: {} for n in ACTIVATIONS}
    for done, (name, hidden) in enumerate(runs, 1):
        right = _accuracies(hidden, ACTIVATIONS[name], seed)
        lines[name][str(hidden)] = list(range(UPDATES)), right.mean(axis=0).tolist()
        solved = right[:, -1] == 1
        # The updates after which nothing is wrong any more.
        needed = np.sum(np.minimum.accumulate(right[:, ::-1], axis=1) < 1, axis=1)[solved]
        typical = f"{np.median(needed):.0f}" if len(needed) else "–"
        rows.append([name, str(hidden), f"{solved.mean():.0%}", typical])
        progress(done / len(runs))
    charts = [
        Lines(f"{name}, by hidden neurons", "updates", "mean accuracy", curves, y_log=False)
        for name, curves in lines.items()
    ]
    header = ["activation", "hidden", "starts that learn all four", "median updates of these"]
    return Study("How many hidden neurons does exclusive or need?", charts, Table(header, rows))


def _accuracies(hidden: int, activation: str, seed: int) -> Array:
    """Return the accuracy at every start after every update, ``(STARTS, UPDATES)``."""
    curves = []
    for rng in np.random.default_rng(seed).spawn(STARTS):
        history = network(hidden, activation, rng).fit(
            INPUTS,
            TARGETS,
            optimiser=SGD(momentum=0),
            learning_rate=LEARNING_RATE,
            epochs=UPDATES,
        )
        curves.append([record["accuracy"] for record in history])
    return np.array(curves)
