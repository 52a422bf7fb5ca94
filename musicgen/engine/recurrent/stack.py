"""Recurrent layers on top of each other, in one direction or both."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from musicgen.engine.node import Array, Node, Value
from musicgen.engine.ops import Concatenate, Dropout, Reverse
from musicgen.engine.recurrent.base import Recurrent

__all__ = ["initial_stack", "stack"]

DIRECTIONS = ("", "reverse.")


def initial_stack(
    layer: type[Recurrent],
    rng: np.random.Generator,
    D: int,
    H: int,
    num_layers: int = 1,
    *,
    bidirectional: bool = False,
    dtype: npt.DTypeLike = np.float32,
) -> dict[str, Array]:
    """Draw the weights that `stack` needs.

    Parameters
    ----------
    layer
        The kind of layer.
    rng
        Random generator.
    D, H
        Inputs of the first layer, and units of every layer and direction.
    num_layers, bidirectional
        As in `stack`.
    dtype
        Type of the weights.

    Returns
    -------
    dict
        ``"0.W_x"``, ``"0.W_h"``, ``"0.b"``, ``"0.reverse.W_x"``, … ``"1.W_x"``, …
    """
    weights = {}
    for i in range(num_layers):
        width = D if i == 0 else H * (1 + bidirectional)
        for direction in DIRECTIONS[: 1 + bidirectional]:
            own = layer.cell.initial_weights(rng, width, H, dtype)
            weights.update({f"{i}.{direction}{name}": array for name, array in own.items()})
    return weights


def stack(
    layer: type[Recurrent],
    x: Value | Node,
    states: Mapping[str, Value | Node],
    weights: Mapping[str, Value | Node],
    *,
    lengths: Value | Node | None = None,
    dropout: float = 0.0,
    weight_dropout: float = 0.0,
    rng: np.random.Generator | None = None,
    name: str = "recurrent",
) -> tuple[Value, dict[str, Value]]:
    """Put recurrent layers on top of each other.

    There are as many layers, and as many directions, as there are weights. A bidirectional layer
    shows the hidden states of both directions side by side, ``(T, B, 2H)``; its second direction
    starts at the end of each sequence.

    Parameters
    ----------
    layer
        The kind of layer.
    x
        Inputs ``(T, B, D)``.
    states
        Initial states ``(B, H)`` by name: ``"0.h"``, ``"0.reverse.h"``, …
    weights
        Weights by name, as `initial_stack` has them.
    lengths
        Lengths of the sequences ``(B,)``, where they differ.
    dropout
        Share of the outputs of each layer but the last that is dropped.
    weight_dropout
        Share of the weights W_h between hidden states that is dropped, the same ones at all steps.
    rng
        Source of the dropout masks.
    name
        Path of the nodes.

    Returns
    -------
    y
        Outputs of the last layer, ``(T, B, H)`` or ``(T, B, 2H)``.
    finals
        Final states, named as the initial ones.

    References
    ----------
    Wan et al., "Regularization of neural networks using DropConnect", ICML 2013, and Merity, Keskar
    & Socher, "Regularizing and optimizing LSTM language models", ICLR 2018, for `weight_dropout`.
    """
    y = x.output if isinstance(x, Node) else x
    timed = [] if lengths is None else [lengths]
    names = list(layer.cell.weight_shapes(0, 0))
    finals: dict[str, Value] = {}
    if weight_dropout:
        assert rng is not None
        weights = {
            key: Dropout(weight, weight_dropout, rng, name=f"{name}.{key} dropout")
            if key.endswith("W_h")
            else weight
            for key, weight in weights.items()
        }
    i = 0
    while f"{i}.{names[0]}" in weights:
        if i and dropout:
            assert rng is not None
            y = Dropout(y, dropout, rng, name=f"{name}.{i}.dropout").output
        shown = []
        for direction in DIRECTIONS:
            own = f"{i}.{direction}"
            if own + names[0] not in weights:
                continue
            node = layer(
                Reverse(y, *timed, name=f"{name}.{own}turned") if direction else y,
                *(states[own + state] for state in layer.cell.states),
                *(weights[own + weight] for weight in names),
                *timed,
                name=f"{name}.{own}".removesuffix("."),
            )
            seen, *last = node.outputs
            finals.update(
                (own + state, value) for state, value in zip(layer.cell.states, last, strict=True)
            )
            if direction:
                seen = Reverse(seen, *timed, name=f"{name}.{own}turned back").output
            shown.append(seen)
        y = shown[0] if len(shown) == 1 else Concatenate(*shown, name=f"{name}.{i}.both").output
        i += 1
    return y, finals
