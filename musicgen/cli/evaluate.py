"""``musicgen evaluate``."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer import Option

from musicgen.cli.threads import Threads, compute_on

if TYPE_CHECKING:
    from musicgen.evaluation import Copying
    from musicgen.evaluation.page import Table
    from musicgen.workflows import Evaluation

__all__ = ["EXAMPLES", "evaluate"]

EXAMPLES = """\b
Examples:
  musicgen evaluate models/tunes.safetensors ~/tunes
  musicgen evaluate irish corpora/irish --html irish.html
  musicgen evaluate chorales corpora/chorales --count 50 --json
"""


def evaluate(
    model: Annotated[str, typer.Argument(help="Model file or name; see musicgen models list.")],
    corpus: Annotated[Path, typer.Argument(help="Folder that it learned from, or another one.")],
    count: Annotated[int, Option(min=1, help="Samples to draw and to judge.")] = 100,
    samples: Annotated[
        Path | None, Option(help="Judge the samples in this folder instead of drawing some.")
    ] = None,
    html: Annotated[
        Path | None, Option(help="Write a page with pictures and sound, one file.")
    ] = None,
    format: Annotated[
        str | None, Option(help="Format of the corpus.  [default: found by itself]")
    ] = None,
    seed: Annotated[int, Option(min=0, help="Same seed, same samples.")] = 1,
    jobs: Annotated[
        int | None, Option(min=1, help="Processes that read.  [default: one a processor]")
    ] = None,
    threads: Threads = None,
    as_json: Annotated[bool, Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Tell how good a model is, and whether it just copies.

    Of the corpus that the model learned from, it is judged by the pieces that training set aside;
    of another one, by all. Likelihood, musical statistics beside those of real pieces, validity,
    and how much of the samples stands in the corpus.
    """
    compute_on(threads)
    from musicgen.errors import MusicgenError
    from musicgen.workflows import evaluate_model, write_page
    from musicgen.workflows.evaluation_page import check_page

    if html:
        check_page(html)
    failure = ""
    try:
        with _bar() as report:
            found = evaluate_model(
                model, corpus, format=format, samples=samples, count=count, seed=seed, jobs=jobs,
                report=report,
            )  # fmt: skip
            if html:
                # What was found is shown also where the page cannot be written.
                try:
                    write_page(found, html, report)
                except MusicgenError as error:
                    failure = f"{html} is not written: {error}"
                except OSError as error:
                    failure = f"{html} is not written: {error.strerror or error}"
    except KeyboardInterrupt:
        print("stopped; nothing was written", file=sys.stderr)
        raise typer.Exit(130) from None
    written = None if failure else html
    if as_json:
        print(json.dumps(_record(found, written) | ({"error": failure} if failure else {})))
    else:
        _print(found)
        if written:
            print(f"\npage: {written}")
    if failure:
        print(f"musicgen: {failure}", file=sys.stderr)
        raise typer.Exit(2)


def _print(found: Evaluation) -> None:
    from musicgen.workflows import evaluation_tables
    from musicgen.workflows.tables import counted_pieces, model_name

    print(f"{model_name(found.model)} on {found.corpus}: {counted_pieces(found)}")
    for note in found.notes:
        print(note)
    for table in evaluation_tables(found):
        print(f"\n{table.title}")
        _print_table(table)
        if table.note:
            print(table.note)


def _print_table(table: Table) -> None:
    rows = [table.header, *table.rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            cell.ljust(width) if words else cell.rjust(width)
            for cell, width, words in zip(row, widths, table.words, strict=True)
        ]
        print("  ".join(["", *cells]).rstrip())


def _record(found: Evaluation, html: Path | None) -> dict[str, Any]:
    from musicgen.evaluation import compare, compare_histograms
    from musicgen.workflows.evaluation_result import HELD_OUT, SAMPLES

    statistics: dict[str, Any] = {}
    overlaps: dict[str, Any] = {}
    if found.statistics:
        statistics = compare(found.statistics, HELD_OUT)
        overlaps = compare_histograms(found.statistics, HELD_OUT)
    record = {
        "model": str(found.model),
        "corpus": str(found.corpus),
        "encoding": found.encoding,
        "unit": found.unit,
        "of_training": found.of_training,
        "seed": found.seed,
        "pieces": found.pieces,
        "drawn": found.drawn,
        "left_out": [{"file": str(file), "reason": reason} for file, reason in found.left_out],
        "duplicates": found.duplicates,
        "notes": found.notes,
        "likelihood": {name: cost._asdict() for name, cost in found.likelihood.items()},
        "statistics": {
            name: {label: summary._asdict() for label, summary in row.items()}
            for name, row in statistics.items()
        },
        "histograms": {
            name: {
                label: {"counts": sorted(each.histograms[name].items()), "overlap": row[label]}
                for label, each in found.statistics.items()
            }
            for name, row in overlaps.items()
        },
        "validity": {name: shares._asdict() for name, shares in found.validity.items()},
        "copying": {
            way: {name: _copying(found, each, name == SAMPLES) for name, each in row.items()}
            for way, row in found.copying.items()
        },
        "near_copies": found.near_copies
        and {
            "pieces": found.near_copies.pieces,
            "others": found.near_copies.others and found.near_copies.others._asdict(),
        },
        "page": str(html) if html else None,
    }
    return _finite(record)


def _copying(found: Evaluation, copying: Copying, named: bool) -> dict[str, Any]:
    low, median, high = copying.quartiles
    record: dict[str, Any] = {
        "pieces": len(copying.matches),
        "lower_quartile": low,
        "median": median,
        "upper_quartile": high,
        "longest": int(copying.lengths.max(initial=0)),
        "lengths": copying.lengths.tolist(),
        "shares": {str(n): share for n, share in copying.shares.items()},
        "ngrams": {str(n): counts._asdict() for n, counts in copying.ngrams.items()},
    }
    if named:
        record["matches"] = [
            {
                "sample": found.names[number],
                "length": match.length,
                "bar": match.sample.bar,
                "voice": match.sample.voice,
                "source": match.source.title,
                "file": str(found.sources[match.piece]),
                "source_bar": match.source.bar,
                "source_voice": match.source.voice,
                "semitones": match.semitones,
            }
            for number, match in copying.most(len(copying.matches))
        ]
    return record


def _finite(value: Any) -> Any:
    """Replace what is not a number, which JSON does not know, by null."""
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and math.isnan(value) else value


@contextmanager
def _bar() -> Iterator[Callable[[str, int, int], None]]:
    """Show what goes on and how far it is on stderr, where it is a terminal."""
    from tqdm import tqdm

    current = ""
    with tqdm(
        disable=None, leave=False, dynamic_ncols=True, delay=0.5,
        bar_format="{desc} {percentage:3.0f}% |{bar:16}| {elapsed}",
    ) as bar:  # fmt: skip

        def report(stage: str, done: int, total: int) -> None:
            nonlocal current
            if stage != current:
                current = stage
                bar.reset(total=total)
                bar.set_description(stage)
            bar.update(done - bar.n)

        yield report
