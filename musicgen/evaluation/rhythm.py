"""Statistics of when and how long notes sound.

A beat is a quarter note, as in MusPy [1]_. Measures follow the time signatures of the piece, 4/4
where it says none. A first measure with a shorter metre of its own is an upbeat; an upbeat that the
piece does not say moves the bar lines by its length.

References
----------
.. [1] Dong et al., "MusPy: A Toolkit for Symbolic Music Generation", ISMIR 2020.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from musicgen.encodings.measures import measures
from musicgen.errors import EncodingError
from musicgen.evaluation.notes import note_arrays, union

if TYPE_CHECKING:
    from musicgen.music import Music

__all__ = [
    "duration_histogram",
    "empty_beat_rate",
    "empty_measure_rate",
    "groove_consistency",
    "mean_duration",
    "notes_per_beat",
    "notes_per_second",
]

STEPS = 12
"""Steps a quarter note to which durations and onsets are rounded: sixteenths and triplets."""


def notes_per_second(music: Music) -> float:
    """Return the note density: notes, drums included, over the length in seconds.

    The length is that from tick 0 to the end of the last note; NaN without notes.

    Raises
    ------
    FormatError
        When a tempo is not above 0.

    Examples
    --------
    >>> from musicgen.music import Music, Note, Tempo, Track
    >>> music = Music(4, [Tempo(0, 60.0)], tracks=[Track(notes=[Note(0, 60, 4), Note(4, 64, 4)])])
    >>> notes_per_second(music)
    1.0
    """
    return _n_notes(music) / music.seconds if music.end else math.nan


def notes_per_beat(music: Music) -> float:
    """Return the note density: notes, drums included, over the length in quarter notes.

    NaN without notes.
    """
    return _n_notes(music) * music.resolution / music.end if music.end else math.nan


def mean_duration(music: Music) -> float:
    """Return the mean duration of the notes in quarter notes, drums left out.

    NaN without notes.

    Examples
    --------
    >>> from musicgen.music import Music, Note, Track
    >>> mean_duration(Music(4, tracks=[Track(notes=[Note(0, 60, 4), Note(4, 64, 2)])]))
    0.75
    """
    onsets, ends, _ = note_arrays(music)
    return float((ends - onsets).mean() / music.resolution) if len(onsets) else math.nan


def duration_histogram(music: Music) -> Counter[float]:
    """Return how many notes have each duration in quarter notes, drums left out.

    Durations are rounded to twelfths of a quarter note, and are one twelfth at least.

    Examples
    --------
    >>> from musicgen.music import Music, Note, Track
    >>> duration_histogram(Music(480, tracks=[Track(notes=[Note(0, 60, 479), Note(480, 64, 240)])]))
    Counter({1.0: 1, 0.5: 1})
    """
    onsets, ends, _ = note_arrays(music)
    steps = np.maximum(_steps(ends - onsets, music.resolution), 1)
    return Counter((steps / STEPS).tolist())


def empty_beat_rate(music: Music) -> float:
    """Return the share of the beats in which no note sounds, drums included.

    The last beat is that in which the last note ends; NaN without notes.

    Examples
    --------
    >>> from musicgen.music import Music, Note, Track
    >>> empty_beat_rate(Music(4, tracks=[Track(notes=[Note(0, 60, 4), Note(15, 64, 1)])]))
    0.5
    """
    return _empty_rate(music, np.arange(0, music.end, music.resolution)) if music.end else math.nan


def empty_measure_rate(music: Music) -> float:
    """Return the share of the measures in which no note sounds, drums included.

    NaN without notes, and where a bar of the metre is no whole number of ticks.

    Examples
    --------
    >>> from musicgen.music import Music, Note, TimeSignature, Track
    >>> notes = [Note(0, 60, 4), Note(24, 64, 4)]
    >>> music = Music(4, time_signatures=[TimeSignature(0, 3, 4)], tracks=[Track(notes=notes)])
    >>> round(empty_measure_rate(music), 2)
    0.33
    """
    return _empty_rate(music, _bar_lines(music)[:-1])


def groove_consistency(music: Music, steps_per_quarter: int = STEPS) -> float:
    r"""Return how alike neighbouring measures are in where notes start, drums included.

    .. math:: 1 - \frac{1}{M - 1} \sum_{i=1}^{M-1} d(G_i, G_{i+1})

    :math:`G_i` tells for every step of measure i whether a note starts on it, and d is the share of
    the steps in which two measures differ. Measures of unequal length – at an upbeat, or where the
    metre changes – are not compared. NaN where none can be.

    Parameters
    ----------
    music
        The piece.
    steps_per_quarter
        Grid to which onsets are rounded. The finer it is, the nearer the result to 1: compare only
        figures of one grid. MusPy takes the ticks of the piece.

    Examples
    --------
    >>> from musicgen.music import Music, Note, Track
    >>> notes = [Note(0, 60, 4), Note(8, 60, 4), Note(16, 60, 4)]
    >>> groove_consistency(Music(4, tracks=[Track(notes=notes)]), steps_per_quarter=1)
    0.75
    """
    ticks = _bar_lines(music)
    if len(ticks) < 3:
        return math.nan
    lines = _steps(ticks, music.resolution, steps_per_quarter)
    lengths = np.diff(lines)
    onsets = np.unique(
        _steps(note_arrays(music, drums=True).onsets, music.resolution, steps_per_quarter)
    )
    bars = np.searchsorted(lines, onsets, side="right") - 1
    positions = onsets - lines[bars]
    # An onset as one number, such that the same place a measure later is `width` more.
    width = int(lengths.max()) + 1
    places = bars * width + positions
    again = np.bincount(bars[np.isin(places + width, places)], minlength=len(lines))
    counts = np.bincount(bars, minlength=len(lines))
    different = counts[:-2] + counts[1:-1] - 2 * again[:-2]
    alike = (lengths[:-1] == lengths[1:]) & (lengths[1:] > 0)
    if not alike.any():
        return math.nan
    return float(1 - (different[alike] / lengths[1:][alike]).mean())


def _n_notes(music: Music) -> int:
    return sum(len(track.notes) for track in music.tracks)


def _steps(
    ticks: npt.NDArray[np.int64], resolution: int, steps_per_quarter: int = STEPS
) -> npt.NDArray[np.int64]:
    """Round to the nearest step, up from half-way."""
    return (2 * ticks * steps_per_quarter + resolution) // (2 * resolution)


def _bar_lines(music: Music) -> npt.NDArray[np.int64]:
    """Return the ticks of the bar lines, the last included; none where bars cannot be laid out."""
    try:
        bars = measures(music)
    except EncodingError:
        return np.zeros(0, np.int64)
    return np.array([*bars.starts, bars.end] if bars.starts else [], np.int64)


def _empty_rate(music: Music, starts: npt.NDArray[np.int64]) -> float:
    """Return the share of the spans with these starts in which no note sounds."""
    if not len(starts):
        return math.nan
    onsets, ends, _ = note_arrays(music, drums=True)
    first = np.searchsorted(starts, onsets, side="right") - 1
    after = np.searchsorted(starts, ends, side="left")
    from_, to = union(first, after)
    return float(1 - (to - from_).sum() / len(starts))
