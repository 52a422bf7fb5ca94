"""Pitches → letters and accidentals, as the key asks for and the bar remembers them."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["LETTERS", "SEMITONES", "Accidentals", "Spelling", "signature", "spell", "spell_line"]

LETTERS = "FCGDAEB"
"""Letters in the order in which sharps enter a key signature."""

SEMITONES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
"""How far each letter stands above C."""

LOWEST = -3
"""Of the twelve notes spelled by the key alone, in fifths from the first degree of its major scale.

The scale itself lies from -1 to 5; two lowered notes stand below, three raised ones above, among
them the leading note of minor.
"""

SEMITONE = 5
"""A leading note lies five fifths above the note to which it leads."""


class Spelling(NamedTuple):
    """A written pitch: letter, semitones up, and octave, where 4 starts at middle C."""

    letter: str
    alter: int
    octave: int


def signature(fifths: int) -> dict[str, int]:
    """Give the alteration of each letter that a key signature alters.

    Examples
    --------
    >>> signature(2), signature(-1)
    ({'F': 1, 'C': 1}, {'B': -1})
    """
    sharps = dict.fromkeys(LETTERS[: max(fifths, 0)], 1)
    return sharps | dict.fromkeys(LETTERS[::-1][: max(-fifths, 0)], -1)


def spell(pitch: int, fifths: int, target: int | None = None) -> Spelling:
    """Spell a pitch as is usual in a key.

    The twelve names are neighbours on the line of fifths around the scale.

    Parameters
    ----------
    pitch
        MIDI number.
    fifths
        Sharps or (negative) flats of the key.
    target
        The note that follows: what leads up to it by a semitone is spelled as its leading note.

    Examples
    --------
    >>> [spell(pitch, 0)[:2] for pitch in (68, 70, 63)], spell(59, -7)
    ([('G', 1), ('B', -1), ('E', -1)], Spelling(letter='C', alter=-1, octave=4))
    >>> spell(70, 0, target=71)
    Spelling(letter='A', alter=1, octave=4)
    """
    place = _place(pitch, fifths)
    scale = range(fifths - 1, fifths + 6)
    if target == pitch + 1 and place not in scale and _place(target, fifths) in scale:
        place = _place(target, fifths) + SEMITONE
    alter, index = divmod(place + 1, 7)
    letter = LETTERS[index]
    return Spelling(letter, alter, (pitch - alter - SEMITONES[letter]) // 12 - 1)


def spell_line(line: Sequence[tuple[Sequence[int], int]]) -> Iterator[list[Spelling]]:
    """Spell chords that follow each other.

    A note that is struck again keeps its name.

    Parameters
    ----------
    line
        Pitches of each chord, none for a rest, and sharps or (negative) flats of the key there.

    Examples
    --------
    >>> found = spell_line([([pitch], 1) for pitch in (66, 65, 65, 66, 65, 66)])
    >>> [(note.letter, note.alter) for note, in found]
    [('F', 1), ('F', 0), ('F', 0), ('F', 1), ('E', 1), ('F', 1)]
    """
    rest: tuple[Sequence[int], int] = (), 0
    last, names = rest, list[Spelling]()
    for chord, following in zip_longest(line, line[1:], fillvalue=rest):
        if chord != last:
            pitches, fifths = chord
            is_led = len(pitches) == len(following[0]) == 1
            names = [spell(pitch, fifths, following[0][0] if is_led else None) for pitch in pitches]
        yield names
        last = chord


def _place(pitch: int, fifths: int) -> int:
    """Place a pitch on the line of fifths, on which C stands at 0."""
    lowest = fifths + LOWEST
    return lowest + (pitch * 7 - lowest) % 12


class Accidentals:
    """The accidentals in force in a bar.

    Readers disagree whether an accidental holds for its octave or for every one, and whether it
    outlasts a change of key. A sign is left out only where all would read the same without it.

    Parameters
    ----------
    key
        Alteration of each letter that the key signature alters.

    Examples
    --------
    >>> seen = Accidentals(signature(1))
    >>> notes = [Spelling("F", *place) for place in ((1, 4), (0, 4), (0, 4), (1, 5))]
    >>> [seen.needed([note]) for note in notes]
    [[False], [True], [False], [True]]
    """

    def __init__(self, key: Mapping[str, int]) -> None:
        self._key = key
        self._anywhere: dict[str, int | None] = {}
        self._in_octave: dict[tuple[str, int], int | None] = {}

    def start_bar(self) -> None:
        """Forget the accidentals of the bar."""
        self._anywhere.clear()
        self._in_octave.clear()

    def change_key(self, key: Mapping[str, int]) -> None:
        """Go on in another key."""
        self._key = key
        self._anywhere = dict.fromkeys(self._anywhere)
        self._in_octave = dict.fromkeys(self._in_octave)

    def needed(self, chord: Sequence[Spelling]) -> list[bool]:
        """Tell which notes of a chord need a sign, and remember them.

        Two notes on one line of the staff need one each.
        """
        lines = [(note.letter, note.octave) for note in chord]
        return [self._needs(note, always=lines.count(note[::2]) > 1) for note in chord]

    def _needs(self, note: Spelling, *, always: bool) -> bool:
        in_key = self._key.get(note.letter, 0)
        heard = {
            self._anywhere.get(note.letter, in_key),
            self._in_octave.get(note[::2], in_key),
        }
        if heard == {note.alter} and not always:
            return False
        self._anywhere[note.letter] = self._in_octave[note[::2]] = note.alter
        return True
