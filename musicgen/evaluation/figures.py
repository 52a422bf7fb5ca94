"""Melodies as the figures that their notes make with their neighbours."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from musicgen.evaluation.melody import outer_line
from musicgen.music import Music, Note

__all__ = ["SHORTEST", "Line", "Melody", "figures", "track_melodies"]

SHORTEST = 3
"""Notes of a figure."""


Line = Literal["highest", "lowest"]


class Melody(NamedTuple):
    """The highest or the lowest line of one track, one note at a time.

    Attributes
    ----------
    track
        Number of the track, counted from 1.
    onsets
        Array ``(n,)`` of ticks, rising.
    pitches
        Array ``(n,)`` of MIDI note numbers.
    line
        Which line it is; of a single voice, which is both, the highest.
    """

    track: int
    onsets: npt.NDArray[np.int64]
    pitches: npt.NDArray[np.int64]
    line: Line = "highest"


def track_melodies(music: Music) -> list[Melody]:
    """Return the highest line of each track, and the lowest where that is another.

    See `musicgen.evaluation.melody.outer_line`. Lines of less than three notes, and drums, are left
    out.

    Examples
    --------
    >>> from musicgen.music import Note, Track
    >>> notes = [Note(0, 48, 8), Note(0, 64, 4), Note(4, 65, 4), Note(8, 67, 4)]
    >>> for melody in track_melodies(Music(tracks=[Track(is_drum=True), Track(notes=notes)])):
    ...     print(melody)
    Melody(track=2, onsets=array([0, 4, 8]), pitches=array([64, 65, 67]), line='highest')
    """
    melodies = []
    for number, track in enumerate(music.tracks, start=1):
        if track.is_drum:
            continue
        for line, notes in _lines(track.notes).items():
            if len(notes) >= SHORTEST:
                onsets = np.array([note.time for note in notes], np.int64)
                pitches = np.array([note.pitch for note in notes], np.int64)
                melodies.append(Melody(number, onsets, pitches, line))
    return melodies


def _lines(notes: list[Note]) -> dict[Line, list[Note]]:
    # Most tracks are a single voice, which costs nothing to find.
    if all(a.time < b.time >= a.time + a.duration for a, b in pairwise(notes)):
        return {"highest": notes}
    highest, lowest = outer_line(notes), outer_line(notes, lowest=True)
    return {"highest": highest} if highest == lowest else {"highest": highest, "lowest": lowest}


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
