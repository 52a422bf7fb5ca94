"""A score → its notes in exact time, repeats unfolded."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from musicgen.formats.abc import parts
from musicgen.formats.abc.interpretation import interpret
from musicgen.formats.abc.repeats import unfold
from musicgen.formats.abc.score import Bar, Overlay, Sound

if TYPE_CHECKING:
    from musicgen.formats.abc.events import Event, Part
    from musicgen.formats.abc.fields import Key, Meter
    from musicgen.formats.abc.score import Score

__all__ = ["Performance", "Played", "Voice", "perform"]


class Played(NamedTuple):
    """A note as it sounds.

    Attributes
    ----------
    onset, duration
        In quarter notes.
    pitch
        MIDI number.
    """

    onset: Fraction
    pitch: int
    duration: Fraction


@dataclass(slots=True)
class Voice:
    """The notes of one voice, sorted by onset.

    Attributes
    ----------
    name
        What the voice is called; may be empty.
    program
        General MIDI program.
    notes
        Its notes.
    """

    name: str = ""
    program: int = 0
    notes: list[Played] = field(default_factory=list)


@dataclass(slots=True)
class Performance:
    """A tune as it sounds; times in quarter notes from its start.

    Attributes
    ----------
    voices
        In the order of the text.
    tempos
        Onset and quarter notes a minute of each ``Q:``.
    meters
        Onset and metre of each ``M:`` but ``M:none``.
    keys
        Onset and key of each ``K:``.
    """

    voices: list[Voice] = field(default_factory=list)
    tempos: list[tuple[Fraction, float]] = field(default_factory=list)
    meters: list[tuple[Fraction, Meter]] = field(default_factory=list)
    keys: list[tuple[Fraction, Key]] = field(default_factory=list)


def perform(score: Score) -> Performance:
    r"""Play a score.

    Ties are joined, repeats and variant endings played out. Grace notes take no time and do not
    sound, nor do chord symbols.

    Examples
    --------
    >>> from musicgen.formats.abc import parse
    >>> from musicgen.music import Tune
    >>> voice = perform(parse(Tune("X:1\nL:1/4\nK:D\nF2-F|"))).voices[0]
    >>> [(float(note.onset), note.pitch, float(note.duration)) for note in voice.notes]
    [(0.0, 66, 3.0)]
    """
    performance = Performance()
    played_order = parts.order(score)
    for part in interpret(score):
        events = _in_order(part, played_order)
        performance.voices.append(Voice(part.name, part.program, _play(events)))
        # Tempo, metre and key are those of the tune: the first voice says them.
        if len(performance.voices) == 1:
            _note_changes(events, performance)
    return performance


def _in_order(part: Part, played_order: list[str]) -> list[Event]:
    """Lay out the events of a voice as they are played."""
    sections = [part.events]
    if played_order:
        found = parts.split(part.events, [event.element for event in part.events])
        sections = [found.get(label, []) for label in ["", *played_order]]
    return [
        event
        for events in sections
        for event in unfold(
            events, [event.element if isinstance(event.element, Bar) else None for event in events]
        )
    ]


def _play(events: list[Event]) -> list[Played]:
    notes: list[Played] = []
    now = bar_start = bar_end = Fraction(0)
    waiting: dict[int, int] = {}
    for event in events:
        match event.element:
            case Sound():
                waiting = _sound(event, now, notes, waiting)
                now += event.duration
            case Bar():
                now = bar_start = max(now, bar_end)
            case Overlay():
                now, bar_end, waiting = bar_start, max(now, bar_end), {}
    return sorted(notes)


def _sound(
    event: Event, now: Fraction, notes: list[Played], waiting: dict[int, int]
) -> dict[int, int]:
    """Add the notes of an event; return those that are tied on, by pitch."""
    tied_on = {}
    for pitch, duration, tied in event.pitches:
        at = waiting.get(pitch)
        if at is None:
            at = len(notes)
            notes.append(Played(now, pitch, duration))
        else:
            notes[at] = notes[at]._replace(duration=now + duration - notes[at].onset)
        if tied:
            tied_on[pitch] = at
    return tied_on


def _note_changes(events: list[Event], performance: Performance) -> None:
    """Note where tempo, metre and key differ from what was before, repeats included."""
    now = Fraction(0)
    key, meter, qpm = None, None, None
    for event in events:
        if not event.duration:
            continue
        if event.key is not None and event.key != key:
            performance.keys.append((now, event.key))
        if event.meter is not None and event.meter != meter:
            performance.meters.append((now, event.meter))
        if event.qpm is not None and event.qpm != qpm:
            performance.tempos.append((now, event.qpm))
        key, meter, qpm = event.key, event.meter, event.qpm
        now += event.duration
