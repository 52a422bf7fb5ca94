"""What the optimisers share: arrays that belong to each weight."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Array", "Optimiser"]

Array = npt.NDArray[Any]


class Optimiser:
    """Changes weights in place, given their gradients; knows nothing of the graph.

    A subclass says how one array changes (`change`); `slot` gives it memory that lasts from one
    update to the next, and zeros the first time.
    """

    def __init__(self) -> None:
        self.updates = 0
        self.slots: dict[str, dict[str, Array]] = {}
        self._scratch: dict[tuple[int, ...], Array] = {}

    def update(
        self, values: Mapping[str, Array], gradients: Mapping[str, Array], learning_rate: float
    ) -> None:
        """Change every array of `values` in place.

        Parameters
        ----------
        values, gradients
            Arrays of equal shapes by name.
        learning_rate
            η of this update.
        """
        self.updates += 1
        for name, value in values.items():
            self.change(name, value, gradients[name], learning_rate)

    def change(self, name: str, value: Array, gradient: Array, learning_rate: float) -> None:
        """Change one array in place."""
        raise NotImplementedError(f"{type(self).__name__}.change")

    def slot(self, kind: str, name: str, like: Array) -> Array:
        """Return the array of this kind that belongs to the weight `name`."""
        kept = self.slots.setdefault(kind, {})
        if name not in kept:
            kept[name] = np.zeros_like(like)
        return kept[name]

    def scratch(self, like: Array) -> Array:
        """Return memory for intermediate results, of any content, shared by equal shapes."""
        if like.shape not in self._scratch:
            self._scratch[like.shape] = np.empty_like(like)
        return self._scratch[like.shape]
