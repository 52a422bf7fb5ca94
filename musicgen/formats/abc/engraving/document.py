"""A score → the text of an MEI document."""

from __future__ import annotations

from fractions import Fraction
from itertools import zip_longest
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from musicgen.errors import FormatError
from musicgen.formats.abc.engraving.measures import Layout, Measure, duration, measures
from musicgen.formats.abc.engraving.signs import decoded
from musicgen.formats.abc.engraving.staves import Staff
from musicgen.formats.abc.interpretation import interpret
from musicgen.formats.abc.numbering import Stretch, bar_numbers
from musicgen.formats.abc.score import Bar, Sound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from musicgen.formats.abc.events import Part
    from musicgen.formats.abc.score import Score

__all__ = ["document"]

DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
NAMESPACE = "http://www.music-encoding.org/ns/mei"
VERSION = "5.0+basic"

MAX_STAVES = 250_000
"""More measures than this, counted for each voice, are no score but a slip or a trap."""

RIGHTS = ("rptend", "end", "dbl", "single", "")
"""Bar lines, those that say more first."""


def document(score: Score) -> str:
    """Write a score as `~musicgen.formats.abc.to_mei` says."""
    root = ET.Element("mei", {"xmlns": NAMESPACE, "meiversion": VERSION})
    root.append(_head(score))
    parents = [root]
    for tag in ("music", "body", "mdiv", "score"):
        parents.append(ET.SubElement(parents[-1], tag))
    layout = Layout(score.body)
    parts = interpret(score)
    _check_size(parts)
    columns = [measures(part.events, layout, single=len(parts) == 1) for part in parts]
    staves = [Staff(number, part, layout) for number, part in enumerate(parts, 1)]
    rows = [list(row) for row in zip_longest(*columns)]
    for staff, measure in zip(staves, rows[0] if rows else (), strict=True):
        staff.open(measure)
    definition = _definition(staves, parts)
    definition.insert(0, _page_head(score))
    parents[-1].append(definition)
    section = ET.SubElement(parents[-1], "section")
    _write_rows(rows, staves, section)
    _drop_endless(section)
    return f"{DECLARATION}{ET.tostring(root, encoding='unicode')}\n"


def _check_size(parts: list[Part]) -> None:
    """Refuse what a few letters of text may ask for: many long rests, or voices that wait."""
    bars = [
        sum(
            int(event.element.length)
            if isinstance(event.element, Sound) and event.element.rest == "Z"
            else isinstance(event.element, Bar)
            for event in part.events
        )
        for part in parts
    ]
    if max(bars, default=0) * len(parts) > MAX_STAVES:
        raise FormatError(
            f"the voices come to more than {MAX_STAVES:,} measures",
            hint="write fewer voices, or cut the tune",
        )


def _head(score: Score) -> ET.Element:
    head = ET.Element("meiHead")
    description = ET.SubElement(head, "fileDesc")
    statement = ET.SubElement(description, "titleStmt")
    for number, title in enumerate(_texts(score, "T") or [""]):
        kind = {"type": "main" if number == 0 else "subordinate"}
        ET.SubElement(statement, "title", kind).text = title
    for composer in _texts(score, "C"):
        ET.SubElement(statement, "composer").text = composer
    ET.SubElement(description, "pubStmt")
    return head


def _texts(score: Score, key: str) -> list[str]:
    return [decoded(entry.value) for entry in score.header if entry.key == key and entry.value]


def _page_head(score: Score) -> ET.Element:
    """Write what is printed above the music: titles, rhythm and composers."""
    head = ET.Element("pgHead", {"func": "first"})
    for horizontal, vertical, texts in (
        ("center", "middle", _texts(score, "T")),
        ("left", "bottom", _texts(score, "R")[:1]),
        ("right", "bottom", _texts(score, "C")),
    ):
        if not texts:
            continue
        place = ET.SubElement(head, "rend", {"halign": horizontal, "valign": vertical})
        for number, text in enumerate(texts):
            if number:
                ET.SubElement(place, "lb")
            size = "x-large" if horizontal == "center" and not number else "small"
            ET.SubElement(place, "rend", {"fontsize": size}).text = text
    return head


def _definition(staves: list[Staff], parts: list[Part]) -> ET.Element:
    """Write what stands at the start of each staff."""
    definition = ET.Element("scoreDef")
    group = ET.SubElement(definition, "staffGrp")
    if len(staves) > 1:
        group.set("symbol", "bracket")
        group.set("bar.thru", "true")
    for staff, part in zip(staves, parts, strict=True):
        element = ET.SubElement(group, "staffDef", {"n": str(staff.number), "lines": "5"})
        if staff.signature.semitones:
            element.set("trans.semi", str(staff.signature.semitones))
        if len(staves) > 1 and part.name and not part.name.isdigit():
            ET.SubElement(element, "label").text = decoded(part.name)
        element.extend(staff.signature.elements.values())
    return definition


def _write_rows(
    rows: Sequence[Sequence[Measure | None]], staves: list[Staff], section: ET.Element
) -> None:
    """Write the measures, each with all voices, and the endings around them."""
    parent = section
    filled = [[measure for measure in row if measure is not None] for row in rows]
    stretches = [_stretch(present) for present in filled]
    numbers = bar_numbers(stretches)
    counted = zip(rows, filled, stretches, numbers, strict=True)
    for at, (row, present, stretch, number) in enumerate(counted):
        ending = next((measure.ending for measure in present if measure.ending), "")
        if ending:
            parent = ET.SubElement(section, "ending", {"n": ending, "label": f"{ending}."})
        if at:
            _write_changes(row, staves, parent)
        element = _write_row(row, staves, number)
        if stretch.length != stretch.bar:
            element.set("metcon", "false")
        parent.append(element)
        if any(measure.breaks for measure in present) and at < len(rows) - 1:
            ET.SubElement(parent, "sb")
        if element.get("right") not in (None, "single"):
            parent = section


def _drop_endless(section: ET.Element) -> None:
    """Take out the wedges that lead to no other note."""
    for measure in section.iter("measure"):
        for wedge in measure.findall("hairpin"):
            if wedge.get("endid") in (None, wedge.get("startid")):
                measure.remove(wedge)


def _write_changes(row: Sequence[Measure | None], staves: list[Staff], parent: ET.Element) -> None:
    definition = ET.Element("scoreDef")
    group = ET.SubElement(definition, "staffGrp")
    for staff, measure in zip(staves, row, strict=True):
        changes = staff.open(measure) if measure is not None else []
        if changes:
            element = ET.SubElement(group, "staffDef", {"n": str(staff.number)})
            element.extend(changes)
    if len(group):
        parent.append(definition)


def _write_row(row: Sequence[Measure | None], staves: list[Staff], number: int) -> ET.Element:
    present = [measure for measure in row if measure is not None]
    element = ET.Element("measure", {"n": str(number)})
    if any(measure.left for measure in present):
        element.set("left", "rptstart")
    right = min((measure.right for measure in present), key=RIGHTS.index)
    if right:
        element.set("right", right)
    controls: list[ET.Element] = []
    for staff, measure in zip(staves, row, strict=True):
        if measure is None:
            silent = ET.SubElement(element, "staff", {"n": str(staff.number)})
            ET.SubElement(ET.SubElement(silent, "layer", {"n": "1"}), "mRest")
        else:
            element.append(staff.write(measure))
            controls += staff.controls
    element.extend(controls)
    return element


def _stretch(present: list[Measure]) -> Stretch:
    """Return how long the measures of a row last, and how long they should, in quarter notes."""
    length = max(
        sum(map(duration, layer), Fraction(0)) for measure in present for layer in measure.layers
    )
    bar = next(
        (
            4 * event.meter.bar
            for measure in present
            for event in measure.layers[0]
            if isinstance(event.element, Sound) and event.meter is not None
        ),
        length,
    )
    rests = max(measure.rests for measure in present)
    return Stretch(bar if rests else length, bar, max(rests, 1))
