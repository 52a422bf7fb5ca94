"""How far two distributions agree: 1 for the same, 0 for no value in common."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

__all__ = ["histogram_overlap", "overlapping_area"]

CELLS = 4  # of the grid, a bandwidth
REACH = 4  # bandwidths that a kernel extends to either side
FLOOR = 1e-3  # of the range of all values, below which no bandwidth falls
ROUNDING = 1e-9  # of the largest value, below which a range is no difference


def overlapping_area(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    r"""Return the area that lies under the densities of two sets of values.

    .. math:: \int \min(f(x), g(x)) \, dx

    f and g are kernel density estimates with Gaussian kernels. Both have one bandwidth,
    :math:`s n^{-1/5}` (Scott's rule), with n the size of the smaller set and s the standard
    deviation within the sets, pooled. So equal values meet at equal places, even where one set is
    constant and has no bandwidth of its own. Two constants overlap wholly or not at all.

    Two small sets from one source do not reach 1: expect about 0.90 for 50 values each, 0.93 for
    200, 0.96 for 1,000.

    Parameters
    ----------
    first, second
        Values ``(n,)``; NaN is left out.

    Returns
    -------
    float
        From 0 to 1; NaN where a set has no values.

    References
    ----------
    Yang and Lerch, "On the evaluation of generative models in music", Neural Computing and
    Applications 2020. They take the densities of the distances between pieces, within a set and
    across; here it is those of the values.

    Examples
    --------
    >>> overlapping_area([1, 2, 3], [1, 2, 3]), overlapping_area([7, 7], [8, 8])
    (1.0, 0.0)
    """
    a, b = _defined(first), _defined(second)
    if not len(a) or not len(b):
        return math.nan
    values = np.concatenate((a, b))
    low, range_ = values.min(), np.ptp(values)
    if range_ <= ROUNDING * np.abs(values).max():
        return 1.0
    squares = ((a - a.mean()) ** 2).sum() + ((b - b.mean()) ** 2).sum()
    deviation = math.sqrt(squares / max(len(values) - 2, 1))
    bandwidth = max(deviation * min(len(a), len(b)) ** -0.2, FLOOR * range_)
    cell = bandwidth / CELLS
    size = int(range_ / cell) + 2
    f, g = (
        np.bincount(((each - low) / cell).round().astype(int), minlength=size) / len(each)
        for each in (a, b)
    )
    kernel = np.exp(-0.5 * (np.arange(-REACH * CELLS, REACH * CELLS + 1) / CELLS) ** 2)
    kernel /= kernel.sum()
    area = np.minimum(np.convolve(f, kernel), np.convolve(g, kernel)).sum()
    return min(float(area), 1.0)


def histogram_overlap(first: Mapping[float, int], second: Mapping[float, int]) -> float:
    r"""Return the share that two histograms have in common: 1 less their total variation.

    .. math:: \sum_x \min(p(x), q(x)) = 1 - \frac12 \sum_x |p(x) - q(x)|

    Parameters
    ----------
    first, second
        How often each value occurs; p and q are the shares.

    Returns
    -------
    float
        From 0 to 1; NaN where one counts nothing.

    Examples
    --------
    >>> histogram_overlap({0: 1, 7: 1}, {0: 30, 7: 10})
    0.75
    """
    n_first, n_second = sum(first.values()), sum(second.values())
    if not n_first or not n_second:
        return math.nan
    return sum(
        min(first[value] / n_first, second[value] / n_second)
        for value in first.keys() & second.keys()
    )


def _defined(values: npt.ArrayLike) -> npt.NDArray[np.float64]:
    array = np.asarray(values, np.float64)
    return array[~np.isnan(array)]
