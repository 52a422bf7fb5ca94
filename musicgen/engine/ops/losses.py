"""Costs: stable ones computed from logits, and the report's computed from probabilities."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from musicgen import kernels
from musicgen.engine.node import Array, Node, Shape
from musicgen.engine.ops.activations import sigmoid
from musicgen.engine.ops.lookup import check_range

__all__ = [
    "BinaryCrossEntropy",
    "CategoricalCrossEntropy",
    "SigmoidCrossEntropy",
    "SoftmaxCrossEntropy",
    "SquaredError",
]


class _Loss(Node):
    """A sum over places, each with its weight; the prediction has one axis more than the weights.

    Without weights each is 1/N, which makes the cost the mean over all N places. A weight of 0
    masks a place: sequences of unequal lengths are padded, and the padding counts nothing.
    """

    def infer(self, *shapes: Shape) -> Shape:
        """Return the shape of a number."""
        predictions, targets, *weights = shapes or ((),)
        places = predictions[:-1]
        wanted = predictions if self._dense else places
        if not predictions or targets != wanted or weights not in ([], [places]):
            self.fail(
                f"inputs {', '.join(map(str, shapes))} do not fit; expected (…, D), "
                f"{'(…, D)' if self._dense else '(…)'} and, when wanted, weights (…)"
            )
        return ()

    _dense = True

    def infer_dtype(self, *dtypes: np.dtype[Any]) -> np.dtype[Any]:
        """Return the prediction's type."""
        return dtypes[0]

    def _weigh(self, array: Array, factor: Array | float = 1.0) -> Array:
        """Multiply the rows of ``(…, D)`` by their weights, in place."""
        if len(self.inputs) == 3:
            np.multiply(array, self.data[2][..., None], out=array)
            return np.multiply(array, factor, out=array)
        return np.multiply(array, factor / math.prod(array.shape[:-1]), out=array)

    def slope(self, out: Array) -> Array:
        """Write ∂E/∂prediction to `out`, before weighing."""
        raise NotImplementedError

    def backward(self, *gradients: Array) -> tuple[Array | None, ...]:
        """Return the prediction's gradient."""
        dz = self._weigh(self.slope(self.buffer("dz", self.inputs[0].shape)), gradients[0])
        return (dz, *[None] * (len(self.inputs) - 1))

    def tangent(self, *directions: Array) -> Array:
        """Return Σ ∂E/∂prediction ⊙ its direction."""
        slope = self._weigh(self.slope(np.empty_like(self.data[0])))
        return (slope * directions[0]).sum(axis=tuple(range(1, directions[0].ndim)))


class SoftmaxCrossEntropy(_Loss):
    """Cost of a categorical choice: ``E = Σ_n w_n (log Σ_v e^{z_nv} − z_{n,t_n})``, in nats.

    Inputs: logits z ``(…, V)``; targets t ``(…)`` of integers, ``0 ≤ t < V``; when wanted, weights
    w ``(…)``, 1/N by default. ``dz_n = w_n (softmax(z_n) − onehot(t_n))``; targets and weights have
    no gradient. Report, sections 1.3 and 3.4, computed from logits.
    """

    _dense = False

    def forward(self, *arrays: Array) -> Array:
        """Compute the cost; the probabilities are kept for the gradient."""
        z, t = arrays[0], arrays[1][..., None]
        check_range(self, "targets", t, z.shape[-1])
        p, costs = self.buffer("p", z.shape), self.buffer("costs", t.shape)
        if kernels.softmax(z, arrays[1], p, costs):
            return np.asarray(np.sum(self._weigh(costs)), self.outputs[0].dtype)
        np.subtract(z, np.max(z, axis=-1, keepdims=True), out=p)
        costs = np.take_along_axis(p, t, axis=-1)
        np.exp(p, out=p)
        total = np.sum(p, axis=-1, keepdims=True)
        np.divide(p, total, out=p)
        np.subtract(np.log(total, out=total), costs, out=costs)
        return np.asarray(np.sum(self._weigh(costs)), self.outputs[0].dtype)

    def backward(self, *gradients: Array) -> tuple[Array | None, ...]:
        """Return the prediction's gradient."""
        t, *weights = self.data[1:]
        p, dz = (self.buffer(key, self.inputs[0].shape) for key in ("p", "dz"))
        factor = float(gradients[0]) / (1 if weights else t.size)
        if kernels.softmax_slope(p, t, weights[0] if weights else None, factor, dz):
            return (dz, *[None] * (len(self.inputs) - 1))
        return super().backward(*gradients)

    def slope(self, out: Array) -> Array:
        """Write softmax(z) − onehot(t)."""
        np.copyto(out, self.buffer("p", out.shape))
        t = self.data[1][..., None]
        np.put_along_axis(out, t, np.take_along_axis(out, t, axis=-1) - 1, axis=-1)
        return out


class SigmoidCrossEntropy(_Loss):
    """Cost of D independent yes-or-no answers, in nats.

    ``E = Σ_n w_n Σ_d (log(1 + e^{z_nd}) − t_nd z_nd)``, which is
    ``−Σ t log σ(z) + (1 − t) log(1 − σ(z))``.

    Inputs: logits z ``(…, D)``; targets t ``(…, D)``, 0 to 1; when wanted, weights w ``(…)``, 1/N
    by default. ``dz = w (σ(z) − t)``; targets and weights have no gradient. Report, sections 1.3
    and 3.4, computed from logits.
    """

    def forward(self, *arrays: Array) -> Array:
        """Compute the cost with ``log(1 + e^z) = max(z, 0) + log(1 + e^−|z|)``."""
        z, t = arrays[:2]
        costs, part = self.buffer("costs", z.shape), self.buffer("part", z.shape)
        np.negative(np.abs(z, out=costs), out=costs)
        np.log1p(np.exp(costs, out=costs), out=costs)
        np.add(costs, np.maximum(z, 0, out=part), out=costs)
        np.subtract(costs, np.multiply(t, z, out=part), out=costs)
        return np.asarray(np.sum(self._weigh(costs)), self.outputs[0].dtype)

    def slope(self, out: Array) -> Array:
        """Write σ(z) − t."""
        z, t = self.data[:2]
        return np.subtract(sigmoid(z, out), t, out=out)


class SquaredError(_Loss):
    """Cost of a value with Gaussian noise: ``E = Σ_n w_n Σ_d (y_nd − t_nd)²``.

    Inputs: y ``(…, D)``; targets t ``(…, D)``; when wanted, weights w ``(…)``, 1/N by default.
    ``dy = 2 w (y − t)``; targets and weights have no gradient. Report, section 1.3.
    """

    def forward(self, *arrays: Array) -> Array:
        """Compute the cost."""
        costs = np.subtract(arrays[0], arrays[1], out=self.buffer("costs", arrays[0].shape))
        np.multiply(costs, costs, out=costs)
        return np.asarray(np.sum(self._weigh(costs)), self.outputs[0].dtype)

    def slope(self, out: Array) -> Array:
        """Write 2 (y − t)."""
        np.subtract(self.data[0], self.data[1], out=out)
        return np.multiply(out, 2, out=out)


class _FromProbabilities(Node):
    """A cost of a target x1 and an output x2 of the same shape, both with a gradient."""

    def infer(self, *shapes: Shape) -> Shape:
        """Return the shape of a number."""
        if len(shapes) != 2 or shapes[0] != shapes[1]:
            self.fail(f"inputs {', '.join(map(str, shapes))} do not fit; expected two of one shape")
        return ()

    def tangent(self, *directions: Array) -> Array:
        """Return Σ ∂E/∂x1 ⊙ dx1 + ∂E/∂x2 ⊙ dx2."""
        slopes = self.backward(np.ones((), self.outputs[0].dtype))
        parts = zip(slopes, directions, strict=True)
        return sum((s * d).sum(axis=tuple(range(1, d.ndim))) for s, d in parts if s is not None)


class BinaryCrossEntropy(_FromProbabilities):
    """``E = −Σ x1 log x2 + (1 − x1) log(1 − x2)``, of a target x1 and a probability x2.

    ``dx1 = −dy log(x2 / (1 − x2))``, ``dx2 = dy (x2 − x1) / (x2 (1 − x2))``: the report's
    sigmoid cross-entropy (section 3.4, where dx1 lacks the logarithm). Infinite where x2 is 0
    or 1; to train, take `SigmoidCrossEntropy`.
    """

    def forward(self, *arrays: Array) -> Array:
        """Compute the cost."""
        x1, x2 = arrays
        return np.asarray(-np.sum(x1 * np.log(x2) + (1 - x1) * np.log1p(-x2)), x2.dtype)

    def backward(self, *gradients: Array) -> tuple[Array | None, ...]:
        """Return (dx1, dx2)."""
        (dy,), (x1, x2) = gradients, self.data
        return -dy * (np.log(x2) - np.log1p(-x2)), dy * (x2 - x1) / (x2 * (1 - x2))


class CategoricalCrossEntropy(_FromProbabilities):
    """``E = −Σ x1 log x2``, of a target distribution x1 and a predicted one x2.

    ``dx1 = −dy log x2``, ``dx2 = −dy x1 / x2``: the report's softmax cross-entropy (section 3.4).
    Infinite where x2 is 0 and x1 is not; to train, take `SoftmaxCrossEntropy`.
    """

    def forward(self, *arrays: Array) -> Array:
        """Compute the cost."""
        x1, x2 = arrays
        with np.errstate(divide="ignore", invalid="ignore"):
            costs = np.where(x1 == 0, 0, x1 * np.log(x2))
        return np.asarray(-np.sum(costs), x2.dtype)

    def backward(self, *gradients: Array) -> tuple[Array | None, ...]:
        """Return (dx1, dx2)."""
        (dy,), (x1, x2) = gradients, self.data
        with np.errstate(divide="ignore", invalid="ignore"):
            return -dy * np.log(x2), -dy * np.where(x1 == 0, 0, x1 / x2)
