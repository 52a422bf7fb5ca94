"""Waveforms and spectrograms."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from musicgen.music import Audio
from musicgen.plots.saving import save

__all__ = ["spectrograms", "waveform_and_spectrogram"]

COLUMNS = 1200
SPECTRUM_ROWS = 360

SPECTRUM_SECONDS = 0.1
LOWEST_HERTZ = 40.0
DECIBELS = 80


def waveform_and_spectrogram(audio: Audio, path: Path, title: str = "") -> None:
    """Draw sound: above each channel over time, below the strength of frequencies over time.

    The spectrogram is that of the mean of the channels, in decibels below its loudest spot. Both
    pictures are reduced to 1,200 columns while they are computed, so that an hour takes little
    more memory than its samples: a column shows the smallest and the largest sample, and the mean
    power.

    Parameters
    ----------
    audio
        What to draw.
    path
        File to write; its ending says whether PNG or SVG.
    title
        Text above the picture.
    """
    samples, rate = audio.samples, audio.rate
    channels = samples.shape[1]
    seconds = max(len(samples), 1) / rate
    heights = [1.0] * channels + [3.0]
    figure = Figure(figsize=(11, 3.6 + 1.1 * min(channels, 8)), layout="constrained")
    rows = figure.subplots(
        channels + 1, sharex=True, squeeze=False, gridspec_kw={"height_ratios": heights}
    )[:, 0]
    for number, axes in enumerate(rows[:-1]):
        times, lowest, highest = _envelope(samples[:, number], rate)
        axes.fill_between(times, lowest, highest, color="C0", lw=0.4)
        axes.set(ylim=(-1, 1), xlim=(0, seconds), yticks=(-1, 0, 1))
        axes.grid(alpha=0.3)
        axes.set_ylabel(
            ("left", "right")[number] if channels == 2 else f"{number + 1}" if channels > 2 else ""
        )
    rows[0].set_title(title)
    image = _draw_spectrogram(rows[-1], audio)
    rows[-1].set_xlabel("seconds")
    figure.colorbar(image, ax=rows[-1], label="dB", pad=0.01)
    save(figure, path)


def spectrograms(sounds: Mapping[str, Audio], path: Path) -> None:
    """Draw the strength of frequencies over time, of several sounds below each other.

    Each is in decibels below its own loudest spot, as in `waveform_and_spectrogram`.

    Parameters
    ----------
    sounds
        By the text above each.
    path
        File to write; its ending says whether PNG or SVG.
    """
    figure = Figure(figsize=(9, 2.4 * len(sounds)), layout="constrained")
    panels = figure.subplots(len(sounds), 1, squeeze=False)[:, 0]
    for axes, (title, audio) in zip(panels, sounds.items(), strict=True):
        image = _draw_spectrogram(axes, audio)
        axes.set_title(title)
    panels[-1].set_xlabel("seconds")
    figure.colorbar(image, ax=list(panels), label="dB", pad=0.01)
    save(figure, path)


def _draw_spectrogram(axes: Axes, audio: Audio) -> QuadMesh:
    times, hertz, levels = _spectrogram(audio.samples, audio.rate)
    image = axes.pcolormesh(
        times, hertz, levels, vmin=-DECIBELS, vmax=0, cmap="magma", shading="nearest",
        rasterized=True,
    )  # fmt: skip
    axes.set(yscale="log", ylim=(hertz[0], hertz[-1]), ylabel="Hz")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.yaxis.set_minor_locator(NullLocator())
    return image


def _envelope(
    channel: npt.NDArray[np.float32], rate: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return times in seconds, and the smallest and largest sample from each on."""
    width = max(math.ceil(len(channel) / COLUMNS), 1)
    starts = np.arange(0, len(channel), width)
    if not len(starts):
        return np.zeros(1), np.zeros(1, np.float32), np.zeros(1, np.float32)
    lowest = np.minimum.reduceat(channel, starts)
    highest = np.maximum.reduceat(channel, starts)
    return starts / rate, lowest, highest


def _spectrogram(
    samples: npt.NDArray[np.float32], rate: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return times in seconds, frequencies in Hz in equal ratios, and levels in decibels."""
    from scipy.signal import spectrogram

    window = min(2 ** round(math.log2(max(SPECTRUM_SECONDS * rate, 1))), max(len(samples), 1))
    hop = max(window // 4, 1)
    each = math.ceil(len(samples) / hop / COLUMNS) or 1
    starts = range(0, max(len(samples) - window, 0) + 1, hop * each)
    columns = []
    for start in starts:
        part = samples[start : start + hop * (each - 1) + window].mean(axis=1)
        part = np.pad(part, (0, max(window - len(part), 0)))
        _, _, powers = spectrogram(
            part, rate, nperseg=window, noverlap=window - hop, detrend=False, scaling="spectrum"
        )
        columns.append(powers.mean(axis=1))
    power = np.stack(columns, axis=1)
    lowest = min(LOWEST_HERTZ, rate / 4)
    hertz = np.geomspace(lowest, rate / 2, SPECTRUM_ROWS)
    # Each row shows the strongest bin that it covers, so that a high partial is not passed over.
    edges = np.geomspace(lowest, rate / 2, SPECTRUM_ROWS + 1) * window / rate
    first = np.minimum(np.rint(edges).astype(int), len(power) - 1)
    strongest = [power[start : max(stop, start + 1)].max(axis=0) for start, stop in pairwise(first)]
    levels = 10 * np.log10(np.maximum(np.array(strongest), 1e-20))
    # Silence is drawn as silence, whatever is loudest in it.
    times = (np.array(starts) + window / 2) / rate
    return times, hertz, levels - max(float(levels.max()), -120.0)
