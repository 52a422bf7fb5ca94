"""What the recurrent layers share: their inputs, outputs and shapes."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from musicgen.engine.cells import Cell
from musicgen.engine.node import Array, Node, Shape
from musicgen.kernels import product

__all__ = ["Recurrent"]


class Recurrent(Node):
    """A recurrent layer over a whole sequence, in one node with a hand-derived backward pass.

    Inputs
        x ``(T, B, D)``; each initial state ``(B, H)`` and each weight of the `cell`; and, when
        sequences differ in length, their lengths n ``(B,)``, integers, ``0 ≤ n ≤ T``.
    Outputs
        y ``(T, B, H)``, the hidden state after every step; each final state ``(B, H)``.

    A sequence that has ended stands still: y repeats its last hidden state, and its final states
    are those after its last step. Truncated back-propagation through time is the use of one
    sequence's final states as the next one's initial states.
    """

    cell: ClassVar[type[Cell]]

    def infer(self, *shapes: Shape) -> tuple[Shape, ...]:
        """Return the shapes of y and of the final states."""
        states, weights = self.cell.states, list(self.cell.weight_shapes(0, 0))
        self._count = 1 + len(states) + len(weights)
        self._timed = len(shapes) == self._count + 1
        given = ", ".join(map(str, shapes))
        if len(shapes) != self._count + self._timed:
            names = ", ".join(["x", *states, *weights])
            self.fail(f"has {len(shapes)} inputs; expected {names} and, when wanted, lengths")
        x, state = shapes[0], shapes[1]
        if len(x) != 3 or len(state) != 2:
            self.fail(f"inputs {given} do not fit; expected x (T, B, D) and states (B, H)")
        wanted = [x, *[(x[1], state[1])] * len(states)]
        wanted += self.cell.weight_shapes(x[2], state[1]).values()
        wanted += [(x[1],)] * self._timed
        if list(shapes) != wanted:
            self.fail(f"inputs {given} do not fit; expected {', '.join(map(str, wanted))}")
        return ((*x[:2], state[1]), *wanted[1 : 1 + len(states)])

    @property
    def arrays(self) -> tuple[Array, ...]:
        """The arrays of x, states and weights, without the lengths."""
        return self.data[: self._count]

    def ended(self, t: int) -> Array | None:
        """Return ``(B, 1)``, true for sequences that have no step t; None when all have one."""
        if not self._timed:
            return None
        ended = self.data[-1] <= t
        return ended[:, None] if ended.any() else None

    def history(self, state: str, initial: Array) -> Array:
        """Return the array ``(T + 1, B, H)`` of a state before, between and after all steps."""
        states = self.buffer(state, (self.inputs[0].shape[0] + 1, *initial.shape))
        states[0] = initial
        return states

    def hold(self, t: int, *states: Array) -> None:
        """Let sequences without a step t keep what they had before it.

        Parameters
        ----------
        t
            The step.
        *states
            Histories ``(T + 1, B, H)``.
        """
        ended = self.ended(t)
        if ended is not None:
            for state in states:
                np.copyto(state[t + 1], state[t], where=ended)

    def keep(self, t: int, *gradients: Array) -> None:
        """Remember the gradients of the states after step t for sequences without it."""
        if self.ended(t) is not None:
            for i, gradient in enumerate(gradients):
                np.copyto(self.buffer(f"kept {i}", gradient.shape), gradient)

    def restore(self, t: int, products: tuple[Array, ...], *gradients: Array) -> None:
        """Undo step t of the backward pass for sequences without it.

        Parameters
        ----------
        t
            The step.
        products
            Gradients of the step's products ``(B, G·H)``, which become 0.
        *gradients
            Gradients of the states, as `keep` was given them.
        """
        ended = self.ended(t)
        if ended is not None:
            for product in products:
                np.copyto(product, 0, where=ended)
            for i, gradient in enumerate(gradients):
                np.copyto(gradient, self.buffer(f"kept {i}", gradient.shape), where=ended)

    @property
    def lengths(self) -> Array | None:
        """The lengths of the sequences ``(B,)``; None where all have T steps."""
        return self.data[-1] if self._timed else None

    def project(self, x: Array, W_x: Array, b: Array | None = None) -> Array:
        """Return x W_x + b for all steps at once, ``(T, B, G·H)``."""
        y = self.buffer("a", (*x.shape[:2], W_x.shape[1]))
        product(x.reshape(-1, x.shape[2]), W_x, y.reshape(-1, W_x.shape[1]), b)
        return y

    def input_gradient(self, x: Array, W_x: Array, da: Array) -> Array | None:
        """Return dx = da W_xᵀ for all steps at once; None where it is not wanted."""
        if not self.inputs[0].differentiable:
            return None
        dx = self.buffer("dx", x.shape)
        product(da.reshape(-1, da.shape[2]), W_x.T, dx.reshape(-1, x.shape[2]))
        return dx

    def weight_gradients(
        self, x: Array, W_x: Array, h: Array, da: Array, da_h: Array
    ) -> tuple[Array, Array]:
        """Return dW_x and dW_h from the gradients of the products, for all steps at once.

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
        dW_x = self.buffer("dW_x", W_x.shape)
        product(x.reshape(-1, x.shape[2]).T, da, dW_x)
        dW_h = self.buffer("dW_h", (h.shape[2], da_h.shape[1]))
        product(h.reshape(-1, h.shape[2]).T, da_h, dW_h)
        return dW_x, dW_h

    def complete(self, *gradients: Array | None) -> tuple[Array | None, ...]:
        """Add None, when there are lengths: they have no gradient."""
        return (*gradients, None) if self._timed else gradients

    def tangent(self, *directions: Array) -> tuple[Array, ...]:
        """Return the outputs' directional derivatives, step by step."""
        dx, *rest = directions[: self._count]
        n = len(self.cell.states)
        states, weights = rest[:n], rest[n:]
        K = max(len(direction) for direction in directions)
        dy = np.empty((K, *self.outputs[0].shape), self.outputs[0].dtype)
        for t in range(dy.shape[1]):
            fresh = self.step_tangent(t, dx[:, t], *states, *weights)
            ended = self.ended(t)
            if ended is not None:
                fresh = tuple(
                    np.where(ended, old, new) for old, new in zip(states, fresh, strict=True)
                )
            states = list(fresh)
            dy[:, t] = states[0]
        return dy, *states

    def step_tangent(self, t: int, dx: Array, *directions: Array) -> tuple[Array, ...]:
        """Return the directional derivatives of the states after step t.

        Parameters
        ----------
        t
            The step.
        dx
            Direction of x_t, ``(K, B, D)``.
        *directions
            Of the states before step t and of the weights, each behind an axis of K or 1.
        """
        raise NotImplementedError(f"{type(self).__name__}.step_tangent")
