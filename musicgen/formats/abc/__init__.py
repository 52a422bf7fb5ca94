"""ABC notation, the text format of traditional tunes, after the ABC standard 2.1 [1]_.

A file holds tunes; `read` gives each as a `~musicgen.music.Tune`, which is its text. `parse` turns
that text into a `Score`, `perform` a score into notes in exact time, `print_score` a score into
clean text that every player reads, and `to_mei` a score into MEI, which programs draw.

References
----------
.. [1] Chris Walshaw, "The ABC Music Standard 2.1", 2011.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from musicgen.errors import FormatError
from musicgen.files import write_atomically
from musicgen.formats.abc.engraving import to_mei
from musicgen.formats.abc.parser import parse
from musicgen.formats.abc.playback import Performance, Played, perform
from musicgen.formats.abc.printer import print_score
from musicgen.formats.abc.score import Problem, Score
from musicgen.formats.abc.tunebook import decode, music_lines, split
from musicgen.music import Tune

if TYPE_CHECKING:
    import os

__all__ = [
    "Performance",
    "Played",
    "Problem",
    "Score",
    "decode",
    "extensions",
    "kind",
    "losses",
    "music_lines",
    "name",
    "parse",
    "perform",
    "print_score",
    "read",
    "sniff",
    "split",
    "to_mei",
    "write",
]

name = "abc"
extensions = (".abc",)
kind = Tune
losses = [
    "the text around the tunes of a file, apart from the fields that hold for them",
    "the character set and the line ends of the file: UTF-8 and line feeds are written",
]

_HEAD = re.compile(
    rb"(?:\xef\xbb\xbf)?(?:[ \t]*(?:%[^\r\n]*|[A-Za-z]:[^\r\n]*)?[\r\n])*?[ \t]*X:[ \t]*\d"
)


def sniff(head: bytes) -> bool:
    r"""Whether a file that starts with `head` is ABC: fields and comments up to an ``X:`` line.

    Examples
    --------
    >>> sniff(b"%abc-2.1\nX:1\nT:Air\n"), sniff(b"MThd")
    (True, False)
    """
    return b"\0" not in head and _HEAD.match(head) is not None


def read(path: str | os.PathLike[str]) -> list[Tune]:
    """Read every tune of a file.

    Raises
    ------
    FormatError
        When the file is binary or holds no tune.
    OSError
        When it cannot be read.
    """
    path = Path(path)
    return split(decode(path.read_bytes(), path), path)


def write(tune: Tune, path: str | os.PathLike[str]) -> None:
    """Write one tune as it stands, replacing the file in one step.

    Raises
    ------
    FormatError
        When the text holds half of a surrogate pair, which is no character.
    OSError
        When the file cannot be written.
    """
    try:
        data = f"{tune.text}\n".encode()
    except UnicodeEncodeError as error:
        before = tune.text[: error.start].split("\n")
        raise FormatError(
            f"found {tune.text[error.start]!r}, which is no character",
            path=Path(path),
            line=len(before),
            column=len(before[-1]) + 1,
            hint="it is left of a text that was read in another character set: remove it",
        ) from None
    write_atomically(path, data)
