"""All sanity tasks and studies, their figures written into docs/studies.md.

    python benchmarks/studies.py [TASK ...] [--digits FOLDER] [--shakespeare FILE] [--short]

Every check runs with ten seeds, that of Shakespeare, which takes long, with one. Tables and
pictures replace what stands between the marks of the page, ``<!-- NAME -->`` and ``<!-- end -->``;
the words around them stay. Without --digits and --shakespeare the data are downloaded. --short
leaves the optional checks out.
"""

from __future__ import annotations

import argparse
import re
import statistics
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from musicgen.files import write_atomically
from musicgen.tasks import NAMES, find_task
from musicgen.workflows import CheckReport, StudyReport, run_checks, run_studies

SEEDS = {"shakespeare": 1}
USUAL_SEEDS = 10
PAGE = Path("docs/studies.md")
HEADER = ("task", "check", "score", "mark", "median", "worst", "runs", "seconds a run", "")


def main() -> None:
    """Run the tasks and renew the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tasks", nargs="*", metavar="TASK", help="by default all")
    parser.add_argument("--digits", type=Path, help="folder with MNIST")
    parser.add_argument("--shakespeare", type=Path, help="text file")
    parser.add_argument("--short", action="store_true", help="leave optional checks out")
    options = parser.parse_args()
    sources = {"digits": options.digits, "shakespeare": options.shakespeare}
    for name in options.tasks or NAMES:
        task = find_task(name, sources.get(name))
        start = time.perf_counter()
        checks = [check.name for check in task.checks if not (options.short and check.optional)]
        reports = []
        for report in run_checks(task, checks=checks, seeds=SEEDS.get(name, USUAL_SEEDS)):
            reports.append(report)
            print("  ".join(_row(name, report)), flush=True)
        for study in run_studies(task, PAGE.parent / "studies"):
            replace(f"{name}, {study.name}", _study(study))
            print(f"{name}, {study.name}: {study.seconds:.0f} s", flush=True)
        minutes = (time.perf_counter() - start) / 60
        replace(f"{name}, minutes", f"All of it: {minutes:.1f} minutes.")
        replace("all", _summary(name, [_row(name, report) for report in reports]))


def replace(mark: str, text: str) -> None:
    """Put text between a mark of the page and its end."""
    page = PAGE.read_text(encoding="utf-8")
    pattern = rf"(<!-- {re.escape(mark)} -->\n).*?(<!-- end -->)"
    renewed, found = re.subn(pattern, lambda m: f"{m[1]}{text}\n{m[2]}", page, flags=re.DOTALL)
    if not found:
        raise SystemExit(f"{PAGE} has no place for <!-- {mark} -->")
    write_atomically(PAGE, renewed.encode())


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _row(name: str, report: CheckReport) -> tuple[str, ...]:
    check = report.check
    facts = ", ".join(f"{value:.6g} {key}" for key, value in report.mean_facts.items())
    return (
        name,
        check.name,
        check.unit,
        f"{'≤' if check.lowest else '≥'} {check.mark:g}",
        f"{report.median:.4g}",
        f"{report.worst:.4g}",
        str(len(report.scores)),
        f"{statistics.median(report.seconds):.1f}",
        ("passed" if report.passed else "**missed**") + (f" ({facts})" if facts else ""),
    )


def _summary(name: str, rows: list[tuple[str, ...]]) -> str:
    """Return the table of all tasks, the rows of one of them renewed."""
    page = PAGE.read_text(encoding="utf-8")
    block = page.partition("<!-- all -->\n")[2].partition("<!-- end -->")[0]
    old = [tuple(line.strip("| ").split(" | ")) for line in block.splitlines()[2:]]
    kept = [row for row in old if row[0] in NAMES and row[0] != name]
    return _table(HEADER, sorted(kept + rows, key=lambda row: NAMES.index(row[0])))


def _study(report: StudyReport) -> str:
    study = report.study
    parts = [f"{study.title} ({report.seconds:.0f} s)."]
    if study.table:
        parts.append(_table(study.table.header, study.table.rows))
    if study.text:
        parts.append("\n".join(f"    {line}".rstrip() for line in study.text.splitlines()))
    if report.picture:
        parts.append(f"![{study.title}](studies/{report.picture.name})")
    return "\n\n".join(parts)


if __name__ == "__main__":
    main()
