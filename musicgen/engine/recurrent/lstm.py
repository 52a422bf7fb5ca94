"""The long short-term memory layer."""

from __future__ import annotations

import numpy as np

from musicgen import kernels
from musicgen.engine.cells import LSTMCell
from musicgen.engine.node import Array
from musicgen.engine.ops.activations import sigmoid
from musicgen.engine.recurrent.base import Recurrent

__all__ = ["LSTM"]


class LSTM(Recurrent):
    """Long short-term memory with a forget gate, over a whole sequence.

    With ``a_t = x_t W_x + h_{t−1} W_h + b`` packed as (i, f, o, g), each of width H::

        i = σ(a_i)   f = σ(a_f)   o = σ(a_o)   g = tanh(a_g)
        c_t = f ⊙ c_{t−1} + i ⊙ g
        h_t = o ⊙ tanh(c_t)

    Inputs: x, h_0, c_0, W_x ``(D, 4H)``, W_h ``(H, 4H)``, b ``(4H,)``, lengths. Outputs: y, h_T,
    c_T. Equal to `LSTMCell` step by step.
    """

    cell = LSTMCell

    def forward(self, *arrays: Array) -> tuple[Array, ...]:
        """Run all steps."""
        x, h_0, c_0, W_x, W_h, b = self.arrays
        B, H = h_0.shape
        h, c = self.history("h", h_0), self.history("c", c_0)
        a, tanh_c = self.buffer("a", (len(x), B, 4 * H)), self.buffer("tanh c", (len(x), B, H))
        if kernels.lstm_forward(x, W_x, b, W_h, a, h, c, tanh_c, self.lengths):
            return h[1:], h[-1], c[-1]
        a = self.project(x, W_x, b)
        recurrent, fresh = self.buffer("h W_h", (B, 4 * H)), self.buffer("i g", (B, H))
        for t in range(len(x)):
            np.matmul(h[t], W_h, out=recurrent)
            np.add(a[t], recurrent, out=a[t])
            sigmoid(a[t, :, : 3 * H], out=a[t, :, : 3 * H])
            i, f, o, g = _gates(a[t], H)
            np.tanh(g, out=g)
            np.multiply(i, g, out=fresh)
            np.multiply(f, c[t], out=c[t + 1])
            np.add(c[t + 1], fresh, out=c[t + 1])
            np.tanh(c[t + 1], out=tanh_c[t])
            np.multiply(o, tanh_c[t], out=h[t + 1])
            self.hold(t, h, c)
        return h[1:], h[-1], c[-1]

    def backward(self, *gradients: Array) -> tuple[Array | None, ...]:
        """Return the gradients of all inputs, by back-propagation through time.

        With ``dh`` and ``dc`` what arrives at step t from above and from step t+1::

            dc += dh ⊙ o ⊙ (1 − tanh²c_t)
            da_i = dc ⊙ g ⊙ i(1 − i)         da_f = dc ⊙ c_{t−1} ⊙ f(1 − f)
            da_o = dh ⊙ tanh c_t ⊙ o(1 − o)  da_g = dc ⊙ i ⊙ (1 − g²)
            dc_{t−1} = dc ⊙ f                dh_{t−1} = da W_hᵀ
        """
        dy, dh_T, dc_T = gradients
        x, h_0, c_0, W_x, W_h, b = self.arrays
        T, (B, H) = len(x), h_0.shape
        a, tanh_c = self.buffer("a", (T, B, 4 * H)), self.buffer("tanh c", (T, B, H))
        h, c = self.buffer("h", (T + 1, B, H)), self.buffer("c", (T + 1, B, H))
        da, db = self.buffer("da", a.shape), self.buffer("db", b.shape)
        dh, dc = self.buffer("dh", (B, H)), self.buffer("dc", (B, H))
        np.copyto(dh, dh_T)
        np.copyto(dc, dc_T)
        dx = self.buffer("dx", x.shape) if self.inputs[0].differentiable else None
        if not kernels.lstm_backward(W_x, W_h, a, c, tanh_c, self.lengths, dy, da, dx, dh, dc, db):
            self._through_time(W_h, a, c, tanh_c, dy, da, dh, dc)
            np.sum(da, axis=(0, 1), out=db)
            dx = self.input_gradient(x, W_x, da)
        dW_x, dW_h = self.weight_gradients(x, W_x, h[:-1], da, da)
        return self.complete(dx, dh, dc, dW_x, dW_h, db)

    def _through_time(
        self, W_h: Array, a: Array, c: Array, tanh_c: Array, dy: Array, da: Array, dh: Array,
        dc: Array,
    ) -> None:  # fmt: skip
        """Compute da; let dh and dc become the gradients of the initial states."""
        T, B, H = tanh_c.shape
        slope, d = self.buffer("slope", (B, 3 * H)), self.buffer("d", (B, H))
        W_hT = self.buffer("W_h transposed", W_h.shape[::-1])
        np.copyto(W_hT, W_h.T)
        for t in reversed(range(T)):
            np.add(dh, dy[t], out=dh)
            self.keep(t, dh, dc)
            i, f, o, g = _gates(a[t], H)
            da_i, da_f, da_o, da_g = _gates(da[t], H)
            np.multiply(dh, tanh_c[t], out=da_o)
            np.multiply(tanh_c[t], tanh_c[t], out=d)
            np.subtract(1.0, d, out=d)
            np.multiply(d, o, out=d)
            np.multiply(d, dh, out=d)
            np.add(dc, d, out=dc)
            np.multiply(dc, g, out=da_i)
            np.multiply(dc, c[t], out=da_f)
            gates, da_gates = a[t, :, : 3 * H], da[t, :, : 3 * H]
            np.subtract(1.0, gates, out=slope)
            np.multiply(slope, gates, out=slope)
            np.multiply(da_gates, slope, out=da_gates)
            np.multiply(g, g, out=d)
            np.subtract(1.0, d, out=d)
            np.multiply(d, i, out=d)
            np.multiply(dc, d, out=da_g)
            np.multiply(dc, f, out=dc)
            np.matmul(da[t], W_hT, out=dh)
            self.restore(t, (da[t],), dh, dc)

    def step_tangent(self, t: int, dx: Array, *directions: Array) -> tuple[Array, ...]:
        """Return dh_t and dc_t: the equations above, differentiated."""
        dh, dc, dW_x, dW_h, db = directions
        x, h_0, c_0, W_x, W_h, b = self.arrays
        T, (B, H) = len(x), h_0.shape
        a, tanh_c = self.buffer("a", (T, B, 4 * H)), self.buffer("tanh c", (T, B, H))
        h, c = self.buffer("h", (T + 1, B, H)), self.buffer("c", (T + 1, B, H))
        i, f, o, g = _gates(a[t], H)
        da = dx @ W_x + x[t] @ dW_x + dh @ W_h + h[t] @ dW_h + db[:, None]
        da_i, da_f, da_o, da_g = _gates(da, H)
        dc = da_f * f * (1 - f) * c[t] + f * dc
        dc = dc + da_i * i * (1 - i) * g + i * da_g * (1 - g * g)
        return da_o * o * (1 - o) * tanh_c[t] + o * (1 - tanh_c[t] ** 2) * dc, dc


def _gates(a: Array, H: int) -> tuple[Array, Array, Array, Array]:
    return a[..., :H], a[..., H : 2 * H], a[..., 2 * H : 3 * H], a[..., 3 * H :]
