"""Convolution, channels last."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from musicgen.engine.node import Array, Node, Shape, Value
from musicgen.engine.ops.windows import Windows, spread

__all__ = ["Conv1D", "Conv2D"]


class _Convolution(Node):
    """The patches of x as rows of a matrix P, times the kernel as a matrix: ``y = P W + b``."""

    _axes: ClassVar[int]
    _expected: ClassVar[str]

    def __init__(
        self,
        x: Value | Node,
        W: Value | Node,
        b: Value | Node,
        stride: int | tuple[int, ...] = 1,
        dilation: int | tuple[int, ...] = 1,
        padding: str = "valid",
        name: str = "",
    ) -> None:
        self._stride, self._dilation, self._padding = stride, dilation, padding
        super().__init__(x, W, b, name=name)

    def infer(self, *shapes: Shape) -> Shape:
        """Return ``(B, …, F)``."""
        x, W, b = shapes
        if not len(x) == len(W) == self._axes + 2 or x[-1] != W[-2] or b != W[-1:]:
            self.fail(f"x {x}, W {W}, b {b} do not fit; expected {self._expected}")
        strides, dilations = spread(self._stride, self._axes), spread(self._dilation, self._axes)
        for steps in (strides, dilations):
            if len(steps) != self._axes or min(steps) < 1:
                self.fail(f"stride or dilation is {steps}; expected {self._axes} of 1 or more")
        if self._padding not in ("valid", "same"):
            self.fail(f"padding is {self._padding!r}; expected 'valid' or 'same'")
        self._windows = Windows(x[1:-1], W[:-2], strides, dilations, self._padding)
        if min(self._windows.counts) < 1:
            self.fail(f"kernel {W[:-2]} with dilation {dilations} does not fit into {x[1:-1]}")
        return (x[0], *self._windows.counts, W[-1])

    def forward(self, *arrays: Array) -> Array:
        """Compute P W + b."""
        x, W, b = arrays
        patches = self._windows.gather(x, self.buffer("patches", self._windows.shape(x.shape)))
        y = self.buffer("y", self.outputs[0].shape)
        P = patches.reshape(-1, W[..., 0].size)
        np.matmul(P, W.reshape(-1, len(b)), out=y.reshape(-1, len(b)))
        return np.add(y, b, out=y)

    def backward(self, *gradients: Array) -> tuple[Array | None, ...]:
        """Return (dx, dW, db)."""
        x, W, b = self.data
        dy = gradients[0].reshape(-1, len(b))
        patches = self.buffer("patches", self._windows.shape(x.shape))
        dx = dW = None
        if self.inputs[0].differentiable:
            dpatches = self.buffer("dpatches", patches.shape)
            np.matmul(dy, W.reshape(-1, len(b)).T, out=dpatches.reshape(len(dy), -1))
            dx = self._windows.scatter(dpatches, self.buffer("dx", x.shape))
        if self.inputs[1].differentiable:
            dW = self.buffer("dW", W.shape)
            np.matmul(patches.reshape(len(dy), -1).T, dy, out=dW.reshape(-1, len(b)))
        return dx, dW, np.sum(dy, axis=0, out=self.buffer("db", b.shape))

    def tangent(self, *directions: Array) -> Array:
        """Return dP W + P dW + db."""
        x, W, b = self.data
        dx, dW, db = directions
        P = self.buffer("patches", self._windows.shape(x.shape)).reshape(-1, W[..., 0].size)
        dP = self._windows.gather(dx, np.zeros(self._windows.shape(dx.shape), dx.dtype))
        dy = (
            np.matmul(dP.reshape(len(dx), *P.shape), W.reshape(-1, len(b)))
            + np.matmul(P, dW.reshape(len(dW), -1, len(b)))
            + db[:, None]
        )
        return dy.reshape(len(dy), *self.outputs[0].shape)


class Conv1D(_Convolution):
    """``y_{b,p,f} = Σ_{i,c} x_{b, p·stride + i·dilation, c} W_{i,c,f} + b_f``.

    As everywhere in neural networks this is a cross-correlation: the kernel is not turned round.
    ``dW = Pᵀ dy`` and ``dP = dy Wᵀ``, where each row of P is what the kernel sees from one stand;
    dx adds dP up where it was seen.

    Parameters
    ----------
    x
        Shape ``(B, L, C)``.
    W
        Kernel ``(k, C, F)``.
    b
        Shape ``(F,)``.
    stride
        Step from one stand of the kernel to the next.
    dilation
        Step from one element that the kernel sees to the next.
    padding
        "valid": ``⌊(L − (k − 1)·dilation − 1) / stride⌋ + 1`` stands, all within x. "same":
        ``⌈L / stride⌉`` stands on x with zeros around it, the extra one at the end where their
        number is odd; as in TensorFlow, and for a stride of 1 in PyTorch.

    References
    ----------
    LeCun et al., "Gradient-based learning applied to document recognition", Proc. IEEE 86, 1998.
    """

    _axes = 1
    _expected = "(B, L, C), (k, C, F), (F,)"


class Conv2D(_Convolution):
    """``y_{b,p,q,f} = Σ_{i,j,c} x_{b,p',q',c} W_{i,j,c,f} + b_f``: `Conv1D` over two axes.

    The kernel sees ``p' = p·stride + i·dilation`` and ``q' = q·stride + j·dilation``. It is not
    turned round: this too is a cross-correlation.

    Parameters
    ----------
    x
        Shape ``(B, Y, X, C)``.
    W
        Kernel ``(k_y, k_x, C, F)``.
    b
        Shape ``(F,)``.
    stride, dilation
        As in `Conv1D`; one number, or one for each axis.
    padding
        "valid" or "same", as in `Conv1D`, for each axis.
    """

    _axes = 2
    _expected = "(B, Y, X, C), (k_y, k_x, C, F), (F,)"
