"""The contract that every encoding fulfils."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Protocol, Self

import numpy as np
import numpy.typing as npt

__all__ = ["Encoding", "Symbols"]

Symbols = npt.NDArray[np.int32]


class Encoding(Protocol):
    """Pieces of one kind ↔ sequences of symbols, numbered from 0.

    Symbol 0 is the boundary: it ends every piece, and the first symbol of a piece is predicted
    from it.

    Attributes
    ----------
    name
        Short name, stored in model files.
    kind
        `Tune`, `Music` or `Audio`.
    head
        What the network predicts: ``"categorical"``, one symbol out of `size`.
    never
        Symbols that must not be drawn.
    """

    name: ClassVar[str]
    kind: ClassVar[type[Any]]
    head: ClassVar[str]
    never: ClassVar[tuple[int, ...]]

    @classmethod
    def fit(cls, pieces: Iterable[Any]) -> Self:
        """Make the encoding that suits these pieces; give it training pieces only."""

    @property
    def size(self) -> int:
        """Number of symbols."""

    def encode(self, piece: Any) -> Symbols:
        """Return the symbols of a piece ``(T,)``, the boundary last."""

    def decode(self, symbols: Iterable[int]) -> Any:
        """Return the piece of these symbols, up to the first boundary or the end."""

    def state(self) -> dict[str, Any]:
        """Return what `from_state` needs, as JSON-able data."""

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Make the encoding again."""
