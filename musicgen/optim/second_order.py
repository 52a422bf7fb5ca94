"""Minimising with curvature: quasi-Newton, conjugate gradients, Newton; scipy does the work."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from musicgen.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from musicgen.optim.base import Array

__all__ = ["METHODS", "Minimum", "minimise"]

METHODS = ("L-BFGS-B", "CG", "Newton-CG")


class Minimum(NamedTuple):
    """Where `minimise` ended.

    Attributes
    ----------
    cost
        The lowest found, at the weights that are left.
    iterations
        Directions searched along.
    evaluations
        Costs and gradients computed.
    converged
        Whether the tolerance was met.
    message
        Why it ended, in scipy's words.
    """

    cost: float
    iterations: int
    evaluations: int
    converged: bool
    message: str


def minimise(
    evaluate: Callable[[], tuple[float, Mapping[str, Array]]],
    values: Mapping[str, Array],
    method: str = "L-BFGS-B",
    *,
    iterations: int = 100,
    tolerance: float = 1e-5,
    callback: Callable[[int, float], None] | None = None,
) -> Minimum:
    """Minimise a cost that is the same at every evaluation, such as that of all data in one batch.

    The methods look along lines and compare costs, and so need no learning rate; with the noise of
    small batches they fail. Newton-CG solves ``H p = −∇`` by conjugate gradients, with the products
    ``H p = (∇(θ + h p) − ∇(θ − h p)) / 2h`` from central differences.

    Parameters
    ----------
    evaluate
        Returns the cost and its gradients by name, at the weights that lie in `values`.
    values
        The weights by name: changed in place, and left where the cost was lowest, whatever ends
        the search.
    method
        One of `METHODS`.
    iterations
        The most there may be.
    tolerance
        The search ends where no element of the gradient is larger, with Newton-CG where the mean
        change of a weight is smaller; L-BFGS-B also where the cost no longer falls. In float32 it
        may be out of reach.
    callback
        Told the iteration, from 1, and the lowest cost so far.

    Raises
    ------
    ModelError
        When there is no such method, or when the cost or its gradient is no longer a number.

    References
    ----------
    Nocedal & Wright, "Numerical optimization", 2nd ed. 2006, chapters 5 to 8; Byrd, Lu, Nocedal &
    Zhu, "A limited memory algorithm for bound constrained optimization", 1995.

    Examples
    --------
    >>> values = {"w": np.array([3.0, -1.0])}
    >>> def evaluate():
    ...     error = values["w"] - [1.0, 2.0]
    ...     return error @ error, {"w": 2 * error}
    >>> minimise(evaluate, values).converged
    True
    >>> values["w"].round(6)
    array([1., 2.])
    """
    # Loading scipy takes longer than many a command that never needs it.
    from scipy.optimize import minimize

    if method not in METHODS:
        raise ModelError(
            f"no second-order method is called {method!r}; there are: {', '.join(METHODS)}"
        )
    if not values:
        raise ModelError("there are no weights to change; are all frozen?")
    best, lowest = _flatten(values.values()), math.inf
    evaluated = searched = 0

    def cost_and_gradient(theta: Array) -> tuple[float, Array]:
        nonlocal best, lowest, evaluated
        _write(theta, values)
        cost, gradients = evaluate()
        gradient = _flatten(gradients[name] for name in values)
        norm = float(np.linalg.norm(gradient))
        evaluated += 1
        # scipy would search on from such a cost, and may report a minimum where there is none.
        if not (math.isfinite(cost) and math.isfinite(norm)):
            raise ModelError(
                f"the cost became {float(cost):g} and the norm of its gradient {norm:g} "
                f"at evaluation {evaluated}; start from other weights"
            )
        if cost < lowest:
            best, lowest = theta.copy(), float(cost)
        return float(cost), gradient

    # Where rounding and curvature disturb a central difference equally.
    nearby = max(float(np.finfo(value.dtype).eps) for value in values.values()) ** (1 / 3)

    def hessian_product(theta: Array, p: Array) -> Array:
        h = nearby * (1 + np.linalg.norm(theta)) / np.linalg.norm(p)
        _, after = cost_and_gradient(theta + h * p)
        _, before = cost_and_gradient(theta - h * p)
        return (after - before) / (2 * h)

    def iterated(_: Array) -> None:
        nonlocal searched
        searched += 1
        if callback is not None:
            callback(searched, lowest)

    options = {"maxiter": iterations}
    if method == "L-BFGS-B":
        # Otherwise it ends in a flat valley too, where the cost still falls, only slowly.
        options["ftol"] = 0
    try:
        result = minimize(
            cost_and_gradient,
            best,
            jac=True,
            method=method,
            hessp=hessian_product if method == "Newton-CG" else None,
            tol=tolerance,
            callback=iterated,
            options=options,
        )
    finally:
        _write(best, values)
    return Minimum(lowest, searched, evaluated, bool(result.success), str(result.message))


def _flatten(arrays: Iterable[Array]) -> Array:
    return np.concatenate([array.reshape(-1) for array in arrays]).astype(np.float64)


def _write(theta: Array, values: Mapping[str, Array]) -> None:
    start = 0
    for value in values.values():
        value[...] = theta[start : start + value.size].reshape(value.shape)
        start += value.size
