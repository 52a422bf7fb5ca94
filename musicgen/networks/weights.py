"""Weights of a network, taken over from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from musicgen.engine import Array, Parameter, Shape
from musicgen.errors import ModelError

__all__ = ["check_weights", "load_weights"]


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


def load_weights(parameters: Mapping[str, Parameter], weights: Mapping[str, Array]) -> None:
    """Copy weights into the parameters of these names.

    Raises
    ------
    ModelError
        As `check_weights`; then none is changed.
    """
    check_weights({name: parameter.value.shape for name, parameter in parameters.items()}, weights)
    for name, parameter in parameters.items():
        np.copyto(parameter.value, weights[name])
