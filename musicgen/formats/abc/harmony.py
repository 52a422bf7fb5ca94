"""Chord symbols such as ``"Am7/G"`` → the pitches of their chords."""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["Harmony", "parse_harmony"]

_ROOTS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_SIGNS = {"#": 1, "♯": 1, "b": -1, "♭": -1}

# Semitones above the root, by the ways in which a chord is named; longer chords from shorter ones.
_TRIADS = {
    (0, 4, 7): ("", "maj", "M", "ma", "major"),
    (0, 3, 7): ("m", "min", "mi", "-", "minor"),
    (0, 3, 6): ("dim", "°", "o", "mb5"),
    (0, 4, 8): ("aug", "+", "#5"),
    (0, 4, 6): ("b5",),
    (0, 5, 7): ("sus", "sus4"),
    (0, 2, 7): ("sus2",),
    (0, 7): ("5",),
    (0, 4, 7, 9): ("6", "maj6", "M6", "add6"),
    (0, 3, 7, 9): ("m6", "min6", "-6"),
    (0, 4, 7, 10): ("7", "dom7"),
    (0, 4, 7, 11): ("maj7", "M7", "ma7", "Maj7", "Δ", "Δ7"),
    (0, 3, 7, 10): ("m7", "min7", "mi7", "-7"),
    (0, 3, 7, 11): ("mM7", "mmaj7", "minmaj7", "m(maj7)"),
    (0, 3, 6, 9): ("dim7", "°7", "o7"),
    (0, 3, 6, 10): ("m7b5", "ø", "ø7", "m7-5", "min7b5"),
    (0, 4, 8, 10): ("aug7", "+7", "7#5", "7+"),
    (0, 4, 6, 10): ("7b5", "7-5"),
    (0, 5, 7, 10): ("7sus4", "7sus"),
    (0, 4, 7, 9, 14): ("69", "6/9", "6add9"),
    (0, 4, 7, 14): ("add9", "add2", "2"),
    (0, 3, 7, 14): ("madd9", "madd2"),
    (0, 4, 7, 10, 14): ("9",),
    (0, 3, 7, 10, 14): ("m9", "min9", "-9"),
    (0, 4, 7, 11, 14): ("maj9", "M9", "ma9"),
    (0, 3, 6, 9, 14): ("dim9",),
    (0, 2, 7, 10): ("sus9", "7sus9", "9sus4", "9sus"),
    (0, 4, 7, 10, 13): ("7b9", "b9", "7-9"),
    (0, 4, 7, 10, 15): ("7#9", "7+9"),
    (0, 4, 7, 10, 14, 17): ("11",),
    (0, 3, 7, 10, 14, 17): ("m11", "min11"),
    (0, 4, 7, 10, 14, 21): ("13",),
    (0, 3, 7, 10, 14, 21): ("m13", "min13"),
}
_INTERVALS = {name: intervals for intervals, names in _TRIADS.items() for name in names}

_SYMBOL = re.compile(r"([A-G])([#♯b♭]?)(.*?)(?:/([A-Ga-g])([#♯b♭]?))?")


class Harmony(NamedTuple):
    """A chord.

    Attributes
    ----------
    bass
        Pitch class of the lowest note.
    root
        Pitch class that the chord is named after.
    intervals
        Its notes, in semitones above the root.
    """

    bass: int
    root: int
    intervals: tuple[int, ...]


def parse_harmony(text: str) -> Harmony | None:
    """Read a chord symbol; None for any other text.

    Examples
    --------
    >>> parse_harmony("Am7/G")
    Harmony(bass=7, root=9, intervals=(0, 3, 7, 10))
    >>> parse_harmony("D.C.") is None
    True
    """
    text = text.strip()
    if text.startswith("(") and text.endswith(")"):
        text = text[1:-1]
    match = _SYMBOL.fullmatch(text)
    if match is None:
        return None
    intervals = _INTERVALS.get(match[3].replace(" ", ""))
    if intervals is None:
        return None
    root = (_ROOTS[match[1]] + _SIGNS.get(match[2], 0)) % 12
    bass = (_ROOTS[match[4].upper()] + _SIGNS.get(match[5], 0)) % 12 if match[4] else root
    return Harmony(bass, root, intervals)
