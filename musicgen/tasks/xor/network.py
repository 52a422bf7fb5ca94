"""The four examples of exclusive or, and the network that learns them, built in two ways."""

from __future__ import annotations

import numpy as np

from musicgen.engine import Array, BinaryCrossEntropy, Graph, Input, Sigmoid, neurons
from musicgen.networks import Sequential
from musicgen.networks.layers import Dense
from musicgen.optim import SGD
from musicgen.tasks.base import Progress, Reached

__all__ = ["INPUTS", "TARGETS", "UPDATES", "learn_by_matrices", "learn_by_neurons", "network"]

INPUTS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
TARGETS = np.array([[0.0], [1.0], [1.0], [0.0]])

HIDDEN = 8
LEARNING_RATE = 0.3
UPDATES = 200

# An output that is nearer to its target than this counts as learned.
NEAR = 0.1


def network(hidden: int, activation: str, seed: int | np.random.Generator) -> Sequential:
    """Make a network of two inputs, one hidden layer and a sigmoid output, in float64.

    Parameters
    ----------
    hidden
        Neurons of the hidden layer.
    activation
        Theirs: a key of `musicgen.networks.layers.ACTIVATIONS`.
    seed
        Seed or generator of the weights.
    """
    layers = [Dense(hidden, activation), Dense(1, "sigmoid")]
    return Sequential((2,), layers, seed=seed, dtype=np.float64)


def learn_by_matrices(seed: int, progress: Progress) -> Reached:
    """Train 8 tanh neurons and a sigmoid by matrix products, all four examples at a time.

    Parameters
    ----------
    seed
        Seed of the weights.
    progress
        Told the share of the updates that is made.

    Returns
    -------
    Reached
        The share of the examples whose output is within 0.1 of its target.
    """
    learner = network(HIDDEN, "tanh", seed)
    learner.fit(
        INPUTS,
        TARGETS,
        optimiser=SGD(momentum=0.9),
        learning_rate=LEARNING_RATE,
        epochs=UPDATES,
        progress=lambda record: progress(record["epoch"] / UPDATES),
    )
    return _reached(learner.predict(INPUTS))


def learn_by_neurons(seed: int, progress: Progress) -> Reached:
    """Train the same network, made of single neurons, one example after the other.

    The gradients of the four examples are added up, ``w ← w − η/4 Σ ∂E/∂w`` with momentum, as in
    the report's first implementation (section 2.4). From the same seed come the same weights as by
    matrices, and the same outputs to rounding.

    Parameters
    ----------
    seed
        Seed of the weights.
    progress
        Told the share of the updates that is made.

    Returns
    -------
    Reached
        As by matrices.
    """
    rng = np.random.default_rng(seed)
    xs = [Input(name, (), np.float64) for name in ("x1", "x2")]
    target = Input("target", (), np.float64)
    hidden = neurons(xs, HIDDEN, rng, name="hidden")
    (y,) = neurons(hidden, 1, rng, Sigmoid, name="output")
    graph = Graph(BinaryCrossEntropy(target, y), y)
    values = {name: parameter.value for name, parameter in graph.parameters.items()}
    gradients = {name: parameter.gradient for name, parameter in graph.parameters.items()}
    examples = [
        {"x1": x1, "x2": x2, "target": t} for (x1, x2), (t,) in zip(INPUTS, TARGETS, strict=True)
    ]
    optimiser = SGD(momentum=0.9)
    for update in range(UPDATES):
        for number, example in enumerate(examples):
            graph.forward(example)
            graph.backward(accumulate=number > 0)
        optimiser.update(values, gradients, LEARNING_RATE / len(examples))
        progress((update + 1) / UPDATES)
    return _reached(np.array([[float(graph.forward(example)[1])] for example in examples]))


def _reached(outputs: Array) -> Reached:
    errors = np.abs(outputs - TARGETS)
    facts = {"largest error": float(errors.max()), "updates": UPDATES}
    return Reached(float(np.mean(errors < NEAR)), facts)
