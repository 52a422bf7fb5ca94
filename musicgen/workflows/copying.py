"""Refusing samples that copy."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from musicgen.encodings import Encoding
from musicgen.errors import FormatWarning, ModelError
from musicgen.evaluation import NoveltyIndex
from musicgen.evaluation.figures import SHORTEST
from musicgen.music import Audio
from musicgen.training import read_corpus
from musicgen.training.spool import unpack
from musicgen.workflows.corpus_pieces import notes_of, play, prepare, shown_path

__all__ = ["copy_check"]


def copy_check(
    corpus: Path, encoding: Encoding, most: int, jobs: int | None = None
) -> Callable[[Any], str]:
    """Return what tells whether a piece shares a run of more than so many notes with a corpus.

    Runs are compared by the intervals between notes, in any key, repeats played: see
    `musicgen.evaluation.NoveltyIndex`.

    Parameters
    ----------
    corpus
        A folder of music, or a file.
    encoding
        Of the model: the pieces are compared as it keeps them.
    most
        Notes that may be alike in a row, 3 at least: any piece shares three.
    jobs
        Processes that read; by default all processors.

    Returns
    -------
    function
        Takes a piece and says what it copies; nothing where it does not.

    Raises
    ------
    ModelError
        For a model of sound, which has no notes to compare.
    CorpusError
        When there is nothing to compare with.
    ValueError
        When `most` is below 3.
    """
    if most < SHORTEST:
        raise ValueError(
            f"max_copy is {most}; expected {SHORTEST} or more: any piece shares {SHORTEST} notes"
        )
    if encoding.kind is Audio:
        raise ModelError(f"{encoding.name} writes sound, which has no notes to look for copies of")
    found = read_corpus(corpus, None, encoding.kind, jobs=jobs)
    numbers = range(len(found.pieces))
    heard = partial(play, repeats=True)
    played = prepare(heard, found, numbers, encoding, jobs, lambda done, total: None)
    sources = [shown_path(found.contents.sources[number], corpus) for number in played]
    index = NoveltyIndex(unpack(record) for record in played.values())

    def check(piece: Any) -> str:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FormatWarning)
            match = index.look_up(notes_of(piece, repeats=True)).match
        if match is None or match.length <= most:
            return ""
        return (
            f"{match.length} notes in a row stand in {match.source.title or 'a piece'} "
            f"({sources[match.piece]}), from bar {match.source.bar} on, repeats counted; at most "
            f"{most} may (allow longer runs, or draw more boldly)"
        )

    return check
