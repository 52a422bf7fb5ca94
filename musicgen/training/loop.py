"""The training loop: batches, gradients, updates, validation, early stopping."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from musicgen.encodings import Symbols
from musicgen.errors import ModelError
from musicgen.networks import Network, Unrolled
from musicgen.optim import OPTIMISERS, clip_global_norm, cosine
from musicgen.training.batches import Batch, batches

__all__ = ["LEARNING_RATES", "Progress", "evaluate", "train"]

# Adam's was found on a thousand tunes with the default network; the others are usual values.
LEARNING_RATES = {"adadelta": 1.0, "adagrad": 0.05, "adam": 5e-3, "rmsprop": 2e-3, "sgd": 0.5}

# A validation follows an epoch once this many batches have passed since the last, and cuts a longer
# epoch after that many.
SHORTEST_INTERVAL, LONGEST_INTERVAL = 50, 500
SMOOTHING = 0.98


@dataclass(frozen=True, slots=True)
class Progress:
    """Where the training stands after a batch.

    Attributes
    ----------
    batches
        Batches seen.
    epoch
        Passes over the training pieces, begun ones included.
    done
        Share of the planned time or epochs that is over, 0 to 1.
    symbols
        Symbols seen.
    seconds
        Time since the start.
    loss
        Training cost, a moving average, in bits a symbol.
    validation
        Cost of the validation pieces in bits a symbol; None but after a validation.
    best
        Whether this validation is the lowest so far.
    learning_rate
        Of the last update.
    """

    batches: int
    epoch: int
    done: float
    symbols: int
    seconds: float
    loss: float
    validation: float | None = None
    best: bool = False
    learning_rate: float = 0.0


def evaluate(network: Network, pieces: Sequence[Symbols], T: int = 50, B: int = 50) -> float:
    """Compute the cost of predicting every symbol of the pieces, in bits a symbol.

    Each piece is predicted from its own symbols alone, from the first to the boundary that ends
    it; the cost of all is divided by the number of all their symbols, boundaries included.

    Parameters
    ----------
    network
        The network.
    pieces
        Arrays ``(n,)``, each ended by the boundary symbol.
    T, B
        Steps and rows of a batch.
    """
    return _cost(network.unroll(T, B), batches(pieces, range(len(pieces)), T, B))


def _cost(unrolled: Unrolled, layout: Sequence[Batch]) -> float:
    total = sum(_run(unrolled, batch, batch.weights) for batch in layout)
    return total / sum(float(batch.weights.sum()) for batch in layout) / math.log(2)


def _run(unrolled: Unrolled, batch: Batch, weights: npt.NDArray[np.float32]) -> float:
    unrolled.reset(batch.fresh)
    cost = unrolled.forward(
        {"symbols": batch.symbols, "targets": batch.targets, "weights": weights}
    )
    unrolled.carry()
    return float(cost)


def train(
    network: Network,
    training: Sequence[Symbols],
    validation: Sequence[Symbols],
    rng: np.random.Generator,
    *,
    optimizer: str = "adam",
    learning_rate: float | None = None,
    batch_size: int = 50,
    seq_length: int = 50,
    dropout: float = 0.0,
    grad_clip: float = 1.0,
    epochs: int | None = None,
    minutes: float | None = None,
    patience: int = 10,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[Progress]:
    """Train a network by truncated back-propagation through time, and tell after every batch.

    Each epoch lays the training pieces out in `batch_size` rows, in a new order, and reads them
    `seq_length` symbols at a time; a piece starts from zero, and its state is carried from one
    batch to the next. The learning rate falls along half a cosine over the planned time or
    epochs. Validation follows an epoch (several, when they are short: 50 batches at least lie
    between), every 500 batches of a longer one, and the last batch; the weights to keep are those
    at a `Progress` with ``best``.

    Parameters
    ----------
    network
        Changed in place.
    training, validation
        Arrays ``(n,)``, each ended by the boundary symbol.
    rng
        Source of the order and of the dropout masks.
    optimizer
        A key of `musicgen.optim.OPTIMISERS`.
    learning_rate
        η at the start; by default what suits the optimiser.
    batch_size, seq_length
        B and T. There are never more rows than training pieces.
    dropout
        Share of each recurrent layer's outputs that is dropped.
    grad_clip
        Highest global norm of a gradient.
    epochs, minutes
        Where to end, whichever comes first; at least one is needed. With `minutes` the schedule
        follows the clock, and a run cannot be repeated exactly.
    patience
        Validations in a row without a new best after which the training ends.
    stop
        Asked after every batch; when true, one last validation follows.

    Yields
    ------
    Progress
        After every batch; with ``validation`` where one was made.

    Raises
    ------
    ModelError
        When the cost is no longer a number.
    """
    B, T = min(batch_size, len(training)), seq_length
    unrolled = network.unroll(T, B, dropout=dropout, rng=rng)
    judge, judged_on = network.unroll(T, B), batches(validation, range(len(validation)), T, B)
    optimiser = OPTIMISERS[optimizer]()
    eta = LEARNING_RATES[optimizer] if learning_rate is None else learning_rate
    values = {name: parameter.value for name, parameter in network.parameters.items()}
    gradients = {name: parameter.gradient for name, parameter in network.parameters.items()}
    count = judged_at = epoch = misses = symbols = 0
    loss = weight = 0.0
    lowest = math.inf
    start = time.perf_counter()
    ended = False
    while not ended:
        epoch += 1
        layout = batches(training, rng.permutation(len(training)), T, B)
        for position, batch in enumerate(layout):
            shares = [(time.perf_counter() - start) / 60 / minutes] if minutes else []
            shares += [(epoch - 1 + position / len(layout)) / epochs] if epochs else []
            done = max(shares)
            rate = eta * cosine(done)
            predicted = int(batch.weights.sum())
            # A batch counts by the symbols in it: near the end of an epoch few rows are left.
            cost = _run(unrolled, batch, batch.weights / np.float32(B * T))
            if not math.isfinite(cost):
                raise ModelError(
                    f"the cost became {cost} after {count} batches "
                    f"({unrolled.graph.find_nonfinite()}); "
                    f"give a --learning-rate lower than {eta:g} or a lower --grad-clip"
                )
            unrolled.graph.backward()
            clip_global_norm(gradients.values(), grad_clip)
            optimiser.update(values, gradients, rate)
            count += 1
            symbols += predicted
            loss = SMOOTHING * loss + cost * B * T / math.log(2)
            weight = SMOOTHING * weight + predicted
            seconds = time.perf_counter() - start
            ended = (
                stop()
                or (minutes is not None and seconds >= 60 * minutes)
                or (epoch == epochs and position + 1 == len(layout))
            )
            judged = best = None
            shortest = SHORTEST_INTERVAL if position + 1 == len(layout) else LONGEST_INTERVAL
            if ended or count - judged_at >= shortest:
                judged, judged_at = _cost(judge, judged_on), count
                best = judged < lowest
                lowest = min(judged, lowest)
                misses = 0 if best else misses + 1
                ended = ended or misses >= patience
            yield Progress(
                count, epoch, 1.0 if ended else done, symbols, time.perf_counter() - start,
                loss / weight, judged, bool(best), rate,
            )  # fmt: skip
            if ended:
                break
