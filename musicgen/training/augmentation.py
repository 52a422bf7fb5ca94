"""Pieces in several transpositions."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy.typing as npt

from musicgen.encodings import Encoding
from musicgen.errors import EncodingError, FormatError, FormatWarning
from musicgen.music import Tune
from musicgen.training.spool import unpack

__all__ = ["encode_copies", "transposed_copies"]


def transposed_copies(record: bytes, semitones: Sequence[int]) -> list[Any]:
    """Return a packed piece moved by each of these intervals; those that leave the pitches lack."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FormatWarning)
        return list(_copies(unpack(record), semitones))


def encode_copies(
    job: tuple[bytes, Sequence[int]], encoding: Encoding
) -> tuple[list[npt.NDArray[Any]], str]:
    """Encode a packed piece in several transpositions.

    Parameters
    ----------
    job
        The piece, as `musicgen.training.spool.pack` makes it, and semitones.
    encoding
        A fitted encoding.

    Returns
    -------
    arrays
        One for each transposition that can be encoded, each different one once.
    reason
        Why there is none; empty where there are some.
    """
    record, semitones = job
    arrays: dict[bytes, npt.NDArray[Any]] = {}
    reason = "no transposition lies within the range of pitches"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FormatWarning)
        try:
            piece = unpack(record)
        except (FormatError, OSError) as error:
            return [], str(error)
        for copy in _copies(piece, semitones):
            try:
                array = encoding.encode(copy)
            except (EncodingError, FormatError) as error:
                reason = str(error)
            else:
                arrays.setdefault(hashlib.sha256(array.tobytes()).digest(), array)
    if arrays:
        return list(arrays.values()), ""
    if isinstance(piece, Tune) and piece.line > 1:
        reason = f"tune in line {piece.line}: {reason}"
    return [], reason


def _copies(piece: Any, semitones: Sequence[int]) -> Iterator[Any]:
    for interval in semitones:
        if interval == 0:
            yield piece
            continue
        from musicgen.convert.transposition import transpose

        try:
            moved = transpose(piece, interval)
        except FormatError:
            continue
        yield moved
