"""Mean and deviation of every channel."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from musicgen.errors import EncodingError

__all__ = ["standardisation"]

SMALLEST_SHARE = 0.01


def standardisation(
    arrays: Iterable[npt.NDArray[np.floating]],
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return mean and standard deviation ``(D,)`` of the rows of arrays ``(n, D)``.

    The arrays are gone through once. A channel that hardly varies would be blown up to noise:
    no deviation is smaller than a hundredth of the root mean square of all; where nothing varies,
    each is 1.

    Raises
    ------
    EncodingError
        When there is no array.

    References
    ----------
    Chan, Golub & LeVeque, "Algorithms for computing the sample variance", 1983: how the moments
    of two parts make those of the whole.

    Examples
    --------
    >>> mean, deviation = standardisation([np.array([[1.0, 5.0]]), np.array([[3.0, 5.0]])])
    >>> mean, deviation.round(4)
    (array([2., 5.], dtype=float32), array([1.    , 0.0071], dtype=float32))
    """
    count = 0
    mean = squares = np.zeros(())
    for array in arrays:
        rows = array.astype(np.float64)
        own = rows.mean(axis=0)
        step = own - mean
        total = count + len(rows)
        squares = squares + ((rows - own) ** 2).sum(axis=0) + step**2 * (count * len(rows) / total)
        mean = mean + step * (len(rows) / total)
        count = total
    if not count:
        raise EncodingError("there is no sound to learn from; expected at least one piece")
    deviation = np.sqrt(squares / count)
    least = SMALLEST_SHARE * float(np.sqrt(np.mean(deviation**2)))
    deviation = np.maximum(deviation, least) if least else np.ones_like(deviation)
    return mean.astype(np.float32), deviation.astype(np.float32)
