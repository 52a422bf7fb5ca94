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

    `updates` counts the updates of each weight: one that was frozen starts when it is thawed.

    A subclass says how one array changes (`change`); `slot` gives it memory that lasts from one
    update to the next, and zeros the first time; `descend` takes the step, with momentum or not.
    """

    def __init__(self) -> None:
        self.updates: dict[str, int] = {}
        self.slots: dict[str, dict[str, Array]] = {}
        self._scratch: dict[tuple[str, tuple[int, ...], np.dtype[Any]], Array] = {}

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
        for name, value in values.items():
            self.updates[name] = self.updates.get(name, 0) + 1
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

    def scratch(self, kind: str, like: Array) -> Array:
        """Return memory for intermediate results, of any content, shared by all alike arrays."""
        key = kind, like.shape, like.dtype
        if key not in self._scratch:
            self._scratch[key] = np.empty_like(like)
        return self._scratch[key]

    def descend(self, name: str, value: Array, step: Array, momentum: float) -> None:
        """``v ← μ v − step; w ← w + v``, which without momentum is ``w ← w − step``."""
        if not momentum:
            np.subtract(value, step, out=value)
            return
        v = self.slot("v", name, value)
        np.multiply(v, momentum, out=v)
        np.subtract(v, step, out=v)
        np.add(value, v, out=value)
