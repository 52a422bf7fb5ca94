"""A vocabulary: texts ↔ symbols."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Self

import numpy as np

from musicgen.encodings.base import BOUNDARY, Symbols
from musicgen.errors import EncodingError

__all__ = ["UNKNOWN", "Vocabulary"]

UNKNOWN = BOUNDARY + 1
"""The symbol of every text that the vocabulary lacks."""

MANY = 100


class Vocabulary:
    """Texts, numbered from 2: 0 is the boundary and 1 stands for any text that is unknown.

    Parameters
    ----------
    texts
        The texts in the order of their numbers, each once.

    Attributes
    ----------
    texts
        The text of each symbol; None for the boundary and for the unknown.

    Examples
    --------
    >>> vocabulary = Vocabulary(["C", "D"])
    >>> vocabulary.encode(["D", "C", "E"])
    array([3, 2, 1, 0], dtype=int32)
    >>> vocabulary.decode([3, 2, 0])
    ['D', 'C']
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self.texts: tuple[str | None, ...] = (None, None, *texts)
        self._number = {text: number for number, text in enumerate(self.texts) if text is not None}

    @classmethod
    def count(cls, pieces: Iterable[Iterable[str]], least: int | None = 1) -> Self:
        """Collect, in alphabetical order, the texts that at least `least` pieces hold.

        Parameters
        ----------
        pieces
            The texts of each piece.
        least
            None means 2 from a hundred pieces on, and else 1: with a few pieces, what one of them
            holds is no exception.

        Raises
        ------
        EncodingError
            When `least` is below 1.

        Examples
        --------
        >>> Vocabulary.count([["C", "E", "C"], ["D", "E"]], least=2).texts
        (None, None, 'E')
        """
        if least is not None and least < 1:
            raise EncodingError(f"least is {least}; expected 1 or more")
        holding: Counter[str] = Counter()
        count = 0
        for texts in pieces:
            holding.update(set(texts))
            count += 1
        few = least or (2 if count >= MANY else 1)
        return cls(sorted(text for text, held in holding.items() if held >= few))

    def __len__(self) -> int:
        return len(self.texts)

    def __contains__(self, text: str) -> bool:
        return text in self._number

    def symbols(self, texts: Iterable[str]) -> Symbols:
        """Return the symbols ``(T,)`` of these texts."""
        return np.array([self._number.get(text, UNKNOWN) for text in texts], np.int32)

    def encode(self, texts: Iterable[str]) -> Symbols:
        """Return the symbols ``(T,)`` of these texts, the boundary last."""
        return np.append(self.symbols(texts), np.int32(BOUNDARY))

    def decode(self, symbols: Iterable[int]) -> list[str]:
        """Return the texts of these symbols, up to the first boundary.

        Raises
        ------
        EncodingError
            For the symbol of the unknown, and for a number that is no symbol.
        """
        found = []
        for symbol in symbols:
            if symbol == BOUNDARY:
                break
            text = self.texts[symbol] if 0 < symbol < len(self.texts) else None
            if text is None:
                raise EncodingError(
                    f"symbol {symbol} has no text of its own; expected {BOUNDARY} for the end, or "
                    f"{UNKNOWN + 1} to {len(self.texts) - 1}"
                )
            found.append(text)
        return found
