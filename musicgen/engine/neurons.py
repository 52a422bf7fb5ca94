"""Networks of neurons one by one, as chapter 2 of the report has them: to teach, not to train.

Every number is a node. A layer of n neurons that reads m values makes 2n nodes for n·m products;
`Dense` makes one node for all of them, and is faster by orders of magnitude
(``benchmarks/neurons.py``).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from musicgen.engine.initialisers import glorot_uniform
from musicgen.engine.node import Array, Node, Parameter, Shape, Value
from musicgen.engine.ops import Tanh

__all__ = ["WeightedSum", "neurons"]


class WeightedSum(Node):
    """``s = w_0 + Σ_i w_i x_i``: what a neuron receives, its bias included.

    Inputs: numbers x_1 … x_n, each of shape ``()``, and w ``(n + 1,)``.
    ``dx_i = ds w_i``, ``dw_i = ds x_i``, ``dw_0 = ds``. Report, section 1.1.
    """

    def infer(self, *shapes: Shape) -> Shape:
        """Return the shape of a number."""
        *xs, w = shapes
        if any(xs) or w != (len(xs) + 1,):
            self.fail(f"{len(xs)} inputs and weights {w} do not fit; expected numbers and (n + 1,)")
        return ()

    def forward(self, *arrays: Array) -> Array:
        """Add up the weighted inputs."""
        *xs, w = arrays
        return np.asarray(w[0] + sum(weight * x for weight, x in zip(w[1:], xs, strict=True)))

    def backward(self, *gradients: Array) -> tuple[Array, ...]:
        """Return every dx_i, and dw."""
        (ds,), (*xs, w) = gradients, self.data
        dw = self.buffer("dw", w.shape)
        dw[0] = ds
        for i, x in enumerate(xs, 1):
            dw[i] = ds * x
        return (*(ds * weight for weight in w[1:]), dw)

    def tangent(self, *directions: Array) -> Array:
        """Return dw_0 + Σ_i dw_i x_i + w_i dx_i."""
        (*dxs, dw), (*xs, w) = directions, self.data
        ds = dw[:, 0]
        for i, (x, dx) in enumerate(zip(xs, dxs, strict=True), 1):
            ds = ds + dw[:, i] * x + w[i] * dx
        return ds


def neurons(
    xs: Sequence[Value | Node],
    count: int,
    rng: np.random.Generator,
    activation: type[Node] = Tanh,
    name: str = "layer",
) -> list[Node]:
    """Make a layer of neurons, each of which reads all of `xs`.

    Parameters
    ----------
    xs
        Numbers, shape ``()``.
    count
        How many neurons.
    rng
        Source of the weights, drawn as Glorot and Bengio have it; biases are 0.
    activation
        g in ``y = g(s)``.
    name
        Neuron k of the layer has its weights in the parameter ``"<name>.<k>.w"``.

    Returns
    -------
    list of Node
        The neurons' outputs.

    Examples
    --------
    >>> from musicgen.engine import Constant, Graph, Sigmoid
    >>> rng = np.random.default_rng(0)
    >>> xs = [Constant(np.array(x)) for x in (0.5, -1.0)]
    >>> hidden = neurons(xs, 4, rng, name="hidden")
    >>> graph = Graph(*neurons(hidden, 1, rng, Sigmoid, name="output"))
    >>> list(graph.parameters)
    ['hidden.0.w', 'hidden.1.w', 'hidden.2.w', 'hidden.3.w', 'output.0.w']
    """
    weights = np.zeros((count, 1 + len(xs)))
    weights[:, 1:] = glorot_uniform(rng, (len(xs), count), np.float64).T
    made = []
    for k in range(count):
        w = Parameter(f"{name}.{k}.w", weights[k])
        made.append(activation(WeightedSum(*xs, w, name=f"{name}.{k}.s"), name=f"{name}.{k}.y"))
    return made
