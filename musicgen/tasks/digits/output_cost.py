"""Output and cost in four combinations (report, table 4.6)."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np

from musicgen.charts import Lines
from musicgen.tasks.base import Progress, Study, Table, part
from musicgen.tasks.digits.knobs import Knobs, learning_curve
from musicgen.tasks.digits.recognition import digits_of

__all__ = ["study_output_and_cost"]

SEEDS = 5

# (output, cost): mean accuracy in the report, with all of MNIST
REPORTED = {
    ("softmax", "softmax cross-entropy"): 0.92303,
    ("softmax", "squared error"): 0.92667,
    ("sigmoid", "sigmoid cross-entropy"): 0.9149,
    ("sigmoid", "squared error"): 0.91708,
}


def study_output_and_cost(source: Path | None, seed: int, progress: Progress) -> Study:
    """Train each combination from five seeds.

    Parameters
    ----------
    source
        Of the digits, as `musicgen.datasets.load_digits` takes it.
    seed
        The first of the seeds.
    progress
        Told the share that is done.
    """
    digits = digits_of(source)
    seeds = range(seed, seed + SEEDS)
    runs = [
        learning_curve(
            digits,
            Knobs(output=output, cost=cost),
            seed,
            part(progress, number, len(REPORTED) * SEEDS),
        )
        for number, ((output, cost), seed) in enumerate(itertools.product(REPORTED, seeds))
    ]
    grouped = {names: runs[SEEDS * i : SEEDS * (i + 1)] for i, names in enumerate(REPORTED)}
    rows = []
    for (output, cost), curves in grouped.items():
        last = [curve.accuracy[-1] for curve in curves]
        seconds = np.mean([curve.seconds[-1] for curve in curves])
        reported = REPORTED[output, cost]
        ours = f"{np.mean(last):.4f}", f"{np.std(last):.4f}", f"{seconds:.1f}"
        rows.append([output, cost, *ours, f"{reported}"])
    return Study(
        "Which output, and which cost?",
        [
            Lines(
                f"first of {SEEDS} seeds",
                "thousands of digits shown",
                "share of the test digits recognised",
                {
                    f"{output}, {cost}": (curves[0].thousands, curves[0].accuracy)
                    for (output, cost), curves in grouped.items()
                },
                y_log=False,
            )
        ],
        Table(["output", "cost", "mean", "deviation", "seconds", "report, all of MNIST"], rows),
    )
