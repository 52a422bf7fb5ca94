"""Normalisation."""

from __future__ import annotations

import numpy as np

from musicgen.engine.node import Array, Node, Shape, Value

__all__ = ["BatchNormalization"]


class BatchNormalization(Node):
    """Each channel with mean β and deviation γ over the batch: ``y = γ ⊙ z + β``.

    With sums over the N places of a batch, all axes but the last::

        μ = Σ x / N    v = Σ (x − μ)² / N    σ = √(v + ε)    z = (x − μ) / σ
        dγ = Σ dy ⊙ z    dβ = Σ dy    dx = γ/σ ⊙ (dy − dβ/N − z ⊙ dγ/N)

    A graph for training normalises so, and with every forward pass moves the running moments in
    place: ``mean ← m · mean + (1 − m) μ``, the same for v, with the momentum m. A graph for
    evaluation takes the running moments for μ and v; then ``dx = γ/σ ⊙ dy``.

    The running variance is the biased one, divided by N, as in the paper's training step and in
    Keras; PyTorch keeps the one divided by N − 1.

    Parameters
    ----------
    x
        Shape ``(…, C)``.
    gamma, beta
        γ and β, ``(C,)``.
    mean, variance
        Running moments ``(C,)``: frozen parameters, which begin at 0 and 1.
    training
        Whether the graph is for training.
    momentum
        m: share of the running moments that a pass keeps.
    epsilon
        ε.

    References
    ----------
    Ioffe & Szegedy, "Batch normalization", ICML 2015.
    """

    def __init__(
        self,
        x: Value | Node,
        gamma: Value | Node,
        beta: Value | Node,
        mean: Value | Node,
        variance: Value | Node,
        *,
        training: bool,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        name: str = "",
    ) -> None:
        self._training, self._momentum, self._epsilon = training, momentum, epsilon
        super().__init__(x, gamma, beta, mean, variance, name=name)

    def infer(self, *shapes: Shape) -> Shape:
        """Keep the shape of x."""
        x, *others = shapes
        if not x or any(shape != x[-1:] for shape in others):
            names = zip(("gamma", "beta", "mean", "variance"), others, strict=True)
            found = ", ".join(f"{name} {shape}" for name, shape in names)
            self.fail(f"x {x}, {found} do not fit; expected (…, C), and (C,) for all others")
        return x

    def forward(self, *arrays: Array) -> Array:
        """Normalise, scale and shift."""
        x, gamma, beta, mean, variance = arrays
        z, y = self.buffer("z", x.shape), self.buffer("y", x.shape)
        places = tuple(range(x.ndim - 1))
        if self._training:
            np.subtract(x, self._run(mean, np.mean(x, axis=places)), out=z)
            variance = self._run(variance, np.mean(np.multiply(z, z, out=y), axis=places))
        else:
            np.subtract(x, mean, out=z)
        sigma = np.sqrt(variance + self._epsilon, out=self.buffer("sigma", variance.shape))
        np.divide(z, sigma, out=z)
        return np.add(np.multiply(z, gamma, out=y), beta, out=y)

    def _run(self, running: Array, moment: Array) -> Array:
        """Move a running moment in place, and return the batch's."""
        np.multiply(running, self._momentum, out=running)
        np.add(running, (1 - self._momentum) * moment, out=running)
        return moment

    def backward(self, *gradients: Array) -> tuple[Array | None, ...]:
        """Return (dx, dγ, dβ), and in evaluation the gradients of both moments."""
        (dy,), (x, gamma, *_) = gradients, self.data
        z, sigma = self.buffer("z", x.shape), self.buffer("sigma", gamma.shape)
        places = tuple(range(x.ndim - 1))
        dx = np.multiply(dy, z, out=self.buffer("dx", x.shape))
        dgamma = np.sum(dx, axis=places, out=self.buffer("dgamma", gamma.shape))
        dbeta = np.sum(dy, axis=places, out=self.buffer("dbeta", gamma.shape))
        slope = gamma / sigma
        if not self._training:
            np.multiply(dy, slope, out=dx)
            return dx, dgamma, dbeta, -slope * dbeta, -0.5 * slope * dgamma / sigma
        N = x.size / len(gamma)
        np.multiply(z, dgamma / N, out=dx)
        np.add(dx, dbeta / N, out=dx)
        np.subtract(dy, dx, out=dx)
        return np.multiply(dx, slope, out=dx), dgamma, dbeta, None, None

    def tangent(self, *directions: Array) -> Array:
        """Return γ ⊙ dz + dγ ⊙ z + dβ."""
        x, gamma, *_ = self.data
        dx = directions[0].reshape(len(directions[0]), -1, len(gamma))
        dgamma, dbeta, dmean, dvariance = (d[:, None] for d in directions[1:])
        z = self.buffer("z", x.shape).reshape(-1, len(gamma))
        sigma = self.buffer("sigma", gamma.shape)
        if self._training:
            dmean = dx.mean(axis=1, keepdims=True)
            dvariance = 2 * sigma * (z * dx).mean(axis=1, keepdims=True)
        dz = (dx - dmean) / sigma - z * dvariance / (2 * sigma * sigma)
        dy = gamma * dz + dgamma * z + dbeta
        return dy.reshape(len(dy), *x.shape)
