"""Reels to learn from, on a grid of eighths; they come with music21, so nothing is downloaded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt

from musicgen.datasets import export
from musicgen.formats import abc
from musicgen.formats.abc.interpretation import interpret
from musicgen.formats.abc.score import Bar, Sound
from musicgen.music import Tune

__all__ = ["HELD", "LOWEST", "STEPS", "SYMBOLS", "Melody", "eighths", "note_names", "reels"]

STEPS = 8
"""Eighths in a bar."""

HELD, LOWEST, HIGHEST = 0, 55, 88
SYMBOLS = HIGHEST - LOWEST + 2
"""`HELD`, and the pitches from G below middle C to the E almost three octaves above it."""

Melody = npt.NDArray[np.int64]
"""Bars of eighths ``(bars, STEPS)``: the symbol of the pitch that starts there, or `HELD`."""

_METRE = re.compile(r"^M:[ \t]*(C\|?|2/2|4/4)[ \t]*$", re.MULTILINE)
_TITLE = re.compile(r"^T:[ \t]*(.*)$", re.MULTILINE)
_NAMES = ("C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B")


@cache
def reels() -> tuple[Melody, ...]:
    """Read the melodies in 2/2 and 4/4 of O'Neill's Music of Ireland, each once.

    Most are reels, the others hornpipes and airs. Of those with one title, the first is taken.

    Raises
    ------
    CorpusError
        When music21 came without its corpus.
    """
    with TemporaryDirectory() as folder:
        tunes = [tune for file in export("oneills", Path(folder)) for tune in abc.read(file)]
    by_title: dict[str, Tune] = {}
    for tune in tunes:
        title = _TITLE.search(tune.text)
        if title is not None and _METRE.search(tune.text):
            # Some pages were transcribed twice; no tune may be both learned and asked for.
            by_title.setdefault(title[1].strip().lower(), tune)
    melodies = map(eighths, by_title.values())
    return tuple({melody.tobytes(): melody for melody in melodies if len(melody)}.values())


def eighths(tune: Tune) -> Melody:
    r"""Return the whole bars of a tune, moved to a key without sharps or flats.

    Bars of another length than eight eighths, upbeats among them, are left out, and so are those
    with a pitch that has no symbol; and of the others the notes that start between two eighths. A
    rest counts as `HELD`; of a chord the highest note counts.

    Raises
    ------
    FormatError
        When the tune cannot be read.

    Examples
    --------
    >>> eighths(Tune("X:1\nM:C|\nL:1/8\nK:D\nd|DEF2 A2d>d|"))
    array([[ 6,  8, 10,  0, 13,  0, 18,  0]])
    """
    bars = [bar for bar in _bars(tune) if min(bar) >= HELD and max(bar) < SYMBOLS]
    return np.array(bars, np.int64).reshape(-1, STEPS)


def _bars(tune: Tune) -> Iterator[list[int]]:
    bar, time = [HELD] * STEPS, Fraction(0)
    for event in interpret(abc.parse(tune))[0].events:
        if isinstance(event.element, Bar):
            if time == STEPS and any(bar):
                yield bar
            bar, time = [HELD] * STEPS, Fraction(0)
        elif isinstance(event.element, Sound):
            if event.pitches and time < STEPS and time.denominator == 1:
                fifths = event.key.fifths if event.key is not None else 0
                semitones = (5 * fifths + 6) % 12 - 6
                bar[int(time)] = max(event.pitches) + semitones - LOWEST + 1
            time += 2 * event.element.length * event.scale


def note_names(symbols: npt.NDArray[np.int64]) -> list[str]:
    """Write symbols as names with octaves, C4 being middle C, and `HELD` as a dash.

    Examples
    --------
    >>> note_names(np.array([6, 0, 18]))
    ['C4', '–', 'C5']
    """
    pitches = [int(symbol) + LOWEST - 1 for symbol in symbols]
    return [
        f"{_NAMES[pitch % 12]}{pitch // 12 - 1}" if pitch >= LOWEST else "–" for pitch in pitches
    ]
