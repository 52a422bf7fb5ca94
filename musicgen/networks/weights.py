"""Weights of a network: counted, copied out, taken over from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from musicgen.engine import Array, Parameter, Shape
from musicgen.errors import ModelError

__all__ = ["Weighted", "check_weights"]


def check_weights(shapes: Mapping[str, Shape], weights: Mapping[str, Array]) -> None:
    """Make sure that weights are those of a network.

    Parameters
    ----------
    shapes, weights
        By name: what the network has, and what is given.

    Raises
    ------
    ModelError
        When a weight is missing, too many, or of another shape.
    """
    if shapes.keys() != weights.keys():
        odd = ", ".join(sorted(shapes.keys() ^ weights.keys()))
        raise ModelError(f"the weights do not fit the layers: {odd}")
    for name, shape in shapes.items():
        if weights[name].shape != shape:
            raise ModelError(f"weight {name} is {weights[name].shape}; expected {shape}")


class Weighted:
    """What networks share that hold their weights as parameters by name.

    Attributes
    ----------
    parameters
        The weights by dotted name.
    """

    parameters: dict[str, Parameter]

    @property
    def size(self) -> int:
        """Number of weights."""
        return sum(parameter.size for parameter in self.parameters.values())

    def weights(self) -> dict[str, Array]:
        """Return copies of all weights by name."""
        return {name: parameter.value.copy() for name, parameter in self.parameters.items()}

    def load_weights(self, weights: Mapping[str, Array]) -> None:
        """Take over what `weights` returned, of a network of the same shape.

        Raises
        ------
        ModelError
            When a weight is missing, too many, or of another shape; then none is changed.
        """
        check_weights({name: p.value.shape for name, p in self.parameters.items()}, weights)
        for name, parameter in self.parameters.items():
            np.copyto(parameter.value, weights[name])
