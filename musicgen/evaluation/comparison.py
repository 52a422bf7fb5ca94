"""Sets of pieces side by side: training pieces, held-out ones, samples."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from musicgen.evaluation.overlap import histogram_overlap, overlapping_area
from musicgen.evaluation.statistics import HISTOGRAMS, STATISTICS, describe, histograms
from musicgen.music import Music

__all__ = ["SetStatistics", "Summary", "compare", "compare_histograms", "describe_set"]


class SetStatistics(NamedTuple):
    """What a set of pieces is like.

    Attributes
    ----------
    values
        By the name of a statistic, its value for each piece ``(n_pieces,)``; NaN where a piece has
        none.
    histograms
        By the name of a histogram, the counts of all pieces together.
    """

    values: dict[str, npt.NDArray[np.float64]]
    histograms: dict[str, Counter[float]]


class Summary(NamedTuple):
    """One statistic over a set of pieces.

    Attributes
    ----------
    pieces
        How many pieces it is defined for.
    mean, deviation
        Mean and standard deviation over them, in the unit of the statistic; NaN where there are too
        few.
    overlap
        Overlapping area with the set compared against, 0 to 1.
    """

    pieces: int
    mean: float
    deviation: float
    overlap: float


def describe_set(pieces: Iterable[Music]) -> SetStatistics:
    """Compute the statistics and histograms of every piece.

    Parameters
    ----------
    pieces
        Gone through once, one at a time.

    Raises
    ------
    FormatError
        When a tempo of a piece is not above 0.
    """
    rows: list[dict[str, float]] = []
    pooled: dict[str, Counter[float]] = {name: Counter() for name in HISTOGRAMS}
    for piece in pieces:
        rows.append(describe(piece))
        for name, counts in histograms(piece).items():
            pooled[name].update(counts)
    return SetStatistics(
        {name: np.array([row[name] for row in rows], np.float64) for name in STATISTICS}, pooled
    )


def compare(sets: Mapping[str, SetStatistics], reference: str) -> dict[str, dict[str, Summary]]:
    """Set the statistics of several sets side by side.

    How far the training pieces overlap with the held-out ones is the yardstick for samples: small
    sets never reach 1. Take about as many of each.

    Parameters
    ----------
    sets
        By name: ``"training"``, ``"held-out"``, ``"samples"``.
    reference
        The set that the others are compared against.

    Returns
    -------
    dict
        By the name of a statistic, by that of a set.

    Raises
    ------
    ValueError
        When no set has the name of the reference.

    Examples
    --------
    >>> from musicgen.music import Note, Track
    >>> low, high = (Music(4, tracks=[Track(notes=[Note(0, 60, 4 * n)])]) for n in (1, 2))
    >>> sets = {"held-out": describe_set([low, high]), "samples": describe_set([low, low])}
    >>> compare(sets, "held-out")["mean_duration"]["held-out"].mean
    1.5
    """
    _check(sets, reference)
    return {
        name: {
            label: _summary(found.values[name], sets[reference].values[name])
            for label, found in sets.items()
        }
        for name in STATISTICS
    }


def compare_histograms(
    sets: Mapping[str, SetStatistics], reference: str
) -> dict[str, dict[str, float]]:
    """Return the overlap of every histogram with that of the reference.

    The counts of all pieces of a set are added up, so that long pieces weigh more.

    Parameters
    ----------
    sets, reference
        As `compare` takes them.

    Returns
    -------
    dict
        By the name of a histogram, by that of a set: 0 to 1.

    Raises
    ------
    ValueError
        When no set has the name of the reference.
    """
    _check(sets, reference)
    return {
        name: {
            label: histogram_overlap(found.histograms[name], sets[reference].histograms[name])
            for label, found in sets.items()
        }
        for name in HISTOGRAMS
    }


def _check(sets: Mapping[str, SetStatistics], reference: str) -> None:
    if reference not in sets:
        raise ValueError(f"no set is called {reference!r}; there are: {', '.join(sets)}")


def _summary(values: npt.NDArray[np.float64], reference: npt.NDArray[np.float64]) -> Summary:
    defined = values[~np.isnan(values)]
    n = len(defined)
    return Summary(
        n,
        float(defined.mean()) if n else math.nan,
        float(defined.std(ddof=1)) if n > 1 else math.nan,
        overlapping_area(values, reference),
    )
