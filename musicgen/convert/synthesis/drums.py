"""Percussion: a tone that falls in pitch, and noise, both dying away."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["drum", "drum_seconds"]

ATTACK = 0.001
LONGEST = 2.5


class Drum(NamedTuple):
    """One percussion sound.

    Attributes
    ----------
    tones
        Frequencies in Hz.
    drop
        By how much the tones start higher, as a share.
    ring
        Seconds in which the tones fall to 1/e.
    low, high
        Band of the noise in Hz.
    rattle
        Seconds in which the noise falls to 1/e.
    noise
        Share of the noise in the sound's energy, 0 to 1.
    gain
        Loudness against the other sounds.
    """

    tones: tuple[float, ...] = ()
    drop: float = 0.0
    ring: float = 0.1
    low: float = 200.0
    high: float = 8000.0
    rattle: float = 0.05
    noise: float = 1.0
    gain: float = 1.0


METAL = (2490.0, 3170.0, 4210.0, 5330.0, 6790.0, 8110.0)
BASS_DRUM = Drum((52.0,), 1.8, 0.14, 1000.0, 4000.0, 0.006, 0.04, 1.6)
SNARE = Drum((185.0, 330.0), 0.3, 0.06, 1200.0, 9000.0, 0.09, 0.75, 1.1)
STICK = Drum((420.0, 1700.0), 0.0, 0.015, 1500.0, 7000.0, 0.008, 0.5, 0.8)
CLAP = Drum(low=900.0, high=4000.0, rattle=0.07)
HAT = Drum(METAL, 0.0, 0.025, 6000.0, 15000.0, 0.03, 0.9, 0.55)
OPEN_HAT = HAT._replace(ring=0.2, rattle=0.22)
CRASH = Drum(METAL, 0.0, 0.5, 2500.0, 15000.0, 0.55, 0.92, 0.75)
RIDE = Drum(METAL, 0.0, 0.5, 4000.0, 14000.0, 0.35, 0.7, 0.5)
SPLASH = CRASH._replace(rattle=0.2, ring=0.2)
TOM = Drum((110.0,), 0.5, 0.2, 300.0, 2500.0, 0.03, 0.12, 1.3)
SKIN = Drum((300.0, 480.0), 0.15, 0.1, 500.0, 3500.0, 0.015, 0.15, 0.9)
SHAKER = Drum(low=4500.0, high=12000.0, rattle=0.035, gain=0.5)
COWBELL = Drum((562.0, 845.0, 1690.0), 0.0, 0.07, noise=0.0, gain=0.7)
WOOD = Drum((1150.0, 2300.0), 0.0, 0.02, noise=0.05, gain=0.8)
TRIANGLE = Drum((4100.0, 5650.0, 9200.0), 0.0, 0.6, noise=0.0, gain=0.4)
WHISTLE = Drum((2300.0,), 0.0, 0.15, 2000.0, 3000.0, 0.15, 0.3, 0.4)

SOUNDS = {
    35: BASS_DRUM._replace(tones=(46.0,)), 36: BASS_DRUM, 37: STICK, 38: SNARE, 39: CLAP,
    40: SNARE._replace(tones=(210.0, 390.0)), 42: HAT, 44: HAT._replace(rattle=0.02), 46: OPEN_HAT,
    49: CRASH, 51: RIDE, 52: CRASH._replace(low=1800.0), 53: RIDE._replace(noise=0.2), 54: SHAKER,
    55: SPLASH, 56: COWBELL, 57: CRASH._replace(low=3000.0), 58: SHAKER._replace(rattle=0.2),
    59: RIDE, 69: SHAKER, 70: SHAKER._replace(rattle=0.025), 71: WHISTLE,
    72: WHISTLE._replace(ring=0.4), 73: SHAKER, 74: SHAKER._replace(rattle=0.15), 75: WOOD,
    76: WOOD._replace(tones=(900.0, 1800.0)), 77: WOOD._replace(tones=(640.0, 1280.0)),
    80: TRIANGLE._replace(ring=0.08), 81: TRIANGLE,
    **{pitch: TOM._replace(tones=(hertz,)) for pitch, hertz in
       {41: 82.0, 43: 98.0, 45: 117.0, 47: 139.0, 48: 165.0, 50: 196.0}.items()},
    **{pitch: SKIN._replace(tones=(hertz, 1.6 * hertz)) for pitch, hertz in
       {60: 420.0, 61: 300.0, 62: 260.0, 63: 240.0, 64: 180.0, 65: 350.0, 66: 250.0}.items()},
    67: COWBELL._replace(tones=(910.0, 1820.0)), 68: COWBELL._replace(tones=(680.0, 1360.0)),
}  # fmt: skip


def drum(pitch: int, rate: int, rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Play one percussion sound of General MIDI until it has died away.

    Parameters
    ----------
    pitch
        MIDI note number; those without a sound of their own give a short knock.
    rate
        Samples a second.
    rng
        Draws the noise.

    Returns
    -------
    ndarray
        ``(n,)``, at most 2.5 seconds.
    """
    sound = SOUNDS.get(pitch, STICK)
    length = round(drum_seconds(pitch) * rate)
    seconds = np.arange(length) / rate
    # The integral of f (1 + drop exp(−t/0.03)), in periods.
    bend = seconds + sound.drop * 0.03 * -np.expm1(-seconds / 0.03)
    result = np.zeros(length)
    for hertz in sound.tones:
        if hertz * (1 + sound.drop) < rate / 2:
            result += np.sin(2 * np.pi * hertz * bend) * math.sqrt(2 / len(sound.tones))
    result *= math.sqrt(1 - sound.noise) * np.exp(-seconds / sound.ring)
    noise = _band(length, sound.low, sound.high, rate, rng)
    result += math.sqrt(sound.noise) * noise * np.exp(-seconds / sound.rattle)
    rise = np.minimum(seconds / ATTACK, 1)
    last = np.minimum((length - 1 - np.arange(length)) / (0.2 * length), 1)
    return (0.35 * sound.gain * result * rise * (3 - 2 * last) * last**2).astype(np.float32)


def drum_seconds(pitch: int) -> float:
    """Return how long a percussion sound lasts."""
    sound = SOUNDS.get(pitch, STICK)
    return min(7 * max(sound.ring, sound.rattle), LONGEST)


def _band(
    length: int, low: float, high: float, rate: int, rng: np.random.Generator
) -> npt.NDArray[np.float64]:
    """Return noise of a band, with a root mean square of 1, or silence above half the rate."""
    hertz = np.maximum(np.fft.rfftfreq(length, 1 / rate), 1e-9)
    band = 1 / np.sqrt(1 + (low / hertz) ** 6 + (hertz / high) ** 6)
    band[0] = 0
    noise: npt.NDArray[np.float64] = np.fft.irfft(
        band * np.exp(2j * np.pi * rng.random(len(hertz))), length
    )
    return noise / max(float(noise.std()), 1e-12)
