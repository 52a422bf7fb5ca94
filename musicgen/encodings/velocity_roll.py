"""Music as a matrix of velocities (report, chapter 8)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from musicgen.encodings.base import Frames
from musicgen.encodings.controls import Controls
from musicgen.encodings.roll import PITCHES, Array, Roll, median_velocity, pitched_notes, spans
from musicgen.music import Music, Note

__all__ = ["THRESHOLD", "VelocityRoll"]

LOUDEST = 127

THRESHOLD = 15 / LOUDEST
"""What is softer is silence; the report takes velocities of 10 to 20."""


class VelocityRoll(Roll):
    """A frame for each step of a metrical grid, with the velocity of each of the 128 pitches.

    A frame is ``[controls | velocities]``: `Controls`, then the velocity of each pitch that sounds
    in this step, divided by 127, and 0 where it is silent. All tracks become one, in which the
    loudest note of a pitch counts. Drums are left out.

    Notes of one pitch that follow each other without a rest are one held note: `PianoRoll` keeps
    them apart.

    Parameters
    ----------
    steps_per_quarter
        Steps of the grid a quarter note, a divisor of 480.
    denominators
        Those of the metres of the training pieces, rising.
    velocity
        The median of the training pieces.

    Attributes
    ----------
    loudness
        The same as a value of a frame: what a note that sounds is expected to be.

    Examples
    --------
    >>> from musicgen.music import Track
    >>> music = Music(480, tracks=[Track(notes=[Note(0, 60, 480, 127), Note(480, 62, 240, 64)])])
    >>> encoding = VelocityRoll.fit([music], steps_per_quarter=2)
    >>> frames = encoding.encode(music)
    >>> frames[:, encoding.notes][:, 60:63].round(2).T
    array([[1. , 1. , 0. , 0. ],
           [0. , 0. , 0. , 0. ],
           [0. , 0. , 0.5, 0. ]], dtype=float32)
    >>> encoding.decode(frames) == music
    True
    """

    name: ClassVar[str] = "velocity-roll"
    head: ClassVar[str] = "gaussian"
    losses: ClassVar[tuple[str, ...]] = (
        *Roll.losses,
        "repeated notes: without a rest between them they become one, as loud as the loudest",
        "notes softer than velocity 15",
    )

    def __init__(self, steps_per_quarter: int, denominators: Sequence[int], velocity: int) -> None:
        super().__init__(Controls(steps_per_quarter, denominators), PITCHES)
        self.velocity = velocity
        self.loudness = velocity / LOUDEST

    @classmethod
    def fit(cls, pieces: Iterable[Music], *, steps_per_quarter: int = 4) -> Self:
        """Find the denominators and the median velocity of these pieces.

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
            When the steps do not divide 480.
        """
        Controls(steps_per_quarter, [])  # a wrong choice is refused before the pieces are read
        denominators: set[int] = set()

        def velocities() -> Iterator[int]:
            for piece in pieces:
                denominators.update(change.denominator for change in piece.time_signatures)
                yield from (note.velocity for note in pitched_notes(piece))

        velocity = median_velocity(velocities())
        return cls(steps_per_quarter, sorted(denominators), velocity)

    def encode(self, piece: Music) -> Frames:
        """Return the frames ``(T, D)`` of a piece, the boundary last.

        Raises
        ------
        EncodingError
            When it holds no notes but drums, or an impossible tempo or metre.
        """
        frames, notes = self._frames(piece, np.float32)
        roll = frames[:, self.notes]
        for note in notes:
            sounding = roll[note.time : note.end, note.pitch]
            np.maximum(sounding, np.float32(note.velocity / LOUDEST), out=sounding)
        return frames

    def encode_primer(self, piece: Music) -> Frames:
        """Return the frames ``(T, D)`` of a piece to the end of its last bar, without the boundary.

        Raises
        ------
        EncodingError
            As `encode`.
        """
        return self.encode(piece)[:-1]

    def decode(self, array: npt.ArrayLike, threshold: float = THRESHOLD) -> Music:
        """Return the piece, up to the first boundary.

        Parameters
        ----------
        array
            Frames ``(T, D)``; velocities above 1 count as 1.
        threshold
            A pitch sounds from this value on, but not softer than velocity 1.

        Raises
        ------
        EncodingError
            When these are not frames of `size` channels.
        """
        return self._piece(array, partial(_read, threshold=threshold))

    def state(self) -> dict[str, Any]:
        """Return the parameters."""
        return {
            "steps_per_quarter": self.controls.steps_per_quarter,
            "denominators": self.controls.denominators,
            "velocity": self.velocity,
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Make the encoding again."""
        return cls(**state)


def _read(roll: Array, threshold: float) -> Iterable[Note]:
    velocities = np.rint(np.clip(roll, 0, 1) * LOUDEST).astype(np.int64)
    sounds = (roll >= np.float32(threshold)) & (velocities > 0)
    starts = sounds.copy()
    starts[1:] &= ~sounds[:-1]
    for time, pitch, duration in spans(starts, sounds):
        yield Note(time, pitch, duration, int(velocities[time : time + duration, pitch].max()))
