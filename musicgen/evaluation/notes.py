"""The notes of a piece as an array, and what they cover."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from musicgen.music import Music

__all__ = ["NoteArrays", "note_arrays", "union"]

Integers = npt.NDArray[np.int64]


class NoteArrays(NamedTuple):
    """Onsets and ends in ticks, and pitches, each ``(n_notes,)``."""

    onsets: Integers
    ends: Integers
    pitches: Integers


def note_arrays(music: Music, *, drums: bool = False) -> NoteArrays:
    """Return the notes of all tracks, track by track.

    Parameters
    ----------
    music
        The piece.
    drums
        Whether drum tracks, whose pitches are no pitches, are counted.

    Examples
    --------
    >>> from musicgen.music import Music, Note, Track
    >>> note_arrays(Music(4, tracks=[Track(notes=[Note(0, 60, 2), Note(2, 64, 3)])])).ends
    array([2, 5])
    """
    notes = chain.from_iterable(track.notes for track in music.tracks if drums or not track.is_drum)
    fields = np.fromiter(chain.from_iterable(notes), np.int64).reshape(-1, 4)
    onsets, pitches, durations, _ = fields.T
    return NoteArrays(onsets, onsets + durations, pitches)


def union(starts: Integers, ends: Integers) -> tuple[Integers, Integers]:
    """Join half-open intervals that overlap or touch; return starts and ends in order.

    Parameters
    ----------
    starts, ends
        ``(n,)``, in any order.

    Examples
    --------
    >>> union(np.array([5, 0, 1]), np.array([6, 2, 3]))
    (array([0, 5]), array([3, 6]))
    """
    order = np.argsort(starts, kind="stable")
    starts, reach = starts[order], np.maximum.accumulate(ends[order])
    gaps = starts[1:] > reach[:-1]
    # [:len] leaves nothing of nothing.
    first = np.concatenate(([True], gaps))[: len(starts)]
    last = np.concatenate((gaps, [True]))[: len(starts)]
    return starts[first], reach[last]
