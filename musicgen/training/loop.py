"""The training loop: batches, gradients, updates, validation, early stopping."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt

from musicgen.encodings import BOUNDARY
from musicgen.errors import ModelError
from musicgen.networks import SequenceNetwork
from musicgen.optim import OPTIMISERS, SCHEDULES, clip_global_norm, warm_up, weight_decay
from musicgen.training.batches import Batch, batches, count_batches
from musicgen.training.validation import evaluate, run, scale

__all__ = ["LEARNING_RATES", "Progress", "Trainer"]

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
    steps
        Symbols or frames seen.
    seconds
        Time spent training, that before a resumption included.
    loss
        Training cost, a moving average, in the unit of `validation`.
    validation
        Cost of the validation pieces, in bits a step or, of a gaussian head, squares a step; None
        but after a validation.
    best
        Whether this validation is the lowest so far.
    learning_rate
        Of the last update.
    """

    batches: int
    epoch: int
    done: float
    steps: int
    seconds: float
    loss: float
    validation: float | None = None
    best: bool = False
    learning_rate: float = 0.0


class Trainer:
    """Trains a network by truncated back-propagation through time.

    Each epoch lays the training pieces out in `batch_size` rows, in a new order, and reads them
    `seq_length` steps at a time; a piece starts from zero, and its state is carried from one batch
    to the next. Validation follows an epoch (several, when they are short: 50 batches at least lie
    between), every 500 batches of a longer one, and the last batch; the weights to keep are those
    at a `Progress` with ``best``.

    Parameters
    ----------
    network
        Changed in place.
    training, validation
        Arrays ``(n,)`` or ``(n, D)``, each ended by the boundary.
    rng
        Source of the order and of the dropout masks.
    optimizer
        A key of `musicgen.optim.OPTIMISERS`.
    learning_rate
        η at the start; by default what suits the optimiser.
    schedule
        A key of `musicgen.optim.SCHEDULES`: how η falls over the planned time or epochs.
    warmup
        Share of the plan during which η rises to its full height.
    batch_size, seq_length
        B and T. There are never more rows than training pieces, nor more steps than in the longest.
    dropout
        Share of each recurrent layer's outputs that is dropped.
    weight_dropout
        Share of the weights between hidden states that is dropped, anew for every batch.
    input_noise
        Standard deviation of normal noise on all channels of the frames seen but the boundary, so
        that the network learns to go on from frames that are not quite right, as its own are; the
        targets stay as they are.
    decay
        Weight decay λ of all weights but the biases.
    grad_clip
        Highest global norm of a gradient.
    epochs, minutes
        Where to end, whichever comes first; at least one is needed. With `minutes` the schedule
        follows the clock, and a run cannot be repeated exactly.
    patience
        Validations in a row without a new best after which the training ends.
    """

    def __init__(
        self,
        network: SequenceNetwork,
        training: Sequence[npt.NDArray[Any]],
        validation: Sequence[npt.NDArray[Any]],
        rng: np.random.Generator,
        *,
        optimizer: str = "adam",
        learning_rate: float | None = None,
        schedule: str = "cosine",
        warmup: float = 0.0,
        batch_size: int = 50,
        seq_length: int = 50,
        dropout: float = 0.0,
        weight_dropout: float = 0.0,
        input_noise: float = 0.0,
        decay: float = 0.0,
        grad_clip: float = 1.0,
        epochs: int | None = None,
        minutes: float | None = None,
        patience: int = 10,
    ) -> None:
        self.network, self.rng = network, rng
        self.training, self.validation = training, validation
        # All beyond the longest piece would be padding.
        self.T = min(seq_length, max(map(len, training)))
        self.B = min(batch_size, len(training))
        self.eta = LEARNING_RATES[optimizer] if learning_rate is None else learning_rate
        self.schedule = SCHEDULES[schedule]
        if warmup:
            self.schedule = warm_up(self.schedule, warmup)
        self.decay, self.grad_clip, self.input_noise = decay, grad_clip, input_noise
        if input_noise and network.architecture.head != "gaussian":
            raise ModelError(
                f"input_noise is {input_noise}; only values, such as of spectra, can be noisy"
            )
        self.epochs, self.minutes, self.patience = epochs, minutes, patience
        self._lengths = [len(piece) for piece in training]
        self._unrolled = network.unroll(
            self.T, self.B, dropout=dropout, weight_dropout=weight_dropout, rng=rng
        )
        self._judge = network.unroll(self.T, self.B)
        self._optimiser = OPTIMISERS[optimizer]()
        parameters = network.parameters.items()
        self._values = {name: parameter.value for name, parameter in parameters}
        self._gradients = {name: parameter.gradient for name, parameter in parameters}
        self._order = np.zeros(0, np.int64)
        self._total = 0  # batches of this epoch
        self._at: dict[str, Any] = {
            "batches": 0, "epoch": 0, "position": 0, "steps": 0, "seconds": 0.0,
            "loss": 0.0, "weight": 0.0, "judged_at": 0, "lowest": math.inf, "misses": 0,
            "ended": False,
        }  # fmt: skip

    def run(self, stop: Callable[[], bool] = lambda: False) -> Iterator[Progress]:
        """Train to the end, and tell after every batch.

        Parameters
        ----------
        stop
            Asked after every batch; when true, the run ends here and can go on later as if nothing
            had happened.

        Yields
        ------
        Progress
            After every batch; with ``validation`` where one was made.

        Raises
        ------
        ModelError
            When the cost is no longer a number.
        """
        at = self._at
        start = time.perf_counter() - at["seconds"]
        while not at["ended"]:
            if at["position"] == self._total:
                at["epoch"] += 1
                at["position"] = 0
                self._order = self.rng.permutation(len(self.training))
                self._total = count_batches(self._lengths, self._order, self.T, self.B)
            layout = batches(self.training, self._order, self.T, self.B)
            for batch in islice(layout, at["position"], None):
                at["seconds"] = time.perf_counter() - start
                done = self._done()
                rate = self.eta * self.schedule(done)
                self._learn(batch, rate)
                at["seconds"] = time.perf_counter() - start
                judged, best = self._validate()
                at["seconds"] = time.perf_counter() - start
                yield self._progress(1.0 if at["ended"] else done, judged, best, rate)
                if at["ended"] or stop():
                    return

    @property
    def progress(self) -> Progress:
        """Where the training stands."""
        return self._progress(1.0 if self._at["ended"] else self._done() if self._total else 0.0)

    def _progress(
        self, done: float, judged: float | None = None, best: bool = False, rate: float = 0.0
    ) -> Progress:
        at = self._at
        loss = at["loss"] / at["weight"] if at["weight"] else math.nan
        return Progress(
            at["batches"], at["epoch"], done, at["steps"], at["seconds"], loss, judged, best, rate
        )

    def _done(self) -> float:
        at, shares = self._at, []
        if self.minutes:
            shares.append(at["seconds"] / 60 / self.minutes)
        if self.epochs:
            shares.append((at["epoch"] - 1 + at["position"] / self._total) / self.epochs)
        return max(shares)

    def _learn(self, batch: Batch, rate: float) -> None:
        at, places = self._at, self.T * self.B
        if self.input_noise:
            noise = self.rng.standard_normal(batch.inputs.shape, np.float32)
            noise[..., BOUNDARY] = 0
            batch = batch._replace(inputs=batch.inputs + self.input_noise * noise)
        # A batch counts by the steps in it: near the end of an epoch few rows are left.
        cost = run(self._unrolled, batch, batch.weights / np.float32(places))
        if not math.isfinite(cost):
            raise ModelError(
                f"the cost became {cost} after {at['batches']} batches "
                f"({self._unrolled.graph.find_nonfinite()}); "
                f"give a --learning-rate lower than {self.eta:g} or a lower --grad-clip"
            )
        self._unrolled.graph.backward()
        clip_global_norm(self._gradients.values(), self.grad_clip)
        self._optimiser.update(self._values, self._gradients, rate)
        if self.decay:
            matrices = {name: value for name, value in self._values.items() if value.ndim > 1}
            weight_decay(matrices, self.decay, rate)
        predicted = int(batch.weights.sum())
        at["batches"] += 1
        at["position"] += 1
        at["steps"] += predicted
        at["loss"] = SMOOTHING * at["loss"] + cost * places * scale(self.network)
        at["weight"] = SMOOTHING * at["weight"] + predicted

    def _over(self) -> bool:
        """Whether the plan is fulfilled."""
        at = self._at
        late = self.minutes is not None and at["seconds"] >= 60 * self.minutes
        last = self.epochs is not None and at["epoch"] >= self.epochs
        return late or (last and at["position"] == self._total) or at["misses"] >= self.patience

    def _validate(self) -> tuple[float | None, bool]:
        """Return the validation cost, where it is time for it, and whether it is the best."""
        at = self._at
        shortest = SHORTEST_INTERVAL if at["position"] == self._total else LONGEST_INTERVAL
        at["ended"] = self._over()
        if not at["ended"] and at["batches"] - at["judged_at"] < shortest:
            return None, False
        judged = evaluate(self.network, self.validation, self.T, self.B, self._judge)
        best = judged < at["lowest"]
        at["judged_at"] = at["batches"]
        at["lowest"] = min(judged, at["lowest"])
        at["misses"] = 0 if best else at["misses"] + 1
        at["ended"] = self._over()
        return judged, best

    def state(self) -> dict[str, Any]:
        """Return all that a run needs to go on exactly, but for the weights.

        Returns
        -------
        dict
            JSON-able values, and arrays that the run goes on changing.
        """
        optimiser = self._optimiser
        return {
            **self._at,
            "total": self._total,
            "order": self._order,
            "rng": self.rng.bit_generator.state,
            "updates": optimiser.updates,
            **{
                f"slot.{kind}/{name}": array
                for kind, arrays in optimiser.slots.items()
                for name, array in arrays.items()
            },
            **{f"state.{name}": array for name, array in self._unrolled.states().items()},
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take over what `state` returned, and go on from there.

        A run that had ended goes on where the plan now has more epochs, minutes or patience.

        Raises
        ------
        ModelError
            When it belongs to other pieces or settings.
        """
        states = self._unrolled.states()
        fits = len(state["order"]) in (0, len(self.training)) and all(
            f"state.{name}" in state and state[f"state.{name}"].shape == array.shape
            for name, array in states.items()
        )
        if not fits:
            raise ModelError("the training state belongs to another corpus or other settings")
        self._at.update({key: state[key] for key in self._at})
        self._total, self._order = state["total"], np.array(state["order"])
        self._at["ended"] = self._over()
        self.rng.bit_generator.state = state["rng"]
        self._optimiser.updates = dict(state["updates"])
        for key, array in state.items():
            kind, _, name = key.removeprefix("slot.").partition("/")
            if key.startswith("slot."):
                np.copyto(self._optimiser.slot(kind, name, self._values[name]), array)
        for name, array in states.items():
            np.copyto(array, state[f"state.{name}"])
