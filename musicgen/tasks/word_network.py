"""Small recurrent networks that learn which letter may follow in a word."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from musicgen.engine import (
    GRU,
    LSTM,
    RTRL,
    Array,
    Cell,
    Constant,
    Delay,
    Dense,
    Elman,
    ElmanCell,
    Graph,
    GRUCell,
    Input,
    LSTMCell,
    LSTMWithoutForgetGateCell,
    Parameter,
    Recurrent,
    Sigmoid,
    SigmoidCrossEntropy,
    Value,
    gaussian,
    glorot_uniform,
    unroll,
)
from musicgen.optim import Adam
from musicgen.tasks.grammar import LETTERS

__all__ = ["CELLS", "WordNetwork", "one_hot"]

CELLS: dict[str, type[Cell]] = {
    "Elman": ElmanCell,
    "LSTM": LSTMCell,
    "LSTM without forget gate": LSTMWithoutForgetGateCell,
    "GRU": GRUCell,
}
LAYERS: dict[type[Cell], type[Recurrent]] = {ElmanCell: Elman, LSTMCell: LSTM, GRUCell: GRU}

STEPS = 8  # a graph's length is a multiple of it


def one_hot(words: Sequence[str], T: int, dtype: npt.DTypeLike = np.float32) -> Array:
    """Return letters as unit vectors, ``(T, B, 7)``; zeros after the end of a word.

    Examples
    --------
    >>> one_hot(["BE"], 3)[:, 0]
    array([[1., 0., 0., 0., 0., 0., 0.],
           [0., 0., 0., 0., 0., 0., 1.],
           [0., 0., 0., 0., 0., 0., 0.]], dtype=float32)
    """
    array = np.zeros((T, len(words), len(LETTERS)), dtype)
    for b, word in enumerate(words):
        array[np.arange(len(word)), b, [LETTERS.index(letter) for letter in word]] = 1
    return array


class WordNetwork:
    """A recurrent layer and seven sigmoid outputs: reads a letter, says which may come next.

    Parameters
    ----------
    cell
        The kind of cell.
    H
        Hidden units.
    rng
        Source of the first weights.
    dtype
        Type of the weights.
    """

    def __init__(
        self,
        cell: type[Cell],
        H: int,
        rng: np.random.Generator,
        dtype: npt.DTypeLike = np.float32,
    ) -> None:
        D = len(LETTERS)
        arrays = cell.initial_weights(rng, D, H, dtype)
        # A letter is all of one row of W_x: what a unit reads of it is one number, not the sum of
        # seven, and has variance 1 when that number has.
        arrays["W_x"] = gaussian(rng, arrays["W_x"].shape, dtype, deviation=1.0)
        arrays |= {"dense.W": glorot_uniform(rng, (H, D), dtype), "dense.b": np.zeros(D, dtype)}
        self.parameters = {name: Parameter(name, array) for name, array in arrays.items()}
        self._cell, self._H, self._dtype = cell, H, np.dtype(dtype)
        self._optimiser = Adam(beta2=0.99)  # the runs are short: so is the memory
        self._graphs: dict[tuple[int, int], Graph] = {}
        self._learners: dict[int, RTRL] = {}

    def predict(self, words: Sequence[str]) -> list[Array]:
        """Return, for each word, the outputs ``(letters − 1, 7)`` after all letters but the last.

        An output is the network's probability that its letter follows.
        """
        feeds, graph = self.unrolled(words)
        outputs = graph.forward(feeds)[1]
        return [outputs[: len(word) - 1, b].copy() for b, word in enumerate(words)]

    def learn(self, words: Sequence[str], learning_rate: float, *, forwards: bool = False) -> float:
        """Make one update, and return the mean cost of a letter before it, in nats.

        Parameters
        ----------
        words
            The batch.
        learning_rate
            η.
        forwards
            Whether gradients come from `RTRL`, step by step, instead of back-propagation.
        """
        cost, gradients = self.gradients(words, forwards=forwards)
        values = {name: parameter.value for name, parameter in self.parameters.items()}
        self._optimiser.update(values, gradients, learning_rate)
        return cost

    def gradients(
        self, words: Sequence[str], *, forwards: bool = False
    ) -> tuple[float, dict[str, Array]]:
        """Return the mean cost of a letter and its gradients by name, as `learn` uses them."""
        if forwards:
            return self._carry_forward(words)
        feeds, graph = self.unrolled(words)
        cost = float(graph.forward(feeds)[0])
        graph.backward()
        return cost, {name: p.gradient for name, p in self.parameters.items()}

    def _carry_forward(self, words: Sequence[str]) -> tuple[float, dict[str, Array]]:
        learner = self._learners.get(len(words))
        if learner is None:
            learner = self._learners[len(words)] = self._rtrl(len(words))
        learner.reset()
        learner.clear()
        feeds = self._feeds(words, max(map(len, words)) - 1)
        cost = 0.0
        for t in range(len(feeds["weights"])):
            cost += learner.step({name: array[t] for name, array in feeds.items()})
        return cost, learner.gradients

    def _feeds(self, words: Sequence[str], T: int) -> dict[str, Array]:
        """Return letters, those that follow, and weights that make the cost a mean over them."""
        letters = one_hot(words, T + 1, self._dtype)
        there = letters[1:].sum(axis=-1)
        return {"letters": letters[:-1], "targets": letters[1:], "weights": there / there.sum()}

    def unrolled(self, words: Sequence[str]) -> tuple[dict[str, Array], Graph]:
        """Return the feeds and the unrolled graph of a batch.

        The graph's outputs are the mean cost of a letter and the outputs ``(T, B, 7)``. T is
        rounded up, so that few graphs serve words of all lengths.
        """
        T = -(-(max(map(len, words)) - 1) // STEPS) * STEPS
        key = T, len(words)
        if key not in self._graphs:
            x, states = self._inputs(key)
            layer = LAYERS.get(self._cell)
            if layer is None:
                y = unroll(self._cell, x, *states, *self._weights())[0]
            else:
                y = layer(x, *states, *self._weights()).outputs[0]
            self._graphs[key] = self._outputs(y, key)
        return self._feeds(words, T), self._graphs[key]

    def _rtrl(self, B: int) -> RTRL:
        """Return a learner for B words at once: the graph of one step, with delayed edges."""
        x, initial = self._inputs((B,))
        delays = [Delay(state, name=state.name) for state in initial]
        step = self._cell(x, *delays, *self._weights())
        for delay, new in zip(delays, step.outputs, strict=True):
            delay.connect(new)
        return RTRL(self._outputs(step.outputs[0], (B,)))

    def _inputs(self, axes: tuple[int, ...]) -> tuple[Input, list[Constant]]:
        zeros = np.zeros((axes[-1], self._H), self._dtype)
        states = [Constant(zeros, name=f"{state}_0") for state in self._cell.states]
        return Input("letters", (*axes, len(LETTERS)), self._dtype), states

    def _weights(self) -> list[Parameter]:
        return [self.parameters[name] for name in self._cell.weight_shapes(len(LETTERS), self._H)]

    def _outputs(self, y: Value, axes: tuple[int, ...]) -> Graph:
        logits = Dense(y, self.parameters["dense.W"], self.parameters["dense.b"])
        targets = Input("targets", logits.output.shape, self._dtype)
        weights = Input("weights", axes, self._dtype)
        return Graph(SigmoidCrossEntropy(logits, targets, weights), Sigmoid(logits))
