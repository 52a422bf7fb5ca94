"""What a network answers all over a plane."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from musicgen.charts import Heatmap
from musicgen.engine import Array

__all__ = ["decision_surface"]

RESOLUTION = 80  # places along a side


def decision_surface(
    title: str,
    predict: Callable[[Array], Array],
    low: float,
    high: float,
    points: Mapping[str, Array],
) -> Heatmap:
    """Ask a network all over the square ``[low, high]²``.

    Parameters
    ----------
    title
        Text above the chart.
    predict
        Takes places ``(N, 2)`` and returns outputs ``(N, 1)``, from 0 to 1.
    low, high
        Bounds of both co-ordinates.
    points
        Examples ``(n, 2)`` by class, to lie over it.
    """
    side = low + (high - low) * (np.arange(RESOLUTION) + 0.5) / RESOLUTION
    x2, x1 = np.meshgrid(side, side, indexing="ij")
    values = predict(np.stack([x1.ravel(), x2.ravel()], axis=1)).reshape(x1.shape)
    return Heatmap(title, "x1", "x2", values, extent=(low, high, low, high), points=points)
