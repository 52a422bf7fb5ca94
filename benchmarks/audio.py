"""How near generated sound is to music, and how far from noise.

    python benchmarks/audio.py TRAINING GENERATED [GENERATED ...]
    python benchmarks/audio.py TRAINING GENERATED --plot docs/spectrograms.png

Each argument is a sound file or a folder of them; the first holds the music that a model has
learned from, the others what models made of it. White noise as loud as the training sound is the
last row. All is measured on the mean of the channels at 16 kHz, in Hann windows of 256 ms every
128 ms; windows more than 40 dB softer than the loudest one of the row do not count.

flatness
    Spectral flatness: geometric over arithmetic mean of the power spectrum from 50 to 8,000 Hz, the
    median over the windows. Powers count as 100 dB below the strongest at least.
harmonic
    Share s of the power that lies within two bins (7.8 Hz, half the window's main lobe) of the
    multiples of one fundamental, the share c of the bins that these cover taken off:
    (s − c) / (1 − c); of all fundamentals from 110 to 1,760 Hz, 20 cents apart, the one that gives
    the most; the median over the windows. A single note gives nearly 1, equal power everywhere 0.
change
    Mean of 1 − cosine between the magnitude spectra of a window and the next but one: 0 for a tone
    that never ends, which the first two figures take for the best of music.
level
    Root mean square, in dB below full scale.
step
    Largest step from a sample to the next, over the root mean square: a click is a large one.
nearness
    Where flatness, on a logarithmic scale, and harmonic share stand between the noise, 0 %, and the
    training sound, 100 %.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from musicgen.files import files_in
from musicgen.formats import wav
from musicgen.music import Audio

RATE = 16000
N_FFT, HOP = 4096, 2048
AUDIBLE = 1e-4
PLOT_SECONDS = 12

Samples = npt.NDArray[np.float64]


class Row(NamedTuple):
    """The figures of a sound."""

    flatness: float
    harmonic: float
    change: float
    level: float
    step: float


def read(path: Path) -> list[Samples]:
    """Return the sounds of a file or folder at 16 kHz, one channel."""
    return [
        np.concatenate([block.samples for block in wav.blocks(file, rate=RATE, mono=True)])
        .ravel()
        .astype(np.float64)
        for file in files_in(path)
        if file.suffix.lower() in wav.extensions
    ]


def measure(sounds: list[Samples]) -> Row:
    """Compute the figures of all sounds together."""
    each = [spectra(sound) for sound in sounds if len(sound) >= N_FFT]
    loudest = max(float(powers.sum(axis=1).max()) for powers in each)
    each = [powers[powers.sum(axis=1) >= AUDIBLE * loudest] for powers in each]
    powers = np.concatenate(each)
    power = sum(float(np.sum(sound**2)) for sound in sounds) / sum(map(len, sounds))
    steps = [float(np.abs(np.diff(sound)).max()) for sound in sounds]
    return Row(
        flatness(powers), harmonic_share(powers),
        float(np.mean(np.concatenate([change(powers) for powers in each]))),
        10 * math.log10(power), max(steps) / math.sqrt(power),
    )  # fmt: skip


def spectra(sound: Samples) -> Samples:
    """Return the power spectra of the windows of a sound."""
    windows = np.lib.stride_tricks.sliding_window_view(sound, N_FFT)[::HOP]
    return np.abs(np.fft.rfft(windows * np.hanning(N_FFT))) ** 2


def flatness(powers: Samples) -> float:
    """Return the median flatness of power spectra."""
    heard = powers[:, 50 * N_FFT // RATE :]
    heard = np.maximum(heard, 1e-10 * heard.max(axis=1, keepdims=True))
    return float(np.median(np.exp(np.log(heard).mean(axis=1)) / heard.mean(axis=1)))


def harmonic_share(powers: Samples) -> float:
    """Return the median share of the power on the multiples of a fundamental."""
    bins = np.arange(powers.shape[1])
    fundamentals = 110 * 2 ** (np.arange(0, 4, 1 / 60)) * N_FFT / RATE
    distance = np.abs(
        bins - np.maximum(np.rint(bins / fundamentals[:, None]), 1) * fundamentals[:, None]
    )
    combs = (distance <= 2).astype(np.float64)
    covered = combs.mean(axis=1)
    shares = powers @ combs.T / powers.sum(axis=1, keepdims=True)
    return float(np.median(((shares - covered) / (1 - covered)).max(axis=1)))


def change(powers: Samples) -> Samples:
    """Return how much each spectrum differs from the next but one."""
    lengths = np.sqrt(powers.sum(axis=1))
    products = np.sqrt(powers[:-2] * powers[2:]).sum(axis=1)
    return 1 - products / (lengths[:-2] * lengths[2:])


def nearness(row: Row, music: Row, noise: Row) -> tuple[float, float]:
    """Return where flatness and harmonic share stand between noise and music."""
    flat = math.log(noise.flatness / row.flatness) / math.log(noise.flatness / music.flatness)
    return flat, (row.harmonic - noise.harmonic) / (music.harmonic - noise.harmonic)


def excerpt(sound: Samples) -> Audio:
    """Return the start of a sound, to be drawn."""
    return Audio(sound[: PLOT_SECONDS * RATE, None].astype(np.float32), RATE)


def main() -> None:
    """Print the table and draw the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("training", type=Path, help="sound file or folder")
    parser.add_argument("generated", type=Path, nargs="+", help="sound files or folders")
    parser.add_argument("--plot", type=Path, help="picture of the spectrograms to write")
    chosen = parser.parse_args()
    sounds = {f"music: {chosen.training.name}": read(chosen.training)}
    sounds |= {f"generated: {path.name}": read(path) for path in chosen.generated}
    for name, found in sounds.items():
        if not any(len(sound) >= N_FFT for sound in found):
            parser.error(f"{name} holds no sound of {N_FFT / RATE} s or more")
    first = next(iter(sounds.values()))
    rms = np.sqrt(np.mean(np.concatenate(first) ** 2))
    noise = np.random.default_rng(0).normal(0, rms, 30 * RATE)
    sounds["white noise"] = [noise]
    rows = {name: measure(found) for name, found in sounds.items()}
    music, worst = next(iter(rows.values())), rows["white noise"]
    width = max(map(len, rows))
    print(
        f"{'':{width}}  flatness  harmonic  change     level   step   nearness: flatness, harmonic"
    )
    for name, row in rows.items():
        flat, harmonic = nearness(row, music, worst)
        print(
            f"{name:{width}}  {row.flatness:8.5f}  {row.harmonic:8.3f}  {row.change:6.3f}  "
            f"{row.level:5.1f} dB  {row.step:5.2f}  {flat:18.0%}  {harmonic:8.0%}"
        )
    if chosen.plot:
        from musicgen.plots import spectrograms

        longest = {name: max(found, key=len) for name, found in sounds.items()}
        spectrograms({name: excerpt(sound) for name, sound in longest.items()}, chosen.plot)


if __name__ == "__main__":
    main()
