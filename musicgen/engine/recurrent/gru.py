"""The gated recurrent unit layer."""

from __future__ import annotations

import numpy as np

from musicgen.engine.cells import GRUCell
from musicgen.engine.node import Array
from musicgen.engine.ops.activations import sigmoid
from musicgen.engine.recurrent.base import Recurrent

__all__ = ["GRU"]


class GRU(Recurrent):
    """Gated recurrent unit over a whole sequence.

    The equations, and the order in which gates are packed, are those of `GRUCell`, to which it is
    equal step by step.

    Inputs: x, h_0, W_x ``(D, 3H)``, W_h ``(H, 3H)``, b ``(4H,)``, lengths. Outputs: y, h_T.
    """

    cell = GRUCell

    def forward(self, *arrays: Array) -> tuple[Array, ...]:
        """Run all steps."""
        x, h_0, W_x, W_h, b = self.arrays
        B, H = h_0.shape
        a = self.project(x, W_x)
        h = self.history("h", h_0)
        inner = self.buffer("inner", (len(x), B, H))
        recurrent, change = self.buffer("h W_h", (B, 3 * H)), self.buffer("change", (B, H))
        for t in range(len(x)):
            np.matmul(h[t], W_h, out=recurrent)
            np.add(a[t], b[: 3 * H], out=a[t])
            gates = a[t, :, : 2 * H]
            np.add(gates, recurrent[:, : 2 * H], out=gates)
            sigmoid(gates, out=gates)
            r, z, g = _gates(a[t], H)
            np.add(recurrent[:, 2 * H :], b[3 * H :], out=inner[t])
            np.multiply(r, inner[t], out=change)
            np.add(g, change, out=g)
            np.tanh(g, out=g)
            np.subtract(g, h[t], out=change)
            np.multiply(z, change, out=change)
            np.add(h[t], change, out=h[t + 1])
            self.hold(t, h)
        return h[1:], h[-1]

    def backward(self, *gradients: Array) -> tuple[Array | None, ...]:
        """Return the gradients of all inputs, by back-propagation through time.

        With ``u = h_{t−1} W_hg + b_d`` and ``dh`` what arrives at step t::

            da_z = dh ⊙ (g − h_{t−1}) ⊙ z(1 − z)    da_g = dh ⊙ z ⊙ (1 − g²)
            da_r = da_g ⊙ u ⊙ r(1 − r)              du = da_g ⊙ r
            dh_{t−1} = dh ⊙ (1 − z) + (da_r, da_z, du) W_hᵀ
        """
        dy, dh_T = gradients
        x, h_0, W_x, W_h, b = self.arrays
        T, (B, H) = len(x), h_0.shape
        a, inner = self.buffer("a", (T, B, 3 * H)), self.buffer("inner", (T, B, H))
        h = self.buffer("h", (T + 1, B, H))
        da, da_h = self.buffer("da", a.shape), self.buffer("da_h", a.shape)
        dh, d, product = (self.buffer(key, (B, H)) for key in ("dh", "d", "da_h W_h"))
        np.copyto(dh, dh_T)
        W_hT = self.buffer("W_h transposed", W_h.shape[::-1])
        np.copyto(W_hT, W_h.T)
        for t in reversed(range(T)):
            np.add(dh, dy[t], out=dh)
            self.keep(t, dh)
            r, z, g = _gates(a[t], H)
            da_r, da_z, da_g = _gates(da[t], H)
            np.multiply(dh, z, out=da_g)
            np.multiply(g, g, out=d)
            np.subtract(1.0, d, out=d)
            np.multiply(da_g, d, out=da_g)
            np.subtract(g, h[t], out=da_z)
            np.multiply(da_z, dh, out=da_z)
            np.multiply(da_g, inner[t], out=da_r)
            np.subtract(1.0, z, out=d)
            np.multiply(dh, d, out=dh)
            np.multiply(d, z, out=d)
            np.multiply(da_z, d, out=da_z)
            np.subtract(1.0, r, out=d)
            np.multiply(d, r, out=d)
            np.multiply(da_r, d, out=da_r)
            np.copyto(da_h[t, :, : 2 * H], da[t, :, : 2 * H])
            np.multiply(da_g, r, out=da_h[t, :, 2 * H :])
            np.matmul(da_h[t], W_hT, out=product)
            np.add(dh, product, out=dh)
            self.restore(t, (da[t], da_h[t]), dh)
        dx = self.input_gradient(x, W_x, da)
        dW_x, dW_h = self.weight_gradients(x, W_x, h[:-1], da, da_h)
        db = self.buffer("db", b.shape)
        np.sum(da, axis=(0, 1), out=db[: 3 * H])
        np.sum(da_h[:, :, 2 * H :], axis=(0, 1), out=db[3 * H :])
        return self.complete(dx, dh, dW_x, dW_h, db)

    def step_tangent(self, t: int, dx: Array, *directions: Array) -> tuple[Array, ...]:
        """Return dh_t: the equations of the cell, differentiated."""
        dh, dW_x, dW_h, db = directions
        x, h_0, W_x, W_h, b = self.arrays
        T, (B, H) = len(x), h_0.shape
        a, inner = self.buffer("a", (T, B, 3 * H)), self.buffer("inner", (T, B, H))
        h = self.buffer("h", (T + 1, B, H))
        r, z, g = _gates(a[t], H)
        da_r, da_z, da_g = _gates(dx @ W_x + x[t] @ dW_x + db[:, None, : 3 * H], H)
        du_r, du_z, du = _gates(dh @ W_h + h[t] @ dW_h, H)
        dr = (da_r + du_r) * r * (1 - r)
        dz = (da_z + du_z) * z * (1 - z)
        dg = (da_g + dr * inner[t] + r * (du + db[:, None, 3 * H :])) * (1 - g * g)
        return (dz * (g - h[t]) + z * dg + (1 - z) * dh,)


def _gates(a: Array, H: int) -> tuple[Array, Array, Array]:
    return a[..., :H], a[..., H : 2 * H], a[..., 2 * H :]
