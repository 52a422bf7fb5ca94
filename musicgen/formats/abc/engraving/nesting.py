"""Beams and tuplets, nested as XML demands: where they cross, the beam is cut."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Item", "Tuplet", "nest"]


@dataclass(eq=False, slots=True)
class Tuplet:
    """A tuplet of `number` notes in the time of `base`."""

    number: int
    base: int


@dataclass(slots=True)
class Item:
    """One note, chord, rest or sign of a layer.

    Attributes
    ----------
    elements
        What is written: it and its grace notes.
    beamed
        Whether its stem can hold a beam.
    joined
        Whether the text joins it to the item before.
    tuplet
        What it belongs to; None outside tuplets.
    """

    elements: list[ET.Element]
    beamed: bool = False
    joined: bool = False
    tuplet: Tuplet | None = None


class _Span(NamedTuple):
    start: int
    end: int
    element: ET.Element


def nest(items: list[Item]) -> list[ET.Element]:
    """Put items into their beams and tuplets.

    Examples
    --------
    >>> triplet = Tuplet(3, 2)
    >>> items = [Item([ET.Element("note")], True, at > 0, triplet) for at in range(3)]
    >>> b"".join(map(ET.tostring, nest([*items, Item([ET.Element("rest")])])))
    b'<tuplet num="3" numbase="2"><beam><note /><note /><note /></beam></tuplet><rest />'
    """
    tuplets = dict(_tuplets(items))
    beams = [part for beam in _beams(items) for part in _cut(beam, items, tuplets)]
    # Sorting is stable: of two with the same notes the tuplet stays outside.
    spans = sorted([*tuplets.values(), *beams], key=lambda span: (span.start, -span.end))
    root = ET.Element("layer")
    around = [_Span(0, len(items), root)]
    at_span = 0
    for at, item in enumerate(items):
        while around[-1].end <= at:
            around.pop()
        while at_span < len(spans) and spans[at_span].start == at:
            around[-1].element.append(spans[at_span].element)
            around.append(spans[at_span])
            at_span += 1
        around[-1].element.extend(item.elements)
    return list(root)


def _tuplets(items: list[Item]) -> Iterator[tuple[Tuplet | None, _Span]]:
    start = 0
    for end in range(1, len(items) + 1):
        tuplet = items[start].tuplet
        if end == len(items) or items[end].tuplet is not tuplet:
            if tuplet is not None:
                numbers = {"num": str(tuplet.number), "numbase": str(tuplet.base)}
                yield tuplet, _Span(start, end, ET.Element("tuplet", numbers))
            start = end


def _beams(items: list[Item]) -> Iterator[tuple[int, int]]:
    start = 0
    for end in range(1, len(items) + 1):
        if end == len(items) or not (
            items[end].joined and items[end].beamed and items[end - 1].beamed
        ):
            yield start, end
            start = end


def _cut(
    beam: tuple[int, int], items: list[Item], spans: dict[Tuplet | None, _Span]
) -> Iterator[_Span]:
    """Cut a beam where it enters or leaves a tuplet that it does not hold as a whole."""
    start, end = beam
    edges = {start, end}
    # Tuplets do not overlap, so that only those at its two ends can reach beyond it.
    for at in (start, end - 1):
        span = spans.get(items[at].tuplet)
        if span is not None and not (start <= span.start and span.end <= end):
            edges |= {edge for edge in (span.start, span.end) if start < edge < end}
    for first, last in pairwise(sorted(edges)):
        if last - first > 1:
            yield _Span(first, last, ET.Element("beam"))
