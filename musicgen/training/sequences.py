"""Many arrays in one file, of which only what is looked at is in memory."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, overload

import numpy as np
import numpy.typing as npt

__all__ = ["Sequences", "SequencesWriter", "writing"]

Array = npt.NDArray[Any]


class Sequences(Sequence[Array]):
    """Arrays ``(T,)`` or ``(T, D)``, read from a file as they are asked for.

    Parameters
    ----------
    path
        The file that `writing` wrote.
    lengths
        T of each array, ``(n,)``.
    dtype, shape
        Of a step.

    Attributes
    ----------
    lengths
        T of each array, ``(n,)``.

    Raises
    ------
    OSError
        When the file cannot be read.
    ValueError
        When it is not as long as it should be.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with writing(Path(folder) / "arrays") as writer:
    ...         writer.append(np.array([5, 6, 0]))
    ...         writer.append(np.array([7, 0]))
    ...     arrays = writer.open()
    ...     len(arrays), arrays.lengths.tolist(), arrays[1].tolist(), arrays[-2].tolist()
    (2, [3, 2], [7, 0], [5, 6, 0])
    """

    def __init__(
        self, path: Path, lengths: npt.NDArray[np.int64], dtype: str, shape: tuple[int, ...]
    ) -> None:
        self.lengths = lengths
        self._ends = np.cumsum(lengths)
        steps = int(self._ends[-1]) if len(lengths) else 0
        expected = steps * np.dtype(dtype).itemsize * int(np.prod(shape))
        if (found := path.stat().st_size) != expected:
            raise ValueError(f"{path} is {found} bytes long; expected {expected}")
        # Nothing at all cannot be mapped.
        self._steps: Array = (
            np.memmap(path, dtype, "r", shape=(steps, *shape))
            if expected
            else np.zeros((steps, *shape), dtype)
        )

    def __len__(self) -> int:
        return len(self.lengths)

    @overload
    def __getitem__(self, index: int) -> Array: ...
    @overload
    def __getitem__(self, index: slice) -> list[Array]: ...
    def __getitem__(self, index: int | slice) -> Array | list[Array]:
        if isinstance(index, slice):
            return [self[i] for i in range(len(self))[index]]
        index = range(len(self))[index]
        end = self._ends[index]
        return np.asarray(self._steps[end - self.lengths[index] : end])


class SequencesWriter:
    """Appends arrays to a file."""

    def __init__(self, path: Path, stream: BinaryIO) -> None:
        self.path, self._stream = path, stream
        self._lengths: list[int] = []
        self._dtype, self._shape = "<i4", tuple[int, ...]()

    def __len__(self) -> int:
        return len(self._lengths)

    def append(self, array: Array) -> None:
        """Write an array ``(T,)`` or ``(T, D)``; all must be alike.

        Raises
        ------
        ValueError
            When it is not like the first.
        OSError
            When the disk is full.
        """
        dtype = array.dtype.newbyteorder("<").str
        if not self._lengths:
            self._dtype, self._shape = dtype, array.shape[1:]
        if (dtype, array.shape[1:]) != (self._dtype, self._shape):
            raise ValueError(
                f"found steps of {dtype} {array.shape[1:]}, expected {self._dtype} {self._shape} "
                "as those before"
            )
        self._stream.write(np.ascontiguousarray(array, self._dtype).data)
        self._lengths.append(len(array))

    def facts(self) -> dict[str, Any]:
        """Return what `Sequences` needs beside the path and the lengths, as JSON-able values."""
        return {"dtype": self._dtype, "shape": list(self._shape)}

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """T of each array, ``(n,)``."""
        return np.array(self._lengths, np.int64)

    def open(self) -> Sequences:
        """Return the arrays, once the file is complete."""
        return Sequences(self.path, self.lengths, self._dtype, self._shape)


@contextmanager
def writing(path: Path) -> Iterator[SequencesWriter]:
    """Write arrays to a file, which is complete and on the disk at the end."""
    with path.open("wb") as stream:
        yield SequencesWriter(path, stream)
        stream.flush()
        os.fsync(stream.fileno())
