"""Sound file → `Audio`, whole or in blocks."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from musicgen.errors import FormatError, FormatWarning
from musicgen.formats.wav.decoding import decoded, opened
from musicgen.formats.wav.riff import FASTEST_RATE
from musicgen.music import Audio

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

__all__ = ["blocks", "read"]

BLOCK = 2**18
MOST_VALUES = 2**30


def read(
    path: str | os.PathLike[str], *, rate: int | None = None, mono: bool = False
) -> list[Audio]:
    """Read a whole file: one piece.

    It is decoded, mixed and resampled block by block, so that little more memory is taken than the
    result needs: 4 bytes a sample and channel.

    Parameters
    ----------
    path
        The file.
    rate
        Samples a second to resample to; those of the file by default.
    mono
        Whether to mix all channels to one, their mean.

    Returns
    -------
    list of Audio
        The one piece.

    Raises
    ------
    FormatError
        When the file is not sound that libsndfile knows, is damaged beyond what can be repaired,
        or gives more than 2³⁰ values.
    OSError
        When the file cannot be read.

    Warns
    -----
    FormatWarning
        When something was repaired or left out.
    """
    import numpy as np

    path = Path(path)
    values = bytearray()  # grows in place, where a list of blocks would be copied once more
    channels, found = 1, 1
    for block in blocks(path, rate=rate, mono=mono):
        channels, found = block.samples.shape[1], block.rate
        values += block.samples.tobytes()
        if len(values) > 4 * MOST_VALUES:
            raise FormatError(
                f"more than {MOST_VALUES:,} values, too many to hold in memory",
                path=path,
                hint="read it mono, at a lower rate, or in blocks",
            )
    return [Audio(np.frombuffer(values, np.float32).reshape(-1, channels), found)]


def blocks(
    path: str | os.PathLike[str],
    *,
    rate: int | None = None,
    mono: bool = False,
    size: int = BLOCK,
) -> Iterator[Audio]:
    """Read a file in consecutive blocks, so that one of any length fits into little memory.

    Together they are what `read` gives, sample for sample.

    Parameters
    ----------
    path, rate, mono
        As for `read`.
    size
        Values to decode at a time, of all channels together. The blocks are of similar lengths,
        not of equal ones.

    Yields
    ------
    Audio
        At least one block, which is empty where the file has no samples.

    Raises
    ------
    FormatError, OSError
        As `read`, once the first block is asked for.

    Warns
    -----
    FormatWarning
        As `read`, once the last block was taken.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from musicgen.formats import wav
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     wav.write(Audio(np.zeros((8000, 2), np.float32), 8000), Path(folder) / "a.wav")
    ...     found = list(blocks(Path(folder) / "a.wav", rate=16000, mono=True, size=2000))
    >>> len(found), sum(len(block.samples) for block in found), found[0].samples.shape[1]
    (9, 16000, 1)
    """
    from musicgen.formats.wav.resampling import resample

    path = Path(path)
    if rate is not None and not 1 <= rate <= FASTEST_RATE:
        raise FormatError(f"no rate of {rate} samples a second, expected 1 to {FASTEST_RATE}")
    repairs: list[str] = []
    with path.open("rb") as stream:
        try:
            with opened(stream, repairs) as file:
                target = rate or file.samplerate
                parts = decoded(file, size, mono, repairs)
                for samples in resample(parts, file.samplerate, target):
                    # A curve through samples up to ±1 may rise above them.
                    yield Audio(samples.clip(-1, 1), target)
        except FormatError as error:
            error.path = path
            raise
    for repair in repairs:
        warnings.warn(f"{path}: {repair}", FormatWarning, stacklevel=2)
