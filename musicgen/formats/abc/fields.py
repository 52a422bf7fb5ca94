"""The values of the fields that change how notes sound: ``K:``, ``M:``, ``L:`` and ``Q:``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from musicgen.notation.metre import Metre
from musicgen.notation.spelling import LETTERS, signature

__all__ = [
    "Key",
    "default_length",
    "parse_key",
    "parse_length",
    "parse_meter",
    "parse_tempo",
]

MODES = {
    "maj": ("major", 0),
    "ion": ("ionian", 0),
    "m": ("minor", -3),
    "min": ("minor", -3),
    "aeo": ("aeolian", -3),
    "mix": ("mixolydian", -1),
    "dor": ("dorian", -2),
    "phr": ("phrygian", -4),
    "lyd": ("lydian", 1),
    "loc": ("locrian", -5),
}
"""First letters of a mode → its name, and how many fifths its signature lies from major's."""

ACCIDENTALS = {"^": 1, "^^": 2, "_": -1, "__": -2, "=": 0}

_TONIC = re.compile(r"([A-G])([#b♯♭]?)")
_MODE = re.compile(r"[ \t]*([A-Za-z]+)")
_ALTERATION = re.compile(r"(\^\^?|__?|=)([A-Ga-g])(?![A-Za-z])")
_TEMPO = re.compile(
    r"(?:(?:[Cc](?P<units>\d?)|(?P<beats>\d{1,3}/\d{1,3}(?:[ ]+\d{1,3}/\d{1,3}){0,3}))[ ]*=)?"
    r"[ ]*(?P<count>\d{1,4}(?:\.\d{1,3})?)(?:[ ]*bpm)?"
)
_PROPERTY = re.compile(
    r"\b(?:clef|middle|octave|transpose|score|sound|shift|stafflines|staffscale|name|nm|m|t)=\S+"
)
_CLEFS = ("treble", "bass", "alto", "tenor", "perc", "clef", "none")
_NOT_A_KEY = (*_CLEFS, "octave", "transpose", "middle", "staff")
_NOT_A_MODE = (*_NOT_A_KEY, "exp", "m=", "t=")


@dataclass(frozen=True, slots=True)
class Key:
    """A key signature.

    Attributes
    ----------
    fifths
        Sharps (positive) or flats (negative).
    mode
        ``"major"``, ``"minor"``, ``"dorian"``, …
    alterations
        Accidental of each letter that the signature alters, in semitones; a letter that the
        field names explicitly may be 0.
    text
        The field's value in its usual spelling; empty where it names no key but a clef or the like.
    """

    fifths: int
    mode: str
    alterations: dict[str, int]
    text: str


@lru_cache(maxsize=256)
def parse_key(value: str) -> Key:
    """Read the value of ``K:``; clefs and the like are passed over.

    Raises
    ------
    ValueError
        When it is no key; the text says why.

    Examples
    --------
    >>> parse_key("D").alterations
    {'F': 1, 'C': 1}
    >>> key = parse_key("A Dorian")
    >>> key.fifths, key.mode, key.text
    (1, 'dorian', 'Ador')
    >>> parse_key("G ^f _b clef=bass middle=d").alterations
    {'F': 1, 'B': -1}
    """
    is_empty = not value.strip()
    value = _PROPERTY.sub("", value).strip()
    explicit = {letter.upper(): ACCIDENTALS[sign] for sign, letter in _ALTERATION.findall(value)}
    signs = "".join(f" {sign}{letter.lower()}" for sign, letter in _ALTERATION.findall(value))
    if value[:2] in ("HP", "Hp"):
        return Key(2, "mixolydian", signature(2), value[:2])
    tonic = _TONIC.match(value)
    if tonic is None:
        if not value or _ALTERATION.match(value) or value.lower().startswith(_NOT_A_KEY):
            says = is_empty or explicit or value.lower().startswith("none")
            return Key(0, "major", explicit, f"none{signs}" if says else "")
        raise ValueError(f"{value!r} is not a key")
    letter, sign = tonic[1], {"♯": "#", "♭": "b"}.get(tonic[2], tonic[2])
    rest, mode, shift, short = value[tonic.end() :], "major", 0, ""
    word = _MODE.match(rest)
    if word is not None and not rest.strip().lower().startswith(_NOT_A_MODE):
        name = word[1]
        known = MODES.get(name[:3].lower())
        if known is not None:
            mode, shift = known
            short = {"minor": "m", "major": ""}.get(mode, name[:3].lower())
        elif rest[0] not in " \t":
            raise ValueError(f"{name!r} is not a mode")
    fifths = LETTERS.index(letter) - 1 + {"#": 7, "b": -7, "": 0}[sign] + shift
    if not -7 <= fifths <= 7:
        raise ValueError(f"{letter}{sign}{short} has more than seven sharps or flats")
    if re.match(r"[ \t]*exp", rest):
        return Key(0, "major", explicit, f"{letter}{sign} exp{signs}")
    return Key(fifths, mode, signature(fifths) | explicit, f"{letter}{sign}{short}{signs}")


@lru_cache(maxsize=256)
def parse_meter(value: str) -> Metre | None:
    """Read the value of ``M:``; None for ``none``.

    Raises
    ------
    ValueError
        When it is no metre.

    Examples
    --------
    >>> parse_meter("C|"), parse_meter("(2+3)/8"), parse_meter("none")
    (Metre(numerator=2, denominator=2), Metre(numerator=5, denominator=8), None)
    """
    value = value.strip()
    if value == "none":
        return None
    if value in ("C", "c", "C|", "c|"):
        return Metre(4, 4) if len(value) == 1 else Metre(2, 2)
    match = re.fullmatch(
        r"\(?[ ]*(\d{1,2}(?:[ ]*\+[ ]*\d{1,2}){0,9})[ ]*\)?[ ]*/[ ]*(\d{1,2})", value
    )
    if match is not None:
        numerator, denominator = sum(map(int, match[1].split("+"))), int(match[2])
        if numerator and denominator in (1, 2, 4, 8, 16, 32, 64):
            return Metre(numerator, denominator)
    raise ValueError(f"{value!r} is not a metre")


@lru_cache(maxsize=256)
def parse_length(value: str) -> Fraction:
    """Read the value of ``L:``: the unit note length, as a part of a whole note.

    Raises
    ------
    ValueError
        When it is not one over a power of two up to 512.

    Examples
    --------
    >>> [str(parse_length(text)) for text in ("1/8", "1", "1/512")]
    ['1/8', '1', '1/512']
    """
    match = re.fullmatch(r"1(?:/(\d{1,3}))?", value.strip())
    if match is not None:
        denominator = int(match[1] or 1)
        if denominator and not denominator & (denominator - 1):
            return Fraction(1, denominator)
    raise ValueError(f"{value!r} is not a unit note length")


def default_length(meter: Metre | None) -> Fraction:
    """Return the unit note length where no ``L:`` is given: it follows from the metre."""
    return Fraction(1, 16) if meter is not None and meter.bar < Fraction(3, 4) else Fraction(1, 8)


def parse_tempo(value: str, unit: Fraction) -> float | None:
    """Read the value of ``Q:``.

    Parameters
    ----------
    value
        ``"1/4=100"``, ``'"Allegro" 3/8=60'``, ``"1/4 3/8 1/4=40"``, which adds up the beat, or one
        of the old ``"120"``, ``"C=120"`` and ``"C3=40"``, which count unit note lengths.
    unit
        The unit note length, which the old form counts.

    Returns
    -------
    float or None
        Quarter notes a minute; None where the field holds words only.

    Raises
    ------
    ValueError
        When it is no tempo.

    Examples
    --------
    >>> [parse_tempo(text, Fraction(1, 8)) for text in ("3/8=60", "120", "C3=40", "1/4 1/8=60")]
    [90.0, 60.0, 60.0, 90.0]
    """
    text = re.sub(r'"[^"]*"', "", value).strip()
    if not text and value.strip():
        return None
    match = _TEMPO.fullmatch(text)
    if match is None or not float(match["count"]):
        raise ValueError(f"{value!r} is not a tempo")
    if match["units"] is not None:
        beat = unit * int(match["units"] or 1)
    elif match["beats"] is not None:
        beat = sum(map(_fraction, match["beats"].split()), Fraction(0))
    else:
        beat = unit
    if not beat:
        raise ValueError(f"{value!r} is not a tempo")
    return float(match["count"]) * float(beat) * 4


def _fraction(text: str) -> Fraction:
    numerator, denominator = map(int, text.split("/"))
    if not numerator or not denominator or denominator & (denominator - 1):
        raise ValueError(f"{text!r} is not the length of a beat")
    return Fraction(numerator, denominator)
