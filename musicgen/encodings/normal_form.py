"""A score in the one spelling from which tokens are cut."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from musicgen.formats.abc.events import Event
from musicgen.formats.abc.fields import (
    ACCIDENTALS,
    default_length,
    parse_key,
    parse_length,
    parse_meter,
    parse_tempo,
)
from musicgen.formats.abc.harmony import parse_harmony
from musicgen.formats.abc.interpretation import MIDDLE_C, TUPLET_TIMES, UNIT, interpret
from musicgen.formats.abc.parts import order, split
from musicgen.formats.abc.score import Bar, Element, Field, Note, Overlay, Score, Sound
from musicgen.formats.abc.signs import SILENCE
from musicgen.notation.metre import Metre, beat
from musicgen.notation.spelling import SEMITONES

__all__ = ["key_value", "metre_value", "normal_form", "tempo_value"]

_SIGNS = {alter: sign for sign, alter in ACCIDENTALS.items()}
_PLAIN_MODES = {"ion": "", "maj": "", "aeo": "m", "min": "m"}


class _Meaning(NamedTuple):
    """What an element of the body means: its event, its unit note length, and its voice."""

    event: Event
    unit: Fraction
    voice: int


class _State(NamedTuple):
    """What is in force in a voice."""

    metre: Metre | None
    key: str
    qpm: float | None


def normal_form(score: Score) -> Score:
    r"""Write a score in one way out of the many that ABC allows.

    Lengths are in eighths, broken rhythm is written out, parts stand in the order in which they are
    played, and voices are numbered. Metre, key and tempo change in brackets, after the bar line.
    Accidentals are written out where a directive says how far they reach. The header is ``R:``,
    ``M:``, ``Q:`` and ``K:``. Sounds keep their place in the file.

    Examples
    --------
    >>> from musicgen.formats.abc import parse, print_score
    >>> from musicgen.music import Tune
    >>> tune = Tune("X:1\nT:Air\nM:C\nL:1/4\nK:D major\nA>B|Z|\nM:3/4\nG x2|")
    >>> print(print_score(normal_form(parse(tune))))
    X:1
    M:4/4
    K:D
    A3B|z8|[M:3/4]G2z4|
    """
    parts = interpret(score)
    meanings = {
        id(event.element): _Meaning(event, unit, number)
        for number, part in enumerate(parts, 1)
        for event, unit in _with_units(part.events)
    }
    first = parts[0].events if parts else []
    start = next(
        (_state(event) for event in first if isinstance(event.element, Sound)),
        _said(score),
    )
    body = score.body
    played = order(score)
    if played:
        sections = split(body, body)
        body = [element for label in ["", *played] for element in sections.get(label, [])]
    spelled = any(
        isinstance(element, Field) and "propagate-accidentals" in element.value
        for element in [*score.header, *body]
    )
    writer = _Writer(meanings, start, several=len(parts) > 1, spelled=spelled)
    for element in body:
        writer.add(element)
    return Score(list(_header(score, start)), writer.body, score.problems)


def key_value(value: str) -> str:
    """Write the value of ``K:`` without clef, ionian as major and aeolian as minor.

    Examples
    --------
    >>> key_value("A Aeolian clef=bass"), key_value("Ddor"), key_value("")
    ('Am', 'Ddor', 'none')
    """
    text = parse_key(value).text
    tonic, sign = text[:1], text[1:2] if text[1:2] in ("#", "b") else ""
    mode = text[len(tonic + sign) :]
    return f"{tonic}{sign}{_PLAIN_MODES.get(mode, mode)}" or "none"


def metre_value(metre: Metre | None) -> str:
    """Write the value of ``M:``."""
    return "none" if metre is None else f"{metre.numerator}/{metre.denominator}"


def tempo_value(qpm: float, metre: Metre | None) -> str:
    """Write the value of ``Q:``, in whole beats of the metre a minute.

    Examples
    --------
    >>> tempo_value(180.0, Metre(6, 8)), tempo_value(99.9, None)
    ('3/8=120', '1/4=100')
    """
    length = Fraction(1, 4) if metre is None else beat(metre)
    count = max(round(qpm / float(4 * length)), 1)
    return f"{length.numerator}/{length.denominator}={count}"


def _with_units(events: list[Event]) -> Iterator[tuple[Event, Fraction]]:
    """Give the unit note length in force at each event of a voice."""
    unit: Fraction | None = None
    for event in events:
        if isinstance(event.element, Field):
            if event.element.key == "L":
                unit = parse_length(event.element.value)
            elif event.element.key == "K":
                unit = unit or default_length(event.meter)
        yield event, unit or UNIT


def _state(event: Event) -> _State:
    key = event.key.text if event.key is not None else ""
    return _State(event.meter, key_value(key), event.qpm)


def _said(score: Score) -> _State:
    """Read the header alone, where nothing sounds."""
    last = {entry.key: entry.value for entry in score.header}
    metre = parse_meter(last.get("M", "none"))
    unit = parse_length(last["L"]) if "L" in last else default_length(metre)
    qpm = parse_tempo(last["Q"], unit) if "Q" in last else None
    return _State(metre, key_value(last.get("K", "")), qpm)


def _header(score: Score, state: _State) -> Iterator[Field]:
    rhythm = " ".join(score.first("R").lower().split())
    if rhythm:
        yield Field(0, 0, "R", rhythm)
    yield Field(0, 0, "M", metre_value(state.metre))
    if state.qpm is not None:
        yield Field(0, 0, "Q", tempo_value(state.qpm, state.metre))
    yield Field(0, 0, "K", state.key)


class _Writer:
    """Writes a body, element by element."""

    def __init__(
        self, meanings: dict[int, _Meaning], start: _State, *, several: bool, spelled: bool
    ) -> None:
        self.body: list[Element] = []
        self._meanings = meanings
        self._start = start
        self._states: dict[int, _State] = {}
        self._voice = 0 if several else 1
        self._spelled = spelled

    def add(self, element: Element) -> None:
        """Take the next element; those of voices in which nothing sounds are passed over."""
        meaning = self._meanings.get(id(element))
        if meaning is None or isinstance(element, Field):
            return
        if meaning.voice != self._voice:
            self._voice = meaning.voice
            self._field("V", str(meaning.voice))
        match element:
            case Bar():
                self._bar(Bar(0, 0, element.kind.replace("[|", "||"), element.ending))
            case Overlay():
                self.body.append(Overlay(0, 0))
            case Sound():
                self._changes(_state(meaning.event))
                sound = _sound(element, meaning, spelled=self._spelled)
                if element.rest == "Z":
                    self._rests(replace(sound, length=element.length), meaning.event.meter)
                else:
                    self.body.append(sound)

    def _field(self, key: str, value: str) -> None:
        self.body.append(Field(0, 0, key, value, inline=True))

    def _changes(self, state: _State) -> None:
        before = self._states.get(self._voice, self._start)
        self._states[self._voice] = state
        if state.metre != before.metre:
            self._field("M", metre_value(state.metre))
        if state.key != before.key:
            self._field("K", state.key)
        if state.qpm is not None and state.qpm != before.qpm:
            self._field("Q", tempo_value(state.qpm, state.metre))

    def _bar(self, bar: Bar) -> None:
        last = self.body[-1] if self.body else None
        if isinstance(last, Bar):
            bar = _joined(last, bar)
            self.body.pop()
        elif last is None and not bar.starts_repeat and not bar.ending:
            return
        self.body.append(bar)

    def _rests(self, rest: Sound, metre: Metre | None) -> None:
        """Write the rest of whole bars bar by bar."""
        length = (metre.bar if metre else Fraction(1)) / UNIT
        self.body.append(replace(rest, length=length, rest="z"))
        for _ in range(int(rest.length) - 1):
            self.body += [Bar(0, 0, "|"), Sound(rest.line, rest.column, (), length, "z")]


def _joined(first: Bar, second: Bar) -> Bar:
    """Make one bar line of two with nothing between."""
    ends, starts = first.ends_repeat, second.starts_repeat
    if not (first.starts_repeat and second.ends_repeat):
        ends, starts = ends or second.ends_repeat, starts or first.starts_repeat
    if ends or starts:
        kind = "::" if ends and starts else ":|" if ends else "|:"
    else:
        kinds = {first.kind, second.kind}
        kind = "|]" if "|]" in kinds else "|" if kinds == {"|"} else "||"
    return Bar(0, 0, kind, second.ending or first.ending)


def _sound(sound: Sound, meaning: _Meaning, *, spelled: bool) -> Sound:
    """Keep chord symbols of all texts, and of grace notes the pitches."""
    tuplet = sound.tuplet
    if tuplet is not None and tuplet[1] == TUPLET_TIMES.get(tuplet[0]):
        tuplet = (tuplet[0], 0, tuplet[2])
    unit = meaning.unit
    notes = [
        _note(note, pitch, unit, spelled=spelled)
        for note, pitch in zip(sound.notes, meaning.event.pitches, strict=True)
    ]
    return Sound(
        sound.line, sound.column,
        tuple(notes),
        _eighths(sound.length, unit),
        "z" if sound.rest else "",
        tuplet=tuplet,
        opens=sound.opens,
        closes=sound.closes,
        grace=tuple([replace(note, length=Fraction(1)) for note in sound.grace]),
        quotes=tuple([text for text in sound.quotes if parse_harmony(text) or text in SILENCE]),
        decorations=sound.decorations,
    )  # fmt: skip


def _note(note: Note, pitch: int, unit: Fraction, *, spelled: bool) -> Note:
    """Write a note in the octave in which it sounds, which clefs and voices may move."""
    octave, accidental = note.octave, note.accidental
    semitones = pitch - MIDDLE_C - SEMITONES[note.letter]
    alter = (semitones + 6) % 12 - 6
    if alter in _SIGNS:
        octave = (semitones - alter) // 12
        accidental = _SIGNS[alter] if spelled else accidental
    return Note(accidental, note.letter, octave, _eighths(note.length, unit), note.tied)


@lru_cache(maxsize=1024)
def _eighths(length: Fraction, unit: Fraction) -> Fraction:
    return length * unit / UNIT
