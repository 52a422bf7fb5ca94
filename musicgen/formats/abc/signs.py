"""Decorations, texts and directives as they are written in clean text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from musicgen.formats.abc.harmony import parse_harmony

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["LETTERS", "SILENCE", "clean_text", "in_order", "is_played", "sign_name"]

NAMES = {
    ".": "staccato", "~": "roll", "H": "fermata", "L": "accent", "M": "lowermordent", "O": "coda",
    "P": "uppermordent", "S": "segno", "T": "trill", "u": "upbow", "v": "downbow",
}  # fmt: skip

LETTERS = {name: letter for letter, name in NAMES.items() if letter not in "OS"}
"""The letters that stand before a note; players know ``O`` and ``S`` by their names only."""

SILENCE = ("N.C.", "NC", "n.c.", "tacet")
"""What says that no chord is played."""

_PLACED = re.compile(r"[\^_<>@]")
_PLAYED = re.compile(
    r"MIDI[ \t]+(?:program[ \t]+(?:\d{1,2}[ \t]+)?|channel[ \t]+|transpose[ \t]+[+-]?)\d{1,3}\Z"
    r"|propagate-accidentals[ \t]+(?:not|octave|pitch)\Z"
)


def sign_name(sign: str) -> str:
    """Find the name of a decoration that a letter may stand for.

    Examples
    --------
    >>> sign_name("T"), sign_name("trill"), sign_name("k")
    ('trill', 'trill', 'k')
    """
    return NAMES.get(sign, sign)


def in_order(signs: Iterable[str]) -> tuple[str, ...]:
    """Give the names of decorations in the order in which they are written.

    A letter without set meaning would part the others from their note: it comes first.
    """
    return tuple(sorted(map(sign_name, signs), key=lambda name: name in LETTERS or name == "R"))


def clean_text(text: str) -> str:
    """Write a text in quotation marks so that players take it for what it is.

    They take the rest of a line after ``%`` for a comment, a backslash for more of the text, and
    all that has no sign of place before it for a chord.

    Examples
    --------
    >>> clean_text("Am7"), clean_text("^slow"), clean_text("D.C.")
    ('Am7', '^slow', '^D.C.')
    """
    text = " ".join(text.replace("%", "").rstrip("\\").split())
    if _PLACED.match(text) or text in SILENCE or parse_harmony(text) is not None:
        return text
    return f"^{text}"


def is_played(directive: str) -> bool:
    """Whether a directive changes what is played."""
    return _PLAYED.match(directive) is not None
