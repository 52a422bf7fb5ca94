"""Optimisers that give each weight a step size of its own."""

from __future__ import annotations

import math

import numpy as np

from musicgen import kernels
from musicgen.optim.base import Array, Optimiser

__all__ = ["Adadelta", "Adagrad", "Adam", "RMSProp"]


class Adagrad(Optimiser):
    """``g ← g + ∇²; w ← w − η ∇ / (√g + ε)`` (report, equation 7.3).

    Parameters
    ----------
    epsilon
        ε.

    References
    ----------
    Duchi, Hazan & Singer, "Adaptive subgradient methods for online learning and stochastic
    optimization", JMLR 2011.

    Examples
    --------
    The first step is as long as η, whatever the gradient.

    >>> w = np.array([1.0, 2.0])
    >>> Adagrad().update({"w": w}, {"w": np.array([0.01, -100.0])}, 0.5)
    >>> w.round(6)
    array([0.5, 2.5])
    """

    def __init__(self, epsilon: float = 1e-10) -> None:
        super().__init__()
        self.epsilon = epsilon

    def change(self, name: str, value: Array, gradient: Array, learning_rate: float) -> None:
        """Change one array in place."""
        g, step = self.slot("g", name, value), self.scratch("step", value)
        np.multiply(gradient, gradient, out=step)
        np.add(g, step, out=g)
        np.sqrt(g, out=step)
        np.add(step, self.epsilon, out=step)
        np.divide(gradient, step, out=step)
        np.multiply(step, learning_rate, out=step)
        np.subtract(value, step, out=value)


class RMSProp(Optimiser):
    """Adagrad that forgets; where it is centred, the mean gradient is left out of the square.

    ::

        g ← γ g + (1 − γ) ∇²
        v ← μ v − η ∇ / (√g + ε)
        w ← w + v

    and centred ::

        m ← γ m + (1 − γ) ∇
        v ← μ v − η ∇ / √(g − m² + ε)

    (report, equations 7.4 to 7.6).

    Parameters
    ----------
    decay
        γ.
    epsilon
        ε; mind that it stands under the root in the centred form.
    centred
        Which form.
    momentum
        μ.

    References
    ----------
    Tieleman & Hinton, "Lecture 6.5 – RMSProp", 2012; Graves, "Generating sequences with recurrent
    neural networks", 2013, for the centred form.
    """

    def __init__(
        self,
        decay: float = 0.95,
        epsilon: float = 1e-6,
        *,
        centred: bool = False,
        momentum: float = 0.0,
    ) -> None:
        super().__init__()
        self.decay = decay
        self.epsilon = epsilon
        self.centred = centred
        self.momentum = momentum

    def change(self, name: str, value: Array, gradient: Array, learning_rate: float) -> None:
        """Change one array in place."""
        g = self.slot("g", name, value)
        plain = not (self.centred or self.momentum)
        if plain and kernels.rmsprop(value, gradient, g, self.decay, self.epsilon, learning_rate):
            return
        step = self.scratch("step", value)
        np.multiply(gradient, gradient, out=step)
        _average(g, step, self.decay, out=step)
        if self.centred:
            m = self.slot("m", name, value)
            _average(m, gradient, self.decay, out=step)
            np.multiply(m, m, out=step)
            np.subtract(g, step, out=step)
            # A variance is never negative, but where the gradient hardly changes the rounding of
            # the difference can be, and by more than ε.
            np.maximum(step, 0, out=step)
            np.add(step, self.epsilon, out=step)
            np.sqrt(step, out=step)
        else:
            np.sqrt(g, out=step)
            np.add(step, self.epsilon, out=step)
        np.divide(gradient, step, out=step)
        np.multiply(step, learning_rate, out=step)
        self.descend(name, value, step, self.momentum)


class Adadelta(Optimiser):
    """RMSProp whose learning rate is the size of its own past steps.

    ::

        g ← γ g + (1 − γ) ∇²
        v ← −√(x + ε) ∇ / √(g + ε)
        x ← γ x + (1 − γ) v²
        w ← w + η v

    With η = 1 these are the equations 7.7 and 7.8 of the report; another η scales the steps that
    are taken, not those that are remembered.

    Parameters
    ----------
    decay
        γ.
    epsilon
        ε; its root is about the length of the first steps.

    References
    ----------
    Zeiler, "ADADELTA: an adaptive learning rate method", 2012.
    """

    def __init__(self, decay: float = 0.95, epsilon: float = 1e-6) -> None:
        super().__init__()
        self.decay = decay
        self.epsilon = epsilon

    def change(self, name: str, value: Array, gradient: Array, learning_rate: float) -> None:
        """Change one array in place."""
        g, x = self.slot("g", name, value), self.slot("x", name, value)
        v, step = self.scratch("v", value), self.scratch("step", value)
        np.multiply(gradient, gradient, out=step)
        _average(g, step, self.decay, out=step)
        np.add(x, self.epsilon, out=v)
        np.add(g, self.epsilon, out=step)
        np.divide(v, step, out=v)
        np.sqrt(v, out=v)
        np.multiply(v, gradient, out=v)
        np.negative(v, out=v)
        np.multiply(v, v, out=step)
        _average(x, step, self.decay, out=step)
        np.multiply(v, learning_rate, out=v)
        np.add(value, v, out=value)


class Adam(Optimiser):
    """RMSProp with momentum, both corrected for their start at zero.

    ::

        m ← β₁ m + (1 − β₁) ∇          m̂ = m / (1 − β₁ᵗ)
        v ← β₂ v + (1 − β₂) ∇²         v̂ = v / (1 − β₂ᵗ)
        w ← w − η m̂ / (√v̂ + ε)

    The report's equation 7.10 has ``√(v̂ + ε)``; here ε stands where Kingma & Ba put it.

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
        m, v = self.slot("m", name, value), self.slot("v", name, value)
        t = self.updates[name]
        factor, rate = 1 / math.sqrt(1 - self.beta2**t), learning_rate / (1 - self.beta1**t)
        if kernels.adam(value, gradient, m, v, self.beta1, self.beta2, factor, self.epsilon, rate):
            return
        step = self.scratch("step", value)
        _average(m, gradient, self.beta1, out=step)
        np.multiply(gradient, gradient, out=step)
        _average(v, step, self.beta2, out=step)
        np.sqrt(v, out=step)
        np.multiply(step, factor, out=step)
        np.add(step, self.epsilon, out=step)
        np.divide(m, step, out=step)
        np.multiply(step, rate, out=step)
        np.subtract(value, step, out=value)


def _average(mean: Array, sample: Array, decay: float, out: Array) -> None:
    """``mean ← γ mean + (1 − γ) sample``; `out` holds what is added, and may be the sample."""
    np.multiply(sample, 1 - decay, out=out)
    np.multiply(mean, decay, out=mean)
    np.add(mean, out, out=mean)
