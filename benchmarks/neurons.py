"""Neurons one by one beside matrices: the time of an example (report, chapters 2 and 4).

    python benchmarks/neurons.py

A network of 64 inputs, a hidden layer of tanh and 10 sigmoids with squared error learns from one
example: forward and backward, float64. Medians are printed.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np

from musicgen.engine import (
    Constant,
    Graph,
    MatMul,
    Node,
    Parameter,
    PrependOne,
    Select,
    Sigmoid,
    SquaredError,
    Stack,
    Tanh,
    glorot_uniform,
    neurons,
)

INPUTS, OUTPUTS = 64, 10


def by_neurons(x: Constant, target: Constant, hidden: int) -> Node:
    """Return the cost of a network of neurons."""
    rng = np.random.default_rng(0)
    xs = [Select(Select(x, 0), i) for i in range(INPUTS)]
    ys = neurons(neurons(xs, hidden, rng, name="hidden"), OUTPUTS, rng, Sigmoid, name="output")
    return SquaredError(Stack(*ys), Select(target, 0))


def by_matrices(x: Constant, target: Constant, hidden: int) -> Node:
    """Return the cost of the same network by matrix products."""
    rng = np.random.default_rng(0)
    W1 = Parameter("W1", glorot_uniform(rng, (1 + INPUTS, hidden), np.float64))
    W2 = Parameter("W2", glorot_uniform(rng, (1 + hidden, OUTPUTS), np.float64))
    h = Tanh(MatMul(PrependOne(x), W1))
    return SquaredError(Sigmoid(MatMul(PrependOne(h), W2)), target)


def seconds(build: Callable[..., Node], hidden: int) -> float:
    """Return the median time of a forward and backward pass."""
    rng = np.random.default_rng(1)
    x, target = Constant(rng.random((1, INPUTS))), Constant(np.eye(OUTPUTS)[:1])
    graph = Graph(build(x, target, hidden))
    times = []
    for _ in range(20):
        start = time.perf_counter()
        graph.forward()
        graph.backward()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main() -> None:
    """Print the table."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    print("| hidden neurons | neurons, ms | matrices, ms | ratio |\n|---|---|---|---|")
    for hidden in (4, 16, 64, 256):
        one, other = seconds(by_neurons, hidden), seconds(by_matrices, hidden)
        print(f"| {hidden} | {1e3 * one:.2f} | {1e3 * other:.3f} | {one / other:.0f} |")


if __name__ == "__main__":
    main()
