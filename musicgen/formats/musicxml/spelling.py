"""How pitches are spelled in a key, and which accidentals have to be printed."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Accidentals", "Spelling", "spell"]

FIFTHS = "FCGDAEB"
HEIGHTS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
SIGNS = {-2: "flat-flat", -1: "flat", 0: "natural", 1: "sharp", 2: "double-sharp"}


class Spelling(NamedTuple):
    """A written pitch: letter, semitones up, and octave, where 4 starts at middle C."""

    step: str
    alter: int
    octave: int


def spell(pitch: int, fifths: int, mode: str) -> Spelling:
    """Spell a pitch as is usual in a key.

    The twelve names are neighbours on the line of fifths around the scale: from the lowered third
    to the raised fifth in major, with one more sharp and one less flat in minor.

    Examples
    --------
    >>> spell(68, 0, "minor"), spell(63, -3, "major"), spell(59, -7, "major")
    (Spelling(step='G', alter=1, octave=4), Spelling(step='E', alter=-1, octave=4),
     Spelling(step='C', alter=-1, octave=4))
    """
    # C stands at 0 on the line; a fifth up is seven semitones.
    lowest = fifths - (2 if mode == "minor" else 3)
    place = lowest + (pitch * 7 - lowest) % 12
    alter, index = divmod(place + 1, 7)
    step = FIFTHS[index]
    return Spelling(step, alter, (pitch - alter - HEIGHTS[step]) // 12 - 1)


class Accidentals:
    """The accidentals in force on one staff during one measure.

    Examples
    --------
    >>> seen = Accidentals(1)
    >>> [seen.sign(Spelling("F", alter, 4)) for alter in (1, 0, 0, 1)]
    [None, 'natural', None, 'sharp']
    """

    def __init__(self, fifths: int) -> None:
        self._key = {step: (fifths - index + 6) // 7 for index, step in enumerate(FIFTHS)}
        self._seen: dict[tuple[str, int], int] = {}

    def sign(self, note: Spelling) -> str | None:
        """Name the sign to print before a note, if any, and remember it for the next."""
        place = note.step, note.octave
        if self._seen.get(place, self._key[note.step]) == note.alter:
            return None
        self._seen[place] = note.alter
        return SIGNS[note.alter]
