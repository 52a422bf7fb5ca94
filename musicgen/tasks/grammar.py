"""The Reber grammars: automata that make words and know which letter may follow."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from musicgen.errors import ModelError

__all__ = ["EMBEDDED_REBER", "LETTERS", "REBER", "Automaton", "embed"]

LETTERS = "BTPSXVE"


@dataclass(frozen=True, slots=True)
class Automaton:
    """A deterministic finite automaton: the words of a regular grammar are the ways through it.

    Attributes
    ----------
    table
        For each state, the state that every possible letter leads to. A word starts in state 0
        and ends in the one state that has no way on, the last.

    Examples
    --------
    >>> REBER.accepts("BTXXVVE"), REBER.accepts("BTXXVV"), REBER.accepts("BTV")
    (True, False, False)
    >>> REBER.following("BTXXVVE")
    ['TP', 'SX', 'XS', 'TV', 'PV', 'E']
    >>> rng = np.random.default_rng(0)
    >>> REBER.words(rng, 2), REBER.words(rng, 2, length=12)
    (['BTSSXSE', 'BPVVE'], ['BTXXVPXTTVVE', 'BTXXTVPXTVVE'])
    """

    table: Sequence[Mapping[str, int]]

    def following(self, start: str) -> list[str]:
        """Return the letters that may follow after each letter of the start of a word.

        Parameters
        ----------
        start
            A word, or the beginning of one; after the last letter of a word none may follow, and
            it has no entry.

        Raises
        ------
        ModelError
            When the grammar has no word that starts so.
        """
        state, found = 0, []
        for place, letter in enumerate(start):
            ways = self.table[state]
            if letter not in ways:
                raise ModelError(
                    f"{start!r} is not in the grammar: letter {place + 1} is {letter!r}; "
                    f"expected {' or '.join(ways) or 'the end'}"
                )
            state = ways[letter]
            found.append("".join(self.table[state]))
        return found if self.table[state] else found[:-1]

    def accepts(self, word: str) -> bool:
        """Say whether this is a word of the grammar, and a whole one."""
        try:
            return len(self.following(word)) == len(word) - 1
        except ModelError:
            return False

    def words(
        self,
        rng: np.random.Generator,
        count: int,
        *,
        length: int | None = None,
        longest: int | None = None,
    ) -> list[str]:
        """Make words.

        Parameters
        ----------
        rng
            Source of the choices.
        count
            How many words.
        length
            Letters of each; every word of that length is equally likely. Without it, every letter
            that may follow is equally likely, which makes short words frequent.
        longest
            Without a length: longer words are left out, and others made instead.

        Raises
        ------
        ModelError
            When no word is as long, or as short, as that.
        """
        if length is None:
            return self._words_up_to(rng, count, longest)
        endings = self._count_endings(length)
        if not endings[length][0]:
            raise ModelError(f"the grammar has no word of {length} letters; choose another length")
        return [self._word(rng, endings) for _ in range(count)]

    def _words_up_to(self, rng: np.random.Generator, count: int, longest: int | None) -> list[str]:
        if longest is not None and not any(row[0] for row in self._count_endings(longest)):
            raise ModelError(f"the grammar has no word of up to {longest} letters; allow more")
        words: list[str] = []
        while len(words) < count:
            word = self._word(rng, None)
            if longest is None or len(word) <= longest:
                words.append(word)
        return words

    def _count_endings(self, longest: int) -> list[list[int]]:
        """Count, for 0 … longest letters and each state, the ways to the end from there."""
        counts = [[int(not ways) for ways in self.table]]
        for _ in range(longest):
            counts.append([sum(counts[-1][to] for to in ways.values()) for ways in self.table])
        return counts

    def _word(self, rng: np.random.Generator, endings: list[list[int]] | None) -> str:
        """Make a word: a way is as likely as it has endings, or as likely as any other."""
        state, word = 0, ""
        while ways := self.table[state]:
            if endings is None:
                weights = [1] * len(ways)
            else:
                weights = [endings[-2 - len(word)][to] for to in ways.values()]
            ends = list(accumulate(weights))
            letter = list(ways)[bisect(ends, rng.random() * ends[-1])]
            state = ways[letter]
            word += letter
        return word


def embed(inner: Automaton) -> Automaton:
    """Return the grammar of B, then T or P, a word of another grammar, the same T or P again, E.

    Examples
    --------
    >>> embed(REBER).accepts("BTBPVVETE"), embed(REBER).accepts("BTBPVVEPE")
    (True, False)
    """
    table: list[dict[str, int]] = [{"B": 1}, {}]
    n = len(inner.table)
    before_last = 2 + 2 * n
    for letter in "TP":
        start = table[1][letter] = len(table)
        table += [{of: start + to for of, to in ways.items()} for ways in inner.table]
        table[-1][letter] = before_last
    return Automaton([*table, {"E": before_last + 1}, {}])


REBER = Automaton(
    [
        {"B": 1},
        {"T": 2, "P": 3},
        {"S": 2, "X": 4},
        {"T": 3, "V": 5},
        {"X": 3, "S": 6},
        {"P": 4, "V": 6},
        {"E": 7},
        {},
    ]
)
EMBEDDED_REBER = embed(REBER)
