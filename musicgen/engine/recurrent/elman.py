"""The simple recurrent layer."""

from __future__ import annotations

import numpy as np

from musicgen.engine.cells import ElmanCell
from musicgen.engine.node import Array
from musicgen.engine.recurrent.base import Recurrent

__all__ = ["Elman"]


class Elman(Recurrent):
    """Simple recurrent layer over a whole sequence: ``h_t = tanh(x_t W_x + h_{t−1} W_h + b)``.

    Inputs: x, h_0, W_x ``(D, H)``, W_h ``(H, H)``, b ``(H,)``, lengths. Outputs: y, h_T. Equal to
    `ElmanCell` step by step.
    """

    cell = ElmanCell

    def forward(self, *arrays: Array) -> tuple[Array, ...]:
        """Run all steps."""
        x, h_0, W_x, W_h, b = self.arrays
        a = self.project(x, W_x)
        h = self.history("h", h_0)
        recurrent = self.buffer("h W_h", h_0.shape)
        for t in range(len(x)):
            np.matmul(h[t], W_h, out=recurrent)
            np.add(a[t], recurrent, out=a[t])
            np.add(a[t], b, out=a[t])
            np.tanh(a[t], out=h[t + 1])
            self.hold(t, h)
        return h[1:], h[-1]

    def backward(self, *gradients: Array) -> tuple[Array | None, ...]:
        """Return the gradients of all inputs: ``da_t = dh ⊙ (1 − h_t²)``, ``dh = da_t W_hᵀ``."""
        dy, dh_T = gradients
        x, h_0, W_x, W_h, b = self.arrays
        h = self.buffer("h", (len(x) + 1, *h_0.shape))
        da, dh = self.buffer("da", h[1:].shape), self.buffer("dh", h_0.shape)
        np.copyto(dh, dh_T)
        for t in reversed(range(len(x))):
            np.add(dh, dy[t], out=dh)
            self.keep(t, dh)
            np.multiply(h[t + 1], h[t + 1], out=da[t])
            np.subtract(1.0, da[t], out=da[t])
            np.multiply(da[t], dh, out=da[t])
            np.matmul(da[t], W_h.T, out=dh)
            self.restore(t, (da[t],), dh)
        dx = self.input_gradient(x, W_x, da)
        dW_x, dW_h = self.weight_gradients(x, W_x, h[:-1], da, da)
        db = np.sum(da, axis=(0, 1), out=self.buffer("db", b.shape))
        return self.complete(dx, dh, dW_x, dW_h, db)

    def step_tangent(self, t: int, dx: Array, *directions: Array) -> tuple[Array, ...]:
        """Return dh_t: the equation above, differentiated."""
        dh, dW_x, dW_h, db = directions
        x, h_0, W_x, W_h, _ = self.arrays
        h = self.buffer("h", (len(x) + 1, *h_0.shape))
        da = dx @ W_x + x[t] @ dW_x + dh @ W_h + h[t] @ dW_h + db[:, None]
        return ((1 - h[t + 1] ** 2) * da,)
