"""Phases for magnitudes that lack them."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from musicgen.encodings.stft import Samples, Spectra, istft, stft

__all__ = ["griffin_lim", "spectral_convergence"]

Magnitudes = npt.NDArray[np.float64]


def griffin_lim(
    magnitudes: Magnitudes, n_fft: int, hop: int, *, iterations: int = 32, momentum: float = 0.99
) -> Samples:
    """Return a sound ``(T · hop,)`` whose spectra have nearly these magnitudes.

    In turn the spectra are made those of a sound, ``Y ← stft(istft(X))``, and given the magnitudes
    again, ``X ← A · Z / |Z|`` with ``Z = Y + α (Y − Y_before)``. The phases of the start let every
    peak go on as a sine, so that the result does not depend on chance.

    Parameters
    ----------
    magnitudes
        A, ``(T, n_fft/2 + 1)``, 0 or more.
    n_fft, hop
        As for `musicgen.encodings.stft.stft`.
    iterations
        How often.
    momentum
        α; 0 for the first method of the two.

    References
    ----------
    Griffin & Lim 1984, see `musicgen.encodings.stft`; Perraudin, Balazs & Søndergaard, "A fast
    Griffin–Lim algorithm", WASPAA 2013.

    Examples
    --------
    >>> sine = 0.5 * np.sin(2 * np.pi * 440 / 16000 * np.arange(16384))
    >>> magnitudes = abs(stft(sine, 2048, 512))
    >>> bool(spectral_convergence(griffin_lim(magnitudes, 2048, 512), magnitudes, 2048, 512) < -25)
    True
    """
    spectra = magnitudes * _sines(magnitudes, n_fft, hop)
    before = np.zeros_like(spectra)
    for _ in range(iterations):
        found = stft(istft(spectra, n_fft, hop), n_fft, hop)
        ahead = found + momentum * (found - before)
        before = found
        spectra = magnitudes * ahead / np.maximum(np.abs(ahead), 1e-12)
    return istft(spectra, n_fft, hop)


def spectral_convergence(samples: Samples, magnitudes: Magnitudes, n_fft: int, hop: int) -> float:
    """Return how far the magnitudes of a sound are from these: ``20 log10(‖|X| − A‖ / ‖A‖)`` in dB.

    Both norms are those of Frobenius.
    """
    error = float(np.linalg.norm(np.abs(stft(samples, n_fft, hop)) - magnitudes))
    return 20 * math.log10(max(error, 1e-12) / max(float(np.linalg.norm(magnitudes)), 1e-12))


def _sines(magnitudes: Magnitudes, n_fft: int, hop: int) -> Spectra:
    """Return phases ``e^{iφ}`` as if a sine made each peak.

    The frequency of a peak comes from a parabola through it and its neighbours; its phase goes on
    by that frequency from where the same bin stood a hop before. The bins around it follow, with
    the signs that a Hann window gives them.

    References
    ----------
    Beauregard, Harish & Wyse, "Single pass spectrogram inversion", DSP 2015.
    """
    bins = np.arange(magnitudes.shape[1])
    phase = np.zeros(len(bins))
    out = np.empty(magnitudes.shape, np.complex128)
    for t, row in enumerate(magnitudes):
        left, middle, right = row[:-2], row[1:-1], row[2:]
        peaks = np.flatnonzero((middle > left) & (middle >= right)) + 1
        if len(peaks):
            a, b, c = row[peaks - 1], row[peaks], row[peaks + 1]
            place = peaks + 0.5 * (a - c) / (a - 2 * b + c)
            edges = (peaks[1:] + peaks[:-1] + 1) // 2
            owner = np.searchsorted(edges, bins, side="right")
            own = phase[peaks] + 2 * np.pi * hop / n_fft * place
            # A window from sample 0 on turns the sign from each bin to the next.
            phase = own[owner] + np.pi * ((bins - peaks[owner]) % 2)
        out[t] = np.exp(1j * phase)
    return out
