"""First values of the weights."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from musicgen.engine.node import Array, Shape

__all__ = ["glorot_uniform", "orthogonal"]


def glorot_uniform(
    rng: np.random.Generator, shape: Shape, dtype: npt.DTypeLike = np.float32
) -> Array:
    """Draw from U(−a, a) with ``a = √(6 / (fan_in + fan_out))``.

    Parameters
    ----------
    rng
        Random generator.
    shape
        ``(fan_in, fan_out)``.
    dtype
        Type of the result; the draws are the same for every type.

    References
    ----------
    Glorot & Bengio, "Understanding the difficulty of training deep feedforward neural networks",
    AISTATS 2010.
    """
    limit = math.sqrt(6 / sum(shape))
    return rng.uniform(-limit, limit, shape).astype(dtype)


def orthogonal(rng: np.random.Generator, shape: Shape, dtype: npt.DTypeLike = np.float32) -> Array:
    """Draw a matrix with orthonormal rows or columns, evenly among all such.

    Parameters
    ----------
    rng
        Random generator.
    shape
        ``(n, m)``; the shorter side is orthonormal.
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
    n, m = shape
    q, r = np.linalg.qr(rng.standard_normal((max(n, m), min(n, m))))
    q *= np.sign(np.diag(r))
    return np.ascontiguousarray(q.T if n < m else q, dtype)
