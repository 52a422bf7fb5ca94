"""Optimisers that give each weight a step size of its own."""

from __future__ import annotations

import math

import numpy as np

from musicgen.optim.base import Array, Optimiser

__all__ = ["Adam", "RMSProp"]


class RMSProp(Optimiser):
    """``g ← γ g + (1 − γ) ∇²; w ← w − η ∇ / (√g + ε)`` (report, chapter 7).

    Parameters
    ----------
    decay
        γ.
    epsilon
        ε.

    References
    ----------
    Tieleman & Hinton, "Lecture 6.5 – RMSProp", 2012.
    """

    def __init__(self, decay: float = 0.95, epsilon: float = 1e-6) -> None:
        super().__init__()
        self.decay = decay
        self.epsilon = epsilon

    def change(self, name: str, value: Array, gradient: Array, learning_rate: float) -> None:
        """Change one array in place."""
        g, step = self.slot("g", name, value), self.scratch(value)
        np.multiply(gradient, gradient, out=step)
        np.multiply(step, 1 - self.decay, out=step)
        np.multiply(g, self.decay, out=g)
        np.add(g, step, out=g)
        np.sqrt(g, out=step)
        np.add(step, self.epsilon, out=step)
        np.divide(gradient, step, out=step)
        np.multiply(step, learning_rate, out=step)
        np.subtract(value, step, out=value)


class Adam(Optimiser):
    """RMSProp with momentum, both corrected for their start at zero.

    ::

        m ← β₁ m + (1 − β₁) ∇          m̂ = m / (1 − β₁ᵗ)
        v ← β₂ v + (1 − β₂) ∇²         v̂ = v / (1 − β₂ᵗ)
        w ← w − η m̂ / (√v̂ + ε)

    Parameters
    ----------
    beta1, beta2
        β₁ and β₂.
    epsilon
        ε.

    References
    ----------
    Kingma & Ba, "Adam: a method for stochastic optimization", ICLR 2015.
    """

    def __init__(self, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8) -> None:
        super().__init__()
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon

    def change(self, name: str, value: Array, gradient: Array, learning_rate: float) -> None:
        """Change one array in place."""
        m, v, step = (
            self.slot("m", name, value),
            self.slot("v", name, value),
            self.scratch(value),
        )
        np.multiply(m, self.beta1, out=m)
        np.multiply(gradient, 1 - self.beta1, out=step)
        np.add(m, step, out=m)
        np.multiply(v, self.beta2, out=v)
        np.multiply(gradient, gradient, out=step)
        np.multiply(step, 1 - self.beta2, out=step)
        np.add(v, step, out=v)
        np.sqrt(v, out=step)
        np.multiply(step, 1 / math.sqrt(1 - self.beta2**self.updates), out=step)
        np.add(step, self.epsilon, out=step)
        np.divide(m, step, out=step)
        np.multiply(step, learning_rate / (1 - self.beta1**self.updates), out=step)
        np.subtract(value, step, out=value)
