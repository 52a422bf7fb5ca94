"""Handwritten digits: MNIST, by networks with and without hidden layers, and by LeNet."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from musicgen.datasets.digits import EIGHT_BY_EIGHT
from musicgen.tasks.base import Check, Task
from musicgen.tasks.digits.knobs import STUDIES
from musicgen.tasks.digits.output_cost import study_output_and_cost
from musicgen.tasks.digits.recognition import (
    ALL_DIGITS,
    FEW_DIGITS,
    SMALL_DIGITS,
    digits_of,
    recognise,
)
from musicgen.tasks.digits.speed import study_speed

__all__ = ["task"]

MNIST_TRAINING_DIGITS = 60_000


def task(source: Path | None = None) -> Task:
    """Return the task, with the marks that fit its digits.

    Parameters
    ----------
    source
        As `musicgen.datasets.load_digits` takes it. A folder is read now; by default MNIST is
        downloaded when a check or a study runs.

    Raises
    ------
    MusicgenError, OSError
        As `musicgen.datasets.load_digits`.

    Examples
    --------
    >>> for check in task().checks:
    ...     print(check.name, check.mark)
    no hidden layer 0.92
    400 tanh 0.98
    LeNet 0.99
    """
    if source == EIGHT_BY_EIGHT:
        title, recognisers = "handwritten digits of 8 × 8 pixels", SMALL_DIGITS
    elif source is None or len(digits_of(source).training_images) >= MNIST_TRAINING_DIGITS:
        title, recognisers = "handwritten digits: MNIST", ALL_DIGITS
    else:
        title, recognisers = "handwritten digits: a part of MNIST to learn from", FEW_DIGITS
    unit = "share of the test digits recognised"
    return Task(
        "digits",
        title,
        [
            Check(name, unit, recogniser.mark, partial(recognise, recogniser, source))
            for name, recogniser in recognisers.items()
        ],
        {
            **{name: partial(study, source) for name, study in STUDIES.items()},
            "output and cost": partial(study_output_and_cost, source),
            "neurons or matrices": partial(study_speed, source),
        },
    )
