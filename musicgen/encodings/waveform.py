"""Sound as one channel of a given rate, and back."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from musicgen.errors import EncodingError
from musicgen.formats.wav.resampling import resample
from musicgen.music import Audio

__all__ = ["to_audio", "waveform"]

FADE_SECONDS = 0.01


def waveform(audio: Audio, rate: int) -> npt.NDArray[np.float64]:
    """Return the mean of the channels at this rate.

    Parameters
    ----------
    audio
        Any rate, any number of channels.
    rate
        Samples a second.

    Returns
    -------
    ndarray
        ``(n_samples,)``.

    Raises
    ------
    EncodingError
        When there are no samples, or some are not finite.

    Examples
    --------
    >>> waveform(Audio(np.array([[0.5, 1.0], [0.0, 0.5]], np.float32), 8000), 8000)
    array([0.75, 0.25])
    """
    if not audio.samples.size:
        raise EncodingError("the sound is empty; expected at least one sample")
    if audio.rate < 1:
        raise EncodingError(f"the sound has {audio.rate} samples a second; expected 1 or more")
    if not np.isfinite(audio.samples).all():
        raise EncodingError("the sound holds samples that are not finite; write the file anew")
    mono = audio.samples.mean(axis=1, keepdims=True, dtype=np.float32)
    return np.concatenate([*resample([mono], audio.rate, rate)])[:, 0].astype(np.float64)


def to_audio(samples: npt.NDArray[np.float64], rate: int, *, fade: bool = False) -> Audio:
    """Return samples as sound of one channel that does not clip.

    Where a sample lies beyond ±1, all are made softer by one factor.

    Parameters
    ----------
    samples
        ``(n_samples,)``.
    rate
        Samples a second.
    fade
        Whether the first and the last 10 ms swell and die away, so that neither clicks.

    Examples
    --------
    >>> to_audio(np.array([0.5, -2.0]), 8000).samples
    array([[ 0.25],
           [-1.  ]], dtype=float32)
    """
    samples = samples / max(float(np.abs(samples).max(initial=0.0)), 1.0)
    if fade:
        length = min(round(FADE_SECONDS * rate), len(samples) // 2)
        slope = np.sin(np.pi / 2 * (np.arange(length) + 0.5) / max(length, 1)) ** 2
        samples[:length] *= slope
        samples[len(samples) - length :] *= slope[::-1]
    return Audio(samples.astype(np.float32)[:, None], rate)
