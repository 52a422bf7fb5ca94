"""The measures of a voice → staves of MEI."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from musicgen.formats.abc.engraving import signs
from musicgen.formats.abc.engraving.curves import Curves
from musicgen.formats.abc.engraving.durations import beat, shown, spell
from musicgen.formats.abc.engraving.lyrics import syllables
from musicgen.formats.abc.engraving.measures import duration
from musicgen.formats.abc.engraving.nesting import Item, Tuplet, nest
from musicgen.formats.abc.engraving.pitches import altered, grace_group, pitch_of
from musicgen.formats.abc.engraving.signature import Signature, tempo
from musicgen.formats.abc.engraving.ties import Ties
from musicgen.formats.abc.interpretation import TUPLET_TIMES
from musicgen.formats.abc.score import Bar, Field, Sound

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from musicgen.formats.abc.engraving.measures import Layout, Measure
    from musicgen.formats.abc.events import Event, Part

__all__ = ["Staff"]


class Staff:
    """Writes one voice, measure by measure.

    Parameters
    ----------
    number
        Of the staff, from 1. The first one carries what is said of the whole tune.
    part
        The voice.
    layout
        Of the body that it comes from.

    Attributes
    ----------
    signature
        Clef, key and metre in force.
    controls
        What is to be written after the staves of the measure written last.
    """

    def __init__(self, number: int, part: Part, layout: Layout) -> None:
        self.number = number
        self.signature = Signature()
        self.controls: list[ET.Element] = []
        self._layout = layout
        self._syllables = syllables(part.events, layout)
        self._count = 0
        self._last = ""
        self._waiting: list[ET.Element] = []
        self._curves = Curves(number)
        self._ties = Ties()
        self._tuplet: Tuplet | None = None
        self._tuplet_left = 0

    def open(self, measure: Measure) -> list[ET.Element]:
        """Take the fields before the first sound; return the signatures that are new."""
        changed: dict[str, ET.Element] = {}
        for event in measure.layers[0]:
            if isinstance(event.element, Sound):
                break
            changed |= {element.tag: element for element in self.signature.read(event)}
        return [changed[tag] for tag in ("clef", "keySig", "meterSig") if tag in changed]

    def write(self, measure: Measure) -> ET.Element:
        """Write a measure that has been opened."""
        self.controls = []
        staff = ET.Element("staff", {"n": str(self.number)})
        for number, events in enumerate(measure.layers, 1):
            if number > 1:
                self._ties.drop()
            layer = ET.SubElement(staff, "layer", {"n": str(number)})
            layer.extend(nest(list(self._items(events, measure, opened=number == 1))))
        if measure.final:
            self._ties.drop()
        return staff

    def _items(self, events: list[Event], measure: Measure, *, opened: bool) -> Iterator[Item]:
        now = Fraction(0)
        if self._tuplet_left and self._tuplet:
            # What the bar line leaves of a tuplet is another element.
            self._tuplet = Tuplet(self._tuplet.number, self._tuplet.base)
        whole = sum(isinstance(event.element, Sound) for event in events) == 1
        for event in events:
            match event.element:
                case Sound() as sound:
                    opened = False
                    if whole and _fills_bar(event, sound):
                        yield Item([self._whole_rest(sound, measure.rests)])
                    else:
                        yield from self._sound(event, sound, now)
                    now += duration(event)
                case Field() as entry:
                    self._mark_field(entry, event)
                    if not opened:
                        yield from (Item([new]) for new in self.signature.read(event))
                case Bar() as bar:
                    self._mark_bar(bar, opened=opened, final=measure.final)

    def _mark_field(self, entry: Field, event: Event) -> None:
        if self.number > 1:
            return
        if entry.key == "Q" and entry.value:
            self._waiting.append(tempo(entry.value, event.qpm))
        elif entry.key == "P" and entry.value and id(entry) in self._layout.labels:
            label = ET.Element("reh", {"place": "above"})
            ET.SubElement(label, "rend", {"rend": "box"}).text = signs.decoded(entry.value)
            self._waiting.append(label)

    def _mark_bar(self, bar: Bar, *, opened: bool, final: bool) -> None:
        """Give the signs on a bar line to the sound after it, or at the end to that before it."""
        last = final and not opened
        names = [n for n in bar.decorations if last or (n in signs.CLOSING) is not opened]
        quotes = bar.quotes if opened or last else ()
        marks = [signs.quoted(text) for text in quotes] + [signs.control(name) for name in names]
        if opened:
            self._waiting += [mark for mark in marks if mark is not None]
        else:
            self._place(marks, self._last)

    def _place(self, marks: Iterable[ET.Element | None], place: str) -> None:
        for mark in marks:
            if mark is not None:
                mark.set("staff", str(self.number))
                mark.set("startid", f"#{place}")
                self.controls.append(mark)

    def _named(self, tag: str, **attributes: str) -> ET.Element:
        """Make an element that others can point to."""
        self._count += 1
        self._last = f"s{self.number}e{self._count}"
        return ET.Element(tag, {"xml:id": self._last, **attributes})

    def _whole_rest(self, sound: Sound, bars: int) -> ET.Element:
        if bars > 1:
            rest = self._named("multiRest", num=str(bars))
        else:
            rest = self._named("mSpace" if sound.rest == "x" else "mRest")
        self._mark(sound, self._last, self._last)
        self._ties.drop()
        return rest

    def _sound(self, event: Event, sound: Sound, now: Fraction) -> Iterator[Item]:
        """Write a sound: several tied notes where none shows its length."""
        tuplet = self._in_tuplet(event, sound)
        ratio = Fraction(tuplet.base, tuplet.number) if tuplet else Fraction(1)
        lengths = spell(duration(event) / ratio, now, beat(event.meter))
        before = [grace_group(event, sound, self.signature)] if sound.grace else []
        first = ""
        for at, length in enumerate(lengths):
            more = at < len(lengths) - 1
            name, dots = shown(length) or ("4", 0)
            written = {"dur": name} | ({"dots": str(dots)} if dots else {})
            element = self._element(event, sound, written, begins=at == 0, more=more)
            if at == 0:
                first = self._last
                self._adorn(element, sound)
            yield Item(
                [*before, element],
                beamed=bool(sound.notes) and name.isdigit() and int(name) >= 8,
                joined=at > 0 or id(sound) in self._layout.joined,
                tuplet=tuplet,
            )
            before = []
        self._mark(sound, first, self._last)

    def _in_tuplet(self, event: Event, sound: Sound) -> Tuplet | None:
        if sound.tuplet is not None:
            p, q, self._tuplet_left = sound.tuplet
            compound = event.meter is not None and event.meter.is_compound
            self._tuplet = Tuplet(p, q or TUPLET_TIMES.get(p, 3 if compound else 2))
        if not self._tuplet_left:
            return None
        self._tuplet_left -= 1
        return self._tuplet

    def _element(
        self, event: Event, sound: Sound, written: dict[str, str], *, begins: bool, more: bool
    ) -> ET.Element:
        """Write one note, chord or rest of a sound; `begins` and `more` say which of its notes."""
        if not sound.notes:
            self._ties.drop()
            return self._named("space" if sound.rest == "x" else "rest", **written)
        pitches = [
            pitch_of(note, altered(note, pitch, self.signature), self.signature, written=begins)
            for note, pitch in zip(sound.notes, event.pitches, strict=True)
        ]
        if len(pitches) == 1:
            element = self._named("note", **written, **pitches[0])
        else:
            element = self._named("chord", **written)
            for attributes in pitches:
                ET.SubElement(element, "note", attributes)
        heads = [element] if len(pitches) == 1 else list(element)
        self._ties.take(event.pitches, heads, [more or note.tied for note in sound.notes])
        return element

    def _adorn(self, element: ET.Element, sound: Sound) -> None:
        """Write what stands within a note: articulations and syllables."""
        if not sound.notes:
            return
        for name in filter(None, map(signs.articulation, sound.decorations)):
            ET.SubElement(element, "artic", {"artic": name})
        for number, text, position in self._syllables.get(id(sound), ()):
            verse = ET.SubElement(element, "verse", {"n": str(number)})
            syllable = ET.SubElement(verse, "syl")
            syllable.text = signs.decoded(text)
            if position:
                syllable.set("wordpos", position)
            if position in ("i", "m"):
                syllable.set("con", "d")

    def _mark(self, sound: Sound, first: str, last: str) -> None:
        """Write what points at a sound, from its first note or at its last."""
        self._place(self._waiting, first)
        self._waiting = []
        self._place(map(signs.quoted, sound.quotes), first)
        self._place(map(signs.control, sound.decorations), first)
        self.controls += self._curves.take(sound, first, last)


def _fills_bar(event: Event, sound: Sound) -> bool:
    """Whether a sound is a rest that the sign for a whole bar shows."""
    if sound.rest == "Z":
        return True
    bar = event.meter.bar * 4 if event.meter else None
    return bool(sound.rest) and duration(event) == bar and sound.tuplet is None
