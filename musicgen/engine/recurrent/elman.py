"""The simple recurrent layer."""

from __future__ import annotations

import numpy as np

from musicgen.engine.node import Array
from musicgen.engine.recurrent.base import Recurrent

__all__ = ["Elman"]


class Elman(Recurrent):
    """Simple recurrent layer over a whole sequence: ``h_t = tanh(x_t W_x + h_{t−1} W_h + b)``.

    Inputs: x, h_0, W_x ``(D, H)``, W_h ``(H, H)``, b ``(H,)``. Outputs: y, h_T.

    References
    ----------
    Elman, "Finding structure in time", Cognitive Science 14, 1990. Report, chapter 5.
    """

    blocks = 1
    bias_blocks = 1

    def forward(self, *arrays: Array) -> tuple[Array, ...]:
        """Run all steps."""
        x, h_0, W_x, W_h, b = arrays
        a = self.project(x, W_x)
        h = self.history("h", h_0)
        recurrent = self.buffer("h W_h", h_0.shape)
        for t in range(len(x)):
            np.matmul(h[t], W_h, out=recurrent)
            np.add(a[t], recurrent, out=a[t])
            np.add(a[t], b, out=a[t])
            np.tanh(a[t], out=h[t + 1])
        return h[1:], h[-1]

    def backward(self, *gradients: Array) -> tuple[Array | None, ...]:
        """Return the gradients of all inputs: ``da_t = dh ⊙ (1 − h_t²)``, ``dh = da_t W_hᵀ``."""
        dy, dh_T = gradients
        x, h_0, W_x, W_h, b = self.data
        h = self.buffer("h", (len(x) + 1, *h_0.shape))
        da, dh = self.buffer("da", h[1:].shape), self.buffer("dh", h_0.shape)
        np.copyto(dh, dh_T)
        for t in reversed(range(len(x))):
            np.add(dh, dy[t], out=dh)
            np.multiply(h[t + 1], h[t + 1], out=da[t])
            np.subtract(1.0, da[t], out=da[t])
            np.multiply(da[t], dh, out=da[t])
            np.matmul(da[t], W_h.T, out=dh)
        dx, dW_x, dW_h = self.weight_gradients(x, W_x, h[:-1], da, da)
        return dx, dh, dW_x, dW_h, np.sum(da, axis=(0, 1), out=self.buffer("db", b.shape))

    def tangent(self, *directions: Array) -> tuple[Array, ...]:
        """Return the outputs' directional derivatives."""
        dx, dh, dW_x, dW_h, db = directions
        x, h_0, W_x, W_h, _ = self.data
        h = self.buffer("h", (len(x) + 1, *h_0.shape))
        dy = np.empty(h[1:].shape, h.dtype)
        for t in range(len(x)):
            da = dx[t] @ W_x + x[t] @ dW_x + dh @ W_h + h[t] @ dW_h + db
            dh = (1 - h[t + 1] ** 2) * da
            dy[t] = dh
        return dy, dh
