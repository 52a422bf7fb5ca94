"""Notes that overlap, parted into voices: lines of chords, in which nothing overlaps."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, NamedTuple

from musicgen.errors import FormatError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from fractions import Fraction

__all__ = ["Chord", "Pitched", "Timed", "leap", "voices"]

MAX_VOICES = 64


class Pitched(NamedTuple):
    """Pitch and velocity of a note."""

    pitch: int
    velocity: int


class Chord(NamedTuple):
    """Notes that start and end together.

    Attributes
    ----------
    start, end
        In whole notes.
    notes
        Upwards, no pitch twice.
    """

    start: Fraction
    end: Fraction
    notes: tuple[Pitched, ...]

    @property
    def pitches(self) -> list[int]:
        """Pitches, upwards."""
        return [note.pitch for note in self.notes]

    @property
    def centre(self) -> float:
        """Mean pitch."""
        return sum(self.pitches) / len(self.notes)


Timed = tuple["Fraction", "Fraction", Pitched]
"""Start and end of a note in whole notes, and the note."""


def leap(voice: list[Chord], chord: Chord) -> float:
    """Return how far in pitch a chord lies from the last one of a voice."""
    return abs(voice[-1].centre - chord.centre)


def voices(
    notes: Iterable[Timed], cost: Callable[[list[Chord], Chord], float | None] = leap
) -> list[list[Chord]]:
    """Share out notes among voices.

    Notes that start and end together are a chord. Each chord goes on with the voice that is free
    and that it costs the least, which gives the least number of voices there is if all are allowed.

    Parameters
    ----------
    notes
        What sounds.
    cost
        How ill a free voice suits a chord, None where it cannot take it; of equal ones the first
        is chosen.

    Raises
    ------
    FormatError
        When more than 64 voices would be needed.

    Examples
    --------
    >>> from fractions import Fraction
    >>> low, *high = [Pitched(pitch, 64) for pitch in (48, 60, 64, 62)]
    >>> none, half, whole = Fraction(0), Fraction(1, 2), Fraction(1)
    >>> found = voices([(none, whole, low), *((none, half, note) for note in high[:2]),
    ...                 (half, whole, high[2])])
    >>> [[chord.pitches for chord in voice] for voice in found]
    [[[60, 64], [62]], [[48]]]
    """
    found: list[list[Chord]] = []
    for chord in sorted(_chords(notes), key=lambda chord: (chord.start, -chord.centre, chord.end)):
        free = [
            (price, number)
            for number, voice in enumerate(found)
            if voice[-1].end <= chord.start and (price := cost(voice, chord)) is not None
        ]
        if free:
            found[min(free)[1]].append(chord)
        elif len(found) == MAX_VOICES:
            raise FormatError(
                f"more than {MAX_VOICES} notes of one track overlap, each with its own end",
                hint="quantise to a coarser grid, or leave the track out",
            )
        else:
            found.append([chord])
    return found


def _chords(notes: Iterable[Timed]) -> list[Chord]:
    """Join notes that start and end together; of two at one pitch the second stands alone."""
    together: dict[tuple[Fraction, Fraction, int], list[Pitched]] = defaultdict(list)
    seen: Counter[tuple[Fraction, Fraction, int]] = Counter()
    for start, end, note in notes:
        together[start, end, seen[start, end, note.pitch]].append(note)
        seen[start, end, note.pitch] += 1
    return [Chord(start, end, tuple(sorted(found))) for (start, end, _), found in together.items()]
