"""ABC text as a sequence of characters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Self

import numpy as np

from musicgen.encodings.abc_alignment import align_characters
from musicgen.encodings.abc_constraint import AbcConstraint
from musicgen.encodings.alignment import Alignment
from musicgen.encodings.base import BOUNDARY, Symbols
from musicgen.errors import EncodingError
from musicgen.formats import abc
from musicgen.music import Tune

__all__ = ["Characters"]

UNKNOWN = BOUNDARY + 1


class Characters:
    r"""One symbol a character of the ABC text (report, chapter 8).

    Symbol 0 ends a tune, symbol 1 stands for a character that the training tunes lack; the
    characters follow in the order of their code points.

    Parameters
    ----------
    vocabulary
        The characters, each once.

    Examples
    --------
    >>> encoding = Characters.fit([Tune("X:1\nK:C\nCDE|\n")])
    >>> encoding.vocabulary
    '\n1:CDEKX|'
    >>> symbols = encoding.encode(Tune("K:E\n"))
    >>> symbols
    array([8, 4, 7, 2, 0], dtype=int32)
    >>> encoding.decode(symbols).text
    'K:E\n'
    """

    name: ClassVar[str] = "characters"
    kind: ClassVar[type[Tune]] = Tune
    head: ClassVar[str] = "categorical"
    unit: ClassVar[str] = "character"
    losses: ClassVar[tuple[str, ...]] = ("characters that no training tune holds",)
    never: ClassVar[tuple[int, ...]] = (UNKNOWN,)

    def __init__(self, vocabulary: str) -> None:
        self.vocabulary = vocabulary
        self._number = {character: i for i, character in enumerate(vocabulary, UNKNOWN + 1)}

    @classmethod
    def fit(cls, pieces: Iterable[Tune]) -> Self:
        """Collect the characters of these tunes."""
        return cls("".join(sorted(set().union(*(tune.text for tune in pieces)))))

    @property
    def size(self) -> int:
        """Number of symbols."""
        return len(self.vocabulary) + UNKNOWN + 1

    def encode(self, piece: Tune) -> Symbols:
        """Return the numbers of the tune's characters, then 0."""
        numbers = [self._number.get(character, UNKNOWN) for character in piece.text]
        return np.array([*numbers, BOUNDARY], np.int32)

    def align(self, piece: Tune) -> Alignment:
        """Encode a tune and tell which characters are of which note.

        Raises
        ------
        FormatError
            When the tune cannot be read.
        """
        names = {" ": "space", "\n": "line end"}
        labels = ["end", "unknown", *(names.get(sign, sign) for sign in self.vocabulary)]
        return align_characters(abc.parse(piece), self.encode(piece), labels, piece)

    def encode_primer(self, piece: Tune) -> Symbols:
        """Return the numbers of the tune's characters.

        Raises
        ------
        EncodingError
            When it holds characters that the vocabulary lacks; the message names them.
        """
        lacking = sorted(set(piece.text) - set(self.vocabulary))
        if lacking:
            raise EncodingError(
                f"the primer holds {', '.join(map(repr, lacking))}, which the model never saw; "
                f"it knows: {''.join(c for c in self.vocabulary if c.isprintable())}"
            )
        return np.array([self._number[character] for character in piece.text], np.int32)

    def decode(self, array: Iterable[int]) -> Tune:
        """Return the tune, up to the first boundary."""
        characters = []
        for symbol in array:
            if symbol == BOUNDARY:
                break
            if symbol == UNKNOWN:
                raise EncodingError("symbol 1 stands for an unknown character, not for any one")
            characters.append(self.vocabulary[symbol - UNKNOWN - 1])
        return Tune("".join(characters))

    @property
    def texts(self) -> tuple[str | None, ...]:
        """Text of each symbol; None for the boundary and for the unknown."""
        return (None, None, *self.vocabulary)

    @property
    def usual_length(self) -> int:
        """Most characters of a sample where no number is asked for."""
        return 3000

    def constraint(
        self,
        *,
        key: str | None = None,
        metre: str | None = None,
        bars: int | None = None,
        title: str | None = None,
    ) -> AbcConstraint:
        """Return what keeps a sample sound: its bars add up, and all that opens is closed.

        Raises
        ------
        EncodingError
            When the characters do not suffice for a condition, or for any tune.
        """
        return AbcConstraint(self.texts, key=key, metre=metre, bars=bars, title=title)

    def state(self) -> dict[str, Any]:
        """Return the vocabulary."""
        return {"vocabulary": self.vocabulary}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Make the encoding again."""
        return cls(state["vocabulary"])
