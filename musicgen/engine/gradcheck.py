"""Gradients against central differences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from musicgen.engine.node import Node
from musicgen.errors import GraphError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from musicgen.engine.graph import Graph
    from musicgen.engine.node import Array, Value

__all__ = ["check_gradients"]

STEP = 1e-3
FLOOR = 1e-6
DIRECTIONS = 3


def check_gradients(
    graph: Graph, feeds: Mapping[str, npt.ArrayLike] | None = None, *, most: int = 200
) -> dict[str, float]:
    """Compare every gradient of a graph with central differences of its cost.

    The cost is the sum of the elements of the graph's first output. Differences are of fourth
    order, ``(8(E(w+h) − E(w−h)) − (E(w+2h) − E(w−2h))) / 12h`` with ``h = 1e-3``: their error is
    about 1e-13, far below that of the usual second-order formula. Forward mode is checked too,
    along three random directions at once, where every node has a `tangent`.

    Parameters
    ----------
    graph
        In float64, and the same at every pass (no fresh dropout masks).
    feeds
        Inputs.
    most
        Elements compared in each array, spread evenly over it.

    Returns
    -------
    dict
        The worst relative error ``|a − n| / max(|a|, |n|, 1e-6)`` of each parameter and each
        differentiable input by name, and of forward mode under ``"tangent"``.

    Raises
    ------
    GraphError
        When the graph computes in less than float64.

    Examples
    --------
    >>> from musicgen.engine import Graph, Parameter, Tanh
    >>> graph = Graph(Tanh(Parameter("w", np.array([0.1, -2.0]))))
    >>> bool(max(check_gradients(graph).values()) < 1e-9)
    True
    """
    output = graph.outputs[0]
    if output.dtype != np.float64:
        raise GraphError(f"gradients are checked in float64; this graph computes in {output.dtype}")
    graph.forward(feeds)
    graph.backward()
    leaves = {**graph.parameters, **graph.inputs}
    values = {name: leaf.output for name, leaf in leaves.items() if leaf.output.differentiable}
    gradients = {
        name: np.zeros(value.shape) if value.gradient is None else value.gradient.copy()
        for name, value in values.items()
    }

    def cost() -> float:
        graph.forward()
        return float(np.sum(output.data))

    worst = {}
    for name, value in values.items():
        flat = value.data.flat  # unlike reshape, never a copy
        errors = [0.0]
        for index in np.unique(
            np.linspace(0, value.data.size - 1, min(most, value.data.size)).astype(int)
        ):
            kept = flat[index]
            difference = 0.0
            for steps, weight in ((1, 8), (-1, -8), (2, -1), (-2, 1)):
                flat[index] = kept + steps * STEP
                difference += weight * cost() / (12 * STEP)
            flat[index] = kept
            errors.append(_relative(gradients[name].reshape(-1)[index], difference))
        worst[name] = max(errors)
    if not any(type(node).tangent is Node.tangent for node in graph.nodes if node.inputs):
        worst["tangent"] = _check_tangents(graph, values, gradients)
    return worst


def _check_tangents(
    graph: Graph, values: Mapping[str, Value], gradients: Mapping[str, Array]
) -> float:
    rng = np.random.default_rng(0)
    directions = {
        name: rng.standard_normal((DIRECTIONS, *value.shape)) for name, value in values.items()
    }
    graph.forward()
    found = graph.push({value: directions[name] for name, value in values.items()})
    cost = graph.outputs[0]
    tangent = found.get(cost, np.zeros((1, *cost.shape)))
    along = np.zeros(DIRECTIONS) + tangent.reshape(len(tangent), -1).sum(axis=1)
    slopes = np.zeros(DIRECTIONS)
    for name in values:
        slopes += (gradients[name] * directions[name]).reshape(DIRECTIONS, -1).sum(axis=1)
    return max(map(_relative, along.tolist(), slopes.tolist()))


def _relative(a: float, b: float) -> float:
    return abs(a - b) / max(abs(a), abs(b), FLOOR)
