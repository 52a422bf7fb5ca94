"""The Fourier coefficients of short stretches of sound, as the report has them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from musicgen.encodings.base import Frames, Unconstrained, boundary_frame, up_to_boundary
from musicgen.encodings.standardisation import standardisation
from musicgen.encodings.waveform import to_audio, waveform
from musicgen.errors import EncodingError
from musicgen.music import Audio

__all__ = ["Fourier"]


class Fourier(Unconstrained):
    """The whole discrete Fourier transform of every quarter of a second (report, section 8.4).

    The sound is cut into stretches of L samples that do not overlap. A frame holds
    ``X_k = Σ_n x_n e^{−2πikn/L}``, the real parts side by side with the imaginary parts, each with
    the mean and deviation over the training sound taken off; channel 0 is the boundary. The
    transform of a real sound holds everything twice, and so does the report.

    Kept for comparison: nothing ties the phases of one stretch to those of the next, so that a
    sound whose frames are predicted is noise, and clicks four times a second; `Spectrum` mends it.

    Parameters
    ----------
    mean, deviation
        Of the real and imaginary parts, ``(2L,)``.
    rate
        Samples a second.

    Examples
    --------
    >>> audio = Audio(np.sin(np.arange(6000, dtype=np.float32))[:, None], 16000)
    >>> encoding = Fourier.fit([audio])
    >>> frames = encoding.encode(audio)
    >>> frames.shape
    (3, 8001)
    >>> bool(np.allclose(encoding.decode(frames).samples[:6000], audio.samples, atol=1e-5))
    True
    """

    name: ClassVar[str] = "fourier"
    kind: ClassVar[type[Audio]] = Audio
    head: ClassVar[str] = "gaussian"
    unit: ClassVar[str] = "frame"
    losses: ClassVar[tuple[str, ...]] = (
        "all channels but their mean",
        "frequencies above 8,000 Hz, and the rate, which becomes 16,000 Hz",
        "the exact end: silence fills up the last quarter of a second",
    )
    never: ClassVar[tuple[int, ...]] = ()

    def __init__(
        self, mean: npt.NDArray[np.float32], deviation: npt.NDArray[np.float32], rate: int = 16000
    ) -> None:
        self.mean = mean
        self.deviation = deviation
        self.rate = rate

    @classmethod
    def fit(cls, pieces: Iterable[Audio], *, rate: int = 16000, seconds: float = 0.25) -> Self:
        """Measure mean and deviation of every coefficient.

        Parameters
        ----------
        pieces
            Training sound.
        rate
            Samples a second.
        seconds
            Length of a frame.

        Raises
        ------
        EncodingError
            When there are no pieces, one is empty, or a frame would hold less than two samples.
        """
        length = round(rate * seconds)
        if length < 2:
            raise EncodingError(
                f"a frame of {seconds} s holds {max(length, 0)} samples at {rate} Hz; "
                "expected 2 or more"
            )
        parts = (_coefficients(waveform(piece, rate), length) for piece in pieces)
        return cls(*standardisation(parts), rate)

    @property
    def size(self) -> int:
        """Number of channels: 8,001, the boundary and two numbers a coefficient."""
        return len(self.mean) + 1

    @property
    def usual_length(self) -> int:
        """Frames of half a minute."""
        return 30 * self.rate // (len(self.mean) // 2)

    def encode(self, piece: Audio) -> Frames:
        """Return the frames ``(T, D)``, the boundary last; silence fills up the last frame.

        Raises
        ------
        EncodingError
            When the sound is empty, or not finite.
        """
        return np.concatenate([self.encode_primer(piece), boundary_frame(self.size)[None]])

    def encode_primer(self, piece: Audio) -> Frames:
        """Return the frames ``(T, D)`` without the boundary."""
        found = _coefficients(waveform(piece, self.rate), len(self.mean) // 2)
        frames = np.zeros((len(found), self.size), np.float32)
        frames[:, 1:] = (found - self.mean) / self.deviation
        return frames

    def decode(self, array: Frames) -> Audio:
        """Return the sound: inverse transforms, joined; softer as a whole where it would clip.

        Nothing smooths the joints.
        """
        frames = up_to_boundary(array)[:, 1:]
        real, imaginary = np.split(frames * self.deviation.astype(np.float64) + self.mean, 2, 1)
        return to_audio(np.fft.ifft(real + 1j * imaginary).real.ravel(), self.rate)

    def state(self) -> dict[str, Any]:
        """Return the means, the deviations and the rate."""
        return {"mean": self.mean, "deviation": self.deviation, "rate": self.rate}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Make the encoding again."""
        return cls(**state)


def _coefficients(samples: npt.NDArray[np.float64], length: int) -> npt.NDArray[np.float64]:
    """Return real and imaginary parts ``(T, 2L)`` of stretches of L samples."""
    padded = np.pad(samples, (0, -len(samples) % length))
    found = np.fft.fft(padded.reshape(-1, length))
    return np.concatenate([found.real, found.imag], axis=1)
