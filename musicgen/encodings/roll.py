"""What all piano rolls share: pieces ↔ controls and a picture of the notes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from musicgen.encodings.base import BOUNDARY, Unconstrained, up_to_boundary
from musicgen.encodings.controls import Controls
from musicgen.encodings.grid import on_grid, refined
from musicgen.errors import EncodingError
from musicgen.music import Music, Note, Track

__all__ = ["PITCHES", "Roll", "median_velocity", "pitched_notes", "spans"]

PITCHES = VELOCITIES = 128

USUAL = 64

Array = npt.NDArray[Any]


class Roll(Unconstrained):
    """Frames of a piece of music, one a step of a metrical grid: ``[controls | notes]``.

    Parameters
    ----------
    controls
        The channels before the notes.
    pitches
        Number of pitches.

    Attributes
    ----------
    thermometers
        Channels of controls of which the first up to a level are on.
    notes
        Channels of the notes: all pitches, for each layer.
    layers
        Number of channels of a pitch, of which one at most is on.
    """

    kind: ClassVar[type[Music]] = Music
    unit: ClassVar[str] = "step"
    never: ClassVar[tuple[int, ...]] = ()
    losses: ClassVar[tuple[str, ...]] = (
        "times between the steps of the grid",
        "tracks, programs and names: all notes come back in one track, for the piano",
        "drums",
        "the tempo, beyond the nearest of some marks about 10 % apart",
        "changes of metre after the last note or within a bar, which is then a short one; "
        "denominators that no training piece has",
        "key signatures, fermatas and titles",
    )
    layers: ClassVar[int] = 1

    def __init__(self, controls: Controls, pitches: int) -> None:
        self.controls = controls
        self.thermometers = controls.thermometers
        self.notes = slice(controls.size, controls.size + self.layers * pitches)

    @property
    def usual_length(self) -> int:
        """Steps of a sample where no number is asked for: 32 bars of four quarters."""
        return 128 * self.controls.steps_per_quarter

    @property
    def size(self) -> int:
        """Number of channels D."""
        return self.notes.stop

    def _frames(self, piece: Music, dtype: npt.DTypeLike) -> tuple[Array, list[Note]]:
        """Return the frames of a piece, without its notes, and these in steps."""
        music = on_grid(piece, self.controls.steps_per_quarter)
        notes = sorted(pitched_notes(music))
        if not notes:
            raise EncodingError("the piece holds no notes but drums, which a piano roll leaves out")
        controls = self.controls.encode(music, max(note.end for note in notes))
        frames = np.zeros((len(controls) + 1, self.size), dtype)
        frames[:-1, : self.controls.size] = controls
        frames[-1, BOUNDARY] = 1
        return frames, notes

    def _piece(self, array: npt.ArrayLike, read: Callable[[Array], Iterable[Note]]) -> Music:
        """Return the piece of frames, its notes read from their channels."""
        frames = np.asarray(array)
        if frames.ndim != 2 or frames.shape[1] != self.size:
            raise EncodingError(f"found an array {frames.shape}, expected frames (T, {self.size})")
        inside = up_to_boundary(frames)
        tempos, metres = self.controls.decode(inside, ended=len(inside) < len(frames))
        track = Track(notes=list(read(inside[:, self.notes])))
        steps = self.controls.steps_per_quarter
        return refined(Music(steps, tempos, metres, tracks=[track]))


def pitched_notes(music: Music) -> Iterator[Note]:
    """Yield the notes of all tracks but drums."""
    return (note for track in music.tracks if not track.is_drum for note in track.notes)


def median_velocity(velocities: Iterable[int]) -> int:
    """Return the median of velocities 0–127, the lower of two; 64 of none.

    Examples
    --------
    >>> median_velocity([90, 70, 80, 100])
    80
    """
    count = np.zeros(VELOCITIES, np.int64)
    for velocity in velocities:
        count[velocity] += 1
    return int(np.searchsorted(np.cumsum(count), count.sum() / 2)) if count.any() else USUAL


def spans(starts: npt.NDArray[np.bool_], sounds: npt.NDArray[np.bool_]) -> Iterator[list[int]]:
    """Yield time, pitch and duration of each note, by pitch.

    Parameters
    ----------
    starts, sounds
        ``(T, P)``: whether a note starts, and whether it sounds; what starts sounds.

    Examples
    --------
    >>> starts, sounds = np.array([[1, 0, 0, 1], [1, 1, 0, 1]], bool)[:, :, np.newaxis]
    >>> list(spans(starts, sounds))
    [[0, 0, 2], [3, 0, 1]]
    """
    T, P = sounds.shape
    stops = np.ones((P, T + 1), np.bool_)
    stops[:, :T] = (starts | ~sounds).T
    ends = np.flatnonzero(stops)
    pitches, times = np.nonzero(starts.T)
    places = pitches * (T + 1) + times
    durations = ends[np.searchsorted(ends, places, side="right")] - places
    return iter(np.stack([times, pitches, durations], axis=1).tolist())
