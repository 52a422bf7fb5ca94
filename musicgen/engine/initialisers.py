"""First values of the weights.

Each draws the same for every type of result. ``fan_in`` and ``fan_out`` are the numbers of inputs
that an output has, and of outputs that an input has: ``C`` and ``F`` for a matrix ``(C, F)``, times
the places of the window for the kernel ``(k, …, C, F)`` of a convolution.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from musicgen.engine.node import Array, Shape

__all__ = [
    "gaussian",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "orthogonal",
    "uniform",
]


def _fans(shape: Shape) -> tuple[int, int]:
    if len(shape) < 2:
        raise ValueError(f"a weight of shape {shape} has no fans; expected (…, C, F)")
    *window, C, F = shape
    return math.prod(window) * C, math.prod(window) * F


def uniform(
    rng: np.random.Generator,
    shape: Shape,
    dtype: npt.DTypeLike = np.float32,
    *,
    low: float = -0.05,
    high: float = 0.05,
) -> Array:
    """Draw from U(low, high).

    Parameters
    ----------
    rng
        Random generator.
    shape
        Any.
    dtype
        Type of the result.
    low, high
        Bounds.
    """
    return rng.uniform(low, high, shape).astype(dtype)


def gaussian(
    rng: np.random.Generator,
    shape: Shape,
    dtype: npt.DTypeLike = np.float32,
    *,
    deviation: float = math.sqrt(0.1),
) -> Array:
    """Draw from N(0, deviation²).

    Parameters
    ----------
    rng
        Random generator.
    shape
        Any.
    dtype
        Type of the result.
    deviation
        Standard deviation; by default √0.1, a variance of 0.1 as in the report.
    """
    return (deviation * rng.standard_normal(shape)).astype(dtype)


def glorot_uniform(
    rng: np.random.Generator, shape: Shape, dtype: npt.DTypeLike = np.float32
) -> Array:
    """Draw from U(−a, a) with ``a = √(6 / (fan_in + fan_out))``.

    Parameters
    ----------
    rng
        Random generator.
    shape
        ``(…, C, F)``.
    dtype
        Type of the result.

    References
    ----------
    Glorot & Bengio, "Understanding the difficulty of training deep feedforward neural networks",
    AISTATS 2010.
    """
    limit = math.sqrt(6 / sum(_fans(shape)))
    return uniform(rng, shape, dtype, low=-limit, high=limit)


def glorot_normal(
    rng: np.random.Generator, shape: Shape, dtype: npt.DTypeLike = np.float32
) -> Array:
    """Draw from a normal distribution of the variance ``2 / (fan_in + fan_out)``.

    Parameters
    ----------
    rng
        Random generator.
    shape
        ``(…, C, F)``.
    dtype
        Type of the result.

    References
    ----------
    As `glorot_uniform`.
    """
    return gaussian(rng, shape, dtype, deviation=math.sqrt(2 / sum(_fans(shape))))


def he_uniform(rng: np.random.Generator, shape: Shape, dtype: npt.DTypeLike = np.float32) -> Array:
    """Draw from U(−a, a) with ``a = √(6 / fan_in)``, for layers followed by a ReLU.

    Parameters
    ----------
    rng
        Random generator.
    shape
        ``(…, C, F)``.
    dtype
        Type of the result.

    References
    ----------
    As `he_normal`.
    """
    limit = math.sqrt(6 / _fans(shape)[0])
    return uniform(rng, shape, dtype, low=-limit, high=limit)


def he_normal(rng: np.random.Generator, shape: Shape, dtype: npt.DTypeLike = np.float32) -> Array:
    """Draw from a normal distribution of the variance ``2 / fan_in``, for layers before a ReLU.

    Parameters
    ----------
    rng
        Random generator.
    shape
        ``(…, C, F)``.
    dtype
        Type of the result.

    References
    ----------
    He et al., "Delving deep into rectifiers", ICCV 2015.
    """
    return gaussian(rng, shape, dtype, deviation=math.sqrt(2 / _fans(shape)[0]))


def orthogonal(rng: np.random.Generator, shape: Shape, dtype: npt.DTypeLike = np.float32) -> Array:
    """Draw a matrix with orthonormal rows or columns, evenly among all such.

    Parameters
    ----------
    rng
        Random generator.
    shape
        ``(…, n, m)``, taken as a matrix with m columns; the shorter side is orthonormal.
    dtype
        Type of the result.

    References
    ----------
    Saxe et al., "Exact solutions to the nonlinear dynamics of learning in deep linear neural
    networks", ICLR 2014.

    Examples
    --------
    >>> W = orthogonal(np.random.default_rng(0), (2, 3), float)
    >>> np.allclose(W @ W.T, np.eye(2))
    True
    """
    n, m = math.prod(shape[:-1]), shape[-1]
    q, r = np.linalg.qr(rng.standard_normal((max(n, m), min(n, m))))
    q *= np.sign(np.diag(r))
    return np.ascontiguousarray(q.T if n < m else q, dtype).reshape(shape)
