"""Letters that stand for signs (``U:``), and for music (``m:``)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from musicgen.formats.abc.score import Note
from musicgen.formats.abc.spelling import note_text, read_note

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Macros", "read_symbol"]

MAX_MACROS = 32
MAX_LENGTH = 200
MAX_GROWTH = 20_000
"""No line grows by more characters than this, so that macros cannot fill the memory."""

LETTERS = "CDEFGAB"

_SYMBOL = re.compile(
    r"([~H-Wh-w])[ \t]*=[ \t]*(?:([!+])([^!+\s|\[\]\":]{1,40})\2|\"([^\"]{1,40})\"|([\w.]{1,40}))"
)
_MACRO = re.compile(r"([^=]{1,20}?)[ \t]*=[ \t]*(.+)")
_PITCH = r"([A-Ga-g][,']*)"
_RELATIVE = re.compile(r"[h-z]")
_NOT_MUSIC = re.compile(r'("[^"]*"|\[[A-Za-z]:[^\[\]]*\])')


def read_symbol(value: str) -> tuple[str, str]:
    """Read the value of ``U:``.

    Returns
    -------
    letter, meaning
        What it stands for: the name of a decoration, a text in quotation marks, or ``""``.

    Raises
    ------
    ValueError
        When it is no definition.

    Examples
    --------
    >>> read_symbol("T = !trill!"), read_symbol("n = !nil!")
    (('T', 'trill'), ('n', ''))
    """
    match = _SYMBOL.fullmatch(value.strip())
    if match is None:
        raise ValueError(f"{value[:40]!r} does not define a symbol")
    if match[4] is not None:
        return match[1], f'"{match[4]}"'
    name = match[3] or match[5]
    return match[1], "" if name in ("nil", "none") else name


class Macros:
    """The macros of a tune, which are written out before the music is read.

    Examples
    --------
    >>> macros = Macros()
    >>> macros.define("~G3 = G{A}G{F}G")
    >>> macros.define("~n2 = {o}n{m}n")
    >>> macros.expand('~G3 "~G3" ~d2')
    'G{A}G{F}G "~G3" {e}d{c}d'
    """

    def __init__(self) -> None:
        self._macros: dict[str, tuple[re.Pattern[str], Callable[[re.Match[str]], str]]] = {}

    def define(self, value: str) -> None:
        """Take the value of ``m:``; it replaces an earlier one for the same signs.

        Raises
        ------
        ValueError
            When it is no macro, or one of too many.
        """
        match = _MACRO.fullmatch(value.strip())
        if match is None or len(value) > MAX_LENGTH or len(self._macros) == MAX_MACROS:
            raise ValueError(f"{value[:40]!r} is not a macro")
        target, music = match[1], match[2]
        if "n" in target:
            pattern = _PITCH.join(map(re.escape, target.split("n", 1)))
            macro = re.compile(pattern), lambda found: _transposed(music, found[1])
        else:
            macro = re.compile(re.escape(target)), lambda _: music
        self._macros[target] = macro

    def expand(self, line: str) -> str:
        """Write out the macros in a line of music.

        Raises
        ------
        ValueError
            When the line grows beyond all bounds.
        """
        if not self._macros:
            return line
        pieces = _NOT_MUSIC.split(line)
        for pattern, music in self._macros.values():
            pieces[::2] = [pattern.sub(music, piece) for piece in pieces[::2]]
            if sum(map(len, pieces)) > len(line) + MAX_GROWTH:
                raise ValueError(f"macros make the line longer than {MAX_GROWTH:,} characters")
        return "".join(pieces)


def _transposed(music: str, pitch: str) -> str:
    """Put a note in the place of ``n``, the one above it in that of ``o``, and so on."""
    note = read_note(pitch)

    def relative(match: re.Match[str]) -> str:
        step = LETTERS.index(note.letter) + 7 * note.octave + ord(match[0]) - ord("n")
        return note_text(Note("", LETTERS[step % 7], step // 7, note.length), note.length)

    return _RELATIVE.sub(relative, music)
