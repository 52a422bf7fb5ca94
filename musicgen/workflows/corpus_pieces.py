"""The pieces of a corpus as an evaluation needs them: parted, encoded, played."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from musicgen.convert import tune_to_music
from musicgen.encodings import Encoding
from musicgen.errors import EncodingError, FormatError, FormatWarning
from musicgen.music import Music, Tune
from musicgen.networks import Model
from musicgen.parallel import parallel_map
from musicgen.training import Corpus
from musicgen.training.spool import pack, unpack

__all__ = ["encode", "notes_of", "part", "play", "prepare", "shown_path"]


def part(corpus: Corpus, model: Model) -> tuple[list[int], list[int]]:
    """Return the numbers of the pieces that the model learned from, and of the others."""
    learned = np.isin(corpus.contents.marks, model.learned)
    return np.flatnonzero(learned).tolist(), np.flatnonzero(~learned).tolist()


def prepare(
    work: Callable[..., Any],
    corpus: Corpus,
    numbers: Sequence[int],
    encoding: Encoding,
    jobs: int | None,
    report: Callable[[int, int], object],
) -> dict[int, Any]:
    """Do something with pieces of a corpus; return the results by number, where there are any."""
    records = (corpus.contents.pieces.record(number) for number in numbers)
    results: dict[int, Any] = {}
    made = parallel_map(partial(work, encoding=encoding), records, jobs)
    for done, (number, result) in enumerate(zip(numbers, made, strict=True), 1):
        if result is not None:
            results[number] = result
        report(done, len(numbers))
    return results


def encode(record: bytes, encoding: Encoding) -> npt.NDArray[Any] | None:
    """Return the symbols or frames of a packed piece; None where it has none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FormatWarning)
        try:
            return encoding.encode(unpack(record))
        except (EncodingError, FormatError):
            return None


def play(record: bytes, encoding: Encoding, *, repeats: bool = False) -> bytes | None:
    """Return the notes of a packed piece, packed, as `notes_of` does; None where it has none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FormatWarning)
        try:
            piece = unpack(record)
            if isinstance(piece, Tune):
                return pack(notes_of(piece, repeats=repeats))
            # What the encoding leaves out, such as which track a note is of, no sample can have.
            kept = encoding.decode(encoding.encode(piece))
            kept.title = piece.title
            return pack(kept)
        except (EncodingError, FormatError):
            return None


def notes_of(piece: Any, *, repeats: bool = False) -> Music:
    """Return the notes of a piece, those of a tune as they are written, or with repeats played."""
    return tune_to_music(piece, repeats=repeats) if isinstance(piece, Tune) else piece


def shown_path(file: Path, folder: Path) -> str:
    """Return the name of a file from a folder on, which may be the file itself."""
    return str(file.relative_to(folder)) if file != folder else file.name
