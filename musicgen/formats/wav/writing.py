"""`Audio` → sound file."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from musicgen.errors import FormatError, FormatWarning
from musicgen.files import write_atomically
from musicgen.formats.wav.containers import container_of_name
from musicgen.formats.wav.riff import FASTEST_RATE, MOST_CHANNELS
from musicgen.formats.wav.stamps import without_stamps

if TYPE_CHECKING:
    import os

    import numpy as np
    import numpy.typing as npt

    from musicgen.music import Audio

__all__ = ["write"]

BLOCK = 2**16
BITS = {"PCM_U8": 8, "PCM_S8": 8, "PCM_16": 16, "PCM_24": 24, "PCM_32": 32}
LARGEST_WAV = 2**32 - 2**12


def write(piece: Audio, path: str | os.PathLike[str], *, subtype: str | None = None) -> None:
    """Write a sound file, replacing it in one step.

    The ending of the name chooses the container: ``.flac``, ``.ogg``, ``.aiff``, ``.aif``,
    ``.mp3``, and WAV for all others but those of containers that cannot be written, as ``.opus``.
    The same piece always gives the same bytes.

    Parameters
    ----------
    piece
        The sound, float32 in [−1, 1].
    path
        The file.
    subtype
        How a sample is stored, in libsndfile's words: ``"PCM_16"``, ``"PCM_24"``, ``"PCM_32"``,
        ``"PCM_U8"``, ``"FLOAT"``, ``"DOUBLE"``, …; 16 bits by default, where the container has
        them. Integers are the nearest ones.

    Raises
    ------
    FormatError
        When the piece is not sound, or the container cannot be written, cannot be empty or has no
        such subtype, rate or number of channels.
    OSError
        When the file cannot be written.

    Warns
    -----
    FormatWarning
        When samples beyond ±1 were clipped.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from musicgen.formats import wav
    >>> from musicgen.music import Audio
    >>> ramp = Audio(np.linspace(-1, 1, 5, dtype=np.float32)[:, None], 8000)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     wav.write(ramp, Path(folder) / "a.flac", subtype="PCM_24")
    ...     wav.read(Path(folder) / "a.flac")[0].samples.ravel()[:4].tolist()
    [-1.0, -0.5, 0.0, 0.5]
    """
    path = Path(path)
    try:
        data, clipped = _encoded(piece, container_of_name(path), subtype)
    except FormatError as error:
        error.path = path
        raise
    write_atomically(path, data)
    if clipped:
        warnings.warn(f"{path}: samples beyond ±1, clipped: {clipped}", FormatWarning, stacklevel=2)


def _encoded(piece: Audio, container: str, subtype: str | None) -> tuple[bytes, int]:
    import numpy as np
    import soundfile

    samples, rate = piece.samples, piece.rate
    if samples.ndim != 2 or not 1 <= samples.shape[1] <= MOST_CHANNELS:
        raise FormatError(
            f"samples of shape {samples.shape}, expected (n_samples, n_channels) "
            f"with 1 to {MOST_CHANNELS} channels"
        )
    if not 1 <= rate <= FASTEST_RATE:
        raise FormatError(f"{rate} samples a second, expected 1 to {FASTEST_RATE}")
    known = soundfile.available_subtypes(container)
    if subtype is None:
        subtype = "PCM_16" if "PCM_16" in known else soundfile.default_subtype(container)
    subtype = subtype.upper()
    if not soundfile.check_format(container, subtype):
        raise FormatError(
            f"{container} has no subtype {subtype!r}", hint=f"it has: {', '.join(sorted(known))}"
        )
    if container == "WAV" and samples.size * BITS.get(subtype, 64) // 8 > LARGEST_WAV:
        raise FormatError("more than 4 GiB, too much for WAV", hint="write .flac")
    stream, clipped = io.BytesIO(), 0
    try:
        with soundfile.SoundFile(
            stream, "w", rate, samples.shape[1], subtype, format=container
        ) as file:
            for start in range(0, len(samples), BLOCK):
                block = np.array(samples[start : start + BLOCK], np.float32)
                finite = np.isfinite(block)
                if not finite.all():
                    place = start + int(np.argmin(finite.all(axis=1)))
                    raise FormatError(f"sample {place} is not a number, expected −1 to 1")
                clipped += int((np.abs(block) > 1).sum())
                np.clip(block, -1, 1, out=block)
                file.write(_integers(block, BITS[subtype]) if subtype in BITS else block)
    except (soundfile.SoundFileError, ValueError) as error:
        raise FormatError(
            f"libsndfile cannot write {container} of {samples.shape[1]} channels "
            f"and {rate} samples a second: {getattr(error, 'error_string', error)}"
        ) from error
    if not stream.getbuffer():  # libsndfile writes these headers with the first sample
        raise FormatError(f"no samples, expected at least one for {container}", hint="write .wav")
    return without_stamps(stream, container), clipped


def _integers(block: npt.NDArray[np.float32], bits: int) -> npt.NDArray[np.int32]:
    """Round to the nearest step, at the top of 32 bits.

    libsndfile itself scales by 2ᵇ⁻¹ − 1 when it writes and by 2ᵇ⁻¹ when it reads, and so makes
    everything softer each time.
    """
    import numpy as np

    steps = 2 ** (bits - 1)
    rounded = np.rint(block.astype(np.float64) * steps)
    return np.minimum(rounded, steps - 1).astype(np.int32) << (32 - bits)
