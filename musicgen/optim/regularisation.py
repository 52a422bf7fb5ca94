"""Keeping weights small: a penalty on the cost, or a decay beside the gradient.

Which weights, the caller says by passing a part of the mapping: biases are usually left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from musicgen.optim.base import Array

__all__ = ["l2_penalty", "weight_decay"]


def l2_penalty(
    values: Mapping[str, Array], gradients: Mapping[str, Array], strength: float
) -> float:
    """Return ``λ Σ ‖θ‖²``, and add its gradient ``2 λ θ`` to the gradients in place.

    Call it before gradients are clipped and given to the optimiser.

    Parameters
    ----------
    values
        θ: the weights to keep small.
    gradients
        Arrays of equal shapes by name; there may be more of them.
    strength
        λ.

    Examples
    --------
    >>> values, gradients = {"W": np.array([3.0, -4.0])}, {"W": np.zeros(2), "b": np.ones(2)}
    >>> l2_penalty(values, gradients, 0.5)
    12.5
    >>> gradients["W"]
    array([ 3., -4.])
    """
    penalty = 0.0
    for name, value in values.items():
        gradient = gradients[name]
        np.add(gradient, 2 * strength * value, out=gradient)
        penalty += strength * float(np.vdot(value, value))
    return penalty


def weight_decay(values: Mapping[str, Array], strength: float, learning_rate: float) -> None:
    """Shrink weights in place, ``w ← w − η λ w``, beside the optimiser's own update.

    For SGD this is the L2 penalty of half the strength. Optimisers that divide by the size of past
    gradients would divide the gradient of a penalty too, and so spare the weights that change
    most; the decay treats all alike.

    Parameters
    ----------
    values
        w: the weights to keep small.
    strength
        λ.
    learning_rate
        η of this update.

    References
    ----------
    Loshchilov & Hutter, "Decoupled weight decay regularization", ICLR 2019.

    Examples
    --------
    >>> w = np.array([1.0, -2.0])
    >>> weight_decay({"w": w}, strength=0.5, learning_rate=0.2)
    >>> w
    array([ 0.9, -1.8])
    """
    for value in values.values():
        np.multiply(value, 1 - learning_rate * strength, out=value)
