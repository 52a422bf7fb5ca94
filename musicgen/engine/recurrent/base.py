"""What the recurrent layers share: their inputs, outputs and shapes."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from musicgen.engine.node import Array, Node, Shape

__all__ = ["Recurrent"]


class Recurrent(Node):
    """A recurrent layer over a whole sequence, in one node with a hand-derived backward pass.

    Inputs
        x ``(T, B, D)``; each initial state ``(B, H)``; W_x ``(D, G·H)``; W_h ``(H, G·H)``;
        b ``(G_b·H,)`` — G products with the input and as many with the hidden state, packed side
        by side in the order that the subclass names.
    Outputs
        y ``(T, B, H)``, the hidden state after every step; each final state ``(B, H)``.

    Truncated back-propagation through time is the use of one sequence's final states as the next
    one's initial states.
    """

    states: ClassVar[tuple[str, ...]] = ("h",)
    blocks: ClassVar[int]
    bias_blocks: ClassVar[int]

    def infer(self, *shapes: Shape) -> tuple[Shape, ...]:
        """Return the shapes of y and of the final states."""
        expected = f"expected x (T, B, D), {len(self.states)} states (B, H), "
        expected += f"W_x (D, {self.blocks}·H), W_h (H, {self.blocks}·H), b ({self.bias_blocks}·H,)"
        if len(shapes) != len(self.states) + 4:
            self.fail(f"has {len(shapes)} inputs; {expected}")
        x, *states, W_x, W_h, b = shapes
        H = W_h[0]
        fits = len(x) == 3 and W_h == (H, self.blocks * H) and b == (self.bias_blocks * H,)
        if not fits or W_x != (x[2], W_h[1]) or any(state != (x[1], H) for state in states):
            self.fail(f"inputs {', '.join(map(str, shapes))} do not fit; {expected}")
        return ((*x[:2], H), *states)

    def history(self, state: str, initial: Array) -> Array:
        """Return the array ``(T + 1, B, H)`` of a state before, between and after all steps."""
        states = self.buffer(state, (self.inputs[0].shape[0] + 1, *initial.shape))
        states[0] = initial
        return states

    def project(self, x: Array, W_x: Array) -> Array:
        """Return x W_x for all steps at once, ``(T, B, G·H)``."""
        y = self.buffer("a", (*x.shape[:2], W_x.shape[1]))
        np.matmul(x.reshape(-1, x.shape[2]), W_x, out=y.reshape(-1, W_x.shape[1]))
        return y

    def weight_gradients(
        self, x: Array, W_x: Array, h: Array, da: Array, da_h: Array
    ) -> tuple[Array | None, Array, Array]:
        """Return dx, dW_x and dW_h from the gradients of the products, for all steps at once.

        Parameters
        ----------
        x, W_x
            The inputs of that name.
        h
            Hidden states before each step, ``(T, B, H)``.
        da, da_h
            ∂E/∂(x_t W_x) and ∂E/∂(h_{t−1} W_h), ``(T, B, G·H)``.
        """
        da, da_h = da.reshape(-1, da.shape[2]), da_h.reshape(-1, da_h.shape[2])
        dx = None
        if self.inputs[0].differentiable:
            dx = self.buffer("dx", x.shape)
            np.matmul(da, W_x.T, out=dx.reshape(-1, x.shape[2]))
        dW_x = self.buffer("dW_x", W_x.shape)
        np.matmul(x.reshape(-1, x.shape[2]).T, da, out=dW_x)
        dW_h = self.buffer("dW_h", (h.shape[2], da_h.shape[1]))
        np.matmul(h.reshape(-1, h.shape[2]).T, da_h, out=dW_h)
        return dx, dW_x, dW_h
