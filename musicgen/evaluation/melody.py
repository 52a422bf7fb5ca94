"""Statistics of the melody of a piece. Drum tracks are left out."""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from musicgen.music import Music, Note

__all__ = ["interval_histogram", "melodies", "ngram_repetition", "skyline"]


def skyline(notes: Iterable[Note]) -> list[Note]:
    """Return the highest of the notes that start at each tick, in the order of time.

    References
    ----------
    Uitdenbogerd and Zobel, "Manipulation of music for melody matching", ACM Multimedia 1998.

    Examples
    --------
    >>> from musicgen.music import Note
    >>> [note.pitch for note in skyline([Note(0, 60, 4), Note(0, 67, 4), Note(4, 62, 4)])]
    [67, 62]
    """
    return list({note.time: note for note in sorted(notes)}.values())


def melodies(music: Music, *, per_track: bool = False) -> list[list[Note]]:
    """Return the skyline of all tracks together, or of each track that has notes.

    Parameters
    ----------
    music
        The piece.
    per_track
        Whether every track is a melody of its own: for voices rather than tune and accompaniment.
    """
    tracks = [track.notes for track in music.tracks if track.notes and not track.is_drum]
    if per_track:
        return [skyline(notes) for notes in tracks]
    return [skyline(note for notes in tracks for note in notes)] if tracks else []


def interval_histogram(music: Music, *, per_track: bool = False) -> Counter[int]:
    """Return how many melodic intervals there are of each size in semitones, up positive.

    Parameters
    ----------
    music, per_track
        As `melodies` takes them.

    Examples
    --------
    >>> from musicgen.music import Music, Note, Track
    >>> notes = [Note(time, pitch, 1) for time, pitch in enumerate([60, 62, 64, 60])]
    >>> interval_histogram(Music(4, tracks=[Track(notes=notes)]))
    Counter({2: 2, -4: 1})
    """
    found = Counter[int]()
    for melody in melodies(music, per_track=per_track):
        found.update(_intervals(melody))
    return found


def ngram_repetition(music: Music, n: int = 4, *, per_track: bool = False) -> float:
    """Return the share of the n-grams of melodic intervals that the melody had before.

    The n-grams are the runs of n intervals, n + 1 notes, from every note on. Intervals do not
    change with transposition, so that sequences count as repeated; rhythm does not count. NaN
    where no melody has n + 1 notes.

    Parameters
    ----------
    music, per_track
        As `melodies` takes them; each melody is compared with itself only.
    n
        Intervals of a run.

    Examples
    --------
    >>> from musicgen.music import Music, Note, Track
    >>> notes = [Note(time, pitch, 1) for time, pitch in enumerate([60, 62, 64, 65, 67, 69, 71])]
    >>> music = Music(4, tracks=[Track(notes=notes)])
    >>> ngram_repetition(music, n=2), ngram_repetition(music, n=1)
    (0.4, 0.6666666666666666)
    """
    total = different = 0
    for melody in melodies(music, per_track=per_track):
        intervals = _intervals(melody)
        runs = list(zip(*(intervals[at:] for at in range(n)), strict=False))
        total += len(runs)
        different += len(set(runs))
    return (total - different) / total if total else math.nan


def _intervals(melody: list[Note]) -> list[int]:
    return [after.pitch - before.pitch for before, after in pairwise(melody)]
