"""Samples out of libsndfile: all that a file holds up to where it is damaged, and finite."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING, BinaryIO

from musicgen.errors import FormatError
from musicgen.formats.wav.containers import container
from musicgen.formats.wav.riff import FASTEST_RATE, MOST_CHANNELS, layout

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    import numpy.typing as npt
    import soundfile

__all__ = ["decoded", "opened"]

UNKNOWN_FRAMES = 2**62


def opened(stream: BinaryIO, repairs: list[str]) -> soundfile.SoundFile:
    """Open a file with libsndfile, which sees no header that lies.

    Parameters
    ----------
    stream
        The file, at its start.
    repairs
        Where what was repaired is noted.

    Raises
    ------
    FormatError
        When the file is not sound that libsndfile knows.
    """
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


def decoded(
    file: soundfile.SoundFile, size: int, mono: bool, repairs: list[str]
) -> Iterator[npt.NDArray[np.float32]]:
    """Decode block by block: finite numbers in [−1, 1], mixed where that is wanted.

    Parameters
    ----------
    file
        The file, as `opened` gives it.
    size
        Values to decode at a time, of all channels together.
    mono
        Whether to mix all channels to one, their mean.
    repairs
        Where what was repaired is noted.

    Yields
    ------
    ndarray
        ``(n_samples, n_channels)``, at least once.

    Raises
    ------
    FormatError
        When the file is damaged before its first sample.
    """
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
