"""The events of a voice → measures."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

from musicgen.formats.abc.score import Bar, Break, Field, Overlay, Sound

if TYPE_CHECKING:
    from collections.abc import Iterable

    from musicgen.formats.abc.events import Event
    from musicgen.formats.abc.score import Element

__all__ = ["Layout", "Measure", "duration", "measures"]


class Layout:
    """How the text is set out, which the events of the voices do not tell.

    Elements are known by their identity, for equal ones may stand in many places.

    Attributes
    ----------
    labels
        Fields that name a part, not the order of parts.
    joined
        Sounds that follow a sound without white space, so that a beam joins the two.
    line_ends
        Bar lines that end a line of music.
    lines
        For each sound the number of its line of music.
    """

    def __init__(self, body: list[Element]) -> None:
        self.labels = {id(e) for e in body if isinstance(e, Field) and e.key == "P"}
        self.joined: set[int] = set()
        self.line_ends: set[int] = set()
        self.lines: dict[int, int] = {}
        line = 0
        for element in body:
            if isinstance(element, Break):
                line += element.kind == "\n"
            elif isinstance(element, Sound):
                self.lines[id(element)] = line
        for element, following in pairwise(body):
            if isinstance(element, Sound) and isinstance(following, Sound):
                self.joined.add(id(following))
            elif isinstance(element, Bar) and following == Break("\n"):
                self.line_ends.add(id(element))


@dataclass(slots=True)
class Measure:
    """What stands between two bar lines of one voice.

    Attributes
    ----------
    layers
        Sounds and fields, one list more for each overlay. A bar line with texts or signs is the
        last event of the measure before it and the first of the one after it.
    left, right
        Its bar lines as MEI names them; empty for one that the neighbour draws.
    ending
        Numbers of the variant ending that starts here; or empty.
    rests
        For a rest of whole bars how many it lasts; else 0.
    breaks
        Whether a line of the text ends here.
    final
        Whether no other follows in this voice.
    """

    layers: list[list[Event]] = field(default_factory=lambda: [[]])
    left: str = ""
    right: str = ""
    ending: str = ""
    rests: int = 0
    breaks: bool = False
    final: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing sounds or rests in it."""
        return not any(isinstance(e.element, Sound) for layer in self.layers for e in layer)


def duration(event: Event) -> Fraction:
    """Return how long an event lasts, in quarter notes."""
    return event.element.length * event.scale if isinstance(event.element, Sound) else Fraction(0)


RIGHT = {"|": "single", "||": "dbl", "|]": "end", "[|": "dbl", "|:": "single", ":|": "rptend",
         "::": "rptend"}  # fmt: skip


def measures(events: Iterable[Event], layout: Layout, *, single: bool) -> list[Measure]:
    """Cut the events of a voice at its bar lines.

    Parameters
    ----------
    events
        Those of one voice.
    layout
        Of the body that they come from.
    single
        Whether a rest of several bars may be one measure: there is no other voice.
    """
    found = [Measure()]
    for event in events:
        measure = found[-1]
        match event.element:
            case Bar() as bar:
                if measure.is_empty and len(found) > 1:
                    _draw(found[-2], bar, layout)
                elif not measure.is_empty:
                    _draw(measure, bar, layout)
                    found.append(_following(measure))
                    measure = found[-1]
                if bar.quotes or bar.decorations:
                    for neighbour in found[-2:]:
                        neighbour.layers[0].append(event)
                if bar.starts_repeat:
                    measure.left = "rptstart"
                measure.ending = bar.ending or measure.ending
            case Overlay():
                measure.layers.append([])
            case Sound(rest="Z") as rest:
                bars = int(rest.length)
                for number in range(1 if single else bars):
                    if not found[-1].is_empty:
                        found.append(_following(found[-1]))
                    found[-1].rests = bars if single else 1
                    # The signs of the rest stand where it starts.
                    bare = Sound(rest.line, rest.column, (), rest.length, "Z")
                    found[-1].layers[-1].append(replace(event, element=bare) if number else event)
            case Sound():
                if measure.rests:
                    found.append(_following(measure))
                found[-1].layers[-1].append(event)
            case Field():
                measure.layers[-1].append(event)
    if found[-1].is_empty and len(found) > 1:
        found.pop()
    found[-1].final = True
    return found


def _draw(measure: Measure, bar: Bar, layout: Layout) -> None:
    """Take a bar line after a measure; of two, the one that says more stays."""
    right = RIGHT[bar.kind]
    if not measure.right or (right != "single" and measure.right != "rptend"):
        measure.right = right
    measure.breaks |= id(bar) in layout.line_ends


def _following(measure: Measure) -> Measure:
    """Start the next measure: fields after the last sound speak of it."""
    layer = measure.layers[-1]
    at = len(layer)
    while at and isinstance(layer[at - 1].element, Field):
        at -= 1
    following = Measure([layer[at:]])
    del layer[at:]
    return following
