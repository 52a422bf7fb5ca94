"""``musicgen task``."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer import Option

from musicgen.cli.threads import Threads, compute_on

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from musicgen.tasks import Check, Task
    from musicgen.workflows import CheckReport, StudyReport

__all__ = ["EXAMPLES", "task"]

EXAMPLES = """\b
Examples:
  musicgen task
  musicgen task xor
  musicgen task embedded-reber --seeds 10
  musicgen task reber --plot pictures
  musicgen task shakespeare --data input.txt --check "40 minutes"
"""


def task(
    name: Annotated[
        str | None, typer.Argument(help="Name of the task.  [default: list them]")
    ] = None,
    seeds: Annotated[int, Option(min=1, help="Runs of each check.")] = 1,
    seed: Annotated[int, Option(min=0, help="Seed of the first run.")] = 0,
    check: Annotated[
        list[str] | None,
        Option(help="Run this check; repeatable.  [default: all but the optional]"),
    ] = None,
    plot: Annotated[
        Path | None, Option(help="Make the studies too, and put their pictures into this folder.")
    ] = None,
    data: Annotated[
        Path | None,
        Option(help="File or folder of the data; for digits also 8x8.  [default: downloaded]"),
    ] = None,
    threads: Threads = None,
    as_json: Annotated[bool, Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Check that learning works, on a classic problem with a known answer.

    Each check has a mark. The exit code is 1 when a run stays below it.
    """
    compute_on(threads)
    from musicgen.tasks import NAMES, find_task
    from musicgen.workflows import run_checks, run_studies

    if name is None:
        _list([find_task(known) for known in NAMES], as_json)
        return
    found = find_task(name, data)
    reports: list[CheckReport] = []
    studies: list[StudyReport] = []
    stopped = False
    try:
        with _bar() as progress:
            # Made first: what cannot be done is said before hours of work.
            making = run_studies(found, plot, seed=seed, progress=progress) if plot else ()
            for report in run_checks(
                found, checks=check or (), seeds=seeds, seed=seed, progress=progress
            ):
                if not reports and not as_json:
                    print(f"{found.title}\n{_HEADER}")
                reports.append(report)
                if not as_json:
                    print(_row(report), flush=True)
            for study in making:
                studies.append(study)
                if not as_json:
                    _print_study(study)
    except KeyboardInterrupt:
        stopped = True
        print("stopped; what was finished stands above", file=sys.stderr)
    passed = all(report.passed for report in reports) and not stopped
    if as_json:
        record = {
            "task": found.name,
            "passed": passed,
            "stopped": stopped,
            "checks": [_check_record(report) for report in reports],
            "studies": [_study_record(report) for report in studies],
        }
        print(json.dumps(record))
    if stopped:
        raise typer.Exit(130)
    if not passed:
        raise typer.Exit(1)


_HEADER = f"{'check':22}{'mark':>9}{'median':>9}{'worst':>9}{'seconds':>9}   of"


def _row(report: CheckReport) -> str:
    import statistics

    check = report.check
    facts = ", ".join(f"{value:.6g} {name}" for name, value in report.mean_facts.items())
    return (
        f"{check.name:22}{_mark(check):>9}{report.median:9.4g}{report.worst:9.4g}"
        f"{statistics.median(report.seconds):9.1f}   "
        f"{'passed' if report.passed else 'MISSED'}: {check.unit}{f' ({facts})' if facts else ''}"
    )


def _mark(check: Check) -> str:
    return f"{'≤' if check.lowest else '≥'} {check.mark:g}"


def _print_study(report: StudyReport) -> None:
    study = report.study
    print(f"\n{study.title} ({report.seconds:.0f} s)")
    if study.table:
        lines: Sequence[Sequence[str]] = [study.table.header, *study.table.rows]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        for line in lines:
            print("  " + "  ".join(map(str.ljust, line, widths)).rstrip())
    if study.text:
        print("\n".join(f"  | {line}" for line in study.text.splitlines()))
    if report.picture:
        print(report.picture, flush=True)


def _list(tasks: list[Task], as_json: bool) -> None:
    if as_json:
        print(json.dumps([
            {"name": t.name, "title": t.title, "checks": [_facts(c) for c in t.checks],
             "studies": list(t.studies)}
            for t in tasks
        ]))  # fmt: skip
        return
    for t in tasks:
        print(f"{t.name:16}{t.title}")
        for c in t.checks:
            optional = " (optional)" if c.optional else ""
            print(f"{'':18}{c.name}: {_mark(c)} {c.unit}{optional}")


def _facts(check: Check) -> dict[str, Any]:
    return {
        "name": check.name,
        "unit": check.unit,
        "mark": check.mark,
        "lowest": check.lowest,
        "optional": check.optional,
    }


def _check_record(report: CheckReport) -> dict[str, Any]:
    return _facts(report.check) | {
        "passed": report.passed,
        "median": report.median,
        "worst": report.worst,
        "seed": report.seed,
        "scores": report.scores,
        "seconds": report.seconds,
        "facts": [dict(facts) for facts in report.facts],
    }


def _study_record(report: StudyReport) -> dict[str, Any]:
    table = report.study.table
    return {
        "name": report.name,
        "title": report.study.title,
        "table": [list(row) for row in (table.header, *table.rows)] if table else [],
        "text": report.study.text,
        "picture": str(report.picture) if report.picture else None,
        "seconds": report.seconds,
    }


@contextmanager
def _bar() -> Iterator[Callable[[str, float], None]]:
    """Show a bar for each run on stderr, where it is a terminal."""
    from tqdm import tqdm

    with tqdm(
        total=1.0, disable=None, leave=False, dynamic_ncols=True, delay=0.5,
        bar_format="{desc} {percentage:3.0f}% |{bar:16}| {elapsed} < {remaining}",
    ) as bar:  # fmt: skip
        shown = ""

        def progress(label: str, done: float) -> None:
            nonlocal shown
            if label != shown:
                shown = label
                bar.reset(total=1.0)
                bar.set_description(label)
            bar.update(done - bar.n)

        yield progress
