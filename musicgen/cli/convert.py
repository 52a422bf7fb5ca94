"""``musicgen convert``."""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path
from typing import Annotated

import typer
from typer import Option

__all__ = ["EXAMPLES", "convert"]

EXAMPLES = """\b
Examples:
  musicgen convert tune.abc tune.mid
  musicgen convert tunebook.abc midi/ --to midi
"""


def convert(
    source: Annotated[Path, typer.Argument(help="File to read.")],
    target: Annotated[Path, typer.Argument(help="File to write, or a folder.")],
    from_format: Annotated[
        str | None, Option("--from", help="Format read.  [default: the content tells]")
    ] = None,
    to_format: Annotated[
        str | None, Option("--to", help="Format written.  [default: the name tells]")
    ] = None,
    as_json: Annotated[bool, Option("--json", help="Print the files as JSON.")] = False,
) -> None:
    """Turn a file into another format, every piece of it.

    Several pieces are written to several files, numbered after the name.
    """
    from musicgen.errors import FormatWarning
    from musicgen.workflows import convert_file

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", FormatWarning)
        files = convert_file(source, target, from_format=from_format, to_format=to_format)
    for warning in caught:
        print(f"musicgen: {warning.message}", file=sys.stderr)
    if as_json:
        print(json.dumps({"files": [str(file) for file in files]}))
    elif len(files) == 1:
        print(files[0])
    else:
        print(f"{len(files)} files: {files[0]} … {files[-1]}")
