"""How much a set of pieces copies, one figure for all of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from musicgen.evaluation.novelty import NGRAM_LENGTHS, Match, Ngrams, NoveltyIndex
from musicgen.music import Music

__all__ = ["Copying", "measure_copying"]


class Copying(NamedTuple):
    """How much of a set of pieces stands in a corpus.

    Attributes
    ----------
    matches
        The longest run of each piece; None where none of three notes or more stands there.
    ngrams
        By n, the n-grams of notes of all pieces together; no entry for an n that no piece has.
    """

    matches: list[Match | None]
    ngrams: dict[int, Ngrams]

    @property
    def shares(self) -> dict[int, float]:
        """By n, which share of the n-grams of all pieces together stands there."""
        return {n: counts.share for n, counts in self.ngrams.items()}

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Notes of the longest run of each piece ``(n_pieces,)``; 0 where there is none."""
        return np.array([match.length if match else 0 for match in self.matches], np.int64)

    @property
    def quartiles(self) -> tuple[float, float, float]:
        """Lower quartile, median and upper quartile of `lengths`; NaN without pieces."""
        if not self.matches:
            return np.nan, np.nan, np.nan
        low, middle, high = np.quantile(self.lengths, [0.25, 0.5, 0.75]).tolist()
        return low, middle, high

    def most(self, count: int) -> list[tuple[int, Match]]:
        """Return the pieces with the longest runs, counted from 0, the longest first."""
        found = [(number, match) for number, match in enumerate(self.matches) if match]
        return sorted(found, key=lambda pair: (-pair[1].length, pair[0]))[:count]


def measure_copying(index: NoveltyIndex, pieces: Iterable[Music]) -> Copying:
    """Look every piece up.

    Parameters
    ----------
    index
        Of the corpus.
    pieces
        Gone through once, one at a time.

    Examples
    --------
    >>> from musicgen.music import Note, Track
    >>> def tune(*pitches):
    ...     notes = [Note(beat, pitch, 1) for beat, pitch in enumerate(pitches)]
    ...     return Music(1, tracks=[Track(notes=notes)])
    >>> index = NoveltyIndex([tune(60, 62, 64, 65, 67, 69)])
    >>> found = measure_copying(index, [tune(50, 52, 54, 55, 57), tune(60, 70, 50, 71, 40)])
    >>> found.lengths, found.shares
    (array([5, 0]), {4: 0.5})
    """
    found = [index.look_up(piece) for piece in pieces]
    rows = {n: [each.ngrams[n] for each in found if n in each.ngrams] for n in NGRAM_LENGTHS}
    sums = {n: Ngrams(*map(sum, zip(*row, strict=True))) for n, row in rows.items() if row}
    return Copying([each.match for each in found], sums)
