"""What signs mean: metre, key, tempo, loudness and the numbers of endings."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING

from musicgen.formats.musicxml.document import NUMBER

if TYPE_CHECKING:
    from collections import Counter

    from musicgen.formats.musicxml.document import Element

__all__ = ["FORTE", "MODES", "dynamics", "ending_numbers", "key", "metre", "tempo"]

# A note's loudness is in hundredths of forte, which is this velocity.
FORTE = 90
VELOCITIES = {
    "pppp": 10,
    "ppp": 16,
    "pp": 33,
    "p": 49,
    "mp": 64,
    "mf": 80,
    "f": 96,
    "ff": 112,
    "fff": 126,
    "ffff": 127,
}
MODES = [
    "major",
    "minor",
    "dorian",
    "phrygian",
    "lydian",
    "mixolydian",
    "aeolian",
    "ionian",
    "locrian",
]
LENGTHS = {
    "maxima": Fraction(32),
    "long": Fraction(16),
    "breve": Fraction(8),
    "whole": Fraction(4),
    "half": Fraction(2),
    "quarter": Fraction(1),
    "eighth": Fraction(1, 2),
    "16th": Fraction(1, 4),
    "32nd": Fraction(1, 8),
    "64th": Fraction(1, 16),
    "128th": Fraction(1, 32),
    "256th": Fraction(1, 64),
    "512th": Fraction(1, 128),
    "1024th": Fraction(1, 256),
}
LAST_ENDING = 99
FASTEST = 100_000

_DECIMAL = re.compile(r"\d{1,6}(?:[.,]\d{1,17})?", re.ASCII)
_ENDING = re.compile(r"(\d{1,2})(?:\s*-\s*(\d{1,2}))?", re.ASCII)


def metre(time: Element, repairs: Counter[str]) -> tuple[int, int] | None:
    """Read a time signature; sums such as 3+2/8 or 3/8 + 2/4 become one fraction.

    Returns
    -------
    (int, int) or None
        Beats and beat type; None where the music is said to have none, or an impossible one.
    """
    if time.find("senza-misura") is not None:
        return None
    parts = []
    for beats, kind in zip(time.all("beats"), time.all("beat-type"), strict=False):
        counts = re.findall(r"\d{1,3}", beats.text)
        unit = kind.text.strip()
        if unit not in ("1", "2", "4", "8", "16", "32", "64", "128") or not counts:
            break
        parts.append((sum(map(int, counts)), int(unit)))
    else:
        denominator = max((unit for _, unit in parts), default=0)
        numerator = sum(beats * denominator // unit for beats, unit in parts)
        if 1 <= numerator <= 255:
            return numerator, denominator
    repairs["impossible time signatures ignored"] += 1
    return None


def key(signature: Element, transposition: int, repairs: Counter[str]) -> tuple[int, str] | None:
    """Read a key signature as it sounds.

    Parameters
    ----------
    signature
        The element.
    transposition
        Semitones from written to sounding pitch.
    repairs
        What was left out is counted here.

    Returns
    -------
    (int, str) or None
        Fifths and mode; None for signatures that are no place on the circle of fifths.
    """
    fifths = signature.number("fifths")
    if fifths is None or fifths.denominator != 1 or abs(fifths) > 7:
        repairs["key signatures off the circle of fifths ignored"] += 1
        return None
    mode = signature.words("mode").lower()
    # A semitone up is seven fifths up, or five down.
    sounding = int(fifths) + 7 * transposition
    nearest = [sounding % 12, sounding % 12 - 12]
    sounding = int(fifths) if transposition % 12 == 0 else min(nearest, key=abs)
    return sounding, mode if mode in MODES else "major"


def tempo(element: Element) -> float | None:
    """Read the quarter notes a minute of a ``sound`` or a ``metronome``; None where it says none.

    A mark such as "♩ = c. 100" counts as 100; one note set equal to another tells nothing.
    """
    factor = Fraction(1)
    if element.tag == "metronome":
        units = [child for child in element.children if child.tag.startswith("beat-unit")]
        if not units or units[0].text.strip() not in LENGTHS:
            return None
        factor = LENGTHS[units[0].text.strip()]
        if len(units) > 1:
            factor *= 2 - Fraction(1, 2 ** min(len(units) - 1, 4))
        found = _DECIMAL.search(element.words("per-minute"))
    else:
        found = _DECIMAL.match(element.attributes.get("tempo", "").strip())
    if found is None:
        return None
    qpm = float(Fraction(found[0].replace(",", ".")) * factor)
    return qpm if 0 < qpm <= FASTEST else None


def dynamics(text: str | None) -> int | None:
    """Read a loudness, a mark such as ``mf`` or hundredths of forte, as a velocity.

    Examples
    --------
    >>> dynamics("mf"), dynamics("71.11"), dynamics("sfz")
    (80, 64, None)
    """
    if text is None or text in VELOCITIES or not NUMBER.fullmatch(text.strip()):
        return VELOCITIES.get(text or "")
    return min(max(round(Fraction(text.strip()) * FORTE / 100), 1), 127)


def ending_numbers(text: str) -> tuple[int, ...]:
    """Read the passes on which a variant ending is played.

    Examples
    --------
    >>> ending_numbers("1, 2"), ending_numbers("1-3"), ending_numbers("")
    ((1, 2), (1, 2, 3), (1,))
    """
    numbers: set[int] = set()
    for match in _ENDING.finditer(text):
        first = int(match[1])
        numbers.update(range(first, min(int(match[2] or first), LAST_ENDING) + 1))
    return tuple(sorted(numbers - {0})) or (1,)
