"""Moving tunes to one tonic, and back."""

from __future__ import annotations

import re
from statistics import median_low

from musicgen.formats.abc.interpretation import interpret
from musicgen.formats.abc.score import Score
from musicgen.formats.abc.transposing import Interval, tonic, transposed

__all__ = ["at_tonic", "to_tonic", "tonic_and_mode"]

LOWEST, CENTRE, HIGHEST = 55, 71, 84
"""Where a melody lies: from G below middle C to the C two octaves above it, around B."""

MOST_OCTAVES = 4

_KEY = re.compile(r"([A-G][#b]?)(.*)")


def at_tonic(score: Score, place: int) -> Score:
    r"""Move a score to a tonic, in the octave in which melodies lie.

    That is where as little as can be sounds below G3 or above C6, and the median is nearest to B4.

    Parameters
    ----------
    score
        One without a tonic moves as if it stood in C.
    place
        The tonic on the line of fifths, on which C stands at 0.

    Examples
    --------
    >>> from musicgen.formats.abc import parse, print_score
    >>> from musicgen.music import Tune
    >>> print_score(at_tonic(parse(Tune("X:1\nK:Ador\nA,CE|")), 0))
    'X:1\nK:Cdor\nceg|'
    """
    return transposed(score, *to_tonic(score, place))


def to_tonic(score: Score, place: int) -> Interval:
    r"""Find how `at_tonic` moves a score.

    Parameters
    ----------
    score, place
        As there.

    Examples
    --------
    >>> from musicgen.formats.abc import parse
    >>> from musicgen.music import Tune
    >>> to_tonic(parse(Tune("X:1\nK:Ador\nA,CE|")), 0)
    Interval(semitones=15, fifths=-3)
    """
    fifths = place - (tonic(score.first("K")) or 0)
    pitches = [
        pitch
        for part in interpret(score)
        for event in part.events
        if not event.instrument.is_drum
        for pitch in event.pitches
    ] or [CENTRE]
    low, middle, high = min(pitches), median_low(pitches), max(pitches)

    def strain(semitones: int) -> tuple[int, int, int]:
        outside = max(LOWEST - low - semitones, 0) + max(high + semitones - HIGHEST, 0)
        return outside, abs(middle + semitones - CENTRE), abs(semitones)

    octaves = range(-MOST_OCTAVES, MOST_OCTAVES)
    semitones = min((7 * fifths % 12 + 12 * octave for octave in octaves), key=strain)
    return Interval(semitones, fifths)


def tonic_and_mode(key: str) -> tuple[str, str]:
    """Part the value of ``K:`` after its tonic; a key without one counts as a mode of C.

    Examples
    --------
    >>> tonic_and_mode("F#dor"), tonic_and_mode("HP"), tonic_and_mode("none")
    (('F#', 'dor'), ('A', 'mix'), ('C', 'none'))
    """
    match = _KEY.match("Amix" if key in ("HP", "Hp") else key)
    return ("C", key) if match is None else (match[1], match[2])
