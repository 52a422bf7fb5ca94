"""Which steps of an encoded piece tell which note.

An encoding that can say so has the method `Alignable.align`; it is what surprisal, note by note and
bar by bar, is made of.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from musicgen.encodings.base import Frames, Symbols
from musicgen.encodings.marks import pitch_name
from musicgen.encodings.measures import COMMON_TIME, measures
from musicgen.notation.metre import Metre, beat

if TYPE_CHECKING:
    from musicgen.music import Music, Note

__all__ = [
    "NO_BAR",
    "Alignable",
    "AlignedBar",
    "AlignedNote",
    "Alignment",
    "Told",
    "align_music",
    "beat_number",
]

NO_BAR = -1
"""In place of a bar: a step of the header, or the boundary at the end."""


class AlignedNote(NamedTuple):
    """A note as a piece writes it, and where an array tells it.

    Attributes
    ----------
    note
        What it is, at 480 ticks a quarter note, repeats not played; a tied note is as many notes as
        are written.
    bar
        Its place among the bars.
    beat
        Where in the bar it starts, the first beat being 1.
    text
        How it is written.
    steps
        The steps that tell it, at least one.
    channels
        Of frames, a channel for each of the steps; empty for symbols.
    line, column
        Place in the file; 0 where that is no text.
    """

    note: Note
    bar: int
    beat: float
    text: str
    steps: tuple[int, ...]
    channels: tuple[int, ...] = ()
    line: int = 0
    column: int = 0


class AlignedBar(NamedTuple):
    """A bar.

    Attributes
    ----------
    number
        Counted from 1; an upbeat is bar 0.
    time
        Tick at which it starts, at 480 a quarter note.
    line, column
        Place in the file of its first sound; 0 where that is no text.
    """

    number: int
    time: int
    line: int = 0
    column: int = 0


class Alignment(NamedTuple):
    """An encoded piece, and what its steps tell.

    Attributes
    ----------
    array
        As `Encoding.encode` returns it.
    step_bars
        ``(T,)``: the place of each step's bar among the bars, or `NO_BAR`. What is of no note – a
        bar line, a rest, the silence of other keys – is of a bar all the same.
    bars
        In the order of the piece.
    notes
        In the order in which they are told.
    labels
        In words of this piece, what each symbol ``(V,)`` or channel ``(D,)`` says; empty for what
        has no place among notes.
    """

    array: Symbols | Frames
    step_bars: npt.NDArray[np.int64]
    bars: list[AlignedBar]
    notes: list[AlignedNote]
    labels: Sequence[str]


@runtime_checkable
class Alignable(Protocol):
    """An encoding that can say which steps tell which note."""

    def align(self, piece: Any) -> Alignment:
        """Encode a piece and tell which step is of which note and bar.

        Raises
        ------
        EncodingError, FormatError
            When the piece cannot be encoded.
        """


class Told(NamedTuple):
    """A note, and where it is told: see `AlignedNote`."""

    note: Note
    steps: Sequence[int]
    channels: Sequence[int] = ()


def align_music(
    array: Symbols | Frames,
    music: Music,
    times: npt.ArrayLike,
    told: Iterable[Told],
    labels: Sequence[str],
) -> Alignment:
    """Find the bars and beats of what is told of a piece of notes.

    Parameters
    ----------
    array
        The encoded piece.
    music
        What it is decoded to, at 480 ticks a quarter note.
    times
        ``(T,)``: the tick at which each step stands; below 0 for the header and the end.
    told
        The notes.
    labels
        What each symbol or channel says.

    Raises
    ------
    EncodingError
        When a bar is no whole number of ticks.

    Examples
    --------
    >>> from musicgen.music import Music, Note, TimeSignature, Track
    >>> notes = [Note(0, 60, 1440), Note(2160, 62, 720)]
    >>> music = Music(480, [], [TimeSignature(0, 6, 8)], [], [Track(notes=notes)])
    >>> told = [Told(note, [step]) for step, note in enumerate(notes)]
    >>> aligned = align_music(np.array([1, 2, 0]), music, [0, 2160, -1], told, ["", "C4", "D4"])
    >>> aligned.step_bars
    array([ 0,  1, -1])
    >>> aligned.notes[1].bar, aligned.notes[1].beat, aligned.notes[1].text
    (1, 2.0, 'D4')
    """
    found = measures(music)
    starts, changes = found.starts or [0], sorted(found.metres)

    def aligned(note: Note, steps: Sequence[int], channels: Sequence[int]) -> AlignedNote:
        bar = bisect(starts, note.time) - 1
        metre = found.metres[changes[bisect(changes, note.time) - 1]] or COMMON_TIME
        length = 4 * music.resolution * beat(Metre(*metre))
        place = beat_number(note.time - starts[bar], length)
        return AlignedNote(
            note, bar, place, pitch_name(note.pitch), tuple(steps), tuple(channels)
        )  # fmt: skip

    step_bars = np.searchsorted(starts, np.asarray(times), side="right") - 1
    bars = [AlignedBar(at, time) for at, time in enumerate(starts, 0 if found.upbeat else 1)]
    return Alignment(array, step_bars, bars, [aligned(*one) for one in told], labels)


def beat_number(since: int | Fraction, length: Fraction) -> float:
    """Return the beat that lies so far into a bar whose beats have this length.

    Examples
    --------
    >>> beat_number(720, Fraction(480))
    2.5
    """
    return round(float(1 + since / length), 3)
