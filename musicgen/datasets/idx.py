"""IDX, the file format of MNIST: one array, with a header that says its type and its shape."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
import numpy.typing as npt

from musicgen.errors import FormatError

__all__ = ["open_plain_or_gzip", "read_idx"]

# All numbers are big-endian.
TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
MOST_AXES = 8
# Bytes: a header that asks for more is damaged. MNIST's greatest array has 47 million.
LARGEST = 2**30


def open_plain_or_gzip(path: Path) -> IO[bytes]:
    """Open a file to read its bytes, unpacked where its name ends in ``.gz``."""
    return cast("IO[bytes]", gzip.open(path)) if path.suffix == ".gz" else path.open("rb")


def read_idx(path: Path) -> npt.NDArray[Any]:
    r"""Read the array of an IDX file.

    Its bytes: two zeros, a code for the type, the number n of axes; n lengths of four bytes; the
    elements, the last axis running fastest.

    Parameters
    ----------
    path
        The file; one whose name ends in ``.gz`` is unpacked.

    Returns
    -------
    array
        Read-only.

    Raises
    ------
    FormatError
        When it is no IDX file, or holds more or less than it says.
    OSError
        When it cannot be read.

    References
    ----------
    LeCun, Cortes & Burges, "The MNIST database of handwritten digits".

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "array"
    ...     _ = file.write_bytes(b"\0\0\x08\2" b"\0\0\0\2" b"\0\0\0\3" b"abcdef")
    ...     read_idx(file)
    array([[ 97,  98,  99],
           [100, 101, 102]], dtype=uint8)
    """
    try:
        with open_plain_or_gzip(path) as stream:
            magic = stream.read(4)
            fits = len(magic) == 4 and magic[:2] == b"\0\0" and magic[2] in TYPES
            if not fits or magic[3] > MOST_AXES:
                codes = ", ".join(f"{code:02x}" for code in TYPES)
                raise FormatError(
                    f"found {magic.hex(' ') or 'nothing'}; expected an IDX file: 00 00, one of "
                    f"{codes}, and a number of axes up to {MOST_AXES:02x}",
                    path=path,
                )
            lengths = stream.read(4 * magic[3])
            if len(lengths) < 4 * magic[3]:
                raise FormatError(f"ends within the lengths of {magic[3]} axes", path=path)
            shape = struct.unpack(f">{magic[3]}I", lengths)
            dtype = np.dtype(TYPES[magic[2]])
            size = math.prod(shape) * dtype.itemsize
            if size > LARGEST:
                raise FormatError(
                    f"found a shape of {shape}, {size} bytes; expected at most {LARGEST}", path=path
                )
            content = stream.read(size + 1)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise FormatError(f"cannot be unpacked: {error}", path=path) from None
    if len(content) != size:
        found = "more" if len(content) > size else len(content)
        raise FormatError(
            f"found {found} bytes after the header; expected {size} for a shape of {shape}",
            path=path,
        )
    return np.frombuffer(content, dtype).reshape(shape)
