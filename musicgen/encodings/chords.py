"""Chords as the notes of each step, one after the other from low to high."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from typing import Any, ClassVar, Self

import numpy as np

from musicgen.encodings.alignment import NO_BAR, Alignment, Told, align_music
from musicgen.encodings.base import BOUNDARY, Symbols
from musicgen.encodings.grid import RESOLUTION, on_grid
from musicgen.encodings.mark_reading import MarkReader
from musicgen.encodings.marks import HEADER, Marks, pitch_name
from musicgen.encodings.said import Said
from musicgen.encodings.score_constraint import ChordsConstraint
from musicgen.errors import EncodingError
from musicgen.music import Music, Note, Track

__all__ = ["Chords"]


class Chords:
    r"""The notes of a step one after the other, so that their joint distribution is exact.

    Where a network says yes or no to each pitch alone, the notes of a chord know nothing of each
    other. Here each is predicted from the lower ones,

    .. math:: P(n_1, …, n_k) = P(n_1) \, P(n_2 | n_1) ⋯ P(n_k | n_1, …, n_{k-1}) \,
       P(\mathit{next} | n_1, …, n_k).

    A piece starts with its metre, key and tempo. At each step of the metrical grid stand first the
    marks (see `musicgen.encodings.marks`), then from low to high the pitches that start or go on,
    then the symbol for *next step*. After the boundary come the marks, *next step*, and for each
    pitch of the training pieces its onset and its going on.

    All tracks are one part; a pitch that starts while it sounds ends the one before.

    Parameters
    ----------
    marks
        The vocabulary of marks.
    pitches
        The pitches that there are.
    program
        General MIDI program of what is decoded: that of most notes of the training pieces.
    velocity
        Velocity of the notes that are decoded.

    Examples
    --------
    >>> from musicgen.music import TimeSignature
    >>> notes = [Note(0, 60, 960), Note(0, 64, 480), Note(480, 65, 480)]
    >>> music = Music(time_signatures=[TimeSignature(0, 2, 4)], tracks=[Track(notes=notes)])
    >>> encoding = Chords.fit([music], steps_per_quarter=1)
    >>> symbols = encoding.encode(music)
    >>> " ".join(encoding.text(symbol) for symbol in symbols)
    '2/4 unsaid unsaid | C4 E4 next (C4) F4 next end'
    >>> encoding.decode(symbols) == music
    True
    """

    name: ClassVar[str] = "chords"
    kind: ClassVar[type[Music]] = Music
    head: ClassVar[str] = "categorical"
    unit: ClassVar[str] = "symbol"
    losses: ClassVar[tuple[str, ...]] = (
        "times between the steps of the grid",
        "velocities: all notes get the median of the training pieces",
        "tempos between those of the training pieces, if these have more than 32",
        "the title; which track a note is of: all are one, of the program that most notes have",
        "drums",
        "one of two notes of the same pitch that sound together: the later onset ends it",
        "changes of metre, key and tempo, and fermatas, after the last note",
    )
    never: ClassVar[tuple[int, ...]] = ()

    def __init__(self, marks: Marks, pitches: range, program: int = 0, velocity: int = 64) -> None:
        self.marks = marks
        self.pitches = pitches
        self.program = program
        self.velocity = velocity
        self.next = marks.size
        self.first_pitch = self.next + 1

    @classmethod
    def fit(cls, pieces: Iterable[Music], steps_per_quarter: int = 4) -> Self:
        """Collect the marks and pitches of these pieces.

        Parameters
        ----------
        pieces
            The training pieces.
        steps_per_quarter
            Steps of a quarter note, a divisor of 480: 4 gives sixteenths, 12 triplets as well.

        Raises
        ------
        EncodingError
            When `steps_per_quarter` is no such number.
        """
        said = Said(steps_per_quarter)
        programs: Counter[int] = Counter()
        for piece in pieces:
            said.add(on_grid(piece, steps_per_quarter))
            for track in piece.tracks:
                programs[track.program] += 0 if track.is_drum else len(track.notes)
        program = max(programs, key=lambda program: programs[program], default=0)
        return cls(said.marks, said.range, program, said.velocity)

    @property
    def size(self) -> int:
        """Number of symbols."""
        return self.first_pitch + 2 * len(self.pitches)

    @property
    def usual_length(self) -> int:
        """Symbols of 256 quarter notes in three parts."""
        return 256 * self.marks.steps_per_quarter * 4

    def encode(self, piece: Music) -> Symbols:
        """Return the symbols of a piece, then 0.

        Raises
        ------
        EncodingError
            When it has a bar that is no whole number of steps, or a pitch, metre or mode that no
            training piece has.
        """
        return np.append(self.encode_primer(piece), np.int32(BOUNDARY))

    def align(self, piece: Music) -> Alignment:
        """Encode a piece and tell which symbols are of which note: that it starts, and goes on.

        Raises
        ------
        EncodingError
            As `encode`.
        """
        symbols = self.encode(piece)
        times = np.full(len(symbols), NO_BAR)
        tick = RESOLUTION // self.marks.steps_per_quarter
        told: list[Told] = []
        sounding: dict[int, int] = {}
        now = 0
        for step, symbol in enumerate(symbols[HEADER:-1], HEADER):
            times[step] = now
            if symbol == self.next:
                now += tick
            elif symbol > self.next:
                number, goes_on = divmod(symbol - self.first_pitch, 2)
                if goes_on:
                    note, steps, _ = told[sounding[number]]
                    note = note._replace(duration=note.duration + tick)
                    told[sounding[number]] = Told(note, [*steps, step])
                else:
                    sounding[number] = len(told)
                    note = Note(now, self.pitches[number], tick, self.velocity)
                    told.append(Told(note, [step]))
        labels = [self.text(symbol) for symbol in range(self.size)]
        return align_music(symbols, self.decode(symbols), times, told, labels)

    def encode_primer(self, piece: Music) -> Symbols:
        """Return the symbols of a piece: whole bars.

        Raises
        ------
        EncodingError
            As `encode`.
        """
        music = on_grid(piece, self.marks.steps_per_quarter)
        music.tracks = [track for track in music.tracks if not track.is_drum]
        marks = list(self.marks.steps(music))
        steps: list[list[int]] = [[] for _ in marks]
        for note in _part(music):
            if note.pitch not in self.pitches:
                raise EncodingError(
                    f"found a note of pitch {note.pitch}; the training pieces have "
                    f"{self.pitches.start} to {self.pitches.stop - 1}"
                )
            onset = self.first_pitch + 2 * (note.pitch - self.pitches.start)
            steps[note.time].append(onset)
            for time in range(note.time + 1, note.end):
                steps[time].append(onset + 1)
        symbols = []
        for before, notes in zip(marks, steps, strict=True):
            symbols += [*before, *sorted(notes), self.next]
        return np.array(symbols, np.int32)

    def decode(self, array: Iterable[int]) -> Music:
        """Return the piece up to the first boundary, as one track.

        What goes on without having sounded starts; a mark ends its step.
        """
        reader = MarkReader(self.marks)
        notes: list[Note] = []
        sounding: dict[int, int] = {}
        now: dict[int, int] = {}
        for symbol in map(int, array):
            if symbol == BOUNDARY:
                break
            if symbol == self.next or (symbol < self.next and now):
                reader.step, sounding, now = reader.step + 1, now, {}
            if symbol < self.next:
                reader.read(symbol)
            elif symbol > self.next:
                number, goes_on = divmod(symbol - self.first_pitch, 2)
                pitch = self.pitches[number]
                if pitch in now:
                    continue
                if goes_on and pitch in sounding:
                    at = now[pitch] = sounding[pitch]
                    notes[at] = notes[at]._replace(duration=notes[at].duration + 1)
                else:
                    now[pitch] = len(notes)
                    notes.append(Note(reader.step, pitch, 1, self.velocity))
        return reader.music([Track(self.program, notes=sorted(notes))])

    def text(self, symbol: int) -> str:
        """Say what a symbol means; a pitch that goes on stands in brackets."""
        if symbol < self.next:
            return self.marks.text(symbol)
        if symbol == self.next:
            return "next"
        number, goes_on = divmod(symbol - self.first_pitch, 2)
        name = pitch_name(self.pitches[number])
        return f"({name})" if goes_on else name

    def constraint(
        self,
        *,
        key: str | None = None,
        metre: str | None = None,
        bars: int | None = None,
        title: str | None = None,
    ) -> ChordsConstraint:
        """Return what keeps a sample a well-formed score, in a metre, a key and of a length.

        Raises
        ------
        EncodingError
            As `musicgen.encodings.score_constraint.ScoreConstraint`.
        """
        return ChordsConstraint(self.marks, self.size, metre=metre, key=key, bars=bars)

    def state(self) -> dict[str, Any]:
        """Return marks, pitches, program and velocity."""
        return {
            "marks": self.marks.state(),
            "pitches": [self.pitches.start, self.pitches.stop],
            "program": self.program,
            "velocity": self.velocity,
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Make the encoding again."""
        marks = Marks.from_state(state["marks"])
        return cls(marks, range(*state["pitches"]), state["program"], state["velocity"])


def _part(music: Music) -> list[Note]:
    """Join the tracks: one note of a pitch at a time, the longest of those that start together."""
    pitches: dict[int, dict[int, Note]] = {}
    for track in music.tracks:
        for note in track.notes:
            notes = pitches.setdefault(note.pitch, {})
            notes[note.time] = max(note, notes.get(note.time, note))
    part = []
    for notes in pitches.values():
        line = [notes[time] for time in sorted(notes)]
        for note, after in pairwise([*line, line[-1]._replace(time=line[-1].end)]):
            part.append(note._replace(duration=min(note.end, after.time) - note.time))
    return part
