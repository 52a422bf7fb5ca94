"""Pieces that wait on the disk."""

from __future__ import annotations

import pickle
import tempfile
import weakref
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

from musicgen.formats import get

__all__ = ["InFile", "Spool", "pack", "unpack"]


@dataclass(frozen=True, slots=True)
class InFile:
    """A piece that is read again from its own file.

    Attributes
    ----------
    path, format
        The file, and the name of its format.
    number
        Place among the file's pieces, from 0.
    """

    path: Path
    format: str
    number: int


def pack(piece: Any) -> bytes:
    """Return a piece, or an `InFile`, as bytes."""
    return pickle.dumps(piece, pickle.HIGHEST_PROTOCOL)


def unpack(record: bytes) -> Any:
    """Return the piece of these bytes.

    Raises
    ------
    FormatError, OSError
        When its file can no longer be read.
    """
    # Pickle is for Python's own eyes here: between its processes, and in a file without a name that
    # only this process can open.
    piece = pickle.loads(record)
    if not isinstance(piece, InFile):
        return piece
    return get(piece.format).read(piece.path)[piece.number]


class Spool(Sequence[Any]):
    """Pieces in a temporary file, which vanishes with them.

    It lies where the system keeps such files (``TMPDIR`` says otherwise). As many pieces fit as the
    disk holds, and one at a time comes to memory.

    Examples
    --------
    >>> spool = Spool()
    >>> for piece in ["a", "b", "c"]:
    ...     spool.append(pack(piece))
    >>> len(spool), spool[1], list(spool)
    (3, 'b', ['a', 'b', 'c'])
    """

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the spool
        weakref.finalize(self, self._file.close)
        self._ends = array("q", [0])

    def append(self, record: bytes) -> None:
        """Add a packed piece.

        Raises
        ------
        OSError
            When the disk is full.
        """
        self._file.seek(self._ends[-1])
        try:
            self._file.write(record)
            self._file.flush()
        except OSError as error:
            error.filename = tempfile.gettempdir()
            raise
        self._ends.append(self._ends[-1] + len(record))

    def record(self, index: int) -> bytes:
        """Return a packed piece."""
        start, end = self._ends[index], self._ends[index + 1]
        self._file.seek(start)
        return self._file.read(end - start)

    def __len__(self) -> int:
        return len(self._ends) - 1

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> list[Any]: ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(len(self))[index]]
        return unpack(self.record(range(len(self))[index]))
