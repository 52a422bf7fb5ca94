"""What each sound of a score means: its pitches and its length, in the order of the text."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING

from musicgen.formats.abc.events import Event, Instrument, Part
from musicgen.formats.abc.fields import (
    ACCIDENTALS,
    default_length,
    parse_key,
    parse_length,
    parse_meter,
    parse_tempo,
)
from musicgen.formats.abc.parts import is_label
from musicgen.formats.abc.score import Bar, Break, Field, Overlay, Sound
from musicgen.formats.abc.ties import Ties
from musicgen.formats.abc.transposition import Transposition
from musicgen.notation.spelling import SEMITONES

if TYPE_CHECKING:
    from musicgen.formats.abc.fields import Key
    from musicgen.formats.abc.reporter import Reporter
    from musicgen.formats.abc.score import Note, Score
    from musicgen.notation.metre import Metre

__all__ = ["UNIT", "interpret"]

UNIT = Fraction(1, 8)
MIDDLE_C = 60
DRUM_CHANNEL = 10
TUPLET_TIMES = {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}
"""For a tuplet of p, the q notes whose time it takes; 5, 7 and 9 follow the metre."""

_MIDI = re.compile(r"MIDI[ \t]+(program|channel)[ \t]+(?:\d+[ \t]+)?(\d{1,3})\b")
_PROPAGATION = re.compile(r"propagate-accidentals[ \t]+(not|octave|pitch)\b")
_NAME = re.compile(r'\b(?:name|nm)="([^"]*)"')


class _Reader:
    """The state of one voice."""

    def __init__(self, report: Reporter | None) -> None:
        self.part = Part()
        self._meter: Metre | None = None
        self._unit: Fraction | None = None
        self._scale = 4 * UNIT
        self._key: Key | None = None
        self._instrument = Instrument()
        self._qpm: float | None = None
        self._transposition = Transposition()
        self._propagation = "pitch"
        self._report = report
        self._accidentals: dict[tuple[str, int], int] = {}
        self._ties = Ties(report)
        self._tuplet = Fraction(1)
        self._tuplet_left = 0

    def read_field(self, entry: Field) -> None:
        """Take a field that changes what follows."""
        match entry.key:
            case "K":
                key = parse_key(entry.value)
                # A clef alone leaves the key as it is.
                if key.text or self._key is None:
                    self._key, self._accidentals = key, {}
                # The header ends here; a metre within the music leaves the unit as it is.
                self._set_unit(self._unit_length())
                self._transposition.read(entry.value)
            case "M":
                self._meter = parse_meter(entry.value)
            case "L":
                self._set_unit(parse_length(entry.value))
            case "Q":
                qpm = parse_tempo(entry.value, self._unit_length())
                self._qpm = self._qpm if qpm is None else qpm
            case "V":
                name = _NAME.search(entry.value)
                self.part.name = name[1] if name else self.part.name
                self._transposition.read(entry.value.partition(" ")[2])
            case "%%":
                self._read_directive(entry.value)
        self._add(Event(entry))

    def _read_directive(self, value: str) -> None:
        midi = _MIDI.match(value)
        if midi is not None and midi[1] == "program":
            self._instrument = self._instrument._replace(program=min(int(midi[2]), 127))
        elif midi is not None:
            self._instrument = self._instrument._replace(is_drum=int(midi[2]) == DRUM_CHANNEL)
        propagation = _PROPAGATION.match(value)
        if propagation is not None:
            self._propagation = propagation[1]
        self._transposition.read_directive(value)

    def _unit_length(self) -> Fraction:
        return self._unit or default_length(self._meter)

    def _set_unit(self, unit: Fraction) -> None:
        self._unit, self._scale = unit, 4 * unit

    def _add(self, event: Event) -> None:
        event.meter, event.key, event.qpm = self._meter, self._key, self._qpm
        event.instrument = self._instrument
        self.part.events.append(event)

    def read_bar(self, bar: Bar) -> None:
        """Forget the accidentals of the bar."""
        self._accidentals = {}
        self._ties.read_bar(bar)
        self._add(Event(bar))

    def read_overlay(self, overlay: Overlay) -> None:
        """Go back to the start of the bar."""
        self._ties.read_overlay()
        self._add(Event(overlay))

    def read_sound(self, sound: Sound) -> None:
        """Find pitches and lengths, and check the ties that lead here."""
        if sound.tuplet is not None:
            p, q, self._tuplet_left = sound.tuplet
            compound = self._meter is not None and self._meter.is_compound
            self._tuplet = Fraction(q or TUPLET_TIMES.get(p, 3 if compound else 2), p)
        scale = self._scale
        if sound.rest == "Z":
            scale = 4 * (self._meter.bar if self._meter else Fraction(1))
        if self._tuplet_left:
            scale *= self._tuplet if sound.rest != "Z" else 1
            self._tuplet_left -= 1
        pitches = tuple([self._pitch(note, sound) for note in sound.notes])
        self._ties.read_sound(sound, pitches)
        self._add(Event(sound, scale, pitches))

    def _pitch(self, note: Note, sound: Sound) -> int:
        place = (note.letter, note.octave if self._propagation == "octave" else 0)
        natural = MIDDLE_C + SEMITONES[note.letter] + 12 * note.octave
        if note.accidental:
            altered = ACCIDENTALS[note.accidental]
            if self._propagation != "not":
                self._accidentals[place] = altered
        elif (note.letter, note.octave) in self._ties.layer.held:
            return self._ties.layer.held[note.letter, note.octave]
        else:
            in_key = self._key.alterations.get(note.letter, 0) if self._key else 0
            altered = self._accidentals.get(place, in_key) if self._accidentals else in_key
        pitch = natural + altered + self._transposition.semitones
        if not 0 <= pitch <= 127:
            if self._report is not None:
                self._report(sound.line, sound.column, f"pitch {pitch} is outside 0 to 127")
            pitch = min(max(pitch, 0), 127)
        return pitch

    def finish(self) -> None:
        """Check that no tie leads past the end."""
        self._ties.finish()


def _is_tempo(entry: Field) -> bool:
    return entry.key == "Q"


def _names_voice(entry: Field) -> bool:
    return entry.key == "V" and bool(entry.value)


def interpret(score: Score, report: Reporter | None = None) -> list[Part]:
    """Find what every element means.

    Parameters
    ----------
    score
        The score; ties that lead nowhere are taken out of it.
    report
        Told of impossible pitches and of such ties.

    Returns
    -------
    list of Part
        One for each voice that sounds; fields of the header come first in each. What is written
        before any ``V:`` is of the voice that the header names, where that is one.
    """
    readers: dict[str, _Reader] = {}
    # An old tempo counts unit note lengths, which may be told after it.
    common = sorted(score.header, key=_is_tempo)
    voices = {entry.value.split(maxsplit=1)[0] for entry in common if _names_voice(entry)}
    voice = untitled = voices.pop() if len(voices) == 1 else ""
    has_title = False

    def reader_of(voice: str) -> _Reader:
        reader = _Reader(report)
        reader.part.name = voice if has_title else ""
        for entry in common:
            if entry.key != "V" or entry.value.split(maxsplit=1)[:1] == [voice]:
                reader.read_field(entry)
        return reader

    label: Field | None = None
    reader: _Reader | None = None
    for element in score.body:
        if isinstance(element, Break):
            continue
        if isinstance(element, Field):
            if element.key == "V":
                voice = element.value.split(maxsplit=1)[0] if element.value else untitled
                reader, has_title = readers.get(voice), True
            elif not readers and not has_title:
                common.append(element)
                continue
            elif is_label(element):
                # A part starts in every voice, those that come later too.
                label = element
                for each in readers.values():
                    each.read_field(element)
                continue
        if reader is None:
            reader = readers[voice] = reader_of(voice)
            if label is not None:
                reader.read_field(label)
        if isinstance(element, Sound):
            reader.read_sound(element)
        elif isinstance(element, Bar):
            reader.read_bar(element)
        elif isinstance(element, Field):
            reader.read_field(element)
        else:
            reader.read_overlay(element)
    for reader in readers.values():
        reader.finish()
    parts = [reader.part for reader in readers.values()]
    return [part for part in parts if any(event.pitches for event in part.events)]
