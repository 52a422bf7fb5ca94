"""Sound file → `Audio`, whole or in blocks."""

from __future__ import annotations

import io
import os
import warnings
from typing import TYPE_CHECKING, BinaryIO

from musicgen.errors import FormatError, FormatWarning
from musicgen.formats.wav.containers import container
from musicgen.formats.wav.riff import FASTEST_RATE, MOST_CHANNELS, layout
from musicgen.music import Audio

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy as np
    import numpy.typing as npt
    import soundfile

__all__ = ["blocks", "read"]

BLOCK = 2**18
MOST_VALUES = 2**30
UNKNOWN_FRAMES = 2**62


def read(path: Path, *, rate: int | None = None, mono: bool = False) -> list[Audio]:
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
    path: Path, *, rate: int | None = None, mono: bool = False, size: int = BLOCK
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

    if rate is not None and not 1 <= rate <= FASTEST_RATE:
        raise FormatError(f"no rate of {rate} samples a second, expected 1 to {FASTEST_RATE}")
    repairs: list[str] = []
    with path.open("rb") as stream:
        try:
            with _opened(stream, repairs) as file:
                decoded = _decoded(file, size, mono, repairs)
                target = rate or file.samplerate
                for samples in resample(decoded, file.samplerate, target):
                    # A curve through samples up to ±1 may rise above them.
                    yield Audio(samples.clip(-1, 1), target)
        except FormatError as error:
            error.path = path
            raise
    for repair in repairs:
        warnings.warn(f"{path}: {repair}", FormatWarning, stacklevel=2)


def _opened(stream: BinaryIO, repairs: list[str]) -> soundfile.SoundFile:
    """Open a file with libsndfile, which sees no header that lies."""
    import soundfile

    found = container(stream.read(12))
    if found is None:
        raise FormatError(
            "does not start as WAV, FLAC, Ogg, AIFF or MP3 does",
            offset=0,
            hint="convert the file to WAV with a sound editor",
        )
    try:
        if found == "WAV" and (place := layout(stream, repairs)).subtype:
            return soundfile.SoundFile(
                _Section(stream, place.start, place.stop),
                samplerate=place.rate,
                channels=place.channels,
                format="RAW",
                subtype=place.subtype,
                endian=place.endian,
            )
        file = soundfile.SoundFile(_Section(stream, 0, stream.seek(0, os.SEEK_END)))
    except (soundfile.SoundFileError, ValueError) as error:
        raise FormatError(f"libsndfile cannot read this {found} file: {_said(error)}") from error
    if not (1 <= file.samplerate <= FASTEST_RATE and 1 <= file.channels <= MOST_CHANNELS):
        file.close()
        raise FormatError(
            f"{file.channels} channels and {file.samplerate} samples a second, "
            f"expected 1 to {MOST_CHANNELS} and 1 to {FASTEST_RATE}"
        )
    return file


def _decoded(
    file: soundfile.SoundFile, size: int, mono: bool, repairs: list[str]
) -> Iterator[npt.NDArray[np.float32]]:
    """Decode block by block: finite numbers in [−1, 1], mixed where that is wanted."""
    import numpy as np

    shares = np.full((file.channels, 1), 1 / file.channels, np.float32)
    clipped = broken = 0
    for block in _raw(file, max(size // file.channels, 1), repairs):
        finite = np.isfinite(block)
        if not finite.all():
            broken += block.size - int(finite.sum())
            block[~finite] = 0
        beyond = int((np.abs(block) > 1).sum())
        if beyond:
            clipped += beyond
            np.clip(block, -1, 1, out=block)
        yield block @ shares if mono and file.channels > 1 else block
    if broken:
        repairs.append(f"samples that are no numbers, taken for silence: {broken}")
    if clipped:
        repairs.append(f"samples beyond ±1, clipped: {clipped}")


def _raw(
    file: soundfile.SoundFile, frames: int, repairs: list[str]
) -> Iterator[npt.NDArray[np.float32]]:
    """Decode block by block, as far as the file is whole: at least one block."""
    import numpy as np
    import soundfile

    announced, read = file.frames, 0
    # After each read the binding seeks to where it is, and an MP3 then goes on with other samples.
    file.seekable = lambda: False
    while True:
        buffer = np.full((frames, file.channels), np.nan, np.float32)
        try:
            block = file.read(out=buffer)
        except (soundfile.SoundFileError, ValueError) as error:
            # What was decoded before the damage is there; how much, the error does not say.
            block = buffer[: int(np.append(np.flatnonzero(~np.isnan(buffer[:, 0])), -1).max()) + 1]
            read += len(block)
            if not read:
                raise FormatError(f"libsndfile cannot decode it: {_said(error)}") from error
            repairs.append(f"damaged after {read / file.samplerate:.2f} s: {_said(error)}")
            yield block
            return
        if len(block) or not read:
            yield block
        if not len(block):
            break
        read += len(block)
    if read < announced < UNKNOWN_FRAMES:
        repairs.append(f"the header announces {announced} samples, {read} are there")


def _said(error: Exception) -> str:
    """Return libsndfile's own words out of those of the binding."""
    return str(getattr(error, "error_string", error)).strip().rstrip(".")


class _Section(io.RawIOBase):
    """A part of a file, as a file of its own.

    Who seeks before its start finds the start: damaged headers send libsndfile there, and what a
    plain file raises would never reach the caller.
    """

    def __init__(self, stream: BinaryIO, start: int, stop: int) -> None:
        self._stream, self._start, self._size = stream, start, stop - start
        self._place = 0

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self._size}[whence]
        self._place = max(base + offset, 0)
        return self._place

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        length = max(min(len(buffer), self._size - self._place), 0)
        self._stream.seek(self._start + self._place)
        found: int = self._stream.readinto(memoryview(buffer)[:length])  # type: ignore[attr-defined]
        self._place += found
        return found
