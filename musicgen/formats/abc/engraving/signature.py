"""Clef, key, metre and tempo as MEI writes them."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from musicgen.formats.abc.engraving.durations import shown
from musicgen.formats.abc.engraving.signs import decoded
from musicgen.formats.abc.score import Field
from musicgen.formats.abc.transposition import Transposition
from musicgen.notation.spelling import LETTERS

if TYPE_CHECKING:
    from musicgen.formats.abc.events import Event
    from musicgen.formats.abc.fields import Key
    from musicgen.notation.metre import Metre

__all__ = ["KEY_ACCIDENTALS", "Signature", "tempo"]

CLEFS = {
    "treble": ("G", 2), "bass": ("F", 4), "bass3": ("F", 3), "baritone": ("F", 3),
    "alto": ("C", 3), "tenor": ("C", 4), "alto4": ("C", 4), "alto2": ("C", 2), "alto1": ("C", 1),
    "mezzosoprano": ("C", 2), "soprano": ("C", 1), "perc": ("perc", 3), "none": ("G", 2),
    "G": ("G", 2), "F": ("F", 4), "C": ("C", 3),
}  # fmt: skip
"""Names → shape, and the line on which it stands."""

KEY_ACCIDENTALS = {-2: "ff", -1: "f", 0: "n", 1: "s", 2: "x"}

NOTES = {"4": "♩", "8": "♪"}
"""Those that every font has."""

_CLEF = re.compile(
    r"(?:\bclef=\"?(?P<named>[A-Za-z]+)|(?<![\w=])(?P<bare>treble|bass|alto|tenor|perc))"
    r"(?P<line>[1-5]?)(?P<octave>[-+^_](?:8|15))?(?![A-Za-z])"
)
_TEXT = re.compile(r'(?<!clef=)"[^"]*"')
_OCTAVE = re.compile(r"\boctave=([+-]?\d{1,2})(?!\d)")
_TEMPO = re.compile(r"(?:(\d+)/(\d+)[ ]*=)?[ ]*(\d+(?:\.\d+)?)")


class Signature:
    """What stands at the start of a staff, and the shifts that go with it.

    Attributes
    ----------
    elements
        The clef, the key signature and the time signature, by their tags.
    """

    def __init__(self) -> None:
        self.elements = {"clef": ET.Element("clef", {"shape": "G", "line": "2"})}
        self._octave = 0
        self._displaced = 0
        self._transposition = Transposition()

    @property
    def octaves(self) -> int:
        """By how many octaves the notes are higher than the letters of the text say."""
        return self._octave + self._displaced

    @property
    def semitones(self) -> int:
        """By how many semitones they sound above what is engraved."""
        return self._transposition.semitones - 12 * self.octaves

    def read(self, event: Event) -> list[ET.Element]:
        """Take a field, and return what is new at this place."""
        entry = event.element
        if not isinstance(entry, Field):
            return []
        found: list[ET.Element] = []
        if entry.key in ("K", "V"):
            value = _TEXT.sub("", entry.value)
            if entry.key == "V":
                value = value.partition(" ")[2]
            self._transposition.read(value)
            octave = _OCTAVE.search(value)
            self._octave = int(octave[1]) if octave else self._octave
            found += self._clef(value)
        elif entry.key == "%%":
            self._transposition.read_directive(entry.value)
        if entry.key == "K" and event.key is not None:
            found.append(_key(event.key))
        if entry.key == "M":
            found.append(_meter(entry.value, event.meter))
        new = [
            element
            for element in found
            if element.tag not in self.elements
            or ET.tostring(element) != ET.tostring(self.elements[element.tag])
        ]
        self.elements |= {element.tag: element for element in new}
        return new

    def _clef(self, value: str) -> list[ET.Element]:
        match = _CLEF.search(value)
        if match is None:
            return []
        name = match["named"] or match["bare"]
        shape, line = CLEFS.get(name + match["line"]) or CLEFS.get(name, ("G", 2))
        clef = ET.Element("clef", {"shape": shape, "line": match["line"] or str(line)})
        self._displaced = 0
        if match["octave"]:
            above = match["octave"][0] in "+^"
            clef.set("dis", match["octave"][1:])
            clef.set("dis.place", "above" if above else "below")
            self._displaced = (1 if above else -1) * (1 if match["octave"][1:] == "8" else 2)
        return [clef]


def _key(key: Key) -> ET.Element:
    fifths = 0 if key.text == "HP" else key.fifths
    usual = dict.fromkeys(LETTERS[: max(fifths, 0)], 1)
    usual |= dict.fromkeys(LETTERS[::-1][: max(-fifths, 0)], -1)
    element = ET.Element("keySig")
    if key.text == "HP" or {k: v for k, v in key.alterations.items() if v} == usual:
        sign = "s" if fifths > 0 else "f" if fifths else ""
        element.set("sig", f"{abs(fifths)}{sign}")
        return element
    for letter in sorted(key.alterations, key=LETTERS.index):
        accidental = KEY_ACCIDENTALS[key.alterations[letter]]
        ET.SubElement(element, "keyAccid", {"pname": letter.lower(), "accid": accidental})
    return element


def _meter(value: str, meter: Metre | None) -> ET.Element:
    if meter is None:
        return ET.Element("meterSig", {"visible": "false"})
    numbers = {"count": str(meter.numerator), "unit": str(meter.denominator)}
    if value in ("C", "c", "C|", "c|"):
        numbers["sym"] = "cut" if "|" in value else "common"
    elif "+" in value:
        numbers["count"] = re.sub(r"[() ]", "", value.split("/")[0])
    return ET.Element("meterSig", numbers)


def tempo(value: str, qpm: float | None) -> ET.Element:
    """Write the field ``Q:``.

    Parameters
    ----------
    value
        Its value: a note and its number a minute, words, or both.
    qpm
        Quarter notes a minute that it means, which the player needs.

    Examples
    --------
    >>> ET.tostring(tempo("3/8=60", 90.0))
    b'<tempo place="above" midi.bpm="90" mm="60" mm.unit="4" mm.dots="1">&#9833;. = 60</tempo>'
    """
    element = ET.Element("tempo", {"place": "above"})
    texts = re.findall(r'"([^"]*)"', value)
    match = _TEMPO.search(re.sub(r'"[^"]*"', "", value))
    if qpm is not None and match is not None:
        element.set("midi.bpm", f"{qpm:g}")
        # The old form counts unit notes, which are no beat that a player would count.
        beat = 4 * Fraction(int(match[1]), int(match[2])) if match[1] else Fraction(1)
        unit, number = shown(beat), match[3]
        if unit is None or unit[0] not in NOTES or not match[1]:
            unit, number = ("4", 0), f"{qpm:g}"
        element.attrib |= {"mm": number, "mm.unit": unit[0]}
        if unit[1]:
            element.set("mm.dots", str(unit[1]))
        texts.append(f"{NOTES[unit[0]]}{'.' * unit[1]} = {number}")
    element.text = decoded(" ".join(texts))
    return element
