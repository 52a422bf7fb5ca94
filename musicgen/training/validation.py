"""What a network makes of pieces that it does not learn from."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from musicgen.networks import SequenceNetwork, Unrolled
from musicgen.training.batches import Batch, batches

__all__ = ["COST_UNITS", "evaluate", "predict"]

Array = npt.NDArray[Any]

COST_UNITS = {"categorical": "bits", "bernoulli": "bits", "gaussian": "squared error"}
"""What a cost is counted in, by the network's head."""


def scale(network: SequenceNetwork) -> float:
    """Return the factor from the cost of the graph, nats or squares, to what people read."""
    return 1.0 if network.architecture.head == "gaussian" else 1 / math.log(2)


def run(unrolled: Unrolled, batch: Batch, weights: npt.NDArray[np.float32]) -> float:
    """Run a batch forward, the states carried, and return its cost."""
    unrolled.reset(batch.fresh)
    cost = unrolled.forward({"inputs": batch.inputs, "targets": batch.targets, "weights": weights})
    unrolled.carry()
    return float(cost)


def evaluate(
    network: SequenceNetwork,
    pieces: Sequence[Array],
    T: int = 50,
    B: int = 50,
    unrolled: Unrolled | None = None,
) -> float:
    """Compute the cost of predicting every step of the pieces, in bits or squares a step.

    Each piece is predicted from its own steps alone, from the first to the boundary that ends it;
    the cost of all is divided by the number of all their steps, boundaries included.

    Parameters
    ----------
    network
        The network.
    pieces
        Arrays ``(n,)`` or ``(n, D)``, each ended by the boundary.
    T, B
        Steps and rows of a batch.
    unrolled
        The network unrolled over T and B, where that was done before.
    """
    unrolled = unrolled or network.unroll(T, B)
    total = sum(run(unrolled, b, b.weights) for b in batches(pieces, range(len(pieces)), T, B))
    return scale(network) * total / sum(map(len, pieces))


def predict(
    network: SequenceNetwork, pieces: Sequence[Array], T: int = 50, B: int = 50
) -> Iterator[tuple[Array, Array]]:
    """Give what the network says of every step of the pieces, and what came.

    Yields
    ------
    logits, targets
        ``(N, V)`` and ``(N,)``, or ``(N, D)`` twice, for some N steps at a time.
    """
    unrolled = network.unroll(T, B)
    for batch in batches(pieces, range(len(pieces)), T, B):
        run(unrolled, batch, batch.weights)
        there = batch.weights > 0
        yield unrolled.graph.outputs[1].data[there], batch.targets[there]
