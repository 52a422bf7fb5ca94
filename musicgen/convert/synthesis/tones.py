"""Tones block by block: decaying partials, and a table of one period read again and again."""

from __future__ import annotations

import math
from itertools import count
from typing import TYPE_CHECKING

import numpy as np

from musicgen.convert.synthesis.timbres import Struck, Sustained

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from musicgen.convert.synthesis.timbres import Timbre

__all__ = ["BLOCK", "frequency", "tone"]

BLOCK = 2**14

# Struck tones: samples a row and rows a product, partials, the amplitude that nobody hears,
# cents by which strings of one note differ, Hz.
ROW, FEW = 128, 8
MOST_PARTIALS, DOUBLED_PARTIALS = 48, 16
SILENT = 3e-5
AFTER_CENTS = 0.35
HIGHEST_KNOCK = 2500.0

# Sustained tones: entries of a period and steps of its phase as powers of 2, samples a line of the
# vibrato, Hz, seconds, radians.
TABLE_BITS, PHASE_BITS = 15, 32
LINE = 16
VIBRATO_HZ, VIBRATO_ONSET, STRONGEST_VIBRATO = 5.3, 0.5, 0.9
HISS_HZ = 3000.0
# Cents and levels. The first player is in tune and leads, or the pitch would be nobody's.
PLAYERS = ((0.0, 1.0), (3.0, 0.4), (-3.0, 0.4))

# By what power of e the softest notes lose each further partial.
DULLEST_STRUCK, DULLEST_SUSTAINED = 0.28, 0.15


def frequency(pitch: int) -> float:
    """Return the frequency in Hz of a MIDI note number, equal temperament, A4 = 440 Hz.

    Examples
    --------
    >>> frequency(69), round(frequency(60), 2)
    (440.0, 261.63)
    """
    return 440.0 * 2 ** ((pitch - 69) / 12)


def tone(
    timbre: Timbre, pitch: int, brightness: float, rate: int, rng: np.random.Generator
) -> Iterator[npt.NDArray[np.float32]]:
    """Play one tone without an end, or until it has died away.

    Partials from half the rate on are left out.

    Parameters
    ----------
    timbre
        The instrument.
    pitch
        MIDI note number.
    brightness
        0 to 1: how strong the upper partials are.
    rate
        Samples a second.
    rng
        Draws phases and noise.

    Yields
    ------
    ndarray
        ``(BLOCK,)``, at most about 1.
    """
    if isinstance(timbre, Struck):
        return _struck(timbre, frequency(pitch), brightness, rate, rng)
    return _sustained(timbre, frequency(pitch), brightness, rate, rng)


def _struck(
    timbre: Struck, f0: float, brightness: float, rate: int, rng: np.random.Generator
) -> Iterator[npt.NDArray[np.float32]]:
    r"""Sum decaying partials, :math:`x_n = \Im \sum_k c_k z_k^n`, as matrix products.

    With n = rB + j, each term is :math:`(c_k z_k^{rB}) (z_k^j)`, so that a block of samples is
    the product of a tall and a wide matrix, of a few exponentials each.
    """
    amplitudes, hertz, decays = _partials(timbre, f0, brightness, rng)
    heard = hertz < rate / 2
    amplitudes, hertz, decays = amplitudes[heard], hertz[heard], decays[heard]
    exponents = -1 / (decays * rate) + 2j * np.pi * hertz / rate
    columns = np.exp(exponents[:, None] * np.arange(ROW))
    wide = np.concatenate([columns.real, columns.imag]).astype(np.float32)
    tall = amplitudes * np.exp(exponents * np.arange(0, BLOCK, ROW)[:, None])
    onward = np.exp(exponents * BLOCK)
    rise = _rise(timbre.attack, rate)
    for start in count(0, BLOCK):
        kept = np.abs(tall[0]) > SILENT
        if not kept.any():
            return
        heard = np.concatenate([kept, kept])
        halves = np.concatenate([tall.imag, tall.real], axis=1).astype(np.float32)
        # A few rows at a time: threads for such small products cost more than they save.
        block = (halves[:, heard].reshape(BLOCK // ROW // FEW, FEW, -1) @ wide[heard]).ravel()
        _apply(rise, block, start)
        yield block
        tall = tall * onward


def _partials(
    timbre: Struck, f0: float, brightness: float, rng: np.random.Generator
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return amplitudes, frequencies in Hz, and seconds in which each partial falls to 1/e."""
    if timbre.ratios:
        ratios = np.array(timbre.ratios)
        k = np.arange(1, len(ratios) + 1)
    else:
        k = np.arange(1, MOST_PARTIALS + 1)
        stiffness = timbre.stiffness * (f0 / 262) ** 1.3
        ratios = k * np.sqrt((1 + stiffness * k**2) / (1 + stiffness))
    hertz = f0 * ratios
    amplitudes = k**-timbre.slope * np.exp(-(k - 1) * (1 - brightness) * DULLEST_STRUCK)
    if timbre.place:
        amplitudes *= np.abs(np.sin(np.pi * k * timbre.place)) / math.sin(np.pi * timbre.place)
    amplitudes *= 0.5 * timbre.gain / math.sqrt((amplitudes**2).sum())
    own = timbre.decay * min((262 / f0) ** 0.6, 5.0)
    decays = own / (1 + timbre.damping * (hertz - f0) / 1000)
    if timbre.after:
        # Strings of one note fall together at first; what is left are those that differ.
        apart = 2 ** (AFTER_CENTS / 1200)
        low = slice(DOUBLED_PARTIALS)
        hertz = np.append(hertz, hertz[low] * apart)
        decays = np.append(decays, decays[low] * 4)
        amplitudes = np.append(amplitudes * (1 - timbre.after), amplitudes[low] * timbre.after)
    if timbre.knock:
        noise = np.sort(rng.uniform(80, HIGHEST_KNOCK, 24))
        amplitudes = np.append(amplitudes, np.full(24, timbre.knock * brightness * 0.5))
        hertz = np.append(hertz, noise)
        decays = np.append(decays, 0.4 / noise**0.5)
    return amplitudes, hertz, decays


def _sustained(
    timbre: Sustained, f0: float, brightness: float, rate: int, rng: np.random.Generator
) -> Iterator[npt.NDArray[np.float32]]:
    """Read a table of one period, a player a reading, its pace swayed by the vibrato.

    The phase is an integer that overflows a period (a phase accumulator): no note drifts.
    """
    table = _period(timbre, f0, brightness, rate, rng)
    players = PLAYERS[: timbre.players]
    scale = 0.25 * timbre.gain / math.sqrt(sum(level**2 for _, level in players))
    tables = [table * np.float32(scale * level) for _, level in players]
    steps = [_step(f0 * 2 ** (cents / 1200), rate) for cents, _ in players]
    phases = rng.integers(0, 2**PHASE_BITS, len(players), np.uint32)
    # With more, high notes would be heard beside their pitch.
    depth = min(f0 * (2 ** (timbre.vibrato / 1200) - 1) / VIBRATO_HZ, STRONGEST_VIBRATO)
    paces = 2 * np.pi * VIBRATO_HZ / rate * rng.uniform(0.92, 1.08, len(players))
    turns = 2 * np.pi * rng.random(len(players))
    air = _air(rate, rng) * np.float32(scale * timbre.breath) if timbre.breath else None
    rise = _rise(timbre.attack, rate)
    first = np.arange(BLOCK, dtype=np.uint32)
    falling = np.exp(first * np.float32(-1 / (timbre.decay * rate)))
    for start in count(0, BLOCK):
        n = first + np.uint32(start % 2**PHASE_BITS)
        block = np.zeros(BLOCK, np.float32) if air is None else air.copy()
        for own, step, phase, pace, turn in zip(tables, steps, phases, paces, turns, strict=True):
            place = n * step + phase
            if timbre.vibrato:
                place += _sway(start, depth, pace, turn, rate)
            block += own.take(place >> PHASE_BITS - TABLE_BITS)
        left = np.float32((1 - timbre.sustain) * math.exp(-start / (timbre.decay * rate)))
        block *= falling * left + np.float32(timbre.sustain)
        _apply(rise, block, start)
        yield block


def _sway(start: int, depth: float, pace: float, turn: float, rate: int) -> npt.NDArray[np.uint32]:
    """Return by how much the vibrato is ahead in phase, straight lines every few samples."""
    n = np.arange(start, start + BLOCK + 1, LINE)
    wave = depth / (2 * np.pi) * 2**PHASE_BITS * np.sin(pace * n + turn)
    wave *= np.minimum(n / (VIBRATO_ONSET * rate), 1)
    slopes = np.diff(wave)[:, None].astype(np.float32)
    lines = slopes * (np.arange(LINE, dtype=np.float32) / LINE)
    lines += wave[:-1, None].astype(np.float32)
    return lines.astype(np.int32).ravel().view(np.uint32)


def _step(hertz: float, rate: int) -> np.uint32:
    """Return by how much the phase accumulator grows a sample."""
    return np.uint32(round(hertz / rate * 2**PHASE_BITS) % 2**PHASE_BITS)


def _period(
    timbre: Sustained, f0: float, brightness: float, rate: int, rng: np.random.Generator
) -> npt.NDArray[np.float32]:
    """Return one period, ``(2 ** TABLE_BITS,)``, with a root mean square of 1."""
    from scipy import fft

    given = np.array(timbre.partials)
    k = np.arange(1, 2 ** (TABLE_BITS - 4))
    # The highest partial must stay below half the rate however far the vibrato bends it.
    k = k[k * f0 * 1.02 < rate / 2]
    spectrum = np.zeros(2 ** (TABLE_BITS - 1) + 1, np.complex64)
    if len(k):
        last = given[-1] * (len(given) / k) ** 2
        strengths = np.where(k <= len(given), given[np.minimum(k, len(given)) - 1], last)
        strengths = strengths * np.exp(-(k - 1) * (1 - brightness) * DULLEST_SUSTAINED)
        if timbre.formants:
            resonance = sum(
                gain / (1 + ((k * f0 - centre) / (width / 2 + 0.1 * centre)) ** 2)
                for centre, width, gain in timbre.formants
            )
            strengths = strengths * (0.15 + resonance)
        phases = np.exp(2j * np.pi * rng.random(len(k)))
        spectrum[k] = strengths / math.sqrt((strengths**2).sum() / 2) * phases
    period: npt.NDArray[np.float32] = fft.irfft(spectrum) * np.float32(2**TABLE_BITS / 2)
    return period


def _air(rate: int, rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Return a block of noise that joins its own start: the hiss of air or bow."""
    from scipy import fft

    octaves = np.log2(np.arange(1, BLOCK // 2 + 2, dtype=np.float32) * rate / BLOCK / HISS_HZ)
    spectrum = np.exp(2j * np.pi * rng.random(len(octaves), np.float32)) * np.exp(-(octaves**2))
    noise: npt.NDArray[np.float32] = fft.irfft(spectrum.astype(np.complex64))
    return noise / noise.std()


def _rise(attack: float, rate: int) -> npt.NDArray[np.float32]:
    """Return a rise from 0 to 1 with no corner at either end."""
    n = np.arange(max(round(attack * rate), 1))
    return (0.5 - 0.5 * np.cos(np.pi * n / len(n))).astype(np.float32)


def _apply(rise: npt.NDArray[np.float32], block: npt.NDArray[np.float32], start: int) -> None:
    part = rise[start : start + len(block)]
    block[: len(part)] *= part
