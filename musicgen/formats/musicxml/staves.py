"""Notes of one instrument, parted into staves."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from musicgen.notation.voices import voices

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from musicgen.notation.voices import Chord, Timed

__all__ = ["VOICES_A_STAFF", "Staff", "staves"]

VOICES_A_STAFF = 4
KEYBOARDS = {*range(8), *range(16, 24), 46}
MIDDLE_C = 60
ONE_HAND = 16


class Staff(NamedTuple):
    """One staff: its voices, each of chords one after the other, and all its pitches."""

    voices: list[list[Chord]]
    pitches: list[int]


def staves(
    notes: Sequence[Timed],
    program: int,
    *,
    is_drum: bool,
    cost: Callable[[list[Chord], Chord], float | None],
) -> list[Staff]:
    """Part the notes of one instrument into staves of up to four voices.

    Keyboards and harps get two staves, parted at middle C, when they play with both hands. Where
    more than four voices sound, further staves take them.

    Parameters
    ----------
    notes
        What sounds.
    program
        General MIDI program.
    is_drum
        Whether they are drums.
    cost
        As `voices` takes it.

    Raises
    ------
    FormatError
        When more than 64 voices would be needed.
    """
    hands = [list(notes)]
    if not is_drum and program in KEYBOARDS and _takes_two_hands(notes):
        upper = [note for note in notes if note[2].pitch >= MIDDLE_C]
        lower = [note for note in notes if note[2].pitch < MIDDLE_C]
        hands = [upper, lower]
    found = []
    for hand in hands:
        parted = voices(hand, cost)
        for at in range(0, max(len(parted), 1), VOICES_A_STAFF):
            few = parted[at : at + VOICES_A_STAFF]
            pitches = [pitch for voice in few for chord in voice for pitch in chord.pitches]
            found.append(Staff(few, pitches))
    return found


def _takes_two_hands(notes: Sequence[Timed]) -> bool:
    """Whether more than one in twenty notes sounds with another that one hand does not reach."""
    ordered = sorted(notes)
    wide = sum(
        first[1] > second[0] and abs(first[2].pitch - second[2].pitch) > ONE_HAND
        for first, second in pairwise(ordered)
    )
    return wide * 20 > len(ordered)
