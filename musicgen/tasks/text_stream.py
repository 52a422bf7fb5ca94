"""A character network on one long text, its states carried from one batch to the next."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from musicgen.errors import ModelError
from musicgen.networks import Network
from musicgen.optim import Adam, Optimiser, Schedule, clip_global_norm, cosine, warm_up

__all__ = ["Step", "nats_a_character", "rows", "train"]

Array = npt.NDArray[Any]


class Step(NamedTuple):
    """Where the training stands after an update.

    Attributes
    ----------
    done
        Share of the plan that is over.
    updates, characters
        Updates made and characters read.
    cost
        Of the batch, before its update, in nats a character.
    """

    done: float
    updates: int
    characters: int
    cost: float


def rows(symbols: Array, B: int) -> tuple[Array, Array]:
    """Lay a text out in B columns, each of which is read from top to bottom.

    What does not fill a row is left out at the end.

    Parameters
    ----------
    symbols
        ``(N,)``.
    B
        Columns.

    Returns
    -------
    inputs, targets
        ``(⌊(N − 1) / B⌋, B)``: each symbol, and the one after it.

    Raises
    ------
    ModelError
        When the text is shorter than a row.

    Examples
    --------
    >>> inputs, targets = rows(np.arange(7), 2)
    >>> inputs.T.tolist(), targets.T.tolist()
    ([[0, 1, 2], [3, 4, 5]], [[1, 2, 3], [4, 5, 6]])
    """
    n = (len(symbols) - 1) // B
    if n < 1:
        raise ModelError(f"found a text of {len(symbols)} characters; expected more than {B}")
    return symbols[: n * B].reshape(B, n).T, symbols[1 : n * B + 1].reshape(B, n).T


def nats_a_character(network: Network, symbols: Array, T: int = 100, B: int = 20) -> float:
    """Return the mean of ``−ln p`` of the symbols ``(N,)`` after the first.

    They are read in B columns side by side, each from a state of zeros, T steps at a time.
    """
    inputs, targets = rows(symbols, B)
    unrolled = network.unroll(T, B)
    total = 0.0
    for start in range(0, len(inputs), T):
        x, y = inputs[start : start + T], targets[start : start + T]
        rest = [(0, T - len(x)), (0, 0)]
        weights = np.pad(np.ones(x.shape, network.dtype), rest)
        feeds = {"inputs": np.pad(x, rest), "targets": np.pad(y, rest), "weights": weights}
        total += float(unrolled.forward(feeds))
        unrolled.carry()
    return total / inputs.size


def train(
    network: Network,
    symbols: Array,
    rng: np.random.Generator,
    *,
    T: int = 64,
    B: int = 32,
    epochs: float = np.inf,
    minutes: float = np.inf,
    learning_rate: float = 4e-3,
    optimiser: Optimiser | None = None,
    schedule: Schedule | None = None,
    dropout: float = 0.0,
    grad_clip: float = 5.0,
) -> Iterator[Step]:
    """Train until the epochs or the minutes are over, whichever comes first.

    Back-propagation through time, truncated to T steps: the states at the end of a batch are those
    at the start of the next. Each epoch begins at another character, so that the cuts fall on other
    places.

    Parameters
    ----------
    network
        Changed in place.
    symbols
        ``(N,)``.
    rng
        Source of the dropout masks and of where epochs begin.
    T, B
        Steps and columns of a batch.
    epochs, minutes
        The plan; the share of it that is done drives the schedule.
    learning_rate, schedule
        η, and its factor as the training goes on; by default it rises for 2 % of the time and
        falls along a cosine.
    optimiser
        Adam by default.
    dropout
        Share of each recurrent layer's outputs that is dropped.
    grad_clip
        Highest global norm of a gradient.

    Yields
    ------
    Step
        After every update.
    """
    if len(symbols) <= T * B + T:
        raise ModelError(
            f"found a text of {len(symbols)} characters; expected more than {T * B + T} "
            f"for batches of {B} × {T}"
        )
    optimiser, schedule = optimiser or Adam(), schedule or warm_up(cosine, 0.02)
    unrolled = network.unroll(T, B, dropout=dropout, rng=rng)
    values = {name: parameter.value for name, parameter in network.parameters.items()}
    gradients = {name: parameter.gradient for name, parameter in network.parameters.items()}
    weights = np.full((T, B), 1 / (T * B), network.dtype)
    epoch = (len(symbols) - 1) // (T * B)  # updates
    start, updates = time.perf_counter(), 0
    while True:
        inputs, targets = rows(symbols[rng.integers(T) :], B)
        unrolled.reset()
        for at in range(0, len(inputs) - T + 1, T):
            seconds = time.perf_counter() - start
            done = max(updates / epoch / epochs, seconds / 60 / minutes)
            if done >= 1:
                return
            feeds = {"inputs": inputs[at : at + T], "targets": targets[at : at + T]}
            cost = float(unrolled.forward({**feeds, "weights": weights}))
            unrolled.graph.backward()
            unrolled.carry()
            clip_global_norm(gradients.values(), grad_clip)
            optimiser.update(values, gradients, learning_rate * schedule(done))
            updates += 1
            yield Step(min(done, 1.0), updates, updates * T * B, cost)
