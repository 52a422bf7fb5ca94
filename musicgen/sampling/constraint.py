"""What a sampler asks before it draws."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

__all__ = ["Constraint"]


class Constraint(Protocol):
    """Says what may be drawn next; one object follows one sequence.

    It is given every symbol of the primer, then every symbol drawn. The end symbol is one of those
    that it allows or forbids. While the sequence goes on it must allow one symbol at least. Beam
    search makes copies with `copy.copy`: each must go its own way.
    """

    def allowed(self) -> npt.NDArray[np.bool_]:
        """Return which symbols may be next, ``(V,)``; whoever asks must not write to it."""

    def advance(self, symbol: int) -> None:
        """Take note of the next symbol."""
