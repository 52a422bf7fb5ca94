"""Tracks → lines of chords, in which nothing overlaps: what one voice of ABC can say."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from musicgen.errors import FormatError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Chord", "lines"]

MAX_LINES = 64


class Chord(NamedTuple):
    """Notes that start and end together.

    Attributes
    ----------
    start, end
        In whole notes.
    pitches
        Upwards, none twice.
    """

    start: Fraction
    end: Fraction
    pitches: tuple[int, ...]

    @property
    def centre(self) -> float:
        """Mean pitch."""
        return sum(self.pitches) / len(self.pitches)


def lines(notes: Iterable[tuple[Fraction, Fraction, int]]) -> list[list[Chord]]:
    """Share out notes among as few lines as can be, the highest line first.

    Notes that start and end together are a chord. Each chord goes on with the line that is free
    and was last nearest in pitch, which gives the least number of lines there is.

    Parameters
    ----------
    notes
        Start, end and pitch of each.

    Raises
    ------
    FormatError
        When more than 64 lines would be needed.

    Examples
    --------
    >>> whole, half = Fraction(1), Fraction(1, 2)
    >>> found = lines([(0, whole, 48), (0, half, 60), (0, half, 64), (half, whole, 62)])
    >>> [[chord.pitches for chord in line] for line in found]
    [[(60, 64), (62,)], [(48,)]]
    """
    found: list[list[Chord]] = []
    for chord in sorted(_chords(notes), key=lambda chord: (chord.start, -chord.centre, chord.end)):
        free = [line for line in found if line[-1].end <= chord.start]
        if free:
            min(free, key=lambda line: abs(line[-1].centre - chord.centre)).append(chord)
        elif len(found) == MAX_LINES:
            raise FormatError(
                f"more than {MAX_LINES} notes of one track sound at once, each with its own end",
                hint="quantise to a coarser grid, or leave the track out",
            )
        else:
            found.append([chord])
    return sorted(found, key=lambda line: -sum(chord.centre for chord in line) / len(line))


def _chords(notes: Iterable[tuple[Fraction, Fraction, int]]) -> list[Chord]:
    """Join notes that start and end together; of two at one pitch the second stands alone."""
    together: dict[tuple[Fraction, Fraction, int], list[int]] = defaultdict(list)
    seen: dict[tuple[Fraction, Fraction, int], int] = defaultdict(int)
    for start, end, pitch in notes:
        together[start, end, seen[start, end, pitch]].append(pitch)
        seen[start, end, pitch] += 1
    return [
        Chord(start, end, tuple(sorted(pitches))) for (start, end, _), pitches in together.items()
    ]
