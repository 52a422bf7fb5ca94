"""Musical statistics of a piece, in the names and definitions of MusPy [1]_ where it has them.

References
----------
.. [1] Dong et al., "MusPy: A Toolkit for Symbolic Music Generation", ISMIR 2020.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import NamedTuple

from musicgen.evaluation import melody, pitch, rhythm
from musicgen.music import Music

__all__ = ["HISTOGRAMS", "STATISTICS", "Histogram", "Statistic", "describe", "histograms"]


class Statistic(NamedTuple):
    """A number that says something of a piece.

    Attributes
    ----------
    compute
        Takes the piece; NaN where the statistic is not defined.
    meaning
        What it is, in a line.
    unit
        Its unit.
    """

    compute: Callable[[Music], float]
    meaning: str
    unit: str


class Histogram(NamedTuple):
    """Counts that say something of a piece.

    Attributes
    ----------
    compute
        Takes the piece and returns how often each value occurs.
    meaning
        What is counted, in a line.
    unit
        The unit of the values.
    """

    compute: Callable[[Music], Mapping[int, int] | Mapping[float, int]]
    meaning: str
    unit: str


STATISTICS: dict[str, Statistic] = {
    "pitch_range": Statistic(
        pitch.pitch_range, "distance from the lowest to the highest pitch", "semitones"
    ),
    "n_pitches_used": Statistic(pitch.n_pitches_used, "different pitches", "pitches"),
    "n_pitch_classes_used": Statistic(
        pitch.n_pitch_classes_used, "different pitch classes", "pitch classes"
    ),
    "polyphony": Statistic(
        pitch.polyphony, "pitches that sound at a time, silence left out", "pitches"
    ),
    "polyphony_rate": Statistic(
        pitch.polyphony_rate, "time in which three or more pitches sound", "share"
    ),
    "pitch_entropy": Statistic(pitch.pitch_entropy, "variety of the pitches", "bits"),
    "pitch_class_entropy": Statistic(
        pitch.pitch_class_entropy, "variety of the pitch classes, 3.58 at most", "bits"
    ),
    "scale_consistency": Statistic(
        pitch.scale_consistency, "notes that lie in the best-fitting scale", "share"
    ),
    "empty_beat_rate": Statistic(
        rhythm.empty_beat_rate, "quarter notes in which nothing sounds", "share"
    ),
    "empty_measure_rate": Statistic(
        rhythm.empty_measure_rate, "measures in which nothing sounds", "share"
    ),
    "groove_consistency": Statistic(
        rhythm.groove_consistency,
        "steps, twelve a quarter note, at which neighbouring measures agree whether a note starts",
        "share",
    ),
    "notes_per_second": Statistic(rhythm.notes_per_second, "note density", "notes a second"),
    "notes_per_beat": Statistic(rhythm.notes_per_beat, "note density", "notes a quarter note"),
    "mean_duration": Statistic(rhythm.mean_duration, "mean duration of the notes", "quarter notes"),
    "ngram_repetition": Statistic(
        melody.ngram_repetition, "runs of four melodic intervals that have come before", "share"
    ),
}
"""By name, what `describe` computes."""

HISTOGRAMS: dict[str, Histogram] = {
    "durations": Histogram(rhythm.duration_histogram, "durations of the notes", "quarter notes"),
    "intervals": Histogram(
        melody.interval_histogram, "steps and leaps of the melody, up positive", "semitones"
    ),
    "pitch_classes": Histogram(
        pitch.pitch_class_histogram, "pitch classes of the notes, 0 for C", "pitch classes"
    ),
}
"""By name, what `histograms` computes."""


def describe(music: Music) -> dict[str, float]:
    """Return every statistic of a piece by its name; NaN where one is not defined.

    A piece without notes has a pitch range and numbers of pitches of 0; nothing else of it is
    defined.

    Raises
    ------
    FormatError
        When a tempo is not above 0.

    Examples
    --------
    >>> from musicgen.music import Note, Track
    >>> notes = [Note(0, 60, 2), Note(2, 62, 2), Note(4, 64, 4)]
    >>> found = describe(Music(4, tracks=[Track(notes=notes)]))
    >>> found["n_pitches_used"], found["notes_per_second"], found["mean_duration"]
    (3.0, 3.0, 0.6666666666666666)
    """
    return {name: float(statistic.compute(music)) for name, statistic in STATISTICS.items()}


def histograms(music: Music) -> dict[str, Counter[float]]:
    """Return every histogram of a piece by its name: how often each value occurs.

    Examples
    --------
    >>> from musicgen.music import Note, Track
    >>> found = histograms(Music(4, tracks=[Track(notes=[Note(0, 60, 2), Note(2, 64, 2)])]))
    >>> found["intervals"], found["durations"]
    (Counter({4: 1}), Counter({0.5: 2}))
    """
    return {name: Counter(histogram.compute(music)) for name, histogram in HISTOGRAMS.items()}
