"""The network that finds a note from what stands before it, behind it, or both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from musicgen.engine import (
    LSTM,
    Array,
    Concatenate,
    Constant,
    Dense,
    Embedding,
    Graph,
    Input,
    Parameter,
    Reverse,
    Slice,
    Softmax,
    SoftmaxCrossEntropy,
    Value,
    glorot_uniform,
)
from musicgen.tasks.melodies import HELD, SYMBOLS

__all__ = ["END", "SIDES", "feeds", "initial_weights", "missing_note"]

END = SYMBOLS
"""The symbol before and behind a phrase."""

SIDES = {"left": ("left",), "right": ("right",), "both": ("left", "right")}
"""The sides that a network reads, by its name."""


def initial_weights(
    sides: Sequence[str],
    rng: np.random.Generator,
    D: int = 32,
    H: int = 64,
    dtype: npt.DTypeLike = np.float32,
) -> dict[str, Parameter]:
    """Draw the weights of a network.

    Parameters
    ----------
    sides
        A value of `SIDES`.
    rng
        Random generator.
    D, H
        Length of the vector of a symbol, and units of each LSTM.
    dtype
        Type of the weights.

    Returns
    -------
    dict
        ``"embedding.W"``, ``"left.W_x"``, …, ``"dense.b"``.
    """
    arrays = {"embedding.W": rng.standard_normal((SYMBOLS + 1, D)).astype(dtype)}
    for side in sides:
        own = LSTM.cell.initial_weights(rng, D, H, dtype)
        arrays |= {f"{side}.{name}": array for name, array in own.items()}
    arrays["dense.W"] = glorot_uniform(rng, (len(sides) * H, SYMBOLS), dtype)
    arrays["dense.b"] = np.zeros(SYMBOLS, dtype)
    return {name: Parameter(name, array) for name, array in arrays.items()}


def missing_note(sides: Sequence[str], weights: Mapping[str, Parameter], T: int, B: int) -> Graph:
    """Build the graph that finds each symbol of B phrases from those around it [1]_.

    With x_1 … x_T between the two marks x_0 and x_{T+1} of a phrase's ends::

        h→_t = LSTM(h→_{t−1}, x_{t−1})    h←_t = LSTM(h←_{t+1}, x_{t+1})
        z_t = (h→_t h←_t) W + b

    so z_t depends on every symbol but x_t. Without a side, its half of the states is left out.

    Parameters
    ----------
    sides
        A value of `SIDES`.
    weights
        As `initial_weights` draws them.
    T, B
        Steps and phrases.

    Returns
    -------
    Graph
        Its inputs are ``symbols`` ``(T + 2, B)``, and ``targets`` and ``weights`` ``(T, B)``; its
        outputs the cost and the probabilities ``(T, B, SYMBOLS)``.

    References
    ----------
    .. [1] Schuster & Paliwal, "Bidirectional recurrent neural networks", IEEE Transactions on
       Signal Processing 45 (11), 1997.
    """
    x = Embedding(Input("symbols", (T + 2, B), np.int64), weights["embedding.W"])
    states: list[Value] = []
    if "left" in sides:
        states.append(_lstm("left", Slice(x, 0, T, axis=0).output, weights))
    if "right" in sides:
        turned = Reverse(Slice(x, 2, T + 2, axis=0))
        states.append(Reverse(_lstm("right", turned.output, weights)).output)
    z = Dense(Concatenate(*states), weights["dense.W"], weights["dense.b"])
    targets, places = Input("targets", (T, B), np.int64), Input("weights", (T, B), z.output.dtype)
    return Graph(SoftmaxCrossEntropy(z, targets, places), Softmax(z))


def _lstm(side: str, x: Value, weights: Mapping[str, Parameter]) -> Value:
    W_x, W_h, b = (weights[f"{side}.{name}"] for name in ("W_x", "W_h", "b"))
    zeros = Constant(np.zeros((x.shape[1], len(W_h.value)), x.dtype))
    return LSTM(x, zeros, zeros, W_x, W_h, b, name=side).outputs[0]


def feeds(phrases: Array) -> dict[str, Array]:
    """Return the inputs of `missing_note` for phrases ``(B, T)``; only notes are asked for.

    Examples
    --------
    >>> feeds(np.array([[5, HELD, 7]]))["weights"].ravel()
    array([0.5, 0. , 0.5])
    """
    symbols = np.pad(phrases.T, ((1, 1), (0, 0)), constant_values=END)
    notes = phrases.T != HELD
    return {"symbols": symbols, "targets": phrases.T, "weights": notes / notes.sum()}
