"""Windows that slide over the axes between the first and the last."""

from __future__ import annotations

import itertools
import math
from types import EllipsisType

from musicgen.engine.node import Array, Shape

__all__ = ["Windows", "spread"]

Index = tuple[slice | int | EllipsisType, ...]


def spread(setting: int | tuple[int, ...], axes: int) -> tuple[int, ...]:
    """Return a setting for each axis: itself where there are several, or the same for all."""
    return (setting,) * axes if isinstance(setting, int) else tuple(setting)


class Windows:
    """All patches of x ``(…, n_1 … n_d, C)`` that a window sees from its stands.

    Along an axis of length n a window of k places stands at p = 0, 1 …; its place i sees
    ``x[p · stride + i · dilation − before]``, or 0 where that lies outside x. It reaches over
    ``e = (k − 1) · dilation + 1`` elements.

    Parameters
    ----------
    lengths, sizes, strides, dilations
        n, k and the steps of each axis.
    padding
        "valid": the window stays within x, ``before = 0``, with ``⌊(n − e) / stride⌋ + 1`` stands.
        "same": ``⌈n / stride⌉`` stands, and as few zeros around x as they need; where their number
        is odd the extra one comes after x.

    Attributes
    ----------
    counts
        Stands along each axis; below 1 where the window does not fit.
    places
        Places in a window.

    Examples
    --------
    >>> import numpy as np
    >>> windows = Windows((4,), (3,), (2,), (1,), "same")
    >>> x = np.array([[1], [2], [3], [4]])
    >>> patches = windows.gather(x, np.zeros(windows.shape(x.shape), int))
    >>> patches[..., 0]
    array([[1, 2, 3],
           [3, 4, 0]])
    >>> windows.scatter(patches, x)[:, 0]
    array([1, 2, 6, 4])
    """

    def __init__(
        self,
        lengths: Shape,
        sizes: tuple[int, ...],
        strides: tuple[int, ...],
        dilations: tuple[int, ...],
        padding: str,
    ) -> None:
        axes = [
            _axis(*settings, padding == "same")
            for settings in zip(lengths, sizes, strides, dilations, strict=True)
        ]
        self.counts = tuple(count for count, _ in axes)
        self.places = math.prod(sizes)
        self._pairs: list[tuple[Index, Index]] = []
        for place, views in enumerate(itertools.product(*(views for _, views in axes))):
            stands, seen = zip(*views, strict=True)
            self._pairs.append(((..., *stands, place, slice(None)), (..., *seen, slice(None))))

    def shape(self, shape: Shape) -> Shape:
        """Return the shape of the patches, ``(…, stands, places, C)``, for that of x."""
        return (*shape[: -len(self.counts) - 1], *self.counts, self.places, shape[-1])

    def views(self, x: Array) -> list[Array]:
        """Return for each place of the window what it sees, where nothing lies outside x."""
        return [x[seen] for _, seen in self._pairs]

    def gather(self, x: Array, patches: Array) -> Array:
        """Copy what each window sees.

        Parameters
        ----------
        x
            What the window slides over.
        patches
            Where the result goes: zeros, or the result for another x, which has the same padding.
        """
        for patch, seen in self._pairs:
            patches[patch] = x[seen]
        return patches

    def scatter(self, patches: Array, x: Array) -> Array:
        """Add each window's elements up where it saw them: the transpose of `gather`."""
        x[...] = 0
        for patch, seen in self._pairs:
            x[seen] += patches[patch]
        return x


def _axis(
    n: int, size: int, stride: int, dilation: int, same: bool
) -> tuple[int, list[tuple[slice, slice]]]:
    """Return the number of stands, and for each place where it sees x: from which, and what."""
    reach = (size - 1) * dilation + 1
    count = -(-n // stride) if same else (n - reach) // stride + 1
    before = max((count - 1) * stride + reach - n, 0) // 2 if same else 0
    views = []
    for start in range(-before, reach - before, dilation):
        first = max(-(start // stride), 0)
        stop = max(min((n - 1 - start) // stride + 1, count), first)
        seen = slice(start + first * stride, start + stop * stride, stride)
        views.append((slice(first, stop), seen))
    return count, views
