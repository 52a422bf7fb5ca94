"""How the notes of a voice in a measure are joined by beams."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from musicgen.notation.metre import beat

if TYPE_CHECKING:
    from collections.abc import Sequence
    from fractions import Fraction

    from musicgen.notation.bars import Bar
    from musicgen.notation.segments import Piece

__all__ = ["beams"]

FLAGLESS = 2
"""A note of 1/2 to this power, the quarter note, has no flag; each half of it has one more."""


def beams(pieces: Sequence[Piece], bar: Bar) -> list[list[str]]:
    """Join flagged notes within a beat.

    Returns
    -------
    list of list of str
        What each of the beams of a piece does, the longest beam first.
    """
    found: list[list[str]] = [[] for _ in pieces]
    group: list[int] = []
    flags: list[int] = []
    length, last = beat(bar.metre), -1
    for number, piece in enumerate(pieces):
        count = 0 if piece.chord is None else _flags(piece.length)
        here = (piece.start - bar.origin) // length
        if not count or here != last:
            _join(group, flags, found)
            group, flags = [], []
        if count:
            group.append(number)
            flags.append(count)
        last = here
    _join(group, flags, found)
    return found


def _flags(length: Fraction) -> int:
    """Count the flags of a note."""
    return max((ceil(1 / length) - 1).bit_length() - FLAGLESS, 0)


def _join(group: list[int], flags: list[int], found: list[list[str]]) -> None:
    if len(group) < 2:
        return
    for at, number in enumerate(group):
        for level in range(1, flags[at] + 1):
            before = at > 0 and flags[at - 1] >= level
            after = at + 1 < len(group) and flags[at + 1] >= level
            if before or after:
                beam = "continue" if before and after else "end" if before else "begin"
            else:
                beam = "backward hook" if at else "forward hook"
            found[number].append(beam)
