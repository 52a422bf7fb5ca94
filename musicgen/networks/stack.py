"""Feed-forward layers one after the other: their shapes, weights and nodes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from musicgen.engine import Input, Node, Parameter, Shape, scope
from musicgen.errors import ModelError
from musicgen.networks.layers import Embedding, Layer
from musicgen.networks.weights import Weighted

__all__ = ["LayerStack"]


class _Stage(NamedTuple):
    name: str
    layer: Layer
    weights: dict[str, Parameter]
    shape: Shape

    @property
    def size(self) -> int:
        return sum(parameter.size for parameter in self.weights.values())


class LayerStack(Weighted):
    """Layers with their weights, from which graphs are built.

    Parameters
    ----------
    input_shape
        Of one example: without the batch's axis.
    layers
        Descriptions from `musicgen.networks.layers`.
    rng
        Draws the weights.
    dtype
        Type of the weights.

    Attributes
    ----------
    parameters
        The weights by dotted name: ``"dense_1.W"``. Optimisers leave one that is `frozen` alone.
    output_shape
        Of one example.

    Raises
    ------
    GraphError, ModelError
        When a layer does not fit the one before.
    """

    def __init__(
        self,
        input_shape: Shape,
        layers: Iterable[Layer],
        rng: np.random.Generator,
        dtype: npt.DTypeLike,
    ) -> None:
        self.layers = list(layers)
        if not self.layers:
            raise ModelError("there are no layers; expected one or more")
        self.input_shape, self.dtype = input_shape, np.dtype(dtype)
        self._stages: list[_Stage] = []
        kinds: Counter[str] = Counter()
        # With dropout and all, so that a setting which does not fit is found now.
        x: Node = self._input(1)
        for layer in self.layers:
            kind = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(layer).__name__).lower()
            kinds[kind] += 1
            name = f"{kind}_{kinds[kind]}"
            with scope(name):
                arrays = layer.initial_weights(rng, x.output.shape[1:], self.dtype)
                weights = {key: Parameter(key, array) for key, array in arrays.items()}
                x = layer.build(x, weights, True, rng)
            for key in layer.frozen:
                weights[key].frozen = True
            self._stages.append(_Stage(name, layer, weights, x.output.shape[1:]))
        self.output_shape = x.output.shape[1:]
        self.parameters = {p.name: p for stage in self._stages for p in stage.weights.values()}

    def _input(self, B: int) -> Input:
        integers = isinstance(self.layers[0], Embedding)
        return Input("x", (B, *self.input_shape), np.int64 if integers else self.dtype)

    def build(self, B: int, training: bool, rng: np.random.Generator) -> Node:
        """Return the output for a batch as a node; the input is called ``x``.

        Parameters
        ----------
        B
            Examples in the batch.
        training
            Whether the graph is for training.
        rng
            Source of the dropout masks.
        """
        x: Node = self._input(B)
        for name, layer, weights, _ in self._stages:
            with scope(name):
                x = layer.build(x, weights, training, rng)
        return x

    def summary(self) -> str:
        """Return a table of the layers: names, shapes of the outputs, numbers of weights."""
        rows = [(stage.name, str(stage.shape), f"{stage.size:,}") for stage in self._stages]
        rows.insert(0, ("layer", "output", "parameters"))
        a, b, c = (max(map(len, column)) for column in zip(*rows, strict=True))
        frozen = sum(p.size for p in self.parameters.values() if p.frozen)
        counts = {"total": self.size, "trainable": self.size - frozen, "not trainable": frozen}
        return "\n".join(
            [f"{name:{a}}  {shape:{b}}  {size:>{c}}" for name, shape, size in rows]
            + [f"{name}: {count:,}" for name, count in counts.items()]
        )
