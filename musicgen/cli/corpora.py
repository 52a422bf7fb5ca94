"""``musicgen corpora``."""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path
from typing import Annotated

import typer
from typer import Option

__all__ = ["app"]

app = typer.Typer(
    help="Known collections of music, ready to train on.",
    no_args_is_help=True,
    rich_markup_mode=None,
    epilog="""\b
Examples:
  musicgen corpora list
  musicgen corpora get ryans
""",
)


@app.command("list", epilog="\b\nExample:\n  musicgen corpora list --json\n")
def list_(
    as_json: Annotated[bool, Option("--json", help="Print the list as JSON.")] = False,
) -> None:
    """List the collections that come with the installation."""
    from musicgen.datasets import COLLECTIONS

    if as_json:
        known = [
            {"name": c.name, "title": c.title, "licence": c.licence, "format": c.format}
            for c in COLLECTIONS.values()
        ]
        print(json.dumps(known))
        return
    for c in COLLECTIONS.values():
        print(f"{c.name:10}{c.title} ({c.format})\n{'':10}licence: {c.licence}")


@app.command("get", epilog="\b\nExample:\n  musicgen corpora get ryans --out tunes\n")
def get(
    name: Annotated[str, typer.Argument(help="Name, as in: musicgen corpora list")],
    out: Annotated[Path | None, Option(help="Folder.  [default: corpora/NAME]")] = None,
    as_json: Annotated[bool, Option("--json", help="Print the files as JSON.")] = False,
) -> None:
    """Write a collection into a folder; nothing is downloaded."""
    from musicgen.cli.progress import file_bar
    from musicgen.datasets import COLLECTIONS, export
    from musicgen.errors import FormatWarning

    folder = out or Path("corpora") / name
    with warnings.catch_warnings(record=True) as caught, file_bar() as progress:
        warnings.simplefilter("always", FormatWarning)
        files = export(name, folder, progress)
    for warning in caught:
        print(f"musicgen: {warning.message}", file=sys.stderr)
    if as_json:
        print(json.dumps({"files": [str(file) for file in files]}))
        return
    print(f"{len(files)} files in {folder}: {COLLECTIONS[name].title}")
    print(f"licence: {COLLECTIONS[name].licence}")
