"""Pieces in several transpositions."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any

from musicgen.convert.transposition import transpose
from musicgen.errors import FormatError, FormatWarning
from musicgen.parallel import parallel_map
from musicgen.training.spool import Spool, pack, unpack

__all__ = ["Copies"]


class Copies:
    """Some pieces of a spool in several transpositions, which are made when they are gone through.

    Parameters
    ----------
    spool
        The pieces.
    chosen
        The numbers of some of them.
    semitones
        How far each is moved; where it leaves the range of pitches, that copy is missing.
    jobs
        Processes side by side; as many as there are processors by default.
    """

    def __init__(
        self,
        spool: Spool,
        chosen: Iterable[int],
        semitones: Sequence[int],
        jobs: int | None = None,
    ) -> None:
        self._spool = self._moved = spool
        self._chosen = list(chosen)
        self._semitones, self._jobs = semitones, jobs
        self._places = {number: range(number, number + 1) for number in self._chosen}
        if list(semitones) != [0]:
            self._moved = Spool()

    def __iter__(self) -> Iterator[list[Any]]:
        """Give the copies of each chosen piece, one piece after the other."""
        if self._moved is self._spool:
            yield from ([self._spool[number]] for number in self._chosen)
            return
        work = partial(_copies, semitones=self._semitones)
        records = map(self._spool.record, self._chosen)
        results = parallel_map(work, records, self._jobs)
        for number, copies in zip(self._chosen, results, strict=True):
            start = len(self._moved)
            for copy in copies:
                self._moved.append(copy)
            self._places[number] = range(start, len(self._moved))
            yield [unpack(copy) for copy in copies]

    def records(self, number: int) -> list[bytes]:
        """Return the packed copies of a piece, once they were gone through."""
        return [self._moved.record(place) for place in self._places[number]]


def _copies(record: bytes, semitones: Sequence[int]) -> list[bytes]:
    piece, copies = unpack(record), []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FormatWarning)
        for interval in semitones:
            try:
                copies.append(pack(transpose(piece, interval)) if interval else record)
            except FormatError:
                continue
    return copies
