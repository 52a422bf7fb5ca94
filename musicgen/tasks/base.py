"""What a task is: checks, each with a mark to reach, and studies, which show why."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from musicgen.charts import Chart

__all__ = ["Check", "Progress", "Reached", "Study", "Table", "Task", "part"]

Progress = Callable[[float], None]  # told the share that is done, 0 to 1


class Reached(NamedTuple):
    """What one run of a check came to.

    Attributes
    ----------
    score
        In the check's unit.
    facts
        What else is worth telling, by name: updates made, words seen.
    """

    score: float
    facts: Mapping[str, float] = {}


@dataclass(frozen=True, slots=True)
class Check:
    """Something that a working engine learns, and how well.

    Attributes
    ----------
    name
        Short: it tells the checks of a task apart.
    unit
        What the score is: ``"share of test words"``.
    mark
        The score to reach.
    run
        Takes a seed and the progress, trains, and says what was reached.
    lowest
        Whether the score is a cost, which has to stay at the mark or below.
    optional
        Whether it is long and runs only where it is asked for by name.
    """

    name: str
    unit: str
    mark: float
    run: Callable[[int, Progress], Reached]
    lowest: bool = False
    optional: bool = False

    def passes(self, score: float) -> bool:
        """Say whether a score reaches the mark; one that is not a number does not."""
        return score <= self.mark if self.lowest else score >= self.mark


class Table(NamedTuple):
    """Rows of text under a header."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Study:
    """What an experiment showed.

    Attributes
    ----------
    title
        The question, in a line.
    charts
        What to draw, side by side in one picture.
    table
        The figures.
    text
        What was written, where that is to be read as it stands.
    """

    title: str
    charts: Sequence[Chart] = ()
    table: Table | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Task:
    """A classic problem with known answers.

    Attributes
    ----------
    name
        As on the command line.
    title
        What is learned, in a line.
    checks
        What has to be reached.
    studies
        Experiments by name, each a function of a seed and the progress.
    """

    name: str
    title: str
    checks: Sequence[Check]
    studies: Mapping[str, Callable[[int, Progress], Study]] = field(default_factory=dict)


def part(progress: Progress, number: int, parts: int) -> Progress:
    """Return the progress of one of several equal parts, told as a part of the whole.

    Parameters
    ----------
    progress
        Of the whole.
    number
        Which part, from 0.
    parts
        How many.

    Examples
    --------
    >>> part(print, 1, 4)(0.5)
    0.375
    """
    return lambda done: progress((number + done) / parts)
