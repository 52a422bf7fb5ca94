"""Run the sanity tasks: their checks against their marks, their studies into pictures."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from musicgen.errors import ModelError
from musicgen.files import check_writable
from musicgen.tasks import Check, Study, Task

__all__ = ["CheckReport", "StudyReport", "run_checks", "run_studies"]

Progress = Callable[[str, float], None]  # told what is running, and the share of it that is done


def _silent(label: str, done: float) -> None:
    pass


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What the runs of a check came to.

    Attributes
    ----------
    check
        The check, with its mark.
    seed
        Of the first run; the others follow by one.
    scores, seconds, facts
        One item a run.
    """

    check: Check
    seed: int
    scores: list[float]
    seconds: list[float]
    facts: list[Mapping[str, float]]

    @property
    def median(self) -> float:
        """The middle score."""
        return statistics.median(self.scores)

    @property
    def worst(self) -> float:
        """The score that is furthest from good."""
        return max(self.scores) if self.check.lowest else min(self.scores)

    @property
    def passed(self) -> bool:
        """Whether every run reached the mark."""
        return all(map(self.check.passes, self.scores))

    @property
    def mean_facts(self) -> dict[str, float]:
        """The facts, each its mean over the runs that have it."""
        names = dict.fromkeys(name for facts in self.facts for name in facts)
        return {
            name: statistics.fmean(facts[name] for facts in self.facts if name in facts)
            for name in names
        }


@dataclass(frozen=True, slots=True)
class StudyReport:
    """A study that was made.

    Attributes
    ----------
    name
        Its name within the task.
    study
        What it showed.
    picture
        The file that was drawn; None where there is nothing to draw.
    seconds
        How long it took.
    """

    name: str
    study: Study
    picture: Path | None
    seconds: float


def run_checks(
    task: Task,
    *,
    checks: Collection[str] = (),
    seeds: int = 1,
    seed: int = 0,
    progress: Progress = _silent,
) -> Iterator[CheckReport]:
    """Run the checks of a task, each with several seeds.

    Parameters
    ----------
    task
        As `musicgen.tasks.find_task` gives it.
    checks
        Names of those to run; by default all but the optional ones.
    seeds
        Runs of each.
    seed
        Of the first run.
    progress
        Called with the name of what runs and the share of it that is done.

    Yields
    ------
    CheckReport
        As soon as all runs of a check are done.

    Raises
    ------
    ModelError
        When the task has no check of such a name, or there are to be no runs: at once.

    Examples
    --------
    >>> from musicgen.tasks import find_task
    >>> [report.passed for report in run_checks(find_task("disc"))]
    [True]
    """
    known = [check.name for check in task.checks]
    for name in checks:
        if name not in known:
            raise ModelError(f"{task.name} has no check {name!r}; there are: {', '.join(known)}")
    if seeds < 1:
        raise ModelError(f"{seeds} runs are asked for; expected 1 or more")
    chosen = [
        check for check in task.checks if (check.name in checks if checks else not check.optional)
    ]
    return _run_checks(task, chosen, seeds, seed, progress)


def _run_checks(
    task: Task, checks: Sequence[Check], seeds: int, seed: int, progress: Progress
) -> Iterator[CheckReport]:
    for check in checks:
        report = CheckReport(check, seed, [], [], [])
        for k in range(seeds):
            label = f"{task.name}, {check.name}" + (f", seed {seed + k}" if seeds > 1 else "")
            start = time.perf_counter()
            reached = check.run(seed + k, partial(progress, label))
            report.seconds.append(time.perf_counter() - start)
            report.scores.append(reached.score)
            report.facts.append(reached.facts)
        yield report


def run_studies(
    task: Task,
    folder: Path,
    *,
    kind: str = "png",
    seed: int = 0,
    progress: Progress = _silent,
) -> Iterator[StudyReport]:
    """Make the studies of a task, and draw what they show.

    Parameters
    ----------
    task
        As `musicgen.tasks.find_task` gives it.
    folder
        For the pictures, ``<task>-<study>.png``; made if need be.
    kind
        ``"png"`` or ``"svg"``.
    seed
        Of every study.
    progress
        Called with the name of what runs and the share of it that is done.

    Yields
    ------
    StudyReport
        As soon as a study is done.

    Raises
    ------
    OSError
        When the folder cannot be written: at once.
    """
    check_writable(folder)
    return _run_studies(task, folder, kind, seed, progress)


def _run_studies(
    task: Task, folder: Path, kind: str, seed: int, progress: Progress
) -> Iterator[StudyReport]:
    for name, run in task.studies.items():
        label = f"{task.name}, {name}"
        start = time.perf_counter()
        study = run(seed, partial(progress, label))
        seconds = time.perf_counter() - start
        picture = None
        if study.charts:
            from musicgen import plots

            picture = folder / f"{task.name}-{name.replace(' ', '-')}.{kind}"
            plots.draw(study.charts, picture)
        yield StudyReport(name, study, picture, seconds)
