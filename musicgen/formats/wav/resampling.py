"""Another rate for sound that comes in blocks."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy.typing as npt

__all__ = ["resample"]

SIDE_LOBES = 10
KAISER_BETA = 5.0


def resample(
    blocks: Iterable[npt.NDArray[np.float32]], rate: int, target: int
) -> Iterator[npt.NDArray[np.float32]]:
    """Change the rate of consecutive blocks, with the same samples as for the whole at once.

    Each block is resampled by `scipy.signal.resample_poly` together with as many samples on both
    sides as the filter reaches, and what those give is cut off.

    Parameters
    ----------
    blocks
        Arrays ``(n_samples, n_channels)`` of any lengths.
    rate, target
        Samples a second that they have and are to get.

    Yields
    ------
    ndarray
        ``(n_samples, n_channels)``.

    Examples
    --------
    >>> tone = np.sin(np.arange(1000, dtype=np.float32))[:, None]
    >>> [len(block) for block in resample([tone, tone], 8000, 4000)]
    [490, 500, 10]
    """
    if rate == target:
        yield from blocks
        return
    from scipy.signal import firwin, resample_poly

    shared = math.gcd(rate, target)
    up, down = target // shared, rate // shared
    longer = max(up, down)
    taps = firwin(2 * SIDE_LOBES * longer + 1, 1 / longer, window=("kaiser", KAISER_BETA))
    window = taps.astype(np.float32)
    # Whole numbers of `down` samples give whole numbers of `up` samples: cuts stay in step.
    reach = math.ceil(SIDE_LOBES * longer / up / down) * down
    before: npt.NDArray[np.float32] | None = None
    held: npt.NDArray[np.float32] | None = None
    for block in blocks:
        held = block if held is None else np.concatenate([held, block])
        ready = (len(held) - reach) // down * down
        if ready <= 0:
            continue
        context = np.zeros((0, held.shape[1]), np.float32) if before is None else before
        known = np.concatenate([context, held[: ready + reach]])
        start = len(context) // down * up
        yield resample_poly(known, up, down, window=window)[start : start + ready // down * up]
        before = known[: len(context) + ready][-reach:]
        held = held[ready:]
    if held is not None and not len(held) and before is None:
        yield held
    elif held is not None and len(held):
        context = held[:0] if before is None else before
        known = np.concatenate([context, held])
        yield resample_poly(known, up, down, window=window)[len(context) // down * up :]
