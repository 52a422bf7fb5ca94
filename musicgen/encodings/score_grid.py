"""A score as its voices, step by step."""

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
from musicgen.encodings.score_constraint import ScoreGridConstraint
from musicgen.errors import EncodingError
from musicgen.music import Music, Note, Track

__all__ = ["ScoreGrid"]

MOST_LOST = 0.1
"""A larger share of notes that a voice loses means that it has chords."""

Voice = tuple[str, int]
"""Name and General MIDI program."""


class ScoreGrid:
    """One symbol for each voice at each step of a metrical grid, as for chorales [1]_.

    A piece starts with its metre, key and tempo. At each step stand first the marks – a change of
    metre, key or tempo, a bar line, a fermata –, then what each voice does, in the order of the
    tracks: it starts a note, holds the one before, or rests. The position of a symbol thus says
    which voice it is of. After the boundary come the marks (see `musicgen.encodings.marks`), then
    rest, hold, and the pitches from the lowest of the training pieces to the highest.

    A voice sings one note at a time: of several that start together the highest stays, and the next
    one ends it.

    Parameters
    ----------
    marks
        The vocabulary of marks.
    pitches
        The pitches that there are.
    voices
        Name and program of each voice, as most training pieces have them.
    velocity
        Velocity of the notes that are decoded.

    References
    ----------
    .. [1] Hadjeres, Pachet, Nielsen, "DeepBach: a Steerable Model for Bach Chorales Generation",
       ICML 2017.

    Examples
    --------
    >>> from musicgen.music import TimeSignature
    >>> upper = Track(name="upper", notes=[Note(0, 72, 480), Note(480, 74, 480)])
    >>> lower = Track(name="lower", notes=[Note(0, 60, 960)])
    >>> music = Music(480, time_signatures=[TimeSignature(0, 2, 4)], tracks=[upper, lower])
    >>> encoding = ScoreGrid.fit([music], steps_per_quarter=1)
    >>> symbols = encoding.encode(music)
    >>> " ".join(encoding.text(symbol) for symbol in symbols)
    '2/4 unsaid unsaid | C5 C4 D5 hold end'
    >>> encoding.decode(symbols) == music
    True
    """

    name: ClassVar[str] = "score-grid"
    kind: ClassVar[type[Music]] = Music
    head: ClassVar[str] = "categorical"
    unit: ClassVar[str] = "symbol"
    losses: ClassVar[tuple[str, ...]] = (
        "times between the steps of the grid",
        "velocities: all notes get the median of the training pieces",
        "tempos between those of the training pieces, if these have more than 32",
        "the title; names and programs of tracks: voices get those of most training pieces",
        "drums, and tracks without notes",
        "notes that sound together in one track: the highest stays, and the next one ends it",
        "changes of metre, key and tempo, and fermatas, after the last note",
    )
    never: ClassVar[tuple[int, ...]] = ()

    def __init__(
        self, marks: Marks, pitches: range, voices: Iterable[Voice], velocity: int = 64
    ) -> None:
        self.marks = marks
        self.pitches = pitches
        self.voices = list(voices)
        self.velocity = velocity
        self.rest = marks.size
        self.hold = self.rest + 1
        self.first_pitch = self.hold + 1

    @classmethod
    def fit(cls, pieces: Iterable[Music], steps_per_quarter: int = 4) -> Self:
        """Find the number of voices that most of these pieces have, and the marks and pitches.

        Parameters
        ----------
        pieces
            The training pieces.
        steps_per_quarter
            Steps of a quarter note, a divisor of 480: 4 gives sixteenths, 12 triplets as well.

        Raises
        ------
        EncodingError
            When `steps_per_quarter` is no such number, or no piece has notes.
        """
        said = Said(steps_per_quarter)
        lineups: Counter[tuple[Voice, ...]] = Counter()
        for piece in pieces:
            said.add(on_grid(piece, steps_per_quarter))
            lineups[tuple((track.name, track.program) for track in _sung(piece))] += 1
        counts: Counter[int] = Counter()
        for lineup, count in lineups.items():
            counts[len(lineup)] += count if lineup else 0
        if not counts.total():
            raise EncodingError("no training piece has notes; expected scores in several voices")
        usual = max(counts, key=lambda voices: (counts[voices], voices))
        voices = max(lineups, key=lambda lineup: (len(lineup) == usual, lineups[lineup]))
        return cls(said.marks, said.range, voices, said.velocity)

    @property
    def size(self) -> int:
        """Number of symbols."""
        return self.first_pitch + len(self.pitches)

    @property
    def usual_length(self) -> int:
        """Symbols of 256 quarter notes, longer than any chorale."""
        return 256 * self.marks.steps_per_quarter * max(len(self.voices), 1)

    def encode(self, piece: Music) -> Symbols:
        """Return the symbols of a piece, then 0.

        Raises
        ------
        EncodingError
            When it has another number of voices, chords, a bar that is no whole number of steps, or
            a pitch, metre or mode that no training piece has.
        """
        return np.append(self.encode_primer(piece), np.int32(BOUNDARY))

    def align(self, piece: Music) -> Alignment:
        """Encode a piece and tell which symbols are of which note: its pitch and its holds.

        Raises
        ------
        EncodingError
            As `encode`.
        """
        symbols = self.encode(piece)
        times = np.full(len(symbols), NO_BAR)
        tick = RESOLUTION // self.marks.steps_per_quarter
        told: list[Told] = []
        singing: dict[int, int] = {}
        now = voice = 0
        for step, symbol in enumerate(symbols[HEADER:-1], HEADER):
            times[step] = now
            if symbol < self.rest:
                continue
            if symbol > self.hold:
                pitch = self.pitches[symbol - self.first_pitch]
                singing[voice] = len(told)
                told.append(Told(Note(now, pitch, tick, self.velocity), [step]))
            elif symbol == self.hold:
                at = singing[voice]
                note, steps, _ = told[at]
                told[at] = Told(note._replace(duration=note.duration + tick), [*steps, step])
            voice = (voice + 1) % len(self.voices)
            now += tick if not voice else 0
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
        music.tracks = _sung(music)
        if len(music.tracks) != len(self.voices):
            raise EncodingError(
                f"{piece.title or 'the piece'} has {len(music.tracks)} voices; expected "
                f"{len(self.voices)}, as most training pieces have"
            )
        marks = list(self.marks.steps(music))
        voices = [self._voice(track, len(marks)) for track in music.tracks]
        symbols = []
        for before, *sung in zip(marks, *voices, strict=True):
            symbols += before
            symbols += sung
        return np.array(symbols, np.int32)

    def _voice(self, track: Track, steps: int) -> list[int]:
        """Return what a voice does at each step."""
        # In order of time and pitch: the highest of those that start together comes last.
        line = list({note.time: note for note in track.notes}.values())
        lost = len(track.notes) - len(line)
        if lost > MOST_LOST * len(track.notes):
            raise EncodingError(
                f"track {track.name!r} has chords: {lost} of its {len(track.notes)} notes start "
                "under another; expected one voice a track (the encoding 'chords' takes any)"
            )
        symbols = [self.rest] * steps
        for note, after in pairwise([*line, Note(steps, 0, 1)]):
            if note.pitch not in self.pitches:
                raise EncodingError(
                    f"track {track.name!r} has a note of pitch {note.pitch}; the training pieces "
                    f"have {self.pitches.start} to {self.pitches.stop - 1}"
                )
            end = min(note.end, after.time)
            symbols[note.time : end] = [self.hold] * (end - note.time)
            symbols[note.time] = self.first_pitch + note.pitch - self.pitches.start
        return symbols

    def decode(self, array: Iterable[int]) -> Music:
        """Return the piece up to the first boundary: a track for each voice.

        A hold where nothing sounds is a rest; a mark ends its step, voices that lack rest.
        """
        reader = MarkReader(self.marks)
        tracks = [Track(program, name=name) for name, program in self.voices]
        sounds = [False] * len(tracks)
        voice = 0
        for symbol in map(int, array):
            if symbol == BOUNDARY:
                break
            if symbol < self.rest:
                if voice:
                    sounds[voice:] = [False] * (len(tracks) - voice)
                    reader.step, voice = reader.step + 1, 0
                reader.read(symbol)
                continue
            notes = tracks[voice].notes
            if symbol > self.hold:
                pitch = self.pitches[symbol - self.first_pitch]
                notes.append(Note(reader.step, pitch, 1, self.velocity))
            elif symbol == self.hold and sounds[voice]:
                notes[-1] = notes[-1]._replace(duration=notes[-1].duration + 1)
            sounds[voice] = symbol > self.hold or (symbol == self.hold and sounds[voice])
            voice += 1
            if voice == len(tracks):
                reader.step, voice = reader.step + 1, 0
        return reader.music(tracks)

    def text(self, symbol: int) -> str:
        """Say what a symbol means."""
        if symbol < self.rest:
            return self.marks.text(symbol)
        if symbol < self.first_pitch:
            return "rest" if symbol == self.rest else "hold"
        return pitch_name(self.pitches[symbol - self.first_pitch])

    def constraint(
        self,
        *,
        key: str | None = None,
        metre: str | None = None,
        bars: int | None = None,
        title: str | None = None,
    ) -> ScoreGridConstraint:
        """Return what keeps a sample a well-formed score, in a metre, a key and of a length.

        Raises
        ------
        EncodingError
            As `musicgen.encodings.score_constraint.ScoreConstraint`.
        """
        return ScoreGridConstraint(
            self.marks, self.size, len(self.voices), metre=metre, key=key, bars=bars
        )

    def state(self) -> dict[str, Any]:
        """Return marks, pitches, voices and velocity."""
        return {
            "marks": self.marks.state(),
            "pitches": [self.pitches.start, self.pitches.stop],
            "voices": [list(voice) for voice in self.voices],
            "velocity": self.velocity,
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Make the encoding again."""
        voices = [(name, program) for name, program in state["voices"]]
        marks = Marks.from_state(state["marks"])
        return cls(marks, range(*state["pitches"]), voices, state["velocity"])


def _sung(music: Music) -> list[Track]:
    """Return the tracks that are voices."""
    return [track for track in music.tracks if track.notes and not track.is_drum]
