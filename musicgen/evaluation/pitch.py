"""Statistics of the pitches of a piece. Drum tracks are left out.

Names and definitions are those of MusPy [1]_.

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

from musicgen.evaluation.notes import note_arrays, union

if TYPE_CHECKING:
    from musicgen.music import Music

__all__ = [
    "n_pitch_classes_used",
    "n_pitches_used",
    "pitch_class_entropy",
    "pitch_class_histogram",
    "pitch_entropy",
    "pitch_range",
    "polyphony",
    "polyphony_rate",
    "scale_consistency",
]

# Row by row the major scales, which are also the natural minor ones.
_SCALES = np.array(
    [[(pitch - root) % 12 in {0, 2, 4, 5, 7, 9, 11} for pitch in range(12)] for root in range(12)]
)


def pitch_range(music: Music) -> int:
    """Return the distance from the lowest to the highest pitch in semitones; 0 without notes.

    Examples
    --------
    >>> from musicgen.music import Music, Note, Track
    >>> pitch_range(Music(4, tracks=[Track(notes=[Note(0, 60, 4), Note(4, 72, 4)])]))
    12
    """
    pitches = note_arrays(music).pitches
    return int(np.ptp(pitches)) if len(pitches) else 0


def n_pitches_used(music: Music) -> int:
    """Return how many different pitches there are; 0 without notes."""
    return len(set(note_arrays(music).pitches.tolist()))


def n_pitch_classes_used(music: Music) -> int:
    """Return how many different pitch classes there are, 0–12; 0 without notes."""
    return len(pitch_class_histogram(music))


def pitch_entropy(music: Music) -> float:
    r"""Return the entropy of the pitches in bits: :math:`-\sum_i p_i \log_2 p_i`.

    Here :math:`p_i` is the share of the notes that have pitch i; their durations do not count.
    NaN without notes.

    Examples
    --------
    >>> from musicgen.music import Music, Note, Track
    >>> pitch_entropy(Music(4, tracks=[Track(notes=[Note(0, 60, 4), Note(4, 72, 4)])]))
    1.0
    """
    return _entropy(Counter(note_arrays(music).pitches.tolist()))


def pitch_class_entropy(music: Music) -> float:
    r"""Return the entropy of the pitch classes in bits, at most :math:`\log_2 12 ≈ 3.58`.

    NaN without notes.

    Examples
    --------
    >>> from musicgen.music import Music, Note, Track
    >>> pitch_class_entropy(Music(4, tracks=[Track(notes=[Note(0, 60, 4), Note(4, 72, 4)])]))
    0.0
    """
    return _entropy(pitch_class_histogram(music))


def pitch_class_histogram(music: Music) -> Counter[int]:
    """Return how many notes each pitch class has, 0 for C to 11 for B.

    Examples
    --------
    >>> from musicgen.music import Music, Note, Track
    >>> pitch_class_histogram(Music(4, tracks=[Track(notes=[Note(0, 60, 4), Note(4, 72, 4)])]))
    Counter({0: 2})
    """
    return Counter((note_arrays(music).pitches % 12).tolist())


def scale_consistency(music: Music) -> float:
    """Return the share of the notes that lie in the scale which holds most of them.

    The scales are the twelve major ones; natural minor scales have the same notes. NaN without
    notes.

    Examples
    --------
    >>> from musicgen.music import Music, Note, Track
    >>> notes = [Note(time, pitch, 1) for time, pitch in enumerate([60, 61, 62, 64])]
    >>> scale_consistency(Music(4, tracks=[Track(notes=notes)]))
    0.75
    """
    pitches = note_arrays(music).pitches
    if not len(pitches):
        return math.nan
    counts = np.bincount(pitches % 12, minlength=12)
    return float((_SCALES @ counts).max() / len(pitches))


def polyphony(music: Music) -> float:
    """Return how many pitches sound at a time, on average over the time when any sounds.

    A pitch that several tracks sound at once counts once. NaN without notes.

    Examples
    --------
    >>> from musicgen.music import Music, Note, Track
    >>> polyphony(Music(4, tracks=[Track(notes=[Note(0, 60, 4), Note(2, 64, 2), Note(9, 60, 4)])]))
    1.25
    """
    counts, lengths = _sounding(music)
    time = lengths[counts > 0].sum()
    return float((counts * lengths).sum() / time) if time else math.nan


def polyphony_rate(music: Music, threshold: int = 2) -> float:
    """Return the share of the time in which more than `threshold` pitches sound.

    By default, as in MusPy, three or more. The time is that from tick 0 to the end of the last
    note; NaN without notes.

    Examples
    --------
    >>> from musicgen.music import Music, Note, Track
    >>> music = Music(4, tracks=[Track(notes=[Note(0, 60, 4), Note(2, 64, 2)])])
    >>> polyphony_rate(music), polyphony_rate(music, threshold=1)
    (0.0, 0.5)
    """
    counts, lengths = _sounding(music)
    return float(lengths[counts > threshold].sum() / music.end) if music.end else math.nan


def _sounding(music: Music) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return how many pitches sound between one change and the next, and that time in ticks."""
    onsets, ends, pitches = note_arrays(music)
    # Laid end to end, pitch after pitch, so that only notes of one pitch can be joined.
    length = music.end + 1
    starts, stops = union(onsets + pitches * length, ends + pitches * length)
    times = np.concatenate((starts % length, stops % length))
    order = np.argsort(times)
    changes = np.repeat([1, -1], len(starts))[order]
    return np.cumsum(changes)[:-1], np.diff(times[order])


def _entropy(counts: Counter[int]) -> float:
    if not counts:
        return math.nan
    p = np.array(list(counts.values())) / counts.total()
    return abs(float(-(p * np.log2(p)).sum()))
