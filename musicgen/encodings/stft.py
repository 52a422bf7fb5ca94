"""The short-time Fourier transform, and the sound that it comes from."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["Samples", "Spectra", "istft", "stft"]

Samples = npt.NDArray[np.float64]
Spectra = npt.NDArray[np.complex128]


def stft(samples: Samples, n_fft: int, hop: int) -> Spectra:
    """Return the spectra of windows that overlap.

    ``X_tk = 2/Σw · Σ_n w_n x_{t·hop + n − pad} e^{−2πikn/n_fft}`` with a Hann window w, so that a
    sine of amplitude 1 gives magnitudes of 1. Silence stands before and after the sound; spectrum t
    belongs to the middle of samples ``t·hop`` to ``(t + 1)·hop``.

    Parameters
    ----------
    samples
        ``(n,)``.
    n_fft
        Length of the window, in samples; even.
    hop
        From one window to the next, in samples; even, and half of `n_fft` at most.

    Returns
    -------
    ndarray
        ``(T, n_fft/2 + 1)`` with ``T = ⌈n / hop⌉``.

    Examples
    --------
    >>> sine = np.sin(2 * np.pi * 100 / 1024 * np.arange(8192))
    >>> abs(stft(sine, 1024, 256))[16, 98:103].round(3)
    array([0. , 0.5, 1. , 0.5, 0. ])
    """
    count = -(-len(samples) // hop)
    pad = (n_fft - hop) // 2
    padded = np.pad(samples, (pad, count * hop + n_fft - pad - len(samples)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, n_fft)[: count * hop : hop]
    return np.fft.rfft(windows * (_window(n_fft) * (4 / n_fft)))


def istft(spectra: Spectra, n_fft: int, hop: int) -> Samples:
    """Return the sound ``(T · hop,)`` whose spectra are nearest to these.

    Overlap-add with the window once more: ``x = Σ_t w y_t / Σ_t w²``, where y are the inverse
    transforms. It undoes `stft` to rounding; for spectra of no sound it is the solution of least
    squares.

    Parameters
    ----------
    spectra
        ``(T, n_fft/2 + 1)``.
    n_fft, hop
        As for `stft`.

    References
    ----------
    Griffin & Lim, "Signal estimation from modified short-time Fourier transform", IEEE Transactions
    on Acoustics, Speech and Signal Processing, 1984.

    Examples
    --------
    >>> noise = np.random.default_rng(0).standard_normal(4096)
    >>> bool(np.allclose(istft(stft(noise, 1024, 256), 1024, 256), noise, atol=1e-12))
    True
    """
    window = _window(n_fft)
    parts = np.fft.irfft(spectra, n_fft) * (window * (n_fft / 4))
    pad = (n_fft - hop) // 2
    # Every so many windows do not overlap each other: they are written side by side.
    apart = -(-n_fft // hop)
    length = (len(spectra) + 2 * apart) * hop + n_fft
    total, weight = np.zeros(length), np.zeros(length)
    for first in range(min(apart, len(spectra))):
        own = parts[first::apart]
        block = np.pad(own, ((0, 0), (0, apart * hop - n_fft)))
        start = first * hop
        total[start : start + block.size] += block.ravel()
        weights = np.pad(window**2, (0, apart * hop - n_fft))
        weight[start : start + block.size] += np.tile(weights, len(own))
    inside = slice(pad, pad + len(spectra) * hop)
    return total[inside] / weight[inside]


def _window(n_fft: int) -> Samples:
    """Return the periodic Hann window."""
    return np.sin(np.pi * np.arange(n_fft) / n_fft) ** 2
