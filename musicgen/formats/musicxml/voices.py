"""Notes that sound together, parted into staves, voices and chords."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from musicgen.errors import FormatError
from musicgen.formats.musicxml.grid import TUPLETS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["VOICES_A_STAFF", "Chord", "Pitched", "Staff", "staves"]

VOICES_A_STAFF = 4
MOST_VOICES = 128
KEYBOARDS = {*range(8), *range(16, 24), 46}
MIDDLE_C = 60
ONE_HAND = 16


class Pitched(NamedTuple):
    """Pitch and velocity of a note."""

    pitch: int
    velocity: int


class Chord(NamedTuple):
    """Notes that start and end together: times in units, the notes from the lowest on."""

    start: int
    end: int
    notes: tuple[Pitched, ...]


class Staff(NamedTuple):
    """One staff: its voices, each of chords one after the other, and all its pitches."""

    voices: list[list[Chord]]
    pitches: list[int]


def staves(
    notes: Sequence[tuple[int, int, Pitched]],
    program: int,
    *,
    is_drum: bool,
    span_of: Callable[[int], tuple[int, int]],
) -> list[Staff]:
    """Part the notes of one instrument into staves of up to four voices.

    Keyboards and harps get two staves, parted at middle C, when they play with both hands. Where
    more than four voices sound, further staves take them.

    Parameters
    ----------
    notes
        Start and end in units, and the note.
    program
        General MIDI program.
    is_drum
        Whether they are drums.
    span_of
        Start and length of the span, in which only one kind of tuplet may lie, around a time.

    Raises
    ------
    FormatError
        When more than 128 voices would be needed.
    """
    hands = [list(notes)]
    if not is_drum and program in KEYBOARDS and _takes_two_hands(notes):
        upper = [note for note in notes if note[2].pitch >= MIDDLE_C]
        lower = [note for note in notes if note[2].pitch < MIDDLE_C]
        hands = [upper, lower]
    found = []
    for hand in hands:
        voices = _voices(_chords(hand), span_of)
        for at in range(0, max(len(voices), 1), VOICES_A_STAFF):
            few = voices[at : at + VOICES_A_STAFF]
            pitches = [note.pitch for voice in few for chord in voice for note in chord.notes]
            found.append(Staff(few, pitches))
    return found


def _takes_two_hands(notes: Sequence[tuple[int, int, Pitched]]) -> bool:
    """Whether more than one in twenty notes sounds with another that one hand does not reach."""
    ordered = sorted(notes)
    wide = sum(
        first[1] > second[0] and abs(first[2].pitch - second[2].pitch) > ONE_HAND
        for first, second in pairwise(ordered)
    )
    return wide * 20 > len(ordered)


def _chords(notes: list[tuple[int, int, Pitched]]) -> list[Chord]:
    """Put together notes of one start and end; unisons stay apart, for another voice."""
    layers: dict[tuple[int, int, int], list[Pitched]] = defaultdict(list)
    seen: Counter[tuple[int, int, int]] = Counter()
    for start, end, note in sorted(notes):
        layers[start, end, seen[start, end, note.pitch]].append(note)
        seen[start, end, note.pitch] += 1
    chords = [Chord(start, end, tuple(found)) for (start, end, _), found in layers.items()]
    return sorted(chords, key=lambda chord: (chord.start, -chord.notes[-1].pitch, chord.end))


def _voices(chords: list[Chord], span_of: Callable[[int], tuple[int, int]]) -> list[list[Chord]]:
    """Give each chord to the first voice that is silent and has no other tuplet in its beats."""
    voices: list[list[Chord]] = []
    tuplets: list[dict[int, set[int]]] = []
    for chord in chords:
        needs: dict[int, set[int]] = {}
        for time in (chord.start, chord.end):
            start, length = span_of(time)
            fitting = {
                step for step in TUPLETS.values() if (time - start) % step == length % step == 0
            }
            needs[start] = needs.get(start, fitting) & fitting
        for voice, used in zip(voices, tuplets, strict=True):
            if voice[-1].end <= chord.start and all(
                used.get(start, fitting) & fitting for start, fitting in needs.items()
            ):
                break
        else:
            if len(voices) == MOST_VOICES:
                raise FormatError(f"more than {MOST_VOICES} notes of one track overlap")
            voice, used = [], {}
            voices.append(voice)
            tuplets.append(used)
        voice.append(chord)
        for start, fitting in needs.items():
            used[start] = used.get(start, fitting) & fitting
    return voices
