"""``musicgen inspect``."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer import Option

from musicgen.errors import CorpusError

if TYPE_CHECKING:
    from musicgen.workflows import FileReport, FolderReport, Needs, PieceReport

__all__ = ["EXAMPLES", "inspect"]

EXAMPLES = """\b
Examples:
  musicgen inspect tune.mid
  musicgen inspect ~/tunes
  musicgen inspect ~/tunes --json
  musicgen inspect models/ryans.safetensors
"""

MOST_NAMED = 10
MOST_KINDS = 8
PITCHES = ("C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B")


def inspect(
    path: Annotated[Path, typer.Argument(help="A file of music, a folder of such, or a model.")],
    format: Annotated[
        str | None, Option(help="Format of the files.  [default: the content tells]")
    ] = None,
    jobs: Annotated[
        int | None, Option(min=1, help="Processes for a folder.  [default: all processors]")
    ] = None,
    as_json: Annotated[bool, Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Tell what is in a file, a folder or a model.

    Names what was read, repaired and refused, and why; for a folder also what there is to learn
    and what training would need. The exit code is 1 when something was refused.
    """
    if path.suffix == ".safetensors" and path.is_file():
        from musicgen.cli.models import info

        info(str(path), as_json=as_json)
        return
    from musicgen.cli.progress import file_bar
    from musicgen.workflows import inspect_files, needs

    with file_bar() as progress:
        report = inspect_files(path, format=format, jobs=jobs, progress=progress)
    training = None
    if len(report.pieces) > 1:
        with suppress(CorpusError):  # too little to learn from
            training = needs(path, format=format, jobs=jobs)
    if as_json:
        record = _summary(report, training) | {"files": [_record(file) for file in report.files]}
        print(json.dumps(record))
    elif path.is_dir():
        _folder(path, report, training)
    else:
        _file(report.files[0])
    if any(file.refused for file in report.files):
        raise typer.Exit(1)


def _record(file: FileReport) -> dict[str, Any]:
    return asdict(file) | {"path": str(file.path)}


def _summary(report: FolderReport, training: Needs | None) -> dict[str, Any]:
    pieces = report.pieces
    lows = [piece.lowest for piece in pieces if piece.lowest is not None]
    highs = [piece.highest for piece in pieces if piece.highest is not None]
    return {
        "formats": _tally(file.format or "unknown" for file in report.files),
        "pieces": len(pieces),
        "duplicates": report.duplicates,
        "repaired": sum(bool(file.repaired) for file in report.files),
        "refused": sum(bool(file.refused) for file in report.files),
        "seconds": sum(piece.seconds for piece in pieces),
        "notes": sum(piece.notes for piece in pieces),
        "lowest": min(lows, default=None),
        "highest": max(highs, default=None),
        "metres": _tally(metre for piece in pieces for metre in piece.metres),
        "keys": _tally(key for piece in pieces for key in piece.keys),
        "rates": _tally(piece.rate for piece in pieces if piece.rate),
        "training": asdict(training) if training else None,
    }


def _folder(path: Path, report: FolderReport, training: Needs | None) -> None:
    found = _summary(report, training)
    formats = ", ".join(f"{count} {name}" for name, count in found["formats"].items())
    print(f"{path}: {_count(len(report.files), 'file')} ({formats}), "
          f"{_count(found['pieces'], 'piece')}")  # fmt: skip
    lengths = sorted(piece.seconds for piece in report.pieces)
    if lengths:
        _line(
            "plays",
            f"{_clock(found['seconds'])}, a piece {_clock(lengths[0])} to {_clock(lengths[-1])}, "
            f"half of them up to {_clock(lengths[len(lengths) // 2])}",
        )
    if found["lowest"] is not None:
        span = f"{_pitch(found['lowest'])} to {_pitch(found['highest'])}"
        _line("notes", f"{found['notes']:,} from {span}")
    for name in ("metres", "keys", "rates"):
        if found[name]:
            _line(name, _most(found[name]))
    same = sum(len(places) - 1 for places in report.duplicates)
    _line("repeated", _count(same, "piece"))
    _named([" = ".join(places) for places in report.duplicates])
    if training:
        _line(
            "to learn",
            f"{training.steps:,} {training.unit}s as {training.encoding} ({training.size} "
            f"{'channels' if training.unit in ('step', 'frame') else 'different'})",
        )
        _line(
            "training",
            f"{training.weights:,} weights with the usual settings, "
            f"{_clock(training.seconds)} an epoch here",
        )
    for name in ("repaired", "refused"):
        _line(name, _count(found[name], "file"))
        _named([_placed(file.path, what) for file in report.files for what in getattr(file, name)])
    unknown = [str(file.path) for file in report.files if not file.format and not file.refused]
    _line("left out", f"{_count(len(unknown), 'file')} of no known format")
    _named(unknown)


def _file(file: FileReport) -> None:
    print(f"{file.path}: {file.format or 'no known format'}, {_count(len(file.pieces), 'piece')}")
    for number, piece in enumerate(file.pieces, 1):
        place = f"line {piece.line}" if piece.line else f"piece {number}"
        print(f"  {place:10}  {', '.join(_facts(piece))}")
    for what in file.repaired:
        print(f"  repaired: {what}")
    for what in file.refused:
        print(f"  refused: {what}")


def _facts(piece: PieceReport) -> list[str]:
    facts = [piece.title] if piece.title else []
    facts.append(_clock(piece.seconds))
    if piece.rate:
        facts += [f"{piece.rate:,} Hz", _count(piece.channels or 0, "channel")]
        facts.append("silent" if piece.peak is None else f"peak {piece.peak:.1f} dB")
        return facts
    facts.append(_count(piece.notes, "note"))
    if piece.lowest is not None and piece.highest is not None:
        facts.append(f"{_pitch(piece.lowest)} to {_pitch(piece.highest)}")
    facts += [" ".join(piece.metres), " ".join(piece.keys)]
    if piece.tempos:
        tempos = " ".join(f"{qpm:g}" for qpm in piece.tempos[:MOST_KINDS])
        facts.append(f"{tempos} quarters a minute")
    if len(piece.tracks) > 1:
        facts.append(
            f"{len(piece.tracks)} tracks: {', '.join(name or '?' for name in piece.tracks)}"
        )
    return [fact for fact in facts if fact]


def _line(name: str, text: str) -> None:
    print(f"  {name:11}{text}")


def _named(items: list[str]) -> None:
    for item in items[:MOST_NAMED]:
        print(f"    {item}")
    if len(items) > MOST_NAMED:
        print(f"    … and {len(items) - MOST_NAMED} more; --json names all")


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}" + ("" if number == 1 else "s")


def _placed(path: Path, what: str) -> str:
    return what if str(path) in what else f"{path}: {what}"


def _tally(values: Iterable[Any]) -> dict[str, int]:
    return {str(value): count for value, count in Counter(values).most_common()}


def _most(counts: dict[str, int]) -> str:
    kinds = list(counts.items())
    text = ", ".join(f"{name} {count}" for name, count in kinds[:MOST_KINDS])
    return text + (f", {len(kinds) - MOST_KINDS} more" if len(kinds) > MOST_KINDS else "")


def _pitch(number: int) -> str:
    return f"{PITCHES[number % 12]}{number // 12 - 1}"


def _clock(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
