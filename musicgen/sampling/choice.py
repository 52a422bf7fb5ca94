"""Drawing one symbol from what a network says about the next."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["check_settings", "draw", "probabilities"]


def probabilities(
    logits: npt.NDArray[Any],
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> npt.NDArray[np.float64]:
    """Turn logits into the probabilities that are drawn from.

    ``p_v ∝ e^{z_v / temperature}``, then only the `top_k` likeliest symbols, then the fewest of
    the likeliest ones that together have at least the probability `top_p`.

    Parameters
    ----------
    logits
        ``(V,)``; −∞ forbids a symbol.
    temperature
        Below 1 the likely becomes likelier; 0 leaves the likeliest symbol alone.
    top_k
        Number of symbols kept, at least 1; all when None.
    top_p
        Probability kept, 0 < top_p ≤ 1; all when None. "Nucleus sampling" [1]_.

    Returns
    -------
    ndarray
        ``(V,)``, summing to 1.

    Raises
    ------
    ValueError
        For a setting outside its range.

    References
    ----------
    .. [1] Holtzman et al., "The curious case of neural text degeneration", ICLR 2020.

    Examples
    --------
    >>> z = np.log([0.5, 0.3, 0.2])
    >>> probabilities(z, top_k=2).round(3)
    array([0.625, 0.375, 0.   ])
    >>> probabilities(z, top_p=0.4)
    array([1., 0., 0.])
    >>> probabilities(z, temperature=0.0)
    array([1., 0., 0.])
    """
    check_settings(temperature=temperature, top_k=top_k, top_p=top_p)
    z = np.asarray(logits, np.float64)
    if temperature == 0:
        p = np.zeros(z.shape)
        p[np.argmax(z)] = 1
        return p
    with np.errstate(over="ignore"):  # a tiny temperature leaves −∞ below the likeliest
        p = np.exp((z - z.max()) / temperature)
    p /= p.sum()
    if (top_k is None or top_k >= len(p)) and top_p is None:
        return p
    order = np.argsort(-p, kind="stable")
    kept = len(p) if top_k is None else min(top_k, len(p))
    if top_p is not None:
        share = np.cumsum(p[order[:kept]])
        kept = min(kept, int(np.searchsorted(share, top_p * share[-1])) + 1)
    p[order[kept:]] = 0
    return p / p.sum()


def check_settings(*, temperature: float, top_k: int | None, top_p: float | None) -> None:
    """Raise a ValueError for a setting outside its range."""
    if not (temperature >= 0 and np.isfinite(temperature)):
        raise ValueError(f"temperature is {temperature}; expected 0 or more")
    if top_k is not None and top_k < 1:
        raise ValueError(f"top_k is {top_k}; expected 1 or more")
    if top_p is not None and not 0 < top_p <= 1:
        raise ValueError(f"top_p is {top_p}; expected above 0 and at most 1")


def draw(p: npt.NDArray[np.float64], rng: np.random.Generator) -> int:
    """Draw a number v with probability ``p[v]``.

    Parameters
    ----------
    p
        ``(V,)``, summing to 1.
    rng
        Source of one uniform number.
    """
    cumulative = np.cumsum(p)
    return int(np.searchsorted(cumulative, rng.random() * cumulative[-1], side="right"))
