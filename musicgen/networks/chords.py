"""A recurrent network whose chords have an exact joint likelihood: note after note, from below."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from musicgen.engine import (
    Add,
    Array,
    Concatenate,
    Dense,
    Dropout,
    Embedding,
    Graph,
    Input,
    MatMul,
    Node,
    Parameter,
    ReLU,
    Reshape,
    Shape,
    SoftmaxCrossEntropy,
    Value,
    glorot_uniform,
)
from musicgen.errors import ModelError
from musicgen.networks.architecture import Architecture
from musicgen.networks.chord_symbols import spell_chords
from musicgen.networks.sequence import SequenceNetwork, initial_recurrent, recurrent_shapes
from musicgen.networks.unrolled import Unrolled
from musicgen.networks.weights import check_weights

__all__ = ["ChordNetwork", "UnrolledChords"]

IMPOSSIBLE = -1e9
"""Added to a logit, makes a probability of exactly 0."""


class ChordNetwork(SequenceNetwork):
    r"""A recurrent network over frames, and a second one, without memory, over a frame's notes.

    With x_t the frame of step t, L recurrent layers read the frames before it,

    .. math:: h_t = \mathrm{recurrent}(x_1, …, x_{t-1}), \qquad c_t = [h_t, x_{t-1}] W_c + b_c,

    and each symbol s of the frame, a key from low to high or the end, is drawn given the keys
    before it, of which n says what `ChordSymbols.known` has:

    .. math:: P(s \mid n, x_1, …, x_{t-1}) =
       \mathrm{softmax}(\mathrm{ReLU}(c_t + n W_n) W_s + b_s + m).

    m is −10⁹ for keys not above the last one, and 0 elsewhere: so the probabilities of all chords
    add up to 1.

    Parameters
    ----------
    architecture
        Of the recurrent layers, with the head ``"bernoulli"``: `size` counts the keys and the
        boundary before them, as all frames have it.
    weights
        Arrays by name, as `initialise` makes them.

    Raises
    ------
    ModelError
        When a weight is missing, too many, or of another shape.

    References
    ----------
    Boulanger-Lewandowski, Bengio & Vincent, ICML 2012, for recurrent networks over distribution
    estimators; Larochelle & Murray, "The neural autoregressive distribution estimator", AISTATS
    2011.
    """

    def __init__(self, architecture: Architecture, weights: Mapping[str, Array]) -> None:
        if architecture.head != "bernoulli":
            raise ModelError(f"the head is {architecture.head}; chords need frames, bernoulli")
        width = len(weights.get("context.b", ()))
        shapes = _shapes(architecture, width)
        check_weights(shapes, weights)
        self.architecture = architecture
        self.parameters = {name: Parameter(name, weights[name]) for name in shapes}
        self.dtype = self.parameters["context.b"].value.dtype

    @classmethod
    def initialise(
        cls,
        architecture: Architecture,
        rng: np.random.Generator,
        width: int = 256,
        dtype: npt.DTypeLike = np.float32,
    ) -> Self:
        """Make a network with fresh weights.

        Parameters
        ----------
        architecture, rng, dtype
            As for `musicgen.networks.Network`.
        width
            Units between a frame's known notes and the next.
        """
        a = architecture
        weights = initial_recurrent(a, rng, dtype)
        for name, shape in _shapes(a, width).items():
            if name not in weights:
                matrix = len(shape) > 1
                weights[name] = (
                    glorot_uniform(rng, shape, dtype) if matrix else np.zeros(shape, dtype)
                )
        return cls(a, weights)

    def unroll(
        self,
        T: int,
        B: int,
        *,
        dropout: float = 0.0,
        weight_dropout: float = 0.0,
        rng: np.random.Generator | None = None,
    ) -> UnrolledChords:
        """Build the graph as `SequenceNetwork.unroll` for frames; contexts are dropped out too.

        Logits are those of all symbols in a row, more than there are where a batch had more.
        """
        return UnrolledChords(partial(self._graph, T, B, dropout, weight_dropout, rng))

    def _graph(
        self,
        T: int,
        B: int,
        dropout: float,
        weight_dropout: float,
        rng: np.random.Generator | None,
        N: int,
    ) -> tuple[Graph, dict[Input, Value]]:
        """Build the graph of T × B frames that have N symbols, and find its states."""
        a, weight = self.architecture, self.parameters

        def dropped(value: Value | Node, name: str) -> Value | Node:
            if not dropout:
                return value
            assert rng is not None
            return Dropout(value, dropout, rng, name=name)

        x = Input("inputs", (T, B, a.size), self.dtype)
        y, states = self.read(x, dropout, weight_dropout, rng)
        seen = Concatenate(dropped(y, "recurrent.dropout"), x, name="seen")
        contexts = dropped(
            Dense(seen, weight["context.W"], weight["context.b"], name="context"), "context.dropout"
        )
        rows = Reshape(contexts, (T * B, weight["context.b"].size), name="rows")
        context = Embedding(Input("places", (N,), np.int32), rows, name="context of each symbol")
        known = MatMul(
            Input("known", (N, 3 * (a.size - 1)), self.dtype), weight["known.W"], name="known"
        )
        units = ReLU(Add(context, known), name="units")
        top = Dense(units, weight["symbols.W"], weight["symbols.b"], name="top")
        logits = Add(top, Input("impossible", (N, a.size), self.dtype), name="logits")
        targets, weights = Input("targets", (N,), np.int32), Input("weights", (N,), self.dtype)
        cost = SoftmaxCrossEntropy(logits, targets, weights, name="cost")
        return Graph(cost, logits, *states.values()), states


class UnrolledChords(Unrolled):
    """A `ChordNetwork` over some steps: it is fed with frames, and spells them.

    Parameters
    ----------
    build
        Makes the graph for a number of symbols, with its initial and final states. It is called
        again where a batch has more symbols than any before.
    """

    def __init__(self, build: Callable[[int], tuple[Graph, Mapping[Input, Value]]]) -> None:
        self._build, self._N = build, 1
        self._places: Array = np.zeros(0, np.intp)
        self._symbols: Array = np.zeros(0, np.intp)
        super().__init__(*build(self._N))

    def forward(self, feeds: Mapping[str, Any]) -> Array:
        """Run the graph on ``inputs``, ``targets`` and ``weights``, and return the cost."""
        weights = np.ravel(feeds["weights"])
        there = np.flatnonzero(weights)
        before, rolls = (
            np.reshape(feeds[name], (len(weights), -1))[there, 1:] for name in ("inputs", "targets")
        )
        spelling = spell_chords(rolls, before)
        self._places, self._symbols = there[spelling.chords], spelling.symbols
        n = len(self._symbols)
        if n > self._N:
            self._lay_out(n + n // 8)

        def filled(array: Array) -> Array:
            return np.concatenate([array, np.zeros((self._N - n, *array.shape[1:]), array.dtype)])

        return super().forward(
            {
                "inputs": feeds["inputs"],
                "places": filled(self._places),
                "known": filled(spelling.known),
                "impossible": filled(np.where(spelling.possible, 0, IMPOSSIBLE)),
                "targets": filled(self._symbols),
                "weights": filled(weights[self._places]),
            }
        )

    def _lay_out(self, N: int) -> None:
        former = self.states()
        super().__init__(*self._build(N))
        self._N = N
        for name, state in self.states().items():
            np.copyto(state, former[name])

    def frame_costs(self) -> Array:
        """Return −ln P of each frame of the last pass, ``(T, B)``; 0 where the weight was 0."""
        inputs = self.graph.inputs["inputs"].output.shape[:2]
        logits = self.graph.outputs[1].data[: len(self._symbols)].astype(np.float64)
        logits -= logits.max(axis=1, keepdims=True)
        costs = np.log(np.exp(logits).sum(axis=1))
        costs -= np.take_along_axis(logits, self._symbols[:, None], axis=1)[:, 0]
        return np.bincount(self._places, costs, minlength=math.prod(inputs)).reshape(inputs)


def _shapes(a: Architecture, width: int) -> dict[str, Shape]:
    return {
        **recurrent_shapes(a),
        "context.W": (a.hidden_size + a.size, width),
        "context.b": (width,),
        "known.W": (3 * (a.size - 1), width),
        "symbols.W": (width, a.size),
        "symbols.b": (a.size,),
    }
