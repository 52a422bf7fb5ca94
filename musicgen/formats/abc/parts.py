"""The order of parts: the header's ``P:ABA`` over the body's labels ``P:A`` and ``P:B``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeVar

from musicgen.formats.abc.score import Field, Score
from musicgen.formats.abc.signs import is_played

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from musicgen.formats.abc.score import Element

__all__ = ["is_kept", "is_label", "order", "split"]

MAX_PARTS = 256
MAX_DEPTH = 8

_SIGN = re.compile(r"([A-Z])|(\()|(\))")
_COUNT = re.compile(r"\d{0,3}")
_LABEL = re.compile(r"[A-Z]")

T = TypeVar("T")


def is_label(element: Element) -> bool:
    """Whether an element of the body is the label of a part."""
    return (
        isinstance(element, Field)
        and element.key == "P"
        and _LABEL.fullmatch(element.value) is not None
    )


def is_kept(entry: Field) -> bool:
    """Whether a field within the music says anything of it: players know no others there."""
    if entry.key == "%%":
        return is_played(entry.value)
    if entry.key == "P":
        return is_label(entry)
    return bool(entry.value) and entry.key in ("KMLQV" if entry.inline else "KMLQVTwW")


def order(score: Score) -> list[str]:
    """Find the order in which the parts are played; empty where they follow the text.

    An order that cannot be followed, for want of a label or of an end, is none.

    Examples
    --------
    >>> labels = [Field(5, 1, "P", "A"), Field(7, 1, "P", "B")]
    >>> "".join(order(Score([Field(1, 1, "P", "A2(AB)2.B")], labels)))
    'AAABABB'
    """
    text = score.first("P")
    if not text:
        return []
    played = _expand(re.sub(r"[ .,*+-]", "", text))
    labels = {
        element.value for element in score.body if isinstance(element, Field) and is_label(element)
    }
    return played if labels.issuperset(played) else []


def _expand(text: str) -> list[str]:
    """Play out the numbers and the brackets; empty where they are no order."""
    open_groups: list[list[str]] = [[]]
    at = 0
    while at < len(text):
        sign = _SIGN.match(text, at)
        if sign is None:
            return []
        at = sign.end()
        group = [sign[1]]
        if sign[2]:
            open_groups.append([])
            if len(open_groups) > MAX_DEPTH:
                return []
            continue
        if sign[3]:
            group = open_groups.pop()
            if not open_groups:
                return []
        count = _COUNT.match(text, at)
        digits = count[0] if count else ""
        at += len(digits)
        if len(group) * int(digits or 1) + len(open_groups[-1]) > MAX_PARTS:
            return []
        open_groups[-1] += group * int(digits or 1)
    return open_groups[0] if len(open_groups) == 1 else []


def split(items: Sequence[T], elements: Iterable[Element]) -> dict[str, list[T]]:
    """Cut the items of one voice at the labels; what stands before the first has the label ``""``.

    Parameters
    ----------
    items
        Anything.
    elements
        For each item its element.
    """
    found: dict[str, list[T]] = {"": []}
    label = ""
    for item, element in zip(items, elements, strict=True):
        if isinstance(element, Field) and is_label(element):
            label = element.value
        found.setdefault(label, []).append(item)
    return found
