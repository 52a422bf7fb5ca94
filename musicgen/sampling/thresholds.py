"""Finding the threshold from which a predicted note sounds, on pieces set aside for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["CRITERIA", "best_f1", "calibrate", "same_polyphony"]

Array = npt.NDArray[Any]

RARE = 50


def best_f1(values: Array, truth: Array) -> float:
    """Return the threshold with the highest F1 score of the notes that it lets through.

    ``F1 = 2 · hits / (let through + true)``; from the threshold on, a value is let through.
    Every threshold is tried: the values are sorted once, and the hits above each are a running sum.
    Of equally good ones it is the highest.

    Parameters
    ----------
    values
        What a network predicts, of any shape.
    truth
        Whether there is a note, of the same shape.

    Returns
    -------
    float
        One of the values, or just above all of them when there are no notes.

    Examples
    --------
    >>> best_f1(np.array([0.9, 0.6, 0.4, 0.1]), np.array([1, 0, 1, 0]))
    0.4
    """
    ordered, hits = _ordered(values, truth)
    let_through = np.arange(len(ordered) + 1)
    f1 = 2 * hits / np.maximum(let_through + hits[-1], 1)
    return _threshold(ordered, f1)


def same_polyphony(values: Array, truth: Array) -> float:
    """Return the threshold that lets as many notes through as there are, or nearly so.

    So the mean number of notes at once is that of the true frames. Of equally near ones it is the
    highest.

    Parameters
    ----------
    values
        What a network predicts, of any shape.
    truth
        Whether there is a note, of the same shape.

    Returns
    -------
    float
        One of the values, or just above all of them.

    Examples
    --------
    >>> same_polyphony(np.array([0.9, 0.6, 0.4, 0.1]), np.array([1, 0, 1, 0]))
    0.6
    """
    ordered, hits = _ordered(values, truth)
    return _threshold(ordered, -np.abs(np.arange(len(ordered) + 1) - hits[-1]))


CRITERIA: dict[str, Callable[[Array, Array], float]] = {
    "f1": best_f1,
    "polyphony": same_polyphony,
}


def calibrate(
    values: Array,
    truth: Array,
    *,
    criterion: str = "f1",
    per_pitch: bool = False,
    rare: int = RARE,
) -> float | npt.NDArray[np.float64]:
    """Return the best threshold of all pitches, or of each.

    Parameters
    ----------
    values
        What a network predicts of each pitch in each frame, ``(N, P)``: the probability that it
        sounds, or its velocity.
    truth
        Whether it sounds, ``(N, P)``.
    criterion
        ``"f1"`` as in `best_f1` or ``"polyphony"`` as in `same_polyphony`.
    per_pitch
        Whether each pitch has a threshold of its own.
    rare
        A pitch that sounds in fewer frames takes the threshold of all.

    Returns
    -------
    float or ndarray
        One number, or ``(P,)``.

    Raises
    ------
    ValueError
        When there are no values, shapes differ, a value is no number, or there is no such
        criterion.

    Examples
    --------
    >>> values = np.array([[0.9, 0.2], [0.8, 0.3], [0.4, 0.1]])
    >>> truth = np.array([[1, 0], [1, 1], [0, 0]])
    >>> calibrate(values, truth)
    0.3
    >>> calibrate(values, truth, per_pitch=True, rare=1)
    array([0.8, 0.3])
    """
    if criterion not in CRITERIA:
        raise ValueError(f"criterion is {criterion!r}; expected one of {', '.join(CRITERIA)}")
    if values.ndim != 2 or values.shape != truth.shape or not values.size:
        raise ValueError(f"found values {values.shape} and truth {truth.shape}; expected (N, P)")
    if not np.isfinite(values).all():
        raise ValueError("some values are no finite numbers; expected predictions of a network")
    best = CRITERIA[criterion]
    common = best(values, truth)
    if not per_pitch:
        return common
    counts = np.count_nonzero(truth, axis=0)
    return np.array(
        [
            best(values[:, pitch], truth[:, pitch]) if count >= rare else common
            for pitch, count in enumerate(counts)
        ]
    )


def _ordered(values: Array, truth: Array) -> tuple[Array, Array]:
    """Return the values, falling, and the hits ``(n + 1,)`` among the first 0, 1, … of them."""
    flat = np.ravel(values)
    order = np.argsort(-flat, kind="stable")
    hits = np.cumsum(np.ravel(truth)[order] > 0)
    return flat[order], np.concatenate([[0], hits])


def _threshold(ordered: Array, scores: Array) -> float:
    """Return the value that lets as many through as scores best; equal values go together."""
    possible = np.ones(len(scores), np.bool_)
    possible[1:-1] = ordered[1:] < ordered[:-1]
    count = int(np.argmax(np.where(possible, scores, -np.inf)))
    if count:
        return float(ordered[count - 1])
    return float(np.nextafter(ordered[0], np.array(np.inf, ordered.dtype)))
