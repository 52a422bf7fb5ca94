"""The values of events: which are kept, and which stand for others."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from musicgen.encodings.timeline import Program

__all__ = ["levels", "nearest", "parts"]


def parts(steps: int, longest: int) -> set[int]:
    """Return the values, `longest` at most, that so many steps are composed of.

    Examples
    --------
    >>> parts(7, 48), parts(100, 48), parts(96, 48)
    ({7}, {48, 4}, {48})
    """
    whole, rest = divmod(steps, longest)
    return {part for part in (whole and longest, rest) if part}


def levels(counts: Counter[int], most: int) -> set[int]:
    """Return values that each stand for an equal share of what was counted; all when they are few.

    Examples
    --------
    >>> sorted(levels(Counter({60: 5, 70: 90, 80: 5}), 3))
    [60, 70, 80]
    >>> sorted(levels(Counter(range(1, 101)), 4))
    [13, 38, 63, 88]
    """
    if len(counts) <= most:
        return set(counts)
    ordered = sorted(counts)
    share = np.cumsum([counts[value] for value in ordered]) / counts.total()
    middles = (np.arange(most) + 0.5) / most
    return {ordered[place] for place in np.searchsorted(share, middles)}


def nearest(family: str, value: Any, known: Iterable[Any]) -> Any:
    """Return the known value that is most like this one; None where none is like it.

    Metres are compared by the length of their bars; programs of one General MIDI family, eight
    numbers each, come before others; no drum kit is like an instrument.

    Examples
    --------
    >>> nearest("metre", (12, 8), [(2, 4), (3, 4), (6, 4)])
    (6, 4)
    >>> nearest("program", (False, 40), [(False, 39), (False, 47)])
    (False, 47)
    >>> nearest("program", (True, 0), [(False, 0)])
    """
    distances = {other: _DISTANCE[family](value, other) for other in known}
    found = min(distances, key=distances.__getitem__, default=None)
    return None if found is None or distances[found] == math.inf else found


def _program_distance(a: Program, b: Program) -> float:
    if a[0] != b[0]:
        return math.inf
    return abs(a[1] - b[1]) + (0 if a[1] // 8 == b[1] // 8 else 128)


_DISTANCE: dict[str, Callable[[Any, Any], Any]] = {
    "metre": lambda a, b: (abs(a[0] / a[1] - b[0] / b[1]), abs(a[1] - b[1])),
    "key": lambda a, b: (abs(a[0] - b[0]), a[1] != b[1]),
    "tempo": lambda a, b: abs(a - b),
    "program": _program_distance,
    "velocity": lambda a, b: abs(a - b),
}
