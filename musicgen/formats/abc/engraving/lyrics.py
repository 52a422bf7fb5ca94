"""The fields ``w:`` → syllables under the notes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from musicgen.formats.abc.score import Bar, Field, Sound

if TYPE_CHECKING:
    from collections.abc import Iterable

    from musicgen.formats.abc.engraving.measures import Layout
    from musicgen.formats.abc.events import Event

__all__ = ["Syllable", "syllables"]

_PART = re.compile(r"(?:[^\s\-_*|\\]|\\.)+|[-_*|]")


class Syllable(NamedTuple):
    """What is sung on one note.

    Attributes
    ----------
    verse
        Counted from 1.
    text
        As printed.
    position
        ``"i"``, ``"m"`` or ``"t"`` at the start, in the middle or at the end of a word; or empty.
    """

    verse: int
    text: str
    position: str


def syllables(events: Iterable[Event], layout: Layout) -> dict[int, list[Syllable]]:
    """Find the syllables of each sound of a voice, by its identity."""
    found: dict[int, list[Syllable]] = {}
    places: list[Sound | Bar] = []
    line, verse = -1, 0
    for event in events:
        match event.element:
            case Sound(notes=[_, *_]) as sound:
                if layout.lines[id(sound)] != line:
                    line, places, verse = layout.lines[id(sound)], [], 0
                places.append(sound)
            case Bar() as bar:
                places.append(bar)
            case Field(key="w", value=value):
                verse += 1
                _align(value, verse, places, found)
    return found


def _align(
    value: str, verse: int, places: list[Sound | Bar], found: dict[int, list[Syllable]]
) -> None:
    parts = _PART.findall(value)
    at, inside = 0, False
    for number, part in enumerate(parts):
        if part == "|":
            while at < len(places) and isinstance(places[at], Sound):
                at += 1
            at += 1
            continue
        if part == "-" and number and parts[number - 1] not in "-_*|":
            continue
        while at < len(places) and isinstance(places[at], Bar):
            at += 1
        if at >= len(places):
            return
        if part not in ("-", "_", "*"):
            goes_on = parts[number + 1 : number + 2] == ["-"]
            position = ("m" if goes_on else "t") if inside else ("i" if goes_on else "")
            text = re.sub(r"\\(.)", r"\1", part.replace("~", " "))
            found.setdefault(id(places[at]), []).append(Syllable(verse, text, position))
            inside = goes_on
        at += 1
