"""What a picture shows, as plain data: who computes it need not load what draws it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["Chart", "Heatmap", "Lines"]


class Lines(NamedTuple):
    """Curves over one abscissa.

    Attributes
    ----------
    title, x, y
        Text above, below and beside it.
    lines
        Abscissas and ordinates by label; a label that ends in "bound" is dashed.
    x_log, y_log
        Whether an axis is logarithmic.
    """

    title: str
    x: str
    y: str
    lines: Mapping[str, tuple[Sequence[float], Sequence[float]]]
    x_log: bool = False
    y_log: bool = True


class Heatmap(NamedTuple):
    """Values over a plane, or in a table.

    Attributes
    ----------
    title, x, y
        Text above, below and beside it.
    values
        ``(rows, columns)``, the first row lowest; from 0 to 1.
    extent
        Left, right, bottom and top in the units of the axes; without it rows and columns are
        labelled one by one.
    columns, rows
        Labels, where there is no extent; then every value is written into its field.
    points
        Points ``(n, 2)`` by label, to lie over it.
    """

    title: str
    x: str
    y: str
    values: npt.NDArray[np.floating]
    extent: tuple[float, float, float, float] | None = None
    columns: Sequence[str] = ()
    rows: Sequence[str] = ()
    points: Mapping[str, npt.NDArray[np.floating]] = {}


Chart = Lines | Heatmap
