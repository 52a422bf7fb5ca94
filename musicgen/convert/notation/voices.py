"""One voice: its bars, written."""

from __future__ import annotations

from bisect import bisect_right
from fractions import Fraction
from typing import TYPE_CHECKING

from musicgen.formats.abc.fields import parse_key
from musicgen.formats.abc.score import Bar, Break, Element, Field, Note, Sound
from musicgen.notation.metre import beam
from musicgen.notation.spelling import Accidentals, spell_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Set

    from musicgen.convert.notation.changes import Fields
    from musicgen.formats.abc.fields import Key
    from musicgen.notation import bars
    from musicgen.notation.segments import Piece
    from musicgen.notation.spelling import Spelling

__all__ = ["Row", "elements"]

BARS_A_LINE = 4
MAX_IN_TUPLET = 32
SIGNS = {2: "^^", 1: "^", 0: "=", -1: "_", -2: "__"}
OCTAVE = 4
"""That of the letters in upper case."""

Row = list[tuple["bars.Bar", list["Piece"]]]
"""The bars of a voice, each with what is written in it."""


def elements(
    row: Row, fields: Fields, unit: Fraction, fermatas: Set[Fraction] = frozenset()
) -> Iterator[Element]:
    """Write the bars of one voice.

    Parameters
    ----------
    row
        Its bars and what is in them.
    fields
        The changes that it says.
    unit
        Unit note length, in whole notes.
    fermatas
        When what starts is held at will, in whole notes.
    """
    keys = {
        time: parse_key(value)
        for time, found in fields.items()
        for letter, value in found
        if letter == "K"
    }
    accidentals = Accidentals(keys[Fraction(0)].alterations)
    # The fields at the start are those of the header.
    waiting = {time: found for time, found in fields.items() if time > 0}
    names = _names([piece for _, written in row for piece in written], keys)
    upbeat = not row[0][0].is_full
    for number, (bar, written) in enumerate(row, 1):
        accidentals.start_bar()
        for piece in written:
            is_inside = piece.place % MAX_IN_TUPLET > 0
            if piece.start > bar.start and not is_inside and _ends_beam(piece.start, bar):
                yield Break(" ")
            for letter, value in waiting.pop(piece.start, ()):
                yield Field(0, 0, letter, value, inline=True)
                if letter == "K":
                    accidentals.change_key(keys[piece.start].alterations)
            length, spelled = piece.length / unit, next(names)
            held = ("fermata",) if piece.start in fermatas else ()
            if piece.chord is not None:
                notes = tuple(
                    Note(SIGNS[alter] * signed, letter, octave - OCTAVE, length, piece.is_tied)
                    for (letter, alter, octave), signed in zip(
                        spelled, accidentals.needed(spelled), strict=True
                    )
                )
                yield Sound(0, 0, notes, length, tuplet=_tuplet(piece), decorations=held)
            elif len(written) == 1 and bar.is_full and piece.tuplet is None and not held:
                yield Sound(0, 0, (), Fraction(1), "Z")
            else:
                yield Sound(0, 0, (), length, "z", tuplet=_tuplet(piece), decorations=held)
        yield Bar(0, 0, "|]" if number == len(row) else "|")
        if (number - upbeat) % BARS_A_LINE == 0 and number > upbeat:
            yield Break("\n")
    yield Break("\n")


def _ends_beam(time: Fraction, bar: bars.Bar) -> bool:
    return (time - bar.origin) % beam(bar.metre) == 0


def _tuplet(piece: Piece) -> tuple[int, int, int] | None:
    """Give the sign of the tuplet that starts at a piece; long ones take several."""
    if piece.tuplet is None or piece.place % MAX_IN_TUPLET:
        return None
    p, q = piece.tuplet
    r = min(piece.size - piece.place, MAX_IN_TUPLET)
    # Three in the time of two is what (3 means in every metre.
    return p, 0 if (p, q, r) == (3, 2, 3) else q, r


def _names(written: list[Piece], keys: dict[Fraction, Key]) -> Iterator[list[Spelling]]:
    """Spell what is written; a note that is tied keeps its name."""
    times, found = list(keys), list(keys.values())
    names = spell_line(
        [
            (
                piece.chord.pitches if piece.chord else (),
                found[bisect_right(times, piece.start) - 1].fifths,
            )
            for piece in written
            if piece.is_start
        ]
    )
    spelled: list[Spelling] = []
    for piece in written:
        spelled = next(names) if piece.is_start else spelled
        yield spelled
