"""One voice: its bars, written."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from musicgen.convert.notation.metre import beam
from musicgen.convert.notation.spelling import Speller
from musicgen.formats.abc.fields import parse_key
from musicgen.formats.abc.score import Bar, Break, Element, Field, Sound

if TYPE_CHECKING:
    from collections.abc import Iterator

    from musicgen.convert.notation import bars
    from musicgen.convert.notation.changes import Fields
    from musicgen.convert.notation.segments import Piece

__all__ = ["Row", "elements"]

BARS_A_LINE = 4

Row = list[tuple["bars.Bar", list["Piece"]]]
"""The bars of a voice, each with what is written in it."""


def elements(row: Row, fields: Fields, unit: Fraction) -> Iterator[Element]:
    """Write the bars of one voice.

    Parameters
    ----------
    row
        Its bars and what is in them.
    fields
        The changes that it says.
    unit
        Unit note length, in whole notes.
    """
    key = dict(fields[Fraction(0)])["K"]
    speller = Speller(parse_key(key))
    # The fields at the start are those of the header.
    waiting = {time: found for time, found in fields.items() if time > 0}
    targets = _targets([piece for _, written in row for piece in written])
    upbeat = not row[0][0].is_full
    for number, (bar, written) in enumerate(row, 1):
        speller.start_bar()
        for piece in written:
            if piece.start > bar.start and not piece.inside and _ends_beam(piece.start, bar):
                yield Break(" ")
            for letter, value in waiting.pop(piece.start, ()):
                yield Field(0, 0, letter, value, inline=True)
                if letter == "K":
                    speller.change_key(parse_key(value))
            length, target = piece.length / unit, next(targets)
            if piece.pitches:
                notes = speller.spell(piece.pitches, length, tied=piece.tied, target=target)
                yield Sound(0, 0, notes, length, tuplet=piece.tuplet)
            elif len(written) == 1 and bar.is_full and piece.tuplet is None:
                yield Sound(0, 0, (), Fraction(1), "Z")
            else:
                yield Sound(0, 0, (), length, "z", tuplet=piece.tuplet)
        yield Bar(0, 0, "|]" if number == len(row) else "|")
        if (number - upbeat) % BARS_A_LINE == 0 and number > upbeat:
            yield Break("\n")
    yield Break("\n")


def _ends_beam(time: Fraction, bar: bars.Bar) -> bool:
    return (time - bar.origin) % beam(bar.metre) == 0


def _targets(written: list[Piece]) -> Iterator[int | None]:
    """Give for each piece the single note to which it leads, ties followed."""
    found: list[int | None] = []
    target = following = None
    for piece in reversed(written):
        target = target if piece.tied else following
        following = piece.pitches[0] if len(piece.pitches) == 1 else None
        found.append(target)
    return reversed(found)
