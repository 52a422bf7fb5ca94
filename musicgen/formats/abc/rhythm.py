"""Tuplets and broken rhythm: the signs that change the length of the sounds after them."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from musicgen.formats.abc.score import Note, Sound
from musicgen.formats.abc.spelling import is_length

if TYPE_CHECKING:
    from musicgen.formats.abc.lexer import Token
    from musicgen.formats.abc.reporter import Reporter

__all__ = ["Rhythm"]

MAX_TUPLET = 9
MAX_TUPLET_SOUNDS = 32
MAX_BROKEN = 3
MAX_DIGITS = 3

_UNEVEN = frozenset({"staccato", "fermata"})


class Rhythm:
    """The tuplet and the broken rhythm that go on in one voice.

    Parameters
    ----------
    report
        Told of what had to be repaired.
    """

    def __init__(self, report: Reporter) -> None:
        self._report = report
        self._tuplet: Sound | None = None
        self._tuplet_left = 0
        self._tuplet_of_last: Sound | None = None
        self._broken: tuple[Sound, Token, Sound | None] | None = None

    @property
    def in_tuplet(self) -> bool:
        """Whether a tuplet lacks sounds."""
        return self._tuplet is not None

    def read_tuplet(self, token: Token) -> tuple[int, int, int]:
        """Read the sign of a tuplet, and end the one that goes on.

        Raises
        ------
        ValueError
            When its numbers are impossible.
        """
        numbers = [int(part[:MAX_DIGITS] or 0) for part in token.text[1:].split(":")]
        p, q, r = [*numbers, 0, 0][:3]
        if not 2 <= p <= MAX_TUPLET or q > MAX_TUPLET or r > MAX_TUPLET_SOUNDS:
            raise ValueError(f"{token.text[:20]!r} is not a tuplet")
        if self._tuplet is not None:
            self._report(token.line, token.column, "a tuplet within a tuplet")
            self._cut_tuplet()
        return p, q, r or p

    def read_broken(self, token: Token, first: Sound) -> None:
        """Read the sign of a broken rhythm after its first sound.

        Raises
        ------
        ValueError
            When there are too many of them.
        """
        if self._broken is not None or len(token.text) > MAX_BROKEN or len(set(token.text)) > 1:
            raise ValueError(f"{token.text[:20]!r} is not a broken rhythm")
        self._broken = first, token, self._tuplet_of_last

    def take(self, sound: Sound) -> None:
        """Count a new sound, and change its length where a sign before it says so."""
        if sound.tuplet is not None:
            self._tuplet, self._tuplet_left = sound, sound.tuplet[2]
        if self._broken is not None:
            self._break(*self._broken, sound)
            self._broken = None
        self._tuplet_of_last = self._tuplet
        self._tuplet_left -= 1
        if self._tuplet_left <= 0:
            self._tuplet = None

    def finish(self) -> None:
        """Check that no sign waits for a sound."""
        if self._broken is not None:
            token = self._broken[1]
            self._report(token.line, token.column, "no note follows the broken rhythm")
        self._cut_tuplet()

    def _cut_tuplet(self) -> None:
        """End a tuplet with the sounds that it has."""
        start, self._tuplet = self._tuplet, None
        if start is None or start.tuplet is None:
            return
        p, q, r = start.tuplet
        self._report(start.line, start.column, f"a tuplet of {r} with {self._tuplet_left} missing")
        start.tuplet = (p, q, r - self._tuplet_left)
        self._tuplet_left = 0

    def _break(self, first: Sound, token: Token, tuplet: Sound | None, second: Sound) -> None:
        """Lengthen one of two sounds and shorten the other."""
        short = Fraction(1, 2 ** len(token.text))
        factors = (2 - short, short) if ">" in token.text else (short, 2 - short)
        if first.length != second.length or tuplet is not self._tuplet:
            # The standard leaves this open; players leave the lengths as written.
            hint = "write the lengths as they sound, such as A3/2B/"
            self._report(token.line, token.column, "broken rhythm of unequal lengths", hint)
            return
        if "Z" in (first.rest, second.rest) or not all(
            is_length(length * factor)
            for sound, factor in zip((first, second), factors, strict=True)
            for length in (sound.length, *(note.length for note in sound.notes))
        ):
            self._report(token.line, token.column, "broken rhythm does not fit these lengths")
            return
        # Players agree on the sign only between two plain notes.
        if not {*first.decorations, *second.decorations} & _UNEVEN:
            first.broken = len(token.text) if ">" in token.text else -len(token.text)
        for sound, factor in zip((first, second), factors, strict=True):
            sound.length *= factor
            sound.notes = tuple(
                [
                    Note(note.accidental, note.letter, note.octave, note.length * factor, note.tied)
                    for note in sound.notes
                ]
            )
