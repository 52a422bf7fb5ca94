"""Drawing one symbol a row from what a network says about the next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["check_settings", "draw", "pick", "probabilities", "repetitions", "uniform"]

SURE = 1e-9  # temperature below which only the likeliest symbol is left
BELOW_ONE = 1 - 2.0**-52


def probabilities(
    logits: npt.NDArray[Any],
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    min_p: float | None = None,
) -> npt.NDArray[np.float64]:
    """Turn logits into the probabilities that are drawn from.

    ``p_v ∝ e^{z_v / temperature}``. Kept are the `top_k` likeliest symbols; of these the fewest of
    the likeliest that together have at least the share `top_p` of their probability; of these the
    ones with ``p_v ≥ min_p · max p``. What is as likely as the last one kept is kept as well.

    Parameters
    ----------
    logits
        ``(…, V)``; −∞ forbids a symbol.
    temperature
        Below 1 the likely becomes likelier; 0 leaves the likeliest symbol alone.
    top_k
        Number of symbols kept, at least 1; all when None.
    top_p
        Probability kept, 0 < top_p ≤ 1; all when None. "Nucleus sampling" [1]_.
    min_p
        Least probability kept, as a share of the greatest, 0 ≤ min_p ≤ 1; all when None. It cuts
        much where the network is sure and little where it is not [2]_.

    Returns
    -------
    ndarray
        ``(…, V)``, summing to 1 along the last axis.

    Raises
    ------
    ValueError
        For a setting outside its range.

    References
    ----------
    .. [1] Holtzman et al., "The curious case of neural text degeneration", ICLR 2020.
    .. [2] Nguyen et al., "Turning up the heat: min-p sampling for creative and coherent LLM
       outputs", ICLR 2025.

    Examples
    --------
    >>> z = np.log([0.5, 0.3, 0.2])
    >>> probabilities(z, top_k=2).round(3)
    array([0.625, 0.375, 0.   ])
    >>> probabilities(z, top_p=0.4)
    array([1., 0., 0.])
    >>> probabilities(z, min_p=0.5).round(3)
    array([0.625, 0.375, 0.   ])
    >>> probabilities(z, temperature=0.0)
    array([1., 0., 0.])
    """
    check_settings(temperature=temperature, top_k=top_k, top_p=top_p, min_p=min_p)
    z = np.asarray(logits, np.float64)
    if temperature < SURE:
        p = np.zeros(z.shape)
        np.put_along_axis(p, z.argmax(-1)[..., None], 1.0, -1)
        return p
    p = np.exp((z - z.max(-1, keepdims=True)) / temperature)  # the likeliest has e⁰
    least: Any = min_p or 0.0
    if top_k is not None or top_p is not None:
        ranked = np.sort(p, -1)[..., : -(top_k or z.shape[-1]) - 1 : -1]
        if top_p is not None:
            share = ranked.cumsum(-1)
            ranked = np.where(share - ranked < top_p * share[..., -1:], ranked, 1.0)
        least = np.maximum(least, ranked.min(-1, keepdims=True))
    p[p < least] = 0
    p /= p.sum(-1, keepdims=True)
    return p


def check_settings(
    *,
    temperature: float,
    top_k: int | None = None,
    top_p: float | None = None,
    min_p: float | None = None,
    repetition_penalty: float = 0.0,
) -> None:
    """Raise a ValueError for a setting outside its range."""
    if not 0 <= temperature < np.inf:
        raise ValueError(f"temperature is {temperature}; expected 0 or more")
    if top_k is not None and top_k < 1:
        raise ValueError(f"top_k is {top_k}; expected 1 or more")
    if top_p is not None and not 0 < top_p <= 1:
        raise ValueError(f"top_p is {top_p}; expected above 0 and at most 1")
    if min_p is not None and not 0 <= min_p <= 1:
        raise ValueError(f"min_p is {min_p}; expected 0 to 1")
    if not 0 <= repetition_penalty < np.inf:
        raise ValueError(f"repetition_penalty is {repetition_penalty}; expected 0 or more")


def draw(p: npt.NDArray[np.float64], rngs: Sequence[np.random.Generator]) -> npt.NDArray[np.int64]:
    """Draw a number v for each row b with probability ``p[b, v]``.

    Parameters
    ----------
    p
        ``(B, V)``, each row summing to 1.
    rngs
        Sources of one uniform number each, one a row.

    Returns
    -------
    ndarray
        ``(B,)``.

    Examples
    --------
    >>> draw(np.array([[0.0, 1.0], [1.0, 0.0]]), [np.random.default_rng(seed) for seed in (1, 2)])
    array([1, 0])
    """
    return pick(p, uniform(rngs))


def pick(p: npt.NDArray[np.float64], u: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Return the number v at which the sum of ``p[b]`` passes the share ``u[b]``, for each row."""
    cumulative = p.cumsum(-1)
    return (cumulative <= u[:, None] * cumulative[:, -1:]).sum(-1)


def uniform(rngs: Sequence[np.random.Generator]) -> npt.NDArray[np.float64]:
    """Draw a number from 0 to below 1 from each generator.

    Times a sum, it is not rounded up to the sum, where no symbol lies.
    """
    return np.array([rng.random() for rng in rngs]) * BELOW_ONE


def repetitions(history: npt.NDArray[Any], size: int, *, context: int = 16) -> npt.NDArray[Any]:
    """Count how often each symbol has followed the last symbols of a row before.

    Music repeats itself on purpose: to forbid the symbols or the n-grams of the past would forbid
    its form, and a bar line or an eighth note is common in any tune. What wants mending is the
    loop, the same phrase a third and a fourth time; these counts tell it apart. With 16 symbols the
    tunes of Ryan's Mammoth Collection, as characters, hardly ever have a count above 1; with 8,
    each common figure has.

    Parameters
    ----------
    history
        ``(B, T)``, latest last; −1 where there is none.
    size
        Number of symbols V.
    context
        Number of last symbols looked for.

    Returns
    -------
    ndarray
        ``(B, V)``.

    Examples
    --------
    >>> repetitions(np.array([[1, 2, 3, 1, 2, 3, 1, 2]]), 4, context=2)
    array([[0, 0, 0, 2]])
    """
    counts = np.zeros((len(history), size), np.int64)
    T = history.shape[1]
    seen = history[:, context:] >= 0
    for back in range(1, context + 1):
        seen &= history[:, context - back : T - back] == history[:, T - back :][:, :1]
    rows, places = seen.nonzero()
    np.add.at(counts, (rows, history[rows, places + context]), 1)
    return counts
