"""A score in its normal form → tokens."""

from __future__ import annotations

import re
from dataclasses import replace

from musicgen.formats import abc
from musicgen.formats.abc.score import Field

__all__ = ["sort_of", "split_music", "tokens"]

_TOKEN = re.compile(
    r'"[^"]*"|![^!]*!|\[[A-Z]:[^\]]*\]'
    r"|[|:]+\]?(?:\d[\d,-]*)?|\[\d[\d,-]*"
    r"|\(\d(?::\d*){0,2}"
    r"|(?:\^\^?|__?|=)?[A-Ga-g][,']*"
    r"|\d+/\d+|\d+|/\d*"
    r"|[^\s]"
)
_SORT = re.compile(
    r"[RMQK]:|\[[A-Z]:|\"|!|(?P<pitch>[\^_=]*[A-Ga-g][,']*)|(?P<length>[\d/]+)|\(\d|(?P<bar>[|:])"
)


def tokens(score: abc.Score) -> list[str]:
    r"""Cut a score into tokens: the lines of its header, and one symbol of its music after another.

    Parameters
    ----------
    score
        As `normal_form` makes it.

    Examples
    --------
    >>> from musicgen.encodings.normal_form import normal_form
    >>> from musicgen.music import Tune
    >>> tokens(normal_form(abc.parse(Tune("X:1\nL:1/8\nM:C\nK:G\n(3^CDE [Ge]3/2A/:|"))))
    ['M:4/4\n', 'K:G\n', '|:', '(3', '^C', 'D', 'E', '[', 'G', 'e', ']', '3/2', 'A', '/2', ':|']
    """
    body = abc.print_score(replace(score, header=[Field(0, 0, "K", "C")]))
    return [
        *(f"{entry.key}:{entry.value}\n" for entry in score.header),
        *split_music(body.partition("K:C")[2]),
    ]


def split_music(text: str) -> list[str]:
    """Cut music into its symbols, without white space.

    Examples
    --------
    >>> split_music("(3::4^c'/2- |]")
    ['(3::4', "^c'", '/2', '-', '|]']
    """
    return ["/2" if symbol == "/" else symbol for symbol in _TOKEN.findall(text)]


def sort_of(token: str) -> str:
    r"""Tell which sort of thing a token is.

    Examples
    --------
    >>> [sort_of(token) for token in ("M:6/8\n", "^c'", "3/2", ":|", "(3", "-")]
    ['M:', 'pitch', 'length', 'bar', '(3', '']
    """
    match = _SORT.match(token)
    return "" if match is None else match.lastgroup or match[0]
