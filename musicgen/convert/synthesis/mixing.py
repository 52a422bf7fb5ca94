"""The room around the music, and how loud it all is."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["ROOM_SECONDS", "add_room", "loudness", "set_level"]

Sound = npt.NDArray[np.float32]

# Seconds; samples; transforms at a time.
ROOM_SECONDS, EARLIEST = 1.0, 0.012
BLOCK, ROWS = 2**16, 8

LOUD, LOUD_VELOCITY = 10 ** (-17 / 20), 80
HIGHEST_PEAK = 0.95
GATE, WINDOW = 0.05, 4096


def add_room(mix: Sound, rate: int, amount: float, rng: np.random.Generator) -> None:
    """Add the echoes of a small hall, in place and block by block.

    The response is noise that dies away, treble first, another one for each ear.

    Parameters
    ----------
    mix
        ``(2, n_samples)``; what rings on at its end is cut off.
    rate
        Samples a second.
    amount
        Energy of the echoes against that of the sound, as an amplitude.
    rng
        Draws the response.
    """
    from scipy import fft

    response = _response(rate, rng) * np.float32(amount)
    reach = response.shape[1]
    size = fft.next_fast_len(BLOCK + reach, real=True)
    spectrum = fft.rfft(response, size)[:, None]
    span = ROWS * BLOCK
    ringing = np.zeros((2, span + reach), np.float32)
    for start in range(0, mix.shape[1], span):
        part = mix[:, start : start + span]
        length = part.shape[1]
        source = np.zeros((-(-length // BLOCK), BLOCK), np.float32)
        source.ravel()[:length] = (part[0] + part[1]) * np.float32(0.7)
        # Many rows at once: the transforms of several run side by side in the processor.
        echoes = fft.irfft(fft.rfft(source, size) * spectrum, size)
        for row in range(len(source)):
            at = row * BLOCK
            ringing[:, at : at + BLOCK + reach] += echoes[:, row, : BLOCK + reach]
        part += ringing[:, :length]
        ringing[:, :reach] = ringing[:, span:]
        ringing[:, reach:] = 0


def _response(rate: int, rng: np.random.Generator) -> Sound:
    from scipy import fft

    length = max(round(ROOM_SECONDS * rate), 2)
    seconds = np.arange(length, dtype=np.float32) / rate
    hertz = fft.rfftfreq(length, 1 / rate)
    noise = fft.rfft(rng.standard_normal((2, length), np.float32))
    result = np.zeros((2, length), np.float32)
    # Bands in Hz and the seconds in which they fall by 60 dB.
    for low, high, fall in ((120, 600, 1.1), (600, 2500, 0.9), (2500, 9000, 0.5)):
        band = (hertz >= low) & (hertz < high)
        falling = np.exp(seconds * np.float32(-6.9 / fall))
        result += fft.irfft(noise * band.astype(np.float32), length) * falling
    result *= np.clip((seconds - EARLIEST) / 0.02, 0, 1).astype(np.float32)
    energy = np.sqrt((result**2).sum(axis=1, keepdims=True))
    return result / np.maximum(energy, np.float32(1e-12))


def loudness(mix: Sound) -> float:
    """Return the root mean square of what is no silence: windows above 5 % of the loudest one.

    Parameters
    ----------
    mix
        ``(2, n_samples)``.
    """
    whole = mix.shape[1] // WINDOW * WINDOW
    # What is left at the end is a shorter window. None is a copy: a piece may be hours long.
    parts = mix[:, :whole].reshape(2, -1, WINDOW), mix[:, None, whole:]
    energies = np.concatenate(
        [np.einsum("cwn,cwn->w", part, part) / max(2 * part.shape[2], 1) for part in parts]
    )
    loud = energies[energies >= energies.max() * GATE**2]
    return float(np.sqrt(loud.mean(dtype=np.float64)))


def set_level(mix: Sound, velocity: float) -> None:
    """Scale to a level, in place.

    A piece of velocity 80 gets a root mean square of −17 dB below full scale where it sounds, a
    softer one less in proportion, none more; and less again where a peak would pass 0.95. Nothing
    is compressed or clipped.

    Parameters
    ----------
    mix
        ``(2, n_samples)``.
    velocity
        The mean velocity of the notes.
    """
    peak = max(float(mix.max()), -float(mix.min()))
    if peak > 0:
        wanted = LOUD * min(velocity / LOUD_VELOCITY, 1)
        mix *= np.float32(min(wanted / loudness(mix), HIGHEST_PEAK / peak))
