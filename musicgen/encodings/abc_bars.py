"""The notes and rests of an ABC score, by bar."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import zip_longest
from typing import NamedTuple

from musicgen.encodings.alignment import AlignedBar, beat_number
from musicgen.encodings.grid import RESOLUTION
from musicgen.formats.abc import Score
from musicgen.formats.abc.events import Event
from musicgen.formats.abc.interpretation import interpret
from musicgen.formats.abc.numbering import Stretch, bar_numbers
from musicgen.formats.abc.score import Bar, Overlay, Sound
from musicgen.music import Note
from musicgen.notation.metre import Metre, beat

__all__ = ["Head", "heads_and_bars"]

VELOCITY = 64
COMMON = Metre(4, 4)


class Head(NamedTuple):
    """A note as it is written, a rest, or one of the notes of a chord.

    Attributes
    ----------
    sound
        What it is, or is of.
    note
        At 480 ticks a quarter note; the pitch of a rest is −1.
    bar
        Its place among the bars.
    beat
        Where in the bar it starts, the first beat being 1.
    """

    sound: Sound
    note: Note
    bar: int
    beat: float


def heads_and_bars(score: Score) -> tuple[list[Head], list[AlignedBar]]:
    """Return the notes and rests in the order of the text, and the bars; repeats are not played.

    Bars are those that `musicgen.formats.abc.numbering.bar_numbers` counts: what a repeat sign or a
    double bar line parts is one.

    Parameters
    ----------
    score
        The parsed tune.
    """
    voices = [list(_stretches(part.events)) for part in interpret(score)]
    numbers = list(bar_numbers(map(_stretch, zip_longest(*voices, fillvalue=[]))))
    places = {number: place for place, number in enumerate(dict.fromkeys(numbers))}
    found: dict[int, list[Head]] = {}
    bars: list[AlignedBar] = []
    for voice in voices:
        end = start = Fraction(0)
        before = None
        for events, number in zip(voice, numbers, strict=False):
            bar, first = places[number], end
            if number != before:
                start, before = first, number
            for since, sound, event in _onsets(events):
                now, duration = first + since, sound.length * event.scale
                if bar == len(bars):
                    bars.append(AlignedBar(number, _ticks(now), sound.line, sound.column))
                place = beat_number(now - start, 4 * beat(event.meter or COMMON))
                found[id(sound)] = [
                    Head(sound, _note(now, pitch, duration), bar, place)
                    for pitch in event.pitches or (-1,)
                ]
                end = max(end, now + duration)
    return [head for element in score.body for head in found.get(id(element), [])], bars


def _stretches(events: list[Event]) -> Iterator[list[Event]]:
    """Cut the events of a voice at its bar lines; give the sounds and overlays."""
    stretch: list[Event] = []
    for event in events:
        if isinstance(event.element, Sound) or (stretch and isinstance(event.element, Overlay)):
            stretch.append(event)
        elif stretch and isinstance(event.element, Bar):
            yield stretch
            stretch = []
    if stretch:
        yield stretch


def _onsets(events: list[Event]) -> Iterator[tuple[Fraction, Sound, Event]]:
    """Give each sound and how long after the bar line it starts, in quarter notes."""
    now = Fraction(0)
    for event in events:
        if isinstance(event.element, Sound):
            yield now, event.element, event
            now += event.element.length * event.scale
        else:
            now = Fraction(0)


def _stretch(row: Iterable[list[Event]]) -> Stretch:
    """Return how long what stands between two bar lines lasts, in quarter notes."""
    sounds = [sound for events in row for sound in _onsets(events)]
    length = max(since + sound.length * event.scale for since, sound, event in sounds)
    bar = next((4 * event.meter.bar for _, _, event in sounds if event.meter), length)
    rests = [int(sound.length) for _, sound, _ in sounds if sound.rest == "Z"]
    return Stretch(length, bar, max(rests, default=1))


def _note(now: Fraction, pitch: int, duration: Fraction) -> Note:
    time = _ticks(now)
    return Note(time, pitch, max(_ticks(now + duration) - time, 1), VELOCITY)


def _ticks(quarters: Fraction) -> int:
    return round(quarters * RESOLUTION)
