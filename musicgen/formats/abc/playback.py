"""A score → its notes in exact time, repeats unfolded."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from musicgen.errors import FormatError
from musicgen.formats.abc import parts
from musicgen.formats.abc.accompaniment import accompany
from musicgen.formats.abc.events import Event, Instrument
from musicgen.formats.abc.interpretation import interpret
from musicgen.formats.abc.score import Bar, Overlay, Sound
from musicgen.formats.abc.unfolding import unfold

if TYPE_CHECKING:
    from musicgen.formats.abc.events import Part
    from musicgen.formats.abc.fields import Key
    from musicgen.formats.abc.score import Note, Score
    from musicgen.notation.metre import Metre

__all__ = ["Performance", "Played", "Voice", "perform"]

MAX_EVENTS = 500_000
"""More than this in one voice, repeats unfolded, is no tune but a slip or a trap."""


_FERMATAS = frozenset({"fermata", "invertedfermata"})


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
    """The notes of one voice that one instrument plays, sorted by onset.

    Attributes
    ----------
    name
        What the voice is called; may be empty.
    program
        General MIDI program.
    notes
        Its notes.
    is_drum
        Whether pitches name percussion sounds.
    is_accompaniment
        Whether the notes are made from chord symbols.
    """

    name: str = ""
    program: int = 0
    notes: list[Played] = field(default_factory=list)
    is_drum: bool = False
    is_accompaniment: bool = False


@dataclass(slots=True)
class Performance:
    """A tune as it sounds; times in quarter notes from its start.

    Attributes
    ----------
    voices
        In the order of the text; one whose instrument changes is as many of one name.
    tempos
        Onset and quarter notes a minute of each ``Q:``.
    meters
        Onset and metre of each ``M:`` but ``M:none``.
    keys
        Onset and key of each ``K:``.
    fermatas
        Onsets of the notes and rests that are held at will, in any voice.
    """

    voices: list[Voice] = field(default_factory=list)
    tempos: list[tuple[Fraction, float]] = field(default_factory=list)
    meters: list[tuple[Fraction, Metre]] = field(default_factory=list)
    keys: list[tuple[Fraction, Key]] = field(default_factory=list)
    fermatas: set[Fraction] = field(default_factory=set)


Heard = dict[Instrument, list[Played]]
"""The notes that each instrument plays."""

Waiting = dict[int, tuple[list[Played], int]]
"""Pitch of each note that is tied on → the notes among which it is, and its place there."""


def perform(score: Score, *, repeats: bool = True, accompaniment: bool = False) -> Performance:
    r"""Play a score.

    Ties are joined. Grace notes take no time and do not sound.

    Parameters
    ----------
    score
        What to play.
    repeats
        Whether repeats and variant endings are played out, and the parts in the order of the
        header's ``P:``. Otherwise every bar is played once, in the order of the text.
    accompaniment
        Whether the chord symbols are played too, as bass and chords in the manner of the metre, by
        a voice of their own that comes last.

    Raises
    ------
    FormatError
        When repeats and parts within one another come to more than half a million sounds.

    Examples
    --------
    >>> from musicgen.formats.abc import parse
    >>> from musicgen.music import Tune
    >>> voice = perform(parse(Tune("X:1\nL:1/4\nK:D\nF2-F|"))).voices[0]
    >>> [(float(note.onset), note.pitch, float(note.duration)) for note in voice.notes]
    [(0.0, 66, 3.0)]
    """
    performance = Performance()
    played_order = parts.order(score) if repeats else []
    chords: list[Played] = []
    voices = interpret(score)
    sections = [_in_order(part, played_order) if repeats else [part.events] for part in voices]
    if len(voices) > 1:
        _align(sections)
    for part, played in zip(voices, sections, strict=True):
        events = [event for section in played for event in section]
        heard, starts = _play(events)
        performance.voices += [
            Voice(part.name, instrument.program, notes, instrument.is_drum)
            for instrument, notes in heard.items()
            if notes
        ]
        performance.fermatas.update(
            start for event, start in zip(events, starts, strict=True) if _is_held(event)
        )
        # Tempo, metre and key are those of the tune: the first voice says them.
        if part is voices[0]:
            _note_changes(events, starts, performance)
        if accompaniment and not chords:
            chords = [Played(*note) for note in accompany(events, starts)]
    if chords:
        performance.voices.append(Voice("accompaniment", 0, chords, is_accompaniment=True))
    return performance


def _in_order(part: Part, played_order: list[str]) -> list[list[Event]]:
    """Lay out the events of a voice as they are played, part by part."""
    sections = [part.events]
    if played_order:
        found = parts.split(part.events, [event.element for event in part.events])
        sections = [found.get(label, []) for label in ["", *played_order]]
    played: list[list[Event]] = []
    count = 0
    for events in sections:
        bars = [event.element if isinstance(event.element, Bar) else None for event in events]
        played.append([])
        for event in unfold(events, bars):
            played[-1].append(event)
            count += 1
            if count > MAX_EVENTS:
                raise FormatError(
                    f"the repeats come to more than {MAX_EVENTS:,} notes",
                    hint="repeat less, or cut the tune",
                )
    return played


def _align(voices: list[list[list[Event]]]) -> None:
    """Let every part but the last start in all voices at once, in place."""
    for at in range(len(voices[0]) - 1):
        ends = [_play([*sections[at], Event(Bar(0, 0, "|"))])[1][-1] for sections in voices]
        for sections, end in zip(voices, ends, strict=True):
            if end < max(ends):
                silence = Sound(0, 0, (), max(ends) - end, "x")
                sections[at].append(Event(silence, Fraction(1)))


def _play(events: list[Event]) -> tuple[Heard, list[Fraction]]:
    """Find the notes of events, and the time at which each event starts."""
    heard: Heard = {}
    starts: list[Fraction] = []
    now = bar_start = bar_end = Fraction(0)
    # For each layer of the bar.
    waiting: list[Waiting] = [{}]
    layer = 0
    overlaid = False
    for event in events:
        starts.append(now)
        element = event.element
        if isinstance(element, Sound):
            duration = element.length * event.scale
            waiting[layer] = _sound(element, event, now, duration, heard, waiting[layer])
            now += duration
        elif isinstance(element, Bar):
            now = bar_start = max(now, bar_end)
            del waiting[layer + 1 :]
            layer = 0
        elif isinstance(element, Overlay):
            now, bar_end, overlaid = bar_start, max(now, bar_end), True
            layer += 1
            if layer == len(waiting):
                waiting.append({})
    if overlaid:
        for notes in heard.values():
            notes.sort()
    return heard, starts


def _sound(
    sound: Sound,
    event: Event,
    now: Fraction,
    whole: Fraction,
    heard: Heard,
    waiting: Waiting,
) -> Waiting:
    """Add the notes of a sound, low ones first; return those that are tied on."""
    tied_on: Waiting = {}
    own = heard.setdefault(event.instrument, [])
    pairs = zip(event.pitches, sound.notes, strict=True)
    for pitch, note in sorted(pairs, key=_pitch) if len(sound.notes) > 1 else pairs:
        duration = whole if note.length == sound.length else note.length * event.scale
        if pitch in waiting:
            notes, at = waiting[pitch]
            notes[at] = notes[at]._replace(duration=now + duration - notes[at].onset)
        else:
            notes, at = own, len(own)
            notes.append(Played(now, pitch, duration))
        if note.tied:
            tied_on[pitch] = notes, at
    return tied_on


def _is_held(event: Event) -> bool:
    return isinstance(event.element, Sound) and not _FERMATAS.isdisjoint(event.element.decorations)


def _pitch(pair: tuple[int, Note]) -> int:
    return pair[0]


def _note_changes(events: list[Event], starts: list[Fraction], performance: Performance) -> None:
    """Note where tempo, metre and key differ from what was before, repeats included."""
    key, meter, qpm = None, None, None
    for event, now in zip(events, starts, strict=True):
        if not event.scale:
            continue
        if event.key is not None and event.key != key:
            performance.keys.append((now, event.key))
        if event.meter is not None and event.meter != meter:
            performance.meters.append((now, event.meter))
        if event.qpm is not None and event.qpm != qpm:
            performance.tempos.append((now, event.qpm))
        key, meter, qpm = event.key, event.meter, event.qpm
