"""Chord symbols → bass and chords in the manner of the metre."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from musicgen.formats.abc.harmony import Harmony, parse_harmony
from musicgen.formats.abc.score import Bar, Sound
from musicgen.formats.abc.signs import SILENCE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from musicgen.formats.abc.events import Event
    from musicgen.notation.metre import Metre

__all__ = ["accompany", "pattern"]

BASS, CHORD = 36, 48
"""Where the octaves of the bass and of the chords start: MIDI numbers of C."""


def pattern(meter: Metre | None) -> str:
    """Find how a bar is accompanied: ``f`` the bass, ``c`` the chord, ``z`` neither.

    Examples
    --------
    >>> from musicgen.notation.metre import Metre
    >>> pattern(Metre(4, 4)), pattern(Metre(6, 8)), pattern(Metre(3, 4))
    ('fzczfzcz', 'fzcfzc', 'fzczcz')
    """
    if meter is None or meter.bar == 1:
        return "fzczfzcz"
    if meter.is_compound and meter.denominator >= 8:
        return "fzc" * (meter.numerator // 3)
    return "fz" + "cz" * (meter.numerator - 1)


def accompany(
    events: Sequence[Event], starts: Sequence[Fraction]
) -> Iterator[tuple[Fraction, int, Fraction]]:
    """Give onset, pitch and duration of the notes of the accompaniment, sorted by onset.

    A chord holds until the next. A short bar at the start is a pick-up, left to the tune.

    Parameters
    ----------
    events
        Those of one voice, in the order in which they are played.
    starts
        When each starts, in quarter notes.
    """
    harmony: Harmony | None = None
    changes: list[tuple[Fraction, Harmony | None]] = []
    bar_start, bar_end, meter, is_first = Fraction(0), Fraction(0), None, True
    for event, start in zip(events, starts, strict=True):
        element = event.element
        if isinstance(element, Bar) and start > bar_start:
            full = 4 * meter.bar if meter else Fraction(4)
            if not (is_first and start - bar_start < full):
                yield from _bar(pattern(meter), full, bar_start, start, harmony, changes)
            harmony = changes[-1][1] if changes else harmony
            bar_start, changes, is_first = start, [], False
        if isinstance(element, Bar | Sound):
            for text in element.quotes:
                found = parse_harmony(text)
                if found is not None or text in SILENCE:
                    changes.append((start, found))
        if isinstance(element, Sound):
            meter = event.meter
            bar_end = max(bar_end, start + element.length * event.scale)
    full = 4 * meter.bar if meter else Fraction(4)
    yield from _bar(pattern(meter), full, bar_start, bar_end, harmony, changes)


def _bar(
    signs: str,
    full: Fraction,
    start: Fraction,
    end: Fraction,
    harmony: Harmony | None,
    changes: list[tuple[Fraction, Harmony | None]],
) -> Iterator[tuple[Fraction, int, Fraction]]:
    """Give the notes of one bar, which starts with one harmony and changes to others."""
    step = full / len(signs)
    waiting = list(changes)
    for at, sign in enumerate(signs):
        onset = start + at * step
        if onset >= end:
            break
        while waiting and waiting[0][0] <= onset:
            harmony = waiting.pop(0)[1]
        duration = min(step, end - onset)
        if harmony is None:
            continue
        if sign == "f":
            yield onset, BASS + harmony.bass, duration
        elif sign == "c":
            for interval in harmony.intervals:
                yield onset, CHORD + harmony.root + interval, duration
