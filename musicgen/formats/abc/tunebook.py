"""Bytes of an ABC file → the tunes in it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from musicgen.errors import FormatError
from musicgen.music import Tune

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["decode", "split"]

# Fields that hold for every tune that follows when they stand outside a tune.
_FILE_FIELD = re.compile(r"[ABCDFGHILMNORSUZ]:")
_START = re.compile(r"[ \t]*X[ \t]*:")
_FIELD = re.compile(r"[ \t]*\[?[A-Z]:")
_KEY = re.compile(r"[ \t]*\[?K[ \t]*:")


def decode(data: bytes, path: Path | None = None) -> str:
    r"""Turn the bytes of a file into text with lines ended by ``"\n"``.

    UTF-8 is tried first, then Windows-1252, in which every old file can be read.

    Raises
    ------
    FormatError
        When the file is binary.

    Examples
    --------
    >>> decode("T:På\r\n".encode("cp1252"))
    'T:På\n'
    """
    if b"\0" in data:
        raise FormatError(
            "a NUL byte: this is not a text file",
            path=path,
            offset=data.index(b"\0"),
            hint="ABC files are plain text; UTF-16 must be saved as UTF-8",
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", errors="replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def split(text: str, path: Path | None = None) -> list[Tune]:
    r"""Cut the text of a file into its tunes.

    A tune starts at ``X:`` and ends at an empty line or at the next ``X:``. Fields that stand
    before or between tunes hold for those that follow, unless these say otherwise. They are
    written out after the ``X:`` line, and `Tune.line` is as many lines less, so that it counts to
    the place in the file of every line but these.

    Raises
    ------
    FormatError
        When there is no tune.

    Examples
    --------
    >>> [tune.text for tune in split("M:3/4\n\nX:1\nK:C\nCDE|\n\nsome words\n")]
    ['X:1\nM:3/4\nK:C\nCDE|']
    """
    lines = text.split("\n")
    has_number = any(_START.match(line) for line in lines)
    starts = _START if has_number else _FIELD
    tunes: list[Tune] = []
    shared: dict[str, str] = {}
    start: int | None = None
    for number, line in enumerate([*lines, ""]):
        begins = bool(starts.match(line)) and (has_number or start is None)
        if start is not None and (begins or not line.strip()):
            tune = _cut(lines[start:number], shared, path, start + 1)
            if has_number or any(_KEY.match(row) for row in tune.text.split("\n")):
                tunes.append(tune)
            start = None
        if begins:
            start = number
        elif start is None and _FILE_FIELD.match(line):
            shared[line[0]] = line.rstrip()
    if not tunes:
        raise FormatError(
            "no tune found",
            path=path,
            hint="an ABC tune starts with a line 'X:1' and has a 'K:' line",
        )
    return tunes


def _cut(lines: list[str], shared: dict[str, str], path: Path | None, number: int) -> Tune:
    """Make a tune of its lines, given the file's own fields that it does not override."""
    end = next((at for at, line in enumerate(lines) if _KEY.match(line)), len(lines))
    own = {line.lstrip()[:1] for line in lines[:end]}
    missing = [line for key, line in shared.items() if key not in own]
    text = "\n".join([lines[0], *missing, *lines[1:]]).rstrip()
    return Tune(text, path, number - len(missing))
