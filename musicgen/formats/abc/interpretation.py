"""What each sound of a score means: its pitches and its length, in the order of the text."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from musicgen.formats.abc.events import Event, Part
from musicgen.formats.abc.fields import (
    ACCIDENTALS,
    default_length,
    parse_key,
    parse_length,
    parse_meter,
    parse_tempo,
)
from musicgen.formats.abc.score import Bar, Field, Overlay, Sound

if TYPE_CHECKING:
    from musicgen.formats.abc.fields import Key, Meter
    from musicgen.formats.abc.reporter import Reporter
    from musicgen.formats.abc.score import Note, Score

__all__ = ["UNIT", "interpret"]

UNIT = Fraction(1, 8)
SEMITONES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
MIDDLE_C = 60
TUPLET_TIMES = {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}
"""For a tuplet of p, the q notes whose time it takes; 5, 7 and 9 follow the metre."""

_PROGRAM = re.compile(r"MIDI[ \t]+program[ \t]+(?:\d+[ \t]+)?(\d{1,3})\Z")
_SHIFT = re.compile(r"\b(octave|transpose)=(-?\d{1,2})(?!\d)")
_NAME = re.compile(r'\b(?:name|nm)="([^"]*)"')


class _Reader:
    """The state of one voice."""

    def __init__(self, report: Reporter | None) -> None:
        self.part = Part()
        self._meter: Meter | None = None
        self._unit: Fraction | None = None
        self._key: Key | None = None
        self._qpm: float | None = None
        self._shift = 0
        self._report = report
        self._accidentals: dict[str, int] = {}
        self._tied: dict[tuple[str, int], int] = {}
        self._ties: list[tuple[int, Sound, int]] = []
        self._tuplet = Fraction(1)
        self._tuplet_left = 0
        self._overlaid = False

    def read_field(self, entry: Field) -> None:
        """Take a field that changes what follows."""
        match entry.key:
            case "K":
                self._key, self._accidentals = parse_key(entry.value), {}
                self._read_shift(entry.value)
            case "M":
                self._meter = parse_meter(entry.value)
            case "L":
                self._unit = parse_length(entry.value)
            case "Q":
                qpm = parse_tempo(entry.value, self._unit_length())
                self._qpm = self._qpm if qpm is None else qpm
            case "V":
                name = _NAME.search(entry.value)
                self.part.name = name[1] if name else self.part.name
                self._read_shift(entry.value)
            case "%%":
                program = _PROGRAM.match(entry.value)
                if program is not None:
                    self.part.program = min(int(program[1]), 127)
        self._add(Event(entry))

    def _unit_length(self) -> Fraction:
        return self._unit or default_length(self._meter)

    def _add(self, event: Event) -> None:
        event.meter, event.key, event.qpm = self._meter, self._key, self._qpm
        self.part.events.append(event)

    def _read_shift(self, value: str) -> None:
        found = dict(_SHIFT.findall(value))
        if found:
            self._shift = 12 * int(found.get("octave", 0)) + int(found.get("transpose", 0))

    def read_bar(self, bar: Bar) -> None:
        """Forget the accidentals of the bar, and that a second line sounded in it."""
        self._accidentals = {}
        if self._overlaid:
            self._check_ties([])
        self._overlaid = False
        self._add(Event(bar))

    def read_overlay(self, overlay: Overlay) -> None:
        """Go back to the start of the bar; no tie leads there."""
        self._check_ties([])
        self._overlaid = True
        self._add(Event(overlay))

    def read_sound(self, sound: Sound) -> None:
        """Find pitches and lengths, and check the ties that lead here."""
        if sound.tuplet is not None:
            p, q, self._tuplet_left = sound.tuplet
            compound = self._meter is not None and self._meter.is_compound
            self._tuplet = Fraction(q or TUPLET_TIMES.get(p, 3 if compound else 2), p)
        unit = self._unit_length() * 4
        if self._tuplet_left:
            unit *= self._tuplet
            self._tuplet_left -= 1
        if sound.rest == "Z":
            unit = 4 * (self._meter.bar if self._meter else Fraction(1))
        numbers = [self._pitch(note, sound) for note in sound.notes]
        self._check_ties(numbers, struck_anew=bool(sound.grace))
        pitches = tuple(
            (number, note.length * unit, note.tied)
            for number, note in zip(numbers, sound.notes, strict=True)
        )
        self._add(Event(sound, sound.length * unit, pitches))
        self._tied = {
            (note.letter, note.octave): pitch
            for pitch, note in zip(numbers, sound.notes, strict=True)
            if note.tied
        }
        self._ties = [
            (pitch, sound, at) for at, pitch in enumerate(numbers) if sound.notes[at].tied
        ]

    def _pitch(self, note: Note, sound: Sound) -> int:
        tied = self._tied.get((note.letter, note.octave))
        if note.accidental:
            self._accidentals[note.letter] = ACCIDENTALS[note.accidental]
        elif tied is not None:
            return tied
        natural = MIDDLE_C + SEMITONES[note.letter] + 12 * note.octave + self._shift
        in_key = self._key.alterations.get(note.letter, 0) if self._key else 0
        altered = self._accidentals.get(note.letter, in_key)
        pitch = natural + altered
        if not 0 <= pitch <= 127:
            if self._report is not None:
                self._report(sound.line, sound.column, f"pitch {pitch} is outside 0 to 127")
            pitch = min(max(pitch, 0), 127)
        return pitch

    def _check_ties(self, pitches: list[int], *, struck_anew: bool = False) -> None:
        held = set(pitches)
        for pitch, sound, at in self._ties:
            # Only what sounds to the end of a chord can be held on.
            if pitch not in held or sound.notes[at].length != sound.length:
                self._untie(sound, at, "a tie to no note of the same pitch", mild=False)
            elif struck_anew:
                self._untie(sound, at, "a tie over grace notes", mild=True)
        self._ties = []

    def _untie(self, sound: Sound, at: int, message: str, *, mild: bool) -> None:
        if self._report is not None:
            self._report(sound.line, sound.column, message, "write a slur", mild=mild)
        notes = list(sound.notes)
        notes[at] = replace(notes[at], tied=False)
        sound.notes = tuple(notes)

    def finish(self) -> None:
        """Check that no tie leads past the end."""
        self._check_ties([])


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
        One for each voice that sounds; fields of the header come first in each.
    """
    readers: dict[str, _Reader] = {}
    common = list(score.header)

    def reader_of(voice: str) -> _Reader:
        if voice not in readers:
            readers[voice] = _Reader(report)
            readers[voice].part.name = voice
            for entry in common:
                if entry.key != "V" or entry.value.split(maxsplit=1)[:1] == [voice]:
                    readers[voice].read_field(entry)
        return readers[voice]

    voice = ""
    for element in score.body:
        if isinstance(element, Field):
            if element.key == "V":
                voice = element.value.split(maxsplit=1)[0] if element.value else ""
            elif not readers and not voice:
                common.append(element)
                continue
            reader_of(voice).read_field(element)
        elif isinstance(element, Bar):
            reader_of(voice).read_bar(element)
        elif isinstance(element, Sound):
            reader_of(voice).read_sound(element)
        elif isinstance(element, Overlay):
            reader_of(voice).read_overlay(element)
    for reader in readers.values():
        reader.finish()
    parts = [reader.part for reader in readers.values()]
    return [part for part in parts if any(event.pitches for event in part.events)]
