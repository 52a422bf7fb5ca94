"""``musicgen convert``."""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path
from typing import Annotated, Any

import typer
from typer import Option

__all__ = ["EXAMPLES", "convert"]

EXAMPLES = """\b
Examples:
  musicgen convert tune.abc tune.mid
  musicgen convert tunebook.abc midi/ --to midi
  musicgen convert ~/tunes ~/sound --to wav --chords
  musicgen convert played.mid tune.abc --grid 1/16+1/8t
"""

MOST_NAMED = 10


def convert(
    source: Annotated[Path, typer.Argument(help="File to read, or a folder of files.")],
    target: Annotated[Path, typer.Argument(help="File to write, or a folder.")],
    from_format: Annotated[
        str | None, Option("--from", help="Format read.  [default: the content tells]")
    ] = None,
    to_format: Annotated[
        str | None, Option("--to", help="Format written.  [default: the name tells]")
    ] = None,
    grid: Annotated[
        str | None, Option(help="Move notes to a grid: 1/16, or 1/16+1/8t with triplets.")
    ] = None,
    repeats: Annotated[
        bool, Option("--repeats/--no-repeats", help="Play the repeats of tunes out.")
    ] = True,
    chords: Annotated[bool, Option("--chords", help="Play the chord symbols of tunes.")] = False,
    jobs: Annotated[
        int | None, Option(min=1, help="Processes for a folder.  [default: all processors]")
    ] = None,
    as_json: Annotated[bool, Option("--json", help="Print the files as JSON.")] = False,
) -> None:
    """Turn a file, or a folder of files, into another format, every piece of it.

    Several pieces of one file are written to several files, numbered after the name. In a folder
    a file that cannot be read stops no other; it is named with the reason, and the exit code is 1.
    """
    from musicgen.errors import FormatError

    settings = {
        "from_format": from_format, "to_format": to_format, "grid": grid, "repeats": repeats,
        "accompaniment": chords,
    }  # fmt: skip
    if not source.is_dir():
        _file(source, target, settings, as_json)
    elif to_format:
        _folder(source, target, settings | {"jobs": jobs}, as_json)
    else:
        raise FormatError("a folder needs a format to write", hint="give --to, as in --to midi")


def _file(source: Path, target: Path, settings: dict[str, Any], as_json: bool) -> None:
    from musicgen.errors import FormatWarning
    from musicgen.workflows import convert_file

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", FormatWarning)
        files = convert_file(source, target, **settings)
    for warning in caught:
        print(f"musicgen: {warning.message}", file=sys.stderr)
    if as_json:
        print(json.dumps({"files": [str(file) for file in files]}))
    elif len(files) == 1:
        print(files[0])
    else:
        print(f"{len(files)} files: {files[0]} … {files[-1]}")


def _folder(source: Path, target: Path, settings: dict[str, Any], as_json: bool) -> None:
    from musicgen.cli.progress import file_bar
    from musicgen.workflows import convert_folder

    count = (0, 0)

    def progress(*counts: int) -> None:
        nonlocal count
        count = counts[0], counts[1]
        show(*count)

    try:
        with file_bar() as show:
            done = convert_folder(source, target, **settings, progress=progress)
    except KeyboardInterrupt:
        print(f"stopped after {count[0]} of {count[1]} files, each whole", file=sys.stderr)
        raise typer.Exit(130) from None
    if as_json:
        record = {
            "files": [str(file) for file in done.files],
            "repaired": [{"file": str(file), "what": what} for file, what in done.repaired],
            "refused": [{"file": str(file), "reason": reason} for file, reason in done.refused],
            "left_out": [{"file": str(file), "reason": reason} for file, reason in done.left_out],
        }
        print(json.dumps(record))
    else:
        titles = {"repaired": done.repaired, "refused": done.refused, "left out": done.left_out}
        for title, items in titles.items():
            for file, what in items[:MOST_NAMED]:
                what = what if str(file) in what else f"{file}: {what}"
                print(f"{title}: {what}", file=sys.stderr)
            if len(items) > MOST_NAMED:
                print(f"… and {len(items) - MOST_NAMED} more {title}", file=sys.stderr)
        print(f"{len(done.files)} {'file' if len(done.files) == 1 else 'files'} in {target}")
    if done.refused:
        raise typer.Exit(1)
