"""Pitches → letters and accidentals, as the key asks for and the bar remembers them."""

from __future__ import annotations

from fractions import Fraction

from musicgen.formats.abc.fields import LETTERS, Key
from musicgen.formats.abc.score import Note

__all__ = ["Speller"]

SIGNS = {2: "^^", 1: "^", 0: "=", -1: "_", -2: "__"}
SEMITONES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
MIDDLE_C = 60

LOWEST = -3
"""Of the twelve notes spelled by the key alone, in fifths from the first degree of its major scale.

The scale itself lies from -1 to 5; two lowered notes stand below, three raised ones above, among
them the leading note of minor.
"""

SEMITONE = 5
"""A leading note lies five fifths above the note to which it leads."""


class Speller:
    """Spells the notes of one voice.

    Players disagree whether an accidental holds for its octave or for every one, and whether it
    outlasts a change of key. A sign is left out only where all would play the same without it.

    Parameters
    ----------
    key
        The key at the start.

    Examples
    --------
    >>> from musicgen.formats.abc.fields import parse_key
    >>> from musicgen.formats.abc.spelling import note_text
    >>> speller = Speller(parse_key("Am"))
    >>> pitches = [(68,), (68,), (80,), (67,), (70,), (60, 61)]
    >>> chords = [speller.spell(chord) for chord in pitches] + [speller.spell((70,), target=71)]
    >>> ["".join(note_text(note, Fraction(1)) for note in notes) for notes in chords]
    ['^G', 'G', '^g', '=G', '_B', '=C^C', '^A']
    """

    def __init__(self, key: Key) -> None:
        self._key = key
        self._anywhere: dict[str, int | None] = {}
        self._in_octave: dict[tuple[str, int], int | None] = {}

    def start_bar(self) -> None:
        """Forget the accidentals of the bar."""
        self._anywhere.clear()
        self._in_octave.clear()

    def change_key(self, key: Key) -> None:
        """Go on in another key."""
        self._key = key
        self._anywhere = dict.fromkeys(self._anywhere)
        self._in_octave = dict.fromkeys(self._in_octave)

    def spell(
        self,
        pitches: tuple[int, ...],
        length: Fraction = Fraction(1),
        *,
        tied: bool = False,
        target: int | None = None,
    ) -> tuple[Note, ...]:
        """Spell the notes of a chord.

        Parameters
        ----------
        pitches
            MIDI numbers.
        length
            Of each, in units of ``L:``.
        tied
            Whether ties lead on from them.
        target
            The note that follows: what leads up to it by a semitone is spelled as its leading note.
        """
        names = [self._name(pitch, target if len(pitches) == 1 else None) for pitch in pitches]
        places = [(letter, octave) for letter, octave, _ in names]
        return tuple(
            # Two notes on one line of the staff each need their sign.
            Note(self._sign(*name, always=places.count(name[:2]) > 1), *name[:2], length, tied)
            for name in names
        )

    def _name(self, pitch: int, target: int | None) -> tuple[str, int, int]:
        """Find letter, octave and alteration in semitones."""
        fifths, scale = self._fifths(pitch), range(self._key.fifths - 1, self._key.fifths + 6)
        if target == pitch + 1 and fifths not in scale and self._fifths(target) in scale:
            fifths = self._fifths(target) + SEMITONE
        letter, alteration = LETTERS[(fifths + 1) % 7], (fifths + 1) // 7
        return letter, (pitch - alteration - SEMITONES[letter] - MIDDLE_C) // 12, alteration

    def _fifths(self, pitch: int) -> int:
        """Place a pitch on the line of fifths, from the first degree of C major."""
        lowest = self._key.fifths + LOWEST
        return lowest + (pitch * 7 - lowest) % 12

    def _sign(self, letter: str, octave: int, alteration: int, *, always: bool) -> str:
        in_key = self._key.alterations.get(letter, 0)
        heard = {
            self._anywhere.get(letter, in_key),
            self._in_octave.get((letter, octave), in_key),
        }
        if heard == {alteration} and not always:
            return ""
        self._anywhere[letter] = self._in_octave[letter, octave] = alteration
        return SIGNS[alteration]
