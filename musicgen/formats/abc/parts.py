"""The order of parts: the header's ``P:ABA`` over the body's labels ``P:A`` and ``P:B``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeVar

from musicgen.formats.abc.score import Field, Score

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from musicgen.formats.abc.score import Element

__all__ = ["is_label", "order", "split"]

MAX_PARTS = 64

_GROUP = re.compile(r"([A-Z]|\([A-Z]+\))(\d{0,2})")

T = TypeVar("T")


def is_label(element: Element) -> bool:
    """Whether an element of the body is the label of a part."""
    return (
        isinstance(element, Field)
        and element.key == "P"
        and re.fullmatch(r"[A-Z]", element.value) is not None
    )


def order(score: Score) -> list[str]:
    """Find the order in which the parts are played; empty where they follow the text.

    An order that cannot be followed, for want of a label, is none.

    Examples
    --------
    >>> labels = [Field(5, 1, "P", "A"), Field(7, 1, "P", "B")]
    >>> order(Score([Field(1, 1, "P", "A2(AB)2")], labels))
    ['A', 'A', 'A', 'B', 'A', 'B']
    """
    text = re.sub(r"[ .,]", "", score.first("P"))
    labels = {
        element.value for element in score.body if isinstance(element, Field) and is_label(element)
    }
    played: list[str] = []
    at = 0
    while at < len(text):
        group = _GROUP.match(text, at)
        if group is None:
            return []
        played += list(group[1].strip("()")) * int(group[2] or 1)
        at = group.end()
    return played if len(played) <= MAX_PARTS and labels.issuperset(played) else []


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
