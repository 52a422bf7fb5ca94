"""A score → its notes in exact time, repeats unfolded."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from musicgen.formats.abc.interpretation import Event, Part, interpret
from musicgen.formats.abc.repeats import unfold
from musicgen.formats.abc.score import Bar, Field, Overlay, Sound

if TYPE_CHECKING:
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
        Onset and metre of each ``M:``; None for ``M:none``.
    keys
        Onset and key of each ``K:``.
    """

    voices: list[Voice] = field(default_factory=list)
    tempos: list[tuple[Fraction, float]] = field(default_factory=list)
    meters: list[tuple[Fraction, Meter | None]] = field(default_factory=list)
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
    for part in interpret(score):
        # Tempo, metre and key are those of the tune: the first voice says them.
        performance.voices.append(_play(part, None if performance.voices else performance))
    return performance


def _play(part: Part, changes: Performance | None) -> Voice:
    voice = Voice(part.name, part.program)
    now = bar_start = bar_end = Fraction(0)
    waiting: dict[int, int] = {}
    bars = [event.element if isinstance(event.element, Bar) else None for event in part.events]
    for event in unfold(part.events, bars):
        match event.element:
            case Sound():
                waiting = _sound(event, now, voice.notes, waiting)
                now += event.duration
            case Bar():
                now = bar_start = max(now, bar_end)
            case Overlay():
                now, bar_end, waiting = bar_start, max(now, bar_end), {}
            case Field() if changes is not None:
                _change(event, now, changes)
    voice.notes.sort()
    return voice


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


def _change(event: Event, now: Fraction, changes: Performance) -> None:
    if event.key is not None:
        changes.keys.append((now, event.key))
    elif event.qpm is not None:
        changes.tempos.append((now, event.qpm))
    elif isinstance(event.element, Field) and event.element.key == "M":
        changes.meters.append((now, event.meter))
