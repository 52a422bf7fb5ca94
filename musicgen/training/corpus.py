"""A folder of files as pieces to learn from."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from musicgen.errors import CorpusError, FormatError, FormatWarning
from musicgen.files import files_in
from musicgen.formats import Format, abc, detect, get
from musicgen.music import Audio, Piece, Tune

__all__ = ["Corpus", "digest", "read_corpus", "split"]

P = TypeVar("P")


@dataclass(slots=True)
class Corpus:
    """The pieces of a folder.

    Attributes
    ----------
    pieces
        All of one kind, in the order of their files' names.
    format
        The format that they were read in.
    files
        Number of files that they came from.
    left_out
        Files that were not read, or in part, each with the reason.
    duplicates
        Pieces left out because the same music was there already.
    """

    pieces: list[Any]
    format: Format
    files: int
    left_out: list[tuple[Path, str]]
    duplicates: int

    @property
    def fingerprint(self) -> str:
        """SHA-256 of all pieces, as hexadecimal text."""
        return hashlib.sha256(b"".join(map(digest, self.pieces))).hexdigest()


def read_corpus(
    path: Path, format: str | None = None, progress: Callable[[int, int], None] | None = None
) -> Corpus:
    """Read every file of a folder and of the folders in it, or one file.

    The format that most files have wins. Files of another one, files that cannot be read and
    repeated pieces are left out and reported; hidden files are passed over.

    Parameters
    ----------
    path
        A folder, or a file.
    format
        Name of a format, instead of the one found.
    progress
        Called with the number of files read and to read.

    Raises
    ------
    CorpusError
        When there is nothing to read.
    OSError
        When the folder cannot be listed.
    """
    if not path.exists():
        raise CorpusError(f"{path} does not exist; expected a folder of music files")
    files = files_in(path)
    if not files:
        raise CorpusError(f"{path} is empty; expected music files in it")
    left_out: list[tuple[Path, str]] = []
    found: dict[str, list[Path]] = {}
    wanted = get(format) if format else None
    for file in files:
        try:
            its = wanted or detect(file)
        except OSError as error:
            left_out.append((file, error.strerror or str(error)))
            continue
        if its is not None:
            found.setdefault(its.name, []).append(file)
        else:
            left_out.append((file, "not a music file of a known format"))
    if not found:
        raise CorpusError(f"{path} holds no music file ({_count(files, 'file')}, none readable)")
    winner = max(found, key=lambda name: len(found[name]))
    for name, others in found.items():
        if name != winner:
            reason = f"{name} file among {winner} files; to learn from it too, convert it first"
            left_out += [(file, reason) for file in others]
    pieces: list[Any] = []
    read = 0
    for number, file in enumerate(found[winner], 1):
        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always", FormatWarning)
                pieces += get(winner).read(file)
            read += 1
            left_out += [(file, str(warning.message)) for warning in caught]
        except FormatError as error:
            left_out.append((file, str(error)))
        except OSError as error:
            left_out.append((file, error.strerror or str(error)))
        if progress:
            progress(number, len(found[winner]))
    different = list({digest(piece): piece for piece in reversed(pieces)}.values())[::-1]
    if not different:
        reason = next(reason for file, reason in left_out if file in found[winner])
        raise CorpusError(f"{path} holds no readable {winner} file; the first says: {reason}")
    return Corpus(different, get(winner), read, left_out, len(pieces) - len(different))


def split(
    pieces: Sequence[P], fraction: float, rng: np.random.Generator
) -> tuple[list[P], list[P]]:
    """Set a share of the pieces aside for validation.

    Parameters
    ----------
    pieces
        At least two.
    fraction
        Share to set aside; at least one piece is, and at least one stays.
    rng
        Source of the choice.

    Returns
    -------
    tuple of list
        Training pieces and validation pieces, each in their former order.

    Raises
    ------
    CorpusError
        When there are less than two pieces, or the share is not between 0 and 1.
    """
    if not 0 < fraction < 1:
        raise CorpusError(f"the share for validation is {fraction}; expected between 0 and 1")
    if len(pieces) < 2:
        raise CorpusError(
            f"{_count(pieces, 'piece')} cannot be split into training and validation; expected 2"
        )
    count = min(max(1, round(fraction * len(pieces))), len(pieces) - 1)
    aside = set(rng.permutation(len(pieces))[:count].tolist())
    return (
        [piece for i, piece in enumerate(pieces) if i not in aside],
        [piece for i, piece in enumerate(pieces) if i in aside],
    )


def digest(piece: Piece) -> bytes:
    """Return 32 bytes that tell the music of a piece from other music.

    The names of a tune, and where it stood, do not count.
    """
    if isinstance(piece, Tune):
        return hashlib.sha256(repr(abc.music_lines(piece)).encode()).digest()
    if isinstance(piece, Audio):
        head = f"{piece.rate} {piece.samples.shape}".encode()
        return hashlib.sha256(head + piece.samples.tobytes()).digest()
    return hashlib.sha256(repr(piece).encode()).digest()


def _count(things: Sequence[object], word: str) -> str:
    return f"{len(things)} {word}" + ("" if len(things) == 1 else "s")
