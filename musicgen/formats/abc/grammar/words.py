"""What can be written out of a finite number of words: fields, lengths, signs and bar lines."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product

from musicgen.formats.abc.fields import parse_key, parse_length, parse_meter, parse_tempo
from musicgen.formats.abc.interpretation import UNIT

__all__ = [
    "BARS",
    "CHORDS",
    "ENDINGS",
    "LENGTHS",
    "NAMES",
    "PITCHES",
    "TUPLETS",
    "VALUES",
    "is_value",
]

_MODES = {
    "": ("maj", "ion", "major", "ionian"), "m": ("m", "min", "aeo", "minor", "aeolian"),
    "dor": ("dor", "dorian"), "phr": ("phr", "phrygian"), "lyd": ("lyd", "lydian"),
    "mix": ("mix", "mixolydian"), "loc": ("loc", "locrian"),
}  # fmt: skip
_DENOMINATORS = (2, 4, 8)
_LONGEST = 24


def is_value(key: str, value: str) -> bool:
    """Whether a field of the header can have this value and leave bars that can be filled.

    Examples
    --------
    >>> is_value("M", "6/8"), is_value("M", "none"), is_value("K", "H")
    (True, False, False)
    """
    try:
        match key:
            case "M":
                metre = parse_meter(value)
                return metre is not None and metre.bar <= 4
            case "L":
                parse_length(value)
            case "Q":
                return parse_tempo(value, UNIT) is not None
            case "K":
                parse_key(value)
    except ValueError:
        return False
    return True


def _keys() -> Iterator[str]:
    for letter, sign, mode in product("ABCDEFG", ("", "#", "b"), _MODES):
        tonic = letter + sign
        if is_value("K", tonic + mode):
            if not mode:
                yield tonic
            for name in _MODES[mode]:
                # A capital M alone is not the short form of minor.
                capital = (name.capitalize(),) if len(name) > 1 else ()
                yield from (tonic + space + n for n in (name, *capital) for space in ("", " "))


VALUES = {
    "M": ["C", "C|", *(f"{n}/{d}" for n, d in product(range(1, 16), (2, 4, 8, 16)))],
    "L": ["1/2", "1/4", "1/8", "1/16", "1/32"],
    "Q": [f"{beat}={n}" for beat, n in product(("1/8", "1/4", "3/8", "1/2"), range(30, 300))],
    "K": list(_keys()),
}
"""Letter of a field of the header → values that it can have."""

LENGTHS = {
    "": Fraction(1), "/": Fraction(1, 2), "//": Fraction(1, 4), "///": Fraction(1, 8),
    **{str(n): Fraction(n) for n in range(1, _LONGEST + 1)},
    **{f"/{d}": Fraction(1, d) for d in _DENOMINATORS},
    **{f"{n}/": Fraction(n, 2) for n in range(1, _LONGEST + 1)},
    **{f"{n}//": Fraction(n, 4) for n in range(1, _LONGEST + 1)},
    **{f"{n}/{d}": Fraction(n, d) for n in range(1, _LONGEST + 1) for d in _DENOMINATORS},
}  # fmt: skip
"""What follows a note → its length in units."""

PITCHES = [
    f"{sign}{letter}{octaves}"
    for sign in ("", "^", "^^", "_", "__", "=")
    for letters, marks in (("CDEFGAB", ("", ",", ",,")), ("cdefgab", ("", "'", "''")))
    for letter, octaves in product(letters, marks)
]
"""Notes without length, up to two octaves around those that need no mark."""

TUPLETS = {
    **{f"({p}": (p, 0, p) for p in range(2, 10)},
    **{f"({p}:{q}": (p, q, p) for p, q in ((2, 3), (3, 2), (4, 3), (5, 2), (5, 4), (6, 4), (7, 4))},
    **{f"(3:2:{r}": (3, 2, r) for r in range(2, 7)},
    **{f"(3::{r}": (3, 2, r) for r in range(2, 7)},
}
"""Signs of tuplets → their numbers; a second one of 0 follows from the first and the metre."""

NAMES = [
    f"!{name}!"
    for name in (
        "trill", "accent", "staccato", "upbow", "downbow", "lowermordent", "uppermordent",
        "mordent", "turn", "p", "pp", "f", "ff", "mf", "mp",
    )
]  # fmt: skip
"""Decorations that are written by name."""

CHORDS = [
    f'"{letter}{sign}{kind}{bass}"'
    for letter, sign in product("ABCDEFG", ("", "#", "b"))
    for kind in ("", "m", "7", "m7", "maj7", "dim", "dim7", "aug", "sus4", "sus2", "6", "m6", "9")
    for bass in ("", *(f"/{note}{sign}" for note, sign in product("ABCDEFG", ("", "#", "b"))))
]
"""Chord symbols."""

BARS = {
    "|": ("|", 0), "|1": ("|", 1), "|[1": ("|", 1),
    "||": ("||", 0), "|]": ("||", 0),
    "|:": ("|:", 0), "||:": ("|:", 0), "|||:": ("|:", 0), "|]|:": ("|:", 0),
    ":|": (":|", 0), ":||": (":|", 0), ":|]": (":|", 0), ":|2": (":|", 2), ":|[2": (":|", 2),
    "::": ("::", 0), ":|:": ("::", 0), ":||:": ("::", 0),
}  # fmt: skip
"""Bar lines → their kind, and the number of the ending that starts there or 0."""

ENDINGS = {"[1": 1, "[2": 2}
"""Signs of endings that stand apart from the bar line."""
