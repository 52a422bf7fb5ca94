"""Refusing samples that copy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from musicgen.encodings import Encoding
from musicgen.errors import FormatError, ModelError
from musicgen.evaluation import NoveltyIndex
from musicgen.music import Audio
from musicgen.training import read_corpus
from musicgen.training.spool import unpack
from musicgen.workflows.corpus_pieces import notes_of, play, prepare, shown_path

__all__ = ["copy_check"]


def copy_check(
    corpus: Path, encoding: Encoding, most: int, jobs: int | None = None
) -> Callable[[Any], None]:
    """Return what refuses a piece that shares a run of more than so many notes with a corpus.

    Runs are compared by the intervals between notes, in any key; repeats are not played.

    Parameters
    ----------
    corpus
        A folder of music, or a file.
    encoding
        Of the model: the pieces are compared as it keeps them.
    most
        Notes that may be alike in a row.
    jobs
        Processes that read; by default all processors.

    Returns
    -------
    function
        Takes a piece; raises a FormatError that names what it copies.

    Raises
    ------
    ModelError
        For a model of sound, which has no notes to compare.
    CorpusError
        When there is nothing to compare with.
    """
    if encoding.kind is Audio:
        raise ModelError(f"{encoding.name} writes sound, which has no notes to look for copies of")
    found = read_corpus(corpus, None, encoding.kind, jobs=jobs)
    numbers = range(len(found.pieces))
    played = prepare(play, found, numbers, encoding, jobs, lambda done, total: None)
    sources = [shown_path(found.contents.sources[number], corpus) for number in played]
    index = NoveltyIndex(unpack(record) for record in played.values())

    def check(piece: Any) -> None:
        match = index.longest(notes_of(piece))
        if match is not None and match.length > most:
            raise FormatError(
                f"{match.length} notes in a row stand in {match.source.title or 'a piece'} "
                f"({sources[match.piece]}), from bar {match.source.bar} on; at most {most} may",
                hint="allow longer runs, or draw more boldly",
            )

    return check
