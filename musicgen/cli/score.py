"""``musicgen score``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer import Option

from musicgen.cli.threads import Threads, compute_on

if TYPE_CHECKING:
    from collections.abc import Iterator

    from musicgen.evaluation.surprisal import BarSurprisal, NoteSurprisal
    from musicgen.formats.abc.measures import UnevenBar
    from musicgen.workflows import ScoredPiece, Scoring

__all__ = ["EXAMPLES", "score"]

EXAMPLES = """\b
Examples:
  musicgen score tune.abc
  musicgen score tunebook.abc --tune 7 --top 5 --plot surprisal.png
  musicgen score chorale.musicxml --model chorales --json
"""


def score(
    source: Annotated[Path, typer.Argument(help="ABC, MIDI or MusicXML file.")],
    model: Annotated[
        str | None,
        Option(help="Model file or name.  [default: irish for ABC, events for all else]"),
    ] = None,
    tune: Annotated[
        int | None, Option(min=1, help="Which tune of a file of several.  [default: all]")
    ] = None,
    top: Annotated[int, Option(min=0, help="So many notes are named.")] = 10,
    picture: Annotated[
        Path | None, Option("--plot", help="Picture to write, .png or .svg: notes over time.")
    ] = None,
    format: Annotated[
        str | None, Option(help="Format of the file.  [default: the content tells]")
    ] = None,
    threads: Threads = None,
    as_json: Annotated[bool, Option("--json", help="Print every bar and note as JSON.")] = False,
) -> None:
    """Find the odd bar, or the slip, in a transcription.

    Every note gets its surprisal: the bits that a model needs for it, -log2 p given all before it.
    What the model did not expect costs many. Bars with * cost more than the other bars of their
    piece by two standard deviations of these. Bars that do not add up to the metre, and what had to
    be repaired, are named too.
    """
    compute_on(threads)
    from musicgen.workflows import score_file

    result = score_file(source, model, piece=tune, format=format, picture=picture)
    if as_json:
        print(json.dumps(_facts(result, top, picture), ensure_ascii=False))
        return
    for piece in result.pieces:
        _print_piece(piece, result, top)
    if picture:
        print(f"picture: {picture}")
    for reason in result.left_out:
        print(f"left out: {reason}", file=sys.stderr)


def _print_piece(piece: ScoredPiece, result: Scoring, top: int) -> None:
    from musicgen.workflows.wording import with_article

    found = piece.surprisal
    print(f"{piece.number}. {piece.title or 'untitled'}")
    print(
        f"{found.bits:.0f} bits, {found.bits / found.steps:.2f} {with_article(result.unit)}; "
        f"header {found.header_bits:.1f}, end {found.end_bits:.1f}; model {result.model}\n"
    )
    print(f"{'bar':>5}  {'place':10}{'notes':>5}{'bits':>8}{'a note':>8}")
    for one in found.bars:
        mean = f"{one.note_bits:.2f}" if one.notes else ""
        print(
            f"{one.bar.number:5}  {_place(one.bar.line, one.bar.column):10}{one.notes:5}"
            f"{one.bits:8.1f}{mean:>8}{' *' if one.is_unusual else ''}"
        )
    remarks = list(_remarks(piece))
    if remarks:
        print("", *remarks, sep="\n")
    if top:
        print(f"\n{'bits':>5}  {'bar':>4}{'beat':>6}  {'place':10}{'note':8}{'found':22}expected")
    for note in found.most_surprising(top):
        where = note.note
        number = found.bars[where.bar].bar.number
        expected = ", ".join(f"{text} {_percent(p)}" for text, p in note.expected)
        there = f"{note.found.text} {_percent(note.found.probability)}"
        print(
            f"{note.bits:5.1f}  {number:4}{where.beat:6.3g}  "
            f"{_place(where.line, where.column):10}{where.text:8}"
            f"{there:21} {expected}"
        )
    print()


def _remarks(piece: ScoredPiece) -> Iterator[str]:
    """Say of a piece what the table of its bars does not tell."""
    if piece.is_played:
        yield "repeats are played: bars are counted as they sound"
    for bar in piece.uneven:
        number = piece.bar_at(bar.line, bar.column)
        name = "a bar" if number is None else f"bar {number}"
        difference = bar.found - bar.expected
        word = "short" if difference < 0 else "long"
        yield f"{bar.line}:{bar.column}: {name} is {abs(difference)} too {word}"
    yield from piece.repaired


def _place(line: int, column: int) -> str:
    return f"{line}:{column}" if line else ""


def _percent(probability: float) -> str:
    return f"{100 * probability:.2g}%" if probability < 0.995 else "100%"


def _facts(result: Scoring, top: int, picture: Path | None) -> dict[str, Any]:
    return {
        "file": str(result.path),
        "model": str(result.model),
        "unit": result.unit,
        "pieces": [_piece_facts(piece, top) for piece in result.pieces],
        "left_out": result.left_out,
        "picture": str(picture) if picture else None,
    }


def _piece_facts(piece: ScoredPiece, top: int) -> dict[str, Any]:
    found = piece.surprisal
    places = {id(note): at for at, note in enumerate(found.notes)}
    return {
        "number": piece.number,
        "title": piece.title,
        "line": piece.line,
        "bits": round(found.bits, 3),
        "header_bits": round(found.header_bits, 3),
        "end_bits": round(found.end_bits, 3),
        "steps": found.steps,
        "bars": [_bar_facts(bar) for bar in found.bars],
        "notes": [_note_facts(note, found.bars) for note in found.notes],
        "most_surprising": [places[id(note)] for note in found.most_surprising(top)],
        "uneven": [_uneven_facts(bar, piece) for bar in piece.uneven],
        "repaired": piece.repaired,
        "repeats_played": piece.is_played,
    }


def _uneven_facts(bar: UnevenBar, piece: ScoredPiece) -> dict[str, Any]:
    return {
        "number": piece.bar_at(bar.line, bar.column),
        "line": bar.line,
        "column": bar.column,
        "found": str(bar.found),
        "expected": str(bar.expected),
    }


def _bar_facts(one: BarSurprisal) -> dict[str, Any]:
    return {
        "number": one.bar.number,
        "time": one.bar.time,
        "line": one.bar.line or None,
        "column": one.bar.column or None,
        "notes": one.notes,
        "bits": round(one.bits, 3),
        "note_bits": round(one.note_bits, 3) if one.notes else None,
        "z": round(one.z, 3),
        "unusual": one.is_unusual,
    }


def _note_facts(one: NoteSurprisal, bars: list[BarSurprisal]) -> dict[str, Any]:
    where = one.note
    return {
        "bar": bars[where.bar].bar.number,
        "beat": where.beat,
        "line": where.line or None,
        "column": where.column or None,
        "text": where.text,
        "time": where.note.time,
        "pitch": where.note.pitch,
        "duration": where.note.duration,
        "bits": round(one.bits, 3),
        "found": one.found._asdict(),
        "expected": [choice._asdict() for choice in one.expected],
    }
