"""Statistics of the melody of a piece. Drum tracks are left out."""

from __future__ import annotations

import math
from collections import Counter
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from musicgen.music import Music, Note

__all__ = ["interval_histogram", "melodies", "ngram_repetition", "outer_line", "skyline"]


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


def outer_line(notes: Iterable[Note], *, lowest: bool = False) -> list[Note]:
    """Return the highest or the lowest line of notes that may sound together.

    Of the notes that start at a tick the highest counts, unless one as high that started before
    sounds on for a third of its length: inner voices that move below a held note are left out, but
    not a note that was played legato. What is highest while the upper voice rests counts. The
    lowest line is the mirror image. A single voice is both.

    Examples
    --------
    >>> from musicgen.music import Note
    >>> notes = [Note(0, 72, 4), Note(0, 60, 2), Note(2, 62, 2), Note(4, 71, 4), Note(4, 55, 4)]
    >>> [note.pitch for note in outer_line(notes)]
    [72, 71]
    >>> [note.pitch for note in outer_line(notes, lowest=True)]
    [60, 62, 55]
    """
    sign = -1 if lowest else 1
    line: list[Note] = []
    held: list[tuple[int, int]] = []
    ordered = sorted(notes, key=lambda note: (note.time, sign * note.pitch, note.duration))
    for time, starting in groupby(ordered, key=lambda note: note.time):
        together = list(starting)
        outer = together[-1]
        height, third = sign * outer.pitch, time + outer.duration / 3
        held = [(top, end) for top, end in held if end > time]
        if not any(top >= height and end >= third for top, end in held):
            line.append(outer)
        held += [(sign * note.pitch, note.time + note.duration) for note in together]
    return line


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
