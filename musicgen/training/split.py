"""What is learned from, and what is set aside to judge by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from musicgen.errors import CorpusError

__all__ = ["split"]

P = TypeVar("P")


def split(
    pieces: Sequence[P], fraction: float, rng: np.random.Generator
) -> tuple[list[P], list[P]]:
    """Set a share of the pieces aside for validation.

    Parameters
    ----------
    pieces
        At least two.
    fraction
        Share to set aside; at least one piece is, and at least one stays.
    rng
        Source of the choice.

    Returns
    -------
    tuple of list
        Training pieces and validation pieces, each in their former order.

    Raises
    ------
    CorpusError
        When there are less than two pieces, or the share is not between 0 and 1.
    """
    if not 0 < fraction < 1:
        raise CorpusError(f"the share for validation is {fraction}; expected between 0 and 1")
    if len(pieces) < 2:
        count = f"{len(pieces)} piece{'s' * (len(pieces) != 1)}"
        raise CorpusError(f"{count} cannot be split into training and validation; expected 2")
    count_aside = min(max(1, round(fraction * len(pieces))), len(pieces) - 1)
    aside = set(rng.permutation(len(pieces))[:count_aside].tolist())
    return (
        [piece for i, piece in enumerate(pieces) if i not in aside],
        [piece for i, piece in enumerate(pieces) if i in aside],
    )
