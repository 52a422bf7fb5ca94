"""Choosing the pitches that sound in a frame."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["choose"]

Array = npt.NDArray[Any]


def choose(
    p: Array,
    draws: Array | None,
    *,
    threshold: float | Array | None = None,
    top: int | None = None,
    most: int | None = None,
) -> npt.NDArray[np.bool_]:
    """Choose the pitches that sound, and for each the layer that it sounds in.

    A pitch sounds with the probability of all its layers together; by threshold and rank it does so
    in its likeliest layer.

    Parameters
    ----------
    p
        Probabilities, or other numbers to rank by, ``(B, layers, P)``.
    draws
        ``(B, P)``, uniform in [0, 1); needed when there is neither `threshold` nor `top`: then
        pitches are drawn.
    threshold
        One number, or one a pitch ``(P,)``: what reaches it sounds.
    top
        So many of the likeliest sound.
    most
        The likeliest of the chosen ones sound, so many at most.

    Returns
    -------
    ndarray
        ``(B, layers, P)``.

    Raises
    ------
    ValueError
        When there is no way to choose, or more than one, or a number below 0.

    Examples
    --------
    >>> p = np.array([[[0.1, 0.4, 0.0], [0.3, 0.3, 0.6]]])
    >>> choose(p, None, threshold=0.5)[0].astype(int)
    array([[0, 1, 0],
           [0, 0, 1]])
    >>> choose(p, None, threshold=0.5, most=1)[0].astype(int)
    array([[0, 1, 0],
           [0, 0, 0]])
    """
    _check(threshold, top, most)
    total = p.sum(axis=1)
    if threshold is not None or top is not None:
        layer = p.argmax(axis=1)
        chosen = _best(total, top) if threshold is None else total >= threshold
    elif draws is None:
        raise ValueError("neither threshold nor top is given; expected one of them")
    else:
        share = np.cumsum(p / np.maximum(total, 1)[:, np.newaxis], axis=1)
        layer = (draws[:, np.newaxis] >= share).sum(axis=1)
        chosen = layer < p.shape[1]
    if most is not None:
        chosen &= _best(np.where(chosen, total, -np.inf), most)
    return chosen[:, np.newaxis] & (layer[:, np.newaxis] == np.arange(p.shape[1])[:, np.newaxis])


def _check(threshold: float | Array | None, top: int | None, most: int | None) -> None:
    if threshold is not None and top is not None:
        raise ValueError("threshold and top are given; expected one of them")
    for name, number in (("top", top), ("most", most)):
        if number is not None and number < 0:
            raise ValueError(f"{name} is {number}; expected 0 or more")


def _best(values: Array, count: int | None) -> npt.NDArray[np.bool_]:
    """Say which ``(B, P)`` are the `count` largest of their row, the first ones of equals."""
    best = np.zeros(values.shape, np.bool_)
    order = np.argsort(-values, axis=1, kind="stable")[:, :count]
    np.put_along_axis(best, order, True, axis=1)
    return best
