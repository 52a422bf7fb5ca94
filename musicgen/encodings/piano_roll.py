"""Music as switches: which pitches start, and which go on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from musicgen.encodings.alignment import NO_BAR, Alignment, Told, align_music
from musicgen.encodings.controls import Controls
from musicgen.encodings.grid import RESOLUTION
from musicgen.encodings.marks import pitch_name
from musicgen.encodings.roll import PITCHES, Array, Roll, median_velocity, pitched_notes, spans
from musicgen.errors import EncodingError
from musicgen.music import Music, Note

__all__ = ["PianoRoll"]

OCTAVE = 12


class PianoRoll(Roll):
    """A frame for each step of a metrical grid, with two switches for each pitch.

    A frame is ``[controls | onsets | sustains]``: `Controls`, then for each pitch whether a note
    starts in this step, then whether one goes on that started before: a repeated note differs from
    a held one. Frames are bytes of 0 and 1, a quarter of the memory of floats.

    The pitches are those of the training pieces and an octave more on both sides; notes beyond are
    moved into them by octaves. All tracks become one, in which a note ends where the next one of
    its pitch starts. Drums are left out.

    Parameters
    ----------
    steps_per_quarter
        Steps of the grid a quarter note, a divisor of 480.
    denominators
        Those of the metres of the training pieces, rising.
    lowest, highest
        Range of pitches, an octave at least.
    velocity
        Of decoded notes: the median of the training pieces.

    Examples
    --------
    >>> from musicgen.music import Track
    >>> notes = [Note(0, 60, 480), Note(480, 60, 240), Note(720, 60, 240)]
    >>> music = Music(480, tracks=[Track(notes=notes)])
    >>> encoding = PianoRoll.fit([music], steps_per_quarter=2)
    >>> frames = encoding.encode(music)
    >>> frames[:, encoding.notes].reshape(-1, 2, 25)[:, :, 60 - encoding.lowest].T
    array([[1, 0, 1, 1, 0],
           [0, 1, 0, 0, 0]], dtype=uint8)
    >>> encoding.decode(frames) == music
    True
    """

    name: ClassVar[str] = "piano-roll"
    head: ClassVar[str] = "bernoulli"
    losses: ClassVar[tuple[str, ...]] = (
        *Roll.losses,
        "velocities: all notes get the median of the training pieces",
        "notes of one pitch that overlap: the earlier ends where the later starts",
        "pitches more than an octave beyond those of the training pieces: other octaves are taken",
    )
    layers: ClassVar[int] = 2

    def __init__(
        self,
        steps_per_quarter: int,
        denominators: Sequence[int],
        lowest: int,
        highest: int,
        velocity: int,
    ) -> None:
        super().__init__(Controls(steps_per_quarter, denominators), highest - lowest + 1)
        self.lowest, self.highest, self.velocity = lowest, highest, velocity

    @classmethod
    def fit(cls, pieces: Iterable[Music], *, steps_per_quarter: int = 4) -> Self:
        """Find the range, the median velocity and the denominators of these pieces.

        Parameters
        ----------
        pieces
            Training pieces.
        steps_per_quarter
            4 gives sixteenths, 12 triplets of eighths as well, 24 thirty-seconds and their
            triplets.

        Raises
        ------
        EncodingError
            When the steps do not divide 480, or no piece holds notes other than drums.
        """
        Controls(steps_per_quarter, [])  # a wrong choice is refused before the pieces are read
        denominators: set[int] = set()
        pitches: set[int] = set()

        def velocities() -> Iterator[int]:
            for piece in pieces:
                denominators.update(change.denominator for change in piece.time_signatures)
                for note in pitched_notes(piece):
                    pitches.add(note.pitch)
                    yield note.velocity

        velocity = median_velocity(velocities())
        if not pitches:
            raise EncodingError("the training pieces hold no notes but drums; expected some")
        return cls(
            steps_per_quarter,
            sorted(denominators),
            max(min(pitches) - OCTAVE, 0),
            min(max(pitches) + OCTAVE, PITCHES - 1),
            velocity,
        )

    def encode(self, piece: Music) -> npt.NDArray[np.uint8]:
        """Return the frames ``(T, D)`` of a piece, the boundary last.

        Raises
        ------
        EncodingError
            When it holds no notes but drums, or an impossible tempo or metre.
        """
        frames, notes = self._frames(piece, np.uint8)
        onsets, sustains = np.split(frames[:, self.notes], self.layers, axis=1)
        for note in notes:
            sustains[note.time + 1 : note.end, self._place(note.pitch)] = 1
        for note in notes:
            onsets[note.time, self._place(note.pitch)] = 1
        sustains[onsets == 1] = 0
        return frames

    def align(self, piece: Music) -> Alignment:
        """Encode a piece and tell which switches are of which note.

        Those are both of its pitch – does it start, does it go on –, at each step while it sounds;
        the silence of other pitches is of the bar alone.

        Raises
        ------
        EncodingError
            As `encode`; and when a bar is no whole number of ticks, 480 a quarter note.
        """
        frames = self.encode(piece)
        tick = RESOLUTION // self.controls.steps_per_quarter
        times = tick * np.arange(len(frames))
        times[-1] = NO_BAR
        pitches = range(self.lowest, self.highest + 1)
        told = []
        for note in sorted(self._read(frames[:-1, self.notes])):
            onset = self.notes.start + note.pitch - self.lowest
            steps = np.repeat(np.arange(note.time, note.end), self.layers).tolist()
            channels = [onset, onset + len(pitches)] * note.duration
            ticks = note._replace(time=note.time * tick, duration=note.duration * tick)
            told.append(Told(ticks, steps, channels))
        names = [pitch_name(pitch) for pitch in pitches]
        labels = [*[""] * self.notes.start, *names, *(f"({name})" for name in names)]
        return align_music(frames, self.decode(frames), times, told, labels)

    def encode_primer(self, piece: Music) -> npt.NDArray[np.uint8]:
        """Return the frames ``(T, D)`` of a piece to the end of its last bar, without the boundary.

        Raises
        ------
        EncodingError
            As `encode`.
        """
        return self.encode(piece)[:-1]

    def decode(self, array: npt.ArrayLike) -> Music:
        """Return the piece, up to the first boundary. A channel is on from 0.5.

        Where a note goes on that did not start, it starts.

        Raises
        ------
        EncodingError
            When these are not frames of `size` channels.
        """
        return self._piece(array, self._read)

    def _read(self, roll: Array) -> Iterable[Note]:
        onsets, sustains = np.split(roll >= 0.5, self.layers, axis=1)
        sounds = onsets | sustains
        starts = sounds.copy()
        starts[1:] &= onsets[1:] | ~sounds[:-1]
        for time, place, duration in spans(starts, sounds):
            yield Note(time, place + self.lowest, duration, self.velocity)

    def _place(self, pitch: int) -> int:
        """Return the place of a pitch, or of the nearest within the range that has its name."""
        below, above = self.lowest - pitch, pitch - self.highest
        octaves = max(-(-below // OCTAVE), 0) - max(-(-above // OCTAVE), 0)
        return pitch + octaves * OCTAVE - self.lowest

    def state(self) -> dict[str, Any]:
        """Return the parameters."""
        return {
            "steps_per_quarter": self.controls.steps_per_quarter,
            "denominators": self.controls.denominators,
            "lowest": self.lowest,
            "highest": self.highest,
            "velocity": self.velocity,
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Make the encoding again."""
        return cls(**state)
