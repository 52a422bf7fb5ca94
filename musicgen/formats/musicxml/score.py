"""A score as it is read: parts of measures of notes, times exact in quarter notes."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

__all__ = ["Measure", "Part", "Signs", "Sound"]


class Sound(NamedTuple):
    """One written note.

    Attributes
    ----------
    offset
        Quarter notes since the start of its measure.
    pitch
        Sounding pitch, a MIDI note number.
    duration
        Quarter notes.
    velocity
        Loudness, 1–127.
    voice
        Name of its voice.
    continues, is_tied
        Whether a tie ends here, and whether one starts here.
    """

    offset: Fraction
    pitch: int
    duration: Fraction
    velocity: int
    voice: str
    continues: bool
    is_tied: bool


@dataclass(slots=True)
class Signs:
    """What a measure says about the order of play.

    Attributes
    ----------
    starts_repeat
        Whether a repeat starts before it.
    times
        How often the repeat that ends after it is played; 0 where none ends.
    ending
        The passes on which it is played; none where it is no variant ending.
    starts_ending
        Whether its variant ending starts with it.
    segno, coda
        Whether the sign stands at it.
    to_coda, da_capo, dal_segno, fine
        Whether the instruction stands at its end.
    """

    starts_repeat: bool = False
    times: int = 0
    ending: tuple[int, ...] = ()
    starts_ending: bool = False
    segno: bool = False
    coda: bool = False
    to_coda: bool = False
    da_capo: bool = False
    dal_segno: bool = False
    fine: bool = False


@dataclass(slots=True)
class Measure:
    """One measure of a part.

    Attributes
    ----------
    length
        How far its notes and rests reach, in quarter notes.
    metre
        Beats and beat type in force; None where the score has none.
    sounds
        Its notes.
    key
        Fifths and mode in force at its start; None where the score has none.
    tempos
        Offset and quarter notes a minute of each change.
    keys
        Offset and key of each change after its start.
    fermatas
        Offset of each note and rest that is held at will.
    signs
        Repeats and jumps.
    """

    length: Fraction = Fraction(0)
    metre: tuple[int, int] | None = None
    key: tuple[int, str] | None = None
    sounds: list[Sound] = field(default_factory=list)
    tempos: list[tuple[Fraction, float]] = field(default_factory=list)
    keys: list[tuple[Fraction, tuple[int, str]]] = field(default_factory=list)
    fermatas: set[Fraction] = field(default_factory=set)
    signs: Signs = field(default_factory=Signs)


@dataclass(slots=True)
class Part:
    """One part of a score.

    Attributes
    ----------
    name
        As printed.
    program
        General MIDI program, 0–127.
    is_drum
        Whether its pitches name percussion sounds.
    measures
        In the order of the page.
    """

    name: str
    program: int
    is_drum: bool
    measures: list[Measure]
