"""``musicgen plot``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from typer import Option

__all__ = ["EXAMPLES", "plot"]

EXAMPLES = """\b
Examples:
  musicgen plot tune.mid
  musicgen plot tune.abc --kind score --out tune.svg
  musicgen plot tunebook.abc --piece 7 --kind roll
  musicgen plot recording.wav --out sound.png
"""


def plot(
    source: Annotated[Path, typer.Argument(help="File to draw.")],
    out: Annotated[
        Path | None, Option(help="Picture to write, .png or .svg.  [default: NAME.png here]")
    ] = None,
    kind: Annotated[
        str | None,
        Option(
            help="roll, score or sound.  [default: sound for sound, a score for ABC and "
            "MusicXML where verovio is installed, else roll]"
        ),
    ] = None,
    piece: Annotated[int, Option(min=1, help="Which piece of a file of several.")] = 1,
    format: Annotated[
        str | None, Option(help="Format of the file.  [default: the content tells]")
    ] = None,
    as_json: Annotated[bool, Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Draw a piece: its notes as a piano roll or a score, or its sound.

    A score needs verovio: pip install 'musicgen-lstm[score]'
    """  # fmt: skip
    from musicgen.workflows import plot_file

    target = out or Path(f"{source.stem}.png")
    drawn = plot_file(source, target, picture=kind, format=format, piece=piece)
    print(json.dumps({"file": str(target), "kind": drawn}) if as_json else f"{target} ({drawn})")
