"""Bytes of an ABC file → the tunes in it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from musicgen.errors import FormatError
from musicgen.formats.abc.signs import is_played
from musicgen.music import Tune

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["decode", "music_lines", "split"]

MAX_SHARED = 50_000_000
"""More characters than this, fields of the file written out in its tunes, are a trap."""

# What a line defines for every tune that follows when it stands outside a tune.
_DEFINITION = re.compile(
    r"[ABCDFGHLMNORSZ]:|U:[ \t]*\S|m:[^=]*|(?:%%|I:)[ \t]*(?:MIDI[ \t]+)?[a-z-]+"
)
_START = re.compile(r"[ \t]*X[ \t]*:")
_FIELD = re.compile(r"[ \t]*\[?[A-Z]:")
_KEY = re.compile(r"[ \t]*\[?K[ \t]*:")
# Fields that tell about a tune and change none of its notes.
_INFORMATION = re.compile(r"[A-HJN-OQ-TW-Za-ln-z]:")


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
    before or between tunes hold for those that follow, unless these say otherwise; so do the
    directives that change what is played. They are written out after the ``X:`` line, and
    `Tune.line` is as many lines less, so that it counts to the place in the file of every line but
    these.

    Raises
    ------
    FormatError
        When there is no tune, or when the fields written out in each would fill the memory.

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
    copied = 0
    start: int | None = None
    for number, line in enumerate([*lines, ""]):
        begins = bool(starts.match(line)) and (has_number or start is None)
        if start is not None and (begins or not line.strip()):
            tune = _cut(lines[start:number], shared, path, start + 1)
            copied += len(tune.text)
            if copied > len(text) + MAX_SHARED:
                raise FormatError(
                    "the fields outside the tunes are too long to be written out in each",
                    path=path,
                    line=start + 1,
                    hint="cut the file",
                )
            if has_number or any(_KEY.match(row) for row in tune.text.split("\n")):
                tunes.append(tune)
            start = None
        if begins:
            start = number
        elif start is None and (key := _defined(line)):
            # What is said last is to be read last.
            shared.pop(key, None)
            shared[key] = line.rstrip()
    if not tunes:
        raise FormatError(
            "no tune found",
            path=path,
            hint="an ABC tune starts with a line 'X:1' and has a 'K:' line",
        )
    return tunes


def music_lines(tune: Tune) -> list[str]:
    r"""Return the lines of a tune that its notes come from: all but its names, origin and words.

    Examples
    --------
    >>> music_lines(Tune("X:1\nT:Air\nM:3/4\nK:G\nGAB|\n"))
    ['M:3/4', 'K:G', 'GAB|']
    """
    lines = (line.strip() for line in tune.text.splitlines())
    return [line for line in lines if not _INFORMATION.match(line)]


def _defined(line: str) -> str:
    """Find what a line defines for a whole tune, and for all that follow; or nothing."""
    match = _DEFINITION.match(line)
    if match is None or (line.startswith(("%", "I")) and not is_played(line[2:].strip())):
        return ""
    return match[0]


def _cut(lines: list[str], shared: dict[str, str], path: Path | None, number: int) -> Tune:
    """Make a tune of its lines, given the file's own fields that it does not override."""
    end = next((at for at, line in enumerate(lines) if _KEY.match(line)), len(lines))
    own = {_defined(line.lstrip()) for line in lines[:end]}
    missing = [line for key, line in shared.items() if key not in own]
    text = "\n".join([lines[0], *missing, *lines[1:]]).rstrip()
    return Tune(text, path, number - len(missing))
