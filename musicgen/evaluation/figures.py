"""Melodies as the figures that their notes make with their neighbours."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from musicgen.evaluation.melody import skyline
from musicgen.music import Music

__all__ = ["SHORTEST", "Melody", "figures", "track_melodies"]

SHORTEST = 3
"""Notes of a figure."""


class Melody(NamedTuple):
    """The notes of one track, one at a time.

    Attributes
    ----------
    track
        Number of the track, counted from 1.
    onsets
        Array ``(n,)`` of ticks, rising.
    pitches
        Array ``(n,)`` of MIDI note numbers.
    """

    track: int
    onsets: npt.NDArray[np.int64]
    pitches: npt.NDArray[np.int64]


def track_melodies(music: Music) -> list[Melody]:
    """Return the `skyline` of each track that has three notes or more; drums are left out.

    Examples
    --------
    >>> from musicgen.music import Note, Track
    >>> notes = [Note(0, 48, 8), Note(0, 64, 4), Note(4, 65, 4), Note(8, 67, 4)]
    >>> track_melodies(Music(tracks=[Track(is_drum=True), Track(notes=notes)]))
    [Melody(track=2, onsets=array([0, 4, 8]), pitches=array([64, 65, 67]))]
    """
    melodies = []
    for number, track in enumerate(music.tracks, start=1):
        notes = [] if track.is_drum else skyline(track.notes)
        if len(notes) >= SHORTEST:
            onsets = np.array([note.time for note in notes], np.int64)
            pitches = np.array([note.pitch for note in notes], np.int64)
            melodies.append(Melody(number, onsets, pitches))
    return melodies


def figures(melody: Melody, *, rhythm: bool) -> npt.NDArray[np.complex128]:
    r"""Return the figure of each note but the first and last.

    .. math:: (p_i - p_{i-1},\; p_{i+1} - p_i,\; (t_{i+1} - t_i) / (t_i - t_{i-1}))

    with pitches p and onsets t. Runs of n notes are the same when their n − 2 figures are equal,
    wherever they lie and however fast they are. Intervals fill the real part of a number and the
    ratio its imaginary part, so that numpy sorts and compares figures. The comparison is exact:
    quotients of integers below 2²⁶ are the same float only where the fractions are equal.

    Parameters
    ----------
    melody
        n notes, at least three.
    rhythm
        Whether the ratio counts; else it is 0.

    Returns
    -------
    Array ``(n - 2,)``.

    Examples
    --------
    >>> fast, slow = np.array([0, 2, 3]), np.array([9, 17, 21])
    >>> low, high = np.array([60, 64, 67]), np.array([72, 76, 79])
    >>> one, other = Melody(1, fast, low), Melody(1, slow, high)
    >>> bool(figures(one, rhythm=True) == figures(other, rhythm=True))
    True
    """
    intervals = np.diff(melody.pitches)
    # Intervals are −127 to 127.
    found = (255 * intervals[:-1] + intervals[1:]).astype(np.complex128)
    if rhythm:
        distances = np.diff(melody.onsets)
        found.imag = distances[1:] / distances[:-1]
    return found
