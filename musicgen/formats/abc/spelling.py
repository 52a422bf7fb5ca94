"""How the smallest things are written: lengths, notes, bar lines and endings."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache

from musicgen.formats.abc.lexer import NOTE
from musicgen.formats.abc.score import Note

__all__ = [
    "bar_kind",
    "ending_numbers",
    "is_length",
    "length_text",
    "note_text",
    "read_length",
    "read_note",
    "read_notes",
]

MAX_DIGITS = 3
MAX_SLASHES = 6
MAX_OCTAVES = 9
MAX_ENDING = 9

_NOTE = re.compile(r"(\^\^?|__?|=)?([A-Ga-g])([,']*)(.*)")
_LENGTH = re.compile(r"(\d*)(/*)(\d*)")
_WRITTEN_NOTE = re.compile(f"({NOTE})(-?)")


@lru_cache(maxsize=1024)
def read_length(text: str) -> Fraction:
    """Read what follows a note's letter.

    Raises
    ------
    ValueError
        When it is no length of at most three digits over three.

    Examples
    --------
    >>> [str(read_length(text)) for text in ("", "3", "/", "//", "3/2")]
    ['1', '3', '1/2', '1/4', '3/2']
    """
    match = _LENGTH.fullmatch(text)
    if (
        match is None
        or max(len(match[1]), len(match[3])) > MAX_DIGITS
        or len(match[2]) > MAX_SLASHES
    ):
        raise ValueError(f"{text[:20]!r} is not a note length")
    numerator, slashes = int(match[1] or 1), len(match[2])
    denominator = int(match[3]) if match[3] else 2**slashes
    if not numerator or not denominator or (slashes > 1 and match[3]):
        raise ValueError(f"{text!r} is not a note length")
    return Fraction(numerator, denominator)


def is_length(length: Fraction) -> bool:
    """Whether `read_length` reads the length again when it is written."""
    return length.numerator < 10**MAX_DIGITS and length.denominator < 10**MAX_DIGITS


def length_text(length: Fraction) -> str:
    """Write a length.

    Examples
    --------
    >>> [length_text(Fraction(text)) for text in ("1", "3", "1/2", "1/4", "3/2")]
    ['', '3', '/', '/4', '3/2']
    """
    numerator = "" if length.numerator == 1 else str(length.numerator)
    if length.denominator == 1:
        return numerator
    return f"{numerator}/" + ("" if length == Fraction(1, 2) else str(length.denominator))


@lru_cache(maxsize=4096)
def read_note(text: str) -> Note:
    """Read one note.

    Raises
    ------
    ValueError
        When its length or octave is impossible.

    Examples
    --------
    >>> note = read_note("^c'2")
    >>> note.accidental, note.letter, note.octave, note.length
    ('^', 'C', 2, Fraction(2, 1))
    """
    match = _NOTE.fullmatch(text)
    if match is None or len(match[3]) > MAX_OCTAVES:
        raise ValueError(f"{text[:20]!r} is not a note")
    octave = match[2].islower() + match[3].count("'") - match[3].count(",")
    return Note(match[1] or "", match[2].upper(), octave, read_length(match[4]))


def note_text(note: Note, length: Fraction) -> str:
    """Write one note with the given length, without its tie."""
    letter = note.letter.lower() if note.octave > 0 else note.letter
    octaves = "'" * (note.octave - 1) if note.octave > 0 else "," * -note.octave
    return f"{note.accidental}{letter}{octaves}{length_text(length)}"


def read_notes(text: str) -> tuple[Note, ...]:
    """Read the notes in a text; slurs and signs between them carry no meaning.

    Raises
    ------
    ValueError
        When one of them is impossible.
    """
    found = [(read_note(text), tie) for text, tie in _WRITTEN_NOTE.findall(text)]
    return tuple([replace(note, tied=True) if tie else note for note, tie in found])


@lru_cache(maxsize=256)
def bar_kind(text: str) -> str | None:
    """Find which bar line is meant, however it is decorated; None where none is.

    Examples
    --------
    >>> [bar_kind(text) for text in ("|", ":||", ":[|]|]", "|::", ":|:", "|:|", "||||", ":")]
    ['|', ':|', ':|', '|:', '::', '|:', '||', None]
    """
    core = text.lstrip(".").replace("[|]", "").replace("[]", "")
    if core.strip(":"):
        start, end = core.endswith(":"), core.startswith(":")
    elif len(core) > 1:
        return "::"
    elif core:
        return ":|" if "[|]" in text else None
    else:
        return "|"
    if start or end:
        return "::" if start and end else "|:" if start else ":|"
    if ":" in core:
        return "::" if "::" in core else "|:"
    if core == "|":
        return "|"
    return "|]" if "]" in core else "[|" if "[" in core else "||"


def ending_numbers(text: str) -> list[int]:
    """Read the numbers of a variant ending.

    Raises
    ------
    ValueError
        When one is not from 1 to 9.

    Examples
    --------
    >>> ending_numbers("1-3,5")
    [1, 2, 3, 5]
    """
    numbers: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        if not 1 <= int(first[:2]) <= int((last or first)[:2]) <= MAX_ENDING:
            raise ValueError(f"{text[:20]!r} are not the numbers of an ending")
        numbers += range(int(first), int(last or first) + 1)
    return numbers
