"""Tempo, metre, key and upbeat of a piece, as the fields that say them."""

from __future__ import annotations

import math
import re
import warnings
from fractions import Fraction
from typing import TYPE_CHECKING, TypeVar

from musicgen.convert.notation.key import find_key, key_text
from musicgen.convert.notation.metre import find_metre, find_pickup
from musicgen.errors import FormatError, FormatWarning
from musicgen.formats.abc.fields import parse_key, parse_meter
from musicgen.music import KeySignature, Tempo, TimeSignature
from musicgen.notation.metre import Metre

if TYPE_CHECKING:
    from collections.abc import Iterable

    from musicgen.convert.notation.metre import Onsets
    from musicgen.music import Music

__all__ = ["Fields", "fields", "keys", "metres", "pickup", "tempos"]

MIN_BARS_TO_COUNT = 4
MIN_NOTES_FOR_A_KEY, MIN_PITCH_CLASSES = 8, 4
MIN_QPM, MAX_QPM = 0.001, 9999.0

Fields = dict[Fraction, list[tuple[str, str]]]
"""Letter and value of the fields at a time in whole notes."""

Metres = list[tuple[Fraction, Metre]]
Keys = list[tuple[Fraction, str]]
Tempos = list[tuple[Fraction, float]]
"""Time in whole notes and value of each change; the first metre and key hold from 0."""

Change = TypeVar("Change", Tempo, TimeSignature, KeySignature)


def _sounding(music: Music, changes: Iterable[Change]) -> list[tuple[Fraction, Change]]:
    """Give the time in whole notes of each change before the last note ends."""
    whole, end = 4 * music.resolution, music.end
    return [(Fraction(x.time, whole), x) for x in changes if x.time < end]


def metres(music: Music, metre: str | None, onsets: Onsets) -> Metres:
    """Find the metres of a piece, or take the one given for all of it.

    Where the piece says none, the one that fits is chosen, 4/4 where there is too little to tell;
    the first that it says holds from the start.

    Raises
    ------
    FormatError
        When ABC has no such metre.
    """
    if metre is not None:
        return [(Fraction(0), _read_metre(metre))]
    found = [
        (time, _read_metre(f"{change.numerator}/{change.denominator}"))
        for time, change in _sounding(music, music.time_signatures)
    ]
    if not found:
        enough = bool(onsets) and onsets[-1][0] >= MIN_BARS_TO_COUNT
        return [(Fraction(0), find_metre(onsets) if enough else Metre(4, 4))]
    # Where the first is said stands a bar line all the same.
    return found if found[0][0] == 0 else [(Fraction(0), found[0][1]), *found]


def _read_metre(text: str) -> Metre:
    try:
        found = parse_meter(text)
    except ValueError:
        found = None
    if found is None:
        raise FormatError(
            f"a metre of {text} cannot be written",
            hint="ABC has up to 99 parts of 1/1 to 1/64; give another, such as metre='4/4'",
        )
    return found


def pickup(length: str | None, found: Metres, onsets: Onsets) -> Fraction:
    """Read or estimate the upbeat, less than a bar, in whole notes.

    Raises
    ------
    FormatError
        When it is no length.
    """
    _, metre = found[0]
    if length is not None:
        match = re.fullmatch(r"(\d{1,3})(?:/(\d{1,3}))?", length)
        denominator = int(match[2] or 1) if match else 0
        if match is None or not denominator or denominator & (denominator - 1):
            raise FormatError(f"{length!r} is not an upbeat", hint="write for example 1/8")
        return Fraction(int(match[1]), denominator) % metre.bar
    if len(found) > 1:
        # Metres change at bar lines.
        return found[1][0] % metre.bar
    if not onsets or onsets[-1][0] < MIN_BARS_TO_COUNT * metre.bar:
        return Fraction(0)
    return find_pickup(onsets, metre)


def keys(music: Music, key: str | None) -> Keys:
    """Find the keys of a piece as values of ``K:``, or take the one given for all of it.

    Where the piece says none, the one that fits is chosen, C where there is too little to tell.

    Raises
    ------
    FormatError
        When there is no such key.
    """
    if key is not None:
        try:
            return [(Fraction(0), parse_key(key).text)]
        except ValueError as error:
            raise FormatError(str(error), hint="write for example G, Am or Ddor") from error
    found = []
    for time, change in _sounding(music, music.key_signatures):
        if not -7 <= change.fifths <= 7:
            raise FormatError(
                f"a key of {abs(change.fifths)} {'sharps' if change.fifths > 0 else 'flats'}",
                hint="there are up to seven; give one, such as key='C'",
            )
        found.append((time, key_text(change.fifths, change.mode)))
    if found:
        return [(Fraction(0), found[0][1]), *found]
    notes = [note for track in music.tracks if not track.is_drum for note in track.notes]
    durations = [0.0] * 12
    for note in notes:
        durations[note.pitch % 12] += note.duration
    enough = len(notes) >= MIN_NOTES_FOR_A_KEY and sum(map(bool, durations)) >= MIN_PITCH_CLASSES
    return [(Fraction(0), key_text(*find_key(durations)) if enough else "C")]


def tempos(music: Music) -> Tempos:
    """Find the tempos of a piece, clipped to what ABC can say.

    Raises
    ------
    FormatError
        When one is not a number.
    """
    found = []
    for time, tempo in _sounding(music, music.tempos):
        if math.isnan(tempo.qpm):
            raise FormatError("a tempo is not a number", hint="give it in quarter notes a minute")
        clipped = min(max(tempo.qpm, MIN_QPM), MAX_QPM)
        if clipped != tempo.qpm:
            warnings.warn(
                f"a tempo of {tempo.qpm:g} quarter notes a minute is written as {clipped:g}",
                FormatWarning,
                stacklevel=3,
            )
        found.append((time, clipped))
    return found


def fields(metres: Metres, keys: Keys, tempos: Tempos) -> Fields:
    """List by time the fields that change something."""
    changes = [
        *((time, "M", f"{metre.numerator}/{metre.denominator}") for time, metre in metres),
        *((time, "K", text) for time, text in keys),
        *((time, "Q", _tempo(qpm, time, metres)) for time, qpm in tempos),
    ]
    found: Fields = {}
    last: dict[str, str] = {}
    for time, letter, value in sorted(changes, key=lambda change: change[0]):
        if last.get(letter) != value:
            found.setdefault(time, []).append((letter, value))
        last[letter] = value
    return found


def _tempo(qpm: float, time: Fraction, metres: Metres) -> str:
    """Write the value of ``Q:``, in dotted beats where they make it a whole number."""
    metre = [metre for start, metre in metres if start <= time][-1]
    if metre.is_compound and metre.denominator == 8 and qpm % 1.5 == 0:
        return f"3/8={qpm / 1.5:.0f}"
    return "1/4=" + f"{qpm:.3f}".rstrip("0").rstrip(".")
