"""ABC music text → tokens."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["FIELD", "Token", "field_value", "strip_comment", "tokens"]

FIELD = re.compile(r"[ \t]*([A-Za-z+])[ \t]?:(?![:|]|\[\|)[ \t]*(.*)")

LENGTH = r"\d*/*\d*"
PITCH = r"(?:\^\^?|__?|=)?[A-Ga-g][,']*"

NOTE = PITCH + LENGTH

# Each pattern stops at its own opening sign, so that a text of one repeated sign takes linear time.
_KINDS = {
    "note": NOTE,
    "ending": r"(?:(?<=[|:])|(?<=\|\])|\[)[ ]?\d+(?:[,\-][ ]?\d+)*",
    "space": r"[ \t]+",
    "inline": r"\[[A-Za-z]:[^\[\]]*\]",
    "bar": r"\.?(?:\||:|\[(?=[|\]])|(?<=[|\[])\])+",
    "chord": r"\[",
    "close": r"\]" + LENGTH,
    "rest": r"[zxZX]" + LENGTH,
    "microtone": r"[\^_](?:\d+/?\d*|/\d*)(?=[A-Ga-g])",
    "quoted": r'"[^"]*"',
    "grace": r"\{[^{}]*\}",
    # Chords between plus signs are older than decorations; two, three and four f are loud.
    "plus": rf"\+(?!f{{2,4}}\+){NOTE}-?(?:[ ]?{NOTE}-?){{1,9}}[ ]?\+",
    "name": r"![^!\s|\[\]\":]+!|\+[^+!\s|\[\]\":]+\+",
    "line": r"(?<![^|:\]\s])!|!(?=[ \t|]|$)",
    "tuplet": r"\(\d+(?::\d*){0,2}",
    "slur": r"\(",
    "unslur": r"\)",
    "broken": r"[<>]+",
    "tie": r"-",
    "overlay": r"&+",
    "decoration": r"[~.H-Wh-w]",
    "continuation": r"\\(?=[ \t]*$)",
    "ignored": r"y" + LENGTH + r"|`+|\$+|\*+(?=[ \t]*$)",
    "unknown": r"\d+|[^\s\w|:\[\]\"{}!+()<>\-&~.`$*^_=\\]+|.",
}
_TOKEN = re.compile("|".join(f"(?P<{kind}>{pattern})" for kind, pattern in _KINDS.items()))


class Token(NamedTuple):
    """A piece of music text.

    Attributes
    ----------
    kind
        ``"note"``, ``"bar"``, … ; ``"unknown"`` for what is not ABC.
    text
        As written.
    line, column
        Place in the file, counted from 1.
    """

    kind: str
    text: str
    line: int
    column: int


def strip_comment(text: str) -> str:
    r"""Cut a line before its comment.

    Examples
    --------
    >>> strip_comment("AB|% two notes")
    'AB|'
    >>> strip_comment(r"T:100\% silk")
    'T:100\\% silk'
    """
    return re.split(r"(?<!\\)%", text, maxsplit=1)[0].rstrip()


def field_value(text: str) -> str:
    r"""Give what the text of a field says: a percent sign that starts no comment has a backslash.

    Examples
    --------
    >>> field_value(r" 100\% silk ")
    '100% silk'
    """
    return text.strip().replace(r"\%", "%")


def tokens(text: str, line: int = 1, column: int = 1) -> Iterator[Token]:
    """Cut one line of music.

    Parameters
    ----------
    text
        A line without its end and without comment.
    line, column
        Place of its first character.

    Examples
    --------
    >>> [(token.kind, token.text) for token in tokens("^c3/2|:")]
    [('note', '^c3/2'), ('bar', '|:')]
    """
    for match in _TOKEN.finditer(text):
        yield Token(match.lastgroup or "", match[0], line, column + match.start())
