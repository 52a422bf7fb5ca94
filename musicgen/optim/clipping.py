"""Limits on gradients, applied before the optimiser sees them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from musicgen import kernels

if TYPE_CHECKING:
    from collections.abc import Iterable

    from musicgen.optim.base import Array

__all__ = ["clip_elements", "clip_global_norm"]


def clip_elements(gradients: Iterable[Array], limit: float) -> None:
    """Cut every element off at `limit`: ``∇ ← min(max(∇, −τ), τ)``, in place.

    Unlike `clip_global_norm` it changes the direction of the gradient.

    Parameters
    ----------
    gradients
        The arrays.
    limit
        τ.

    References
    ----------
    Mikolov, "Statistical language models based on neural networks", thesis, Brno 2012.

    Examples
    --------
    >>> g = np.array([3.0, -4.0, 0.5])
    >>> clip_elements([g], 1.0)
    >>> g
    array([ 1. , -1. ,  0.5])
    """
    for array in gradients:
        np.clip(array, -limit, limit, out=array)


def clip_global_norm(gradients: Iterable[Array], limit: float) -> float:
    """Scale all gradients by one factor so that their common norm is at most `limit`.

    ``∇ ← ∇ · limit / ‖∇‖`` when ``‖∇‖ > limit``, in place. Where the norm is infinite or not a
    number no factor helps, and the gradients stay as they are, for the caller to see.

    Parameters
    ----------
    gradients
        The arrays.
    limit
        Highest Euclidean norm of all elements together.

    Returns
    -------
    float
        The norm before.

    References
    ----------
    Pascanu et al., "On the difficulty of training recurrent neural networks", ICML 2013.

    Examples
    --------
    >>> g = np.array([3.0, 4.0])
    >>> clip_global_norm([g], 1.0)
    5.0
    >>> g
    array([0.6, 0.8])
    """
    arrays = list(gradients)
    norm = math.sqrt(sum(map(kernels.squared_norm, arrays)))
    if limit < norm < math.inf:
        for array in arrays:
            kernels.scale(array, limit / norm)
    return norm
