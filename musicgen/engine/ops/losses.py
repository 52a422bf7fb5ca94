"""Costs, computed from logits so that they are stable."""

from __future__ import annotations

from typing import Any

import numpy as np

from musicgen.engine.node import Array, Node, Shape

__all__ = ["SoftmaxCrossEntropy"]


class SoftmaxCrossEntropy(Node):
    """Cost of a categorical choice: ``E = Σ_n w_n (log Σ_v e^{z_nv} − z_{n,t_n})``, in nats.

    Inputs: logits z ``(…, V)``; targets t ``(…)`` of integers below V; and, when wanted, weights
    w ``(…)``. Without weights every ``w_n = 1/N``, which makes E the mean over all N places.
    Gradient ``dz_n = w_n (softmax(z_n) − onehot(t_n))``. Targets and weights have none.
    """

    def infer(self, *shapes: Shape) -> Shape:
        """Return the shape of a number."""
        logits, targets, *weights = shapes
        if logits[:-1] != targets or any(w != targets for w in weights):
            self.fail(f"logits {logits} and {shapes[1:]} do not fit; expected (…, V) and (…)")
        return ()

    def infer_dtype(self, *dtypes: np.dtype[Any]) -> np.dtype[Any]:
        """Return the logits' type."""
        return dtypes[0]

    def forward(self, *arrays: Array) -> Array:
        """Compute the cost; the probabilities are kept for the gradient."""
        logits, targets = arrays[0], arrays[1].ravel()
        z = logits.reshape(targets.size, -1)
        rows = np.arange(targets.size)
        highest = np.max(z, axis=1, keepdims=True)
        p = np.subtract(z, highest, out=self.buffer("p", z.shape))
        costs = -p[rows, targets]
        np.exp(p, out=p)
        total = np.sum(p, axis=1, keepdims=True)
        np.divide(p, total, out=p)
        costs += np.log(total[:, 0])
        weights = self._weights(arrays)
        return np.asarray(np.sum(costs * weights), self.outputs[0].dtype)

    @staticmethod
    def _weights(arrays: tuple[Array, ...]) -> Array | float:
        return arrays[2].ravel() if len(arrays) == 3 else 1 / arrays[1].size

    def backward(self, *gradients: Array) -> tuple[Array | None, ...]:
        """Return dz."""
        arrays = self.data
        logits, targets = arrays[0], arrays[1].ravel()
        shape = (targets.size, logits.shape[-1])
        dz = self.buffer("dz", shape)
        np.copyto(dz, self.buffer("p", shape))
        dz[np.arange(targets.size), targets] -= 1
        scale = np.asarray(gradients[0] * self._weights(arrays), dz.dtype)
        np.multiply(dz, scale.reshape(-1, 1), out=dz)
        return (dz.reshape(logits.shape), *[None] * (len(arrays) - 1))

    def tangent(self, *directions: Array) -> Array:
        """Return Σ_n w_n (softmax(z_n) − onehot(t_n)) · dz_n."""
        dz = self.backward(np.ones((), self.outputs[0].dtype))[0]
        assert dz is not None
        return np.sum(dz * directions[0])
