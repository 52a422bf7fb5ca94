"""Notes between brackets → one chord."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from musicgen.formats.abc.spelling import is_length, read_length, read_note

if TYPE_CHECKING:
    from musicgen.formats.abc.lexer import Token
    from musicgen.formats.abc.reporter import Reporter
    from musicgen.formats.abc.score import Note

__all__ = ["ChordReader"]


class ChordReader:
    """Reads the tokens after ``[`` up to ``]``.

    Attributes
    ----------
    start
        The token ``[``.
    notes
        The notes so far.
    slurs, unslurs
        Slur signs within the brackets, which hold for the whole chord.
    """

    def __init__(self, start: Token, report: Reporter) -> None:
        self.start = start
        self.notes: list[Note] = []
        self.slurs = 0
        self.unslurs: list[Token] = []
        self._report = report

    def accepts(self, token: Token) -> bool:
        """Take a token that may stand within a chord; False, and a problem, for any other."""
        match token.kind:
            case "note":
                try:
                    self.notes.append(read_note(token.text))
                except ValueError as error:
                    self._report(token.line, token.column, str(error))
            case "tie" if self.notes:
                self.notes[-1] = replace(self.notes[-1], tied=True)
            case "slur":
                self.slurs += 1
            case "unslur":
                self.unslurs.append(token)
            case "rest":
                self._report(token.line, token.column, "a rest within a chord", mild=True)
            case "space" | "ignored":
                pass
            case _:
                self.report_unclosed()
                return False
        return True

    def close(self, token: Token) -> None:
        """Take the token ``]``, with the length that multiplies those of the notes."""
        try:
            factor = read_length(token.text[1:])
            if not all(is_length(note.length * factor) for note in self.notes):
                raise ValueError(f"the chord's length {token.text[1:]!r} does not fit its notes")
        except ValueError as error:
            self._report(token.line, token.column, str(error))
            factor = Fraction(1)
        self.notes = [replace(note, length=note.length * factor) for note in self.notes]
        if not self.notes:
            self._report(self.start.line, self.start.column, "a chord without notes")

    def report_unclosed(self) -> None:
        """Note that the closing bracket is missing."""
        self._report(self.start.line, self.start.column, "'[' is never closed by ']'")
