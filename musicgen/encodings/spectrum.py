"""Principal components of short-time spectra, without phases."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from musicgen.encodings.base import Frames, Unconstrained, boundary_frame, up_to_boundary
from musicgen.encodings.griffin_lim import griffin_lim
from musicgen.encodings.stft import stft
from musicgen.encodings.waveform import to_audio, waveform
from musicgen.errors import EncodingError
from musicgen.music import Audio

__all__ = ["Spectrum"]

Levels = npt.NDArray[np.float64]

# Amplitude below which levels are nearly linear, that of a full sine being 1: 40 dB below it.
SOFT = 0.01
# Frames at the ends whose amplitude is less than this share of the loudest one's: 30 dB below it.
SILENT = 10**-1.5


class Spectrum(Unconstrained):
    """The strength of each frequency, reduced to the few numbers that differ most.

    Levels ``y = log(1 + |X| / 0.01)`` of overlapping spectra X are taken relative to their mean
    over the training sound and projected on the directions in which that varies most: channel
    ``z_k = v_k · (y − ȳ) / s``. One s for all gives the channels a root mean square of 1 together;
    the first are the largest. Dividing each bin by a deviation of its own would make the quiet ones
    as important as the tones. Decoding goes back and finds phases that suit the magnitudes.

    A frame is 1/32 s by default, so that an eighth at 120 quarter notes a minute is 8 frames. The
    mean of the frames that may follow is a faint chord: what makes a network choose is noise, both
    on the inputs in training and on the frames of a sample; docs/audio.md tells how much.

    Parameters
    ----------
    mean
        ȳ, the mean levels ``(n_fft/2 + 1,)``.
    components
        The directions v as rows, orthonormal, ``(D − 1, n_fft/2 + 1)``.
    scale
        s.
    rate, n_fft, hop
        Samples a second, of a window, and from one window to the next.

    References
    ----------
    Griffin & Lim 1984, see `musicgen.encodings.griffin_lim`; Pearson, "On lines and planes of
    closest fit to systems of points in space", Philosophical Magazine, 1901.

    Examples
    --------
    >>> tone = np.sin(2 * np.pi * 440 / 16000 * np.arange(16000, dtype=np.float32)) / 2
    >>> audio = Audio(tone[:, None], 16000)
    >>> encoding = Spectrum.fit([audio], channels=8)
    >>> frames = encoding.encode(audio)
    >>> frames.shape, frames[-1, 0]
    ((33, 9), np.float32(1.0))
    >>> f"{tone.std():.2f} {encoding.decode(frames).samples.std():.2f}"
    '0.35 0.35'
    """

    name: ClassVar[str] = "spectrum"
    kind: ClassVar[type[Audio]] = Audio
    head: ClassVar[str] = "gaussian"
    unit: ClassVar[str] = "frame"
    losses: ClassVar[tuple[str, ...]] = (
        "all channels but their mean",
        "frequencies above 8,000 Hz, and the rate, which becomes 16,000 Hz",
        "phases: those of the result suit its magnitudes, and are not those of the sound",
        "what 96 principal components of the training sound do not show",
        "near-silence before and after the sound, more than 30 dB below its loudest moment",
        "the exact end: silence fills up the last 1/32 s; both ends fade over 10 ms",
    )
    never: ClassVar[tuple[int, ...]] = ()

    def __init__(
        self, mean: npt.NDArray[np.float32], components: npt.NDArray[np.float32], scale: float,
        rate: int = 16000, n_fft: int = 2000, hop: int = 500,
    ) -> None:  # fmt: skip
        self.mean = mean
        self.components = components
        self.scale = scale
        self.rate = rate
        self.n_fft = n_fft
        self.hop = hop

    @classmethod
    def fit(
        cls, pieces: Iterable[Audio], *, rate: int = 16000, n_fft: int = 2000, hop: int = 500,
        channels: int = 96,
    ) -> Self:  # fmt: skip
        """Find the principal components of the levels.

        Parameters
        ----------
        pieces
            Training sound.
        rate
            Samples a second.
        n_fft, hop
            Samples of a window, and from one window to the next; both even, and a window at least
            two hops long.
        channels
            Principal components; at most one a bin is kept.

        Raises
        ------
        EncodingError
            When there are no pieces, one is empty, or a number is impossible.
        """
        if hop < 2 or hop % 2 or n_fft % 2 or n_fft < 2 * hop or channels < 1 or rate < 1:
            raise EncodingError(
                f"rate {rate}, n_fft {n_fft}, hop {hop}, channels {channels}: expected numbers "
                "above 0, n_fft and hop even, and n_fft twice hop or more"
            )
        bins = n_fft // 2 + 1
        count, total, products = 0, np.zeros(bins), np.zeros((bins, bins))
        for piece in pieces:
            levels = _levels(piece, rate, n_fft, hop)
            count += len(levels)
            total += levels.sum(axis=0)
            products += levels.T @ levels
        if not count:
            raise EncodingError("there is no sound to learn from; expected at least one piece")
        mean = total / count
        variances, directions = np.linalg.eigh(products / count - np.outer(mean, mean))
        kept = slice(None, -channels - 1, -1)
        variance = float(np.maximum(variances[kept], 0).mean())
        # What rounding leaves of a sound that never changes is no variance.
        scale = variance**0.5 if variance > 1e-12 else 1.0
        components = np.ascontiguousarray(directions.T[kept], np.float32)
        return cls(mean.astype(np.float32), components, scale, rate, n_fft, hop)

    @property
    def size(self) -> int:
        """Number of channels: the boundary and one a component."""
        return len(self.components) + 1

    @property
    def usual_length(self) -> int:
        """Frames of half a minute."""
        return 30 * self.rate // self.hop

    def encode(self, piece: Audio) -> Frames:
        """Return the frames ``(T, D)``, the boundary last.

        Raises
        ------
        EncodingError
            When the sound is empty, or not finite.
        """
        return np.concatenate([self.encode_primer(piece), boundary_frame(self.size)[None]])

    def encode_primer(self, piece: Audio) -> Frames:
        """Return the frames ``(T, D)`` without the boundary."""
        levels = _levels(piece, self.rate, self.n_fft, self.hop)
        frames = np.zeros((len(levels), self.size), np.float32)
        frames[:, 1:] = (levels - self.mean) @ self.components.T / self.scale
        return frames

    def decode(self, array: Frames) -> Audio:
        """Return the sound, up to the first boundary; softer as a whole where it would clip."""
        frames = up_to_boundary(array)[:, 1:].astype(np.float64)
        levels = frames * self.scale @ self.components + self.mean
        magnitudes = SOFT * np.expm1(np.maximum(levels, 0))
        return to_audio(griffin_lim(magnitudes, self.n_fft, self.hop), self.rate, fade=True)

    def state(self) -> dict[str, Any]:
        """Return the means, the components, their scale and the lengths."""
        return vars(self).copy()

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Make the encoding again."""
        return cls(**state)


def _levels(audio: Audio, rate: int, n_fft: int, hop: int) -> Levels:
    """Return ``log(1 + |X| / 0.01)`` from the first frame that is not silent to the last."""
    magnitudes = np.abs(stft(waveform(audio, rate), n_fft, hop))
    loudness = np.linalg.norm(magnitudes, axis=1)
    heard = np.flatnonzero(loudness >= SILENT * loudness.max())
    return np.log1p(magnitudes[heard[0] : heard[-1] + 1] / SOFT)
