"""Which words can be spelled with given pieces of text, and from which beginnings."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

__all__ = ["Spelling"]


class Spelling:
    """A set of words, and the pieces of text that they are to be put together from.

    Parameters
    ----------
    words
        The words.
    texts
        The pieces, each as often as needed.

    Examples
    --------
    >>> spelling = Spelling(["3", "3/2", "12"], ["3", "/2", "1"])
    >>> sorted(spelling.reachable("")), sorted(spelling.reachable("3/"))
    (['3', '3/2'], [])
    >>> spelling.begins("1"), spelling.begins("2")
    (True, False)
    """

    def __init__(self, words: Iterable[str], texts: Iterable[str]) -> None:
        self.words = frozenset(words)
        self._next = _continuations(self.words)
        self._texts: dict[str, list[str]] = {}
        for text in texts:
            self._texts.setdefault(text[:1], []).append(text)
        self._reachable: dict[str, frozenset[str]] = {}

    def begins(self, text: str) -> bool:
        """Whether a word starts with this text, or is it."""
        return text in self._next

    def reachable(self, start: str) -> frozenset[str]:
        """Return the words, `start` itself included, that pieces after `start` can lead to."""
        found = self._reachable.get(start)
        if found is None:
            words = {start} & self.words
            for character in self._next.get(start, ()):
                for text in self._texts.get(character, ()):
                    if start + text in self._next:
                        words |= self.reachable(start + text)
            found = self._reachable[start] = frozenset(words)
        return found


@lru_cache(maxsize=64)
def _continuations(words: frozenset[str]) -> dict[str, set[str]]:
    """Find each beginning of the words, and the characters that go on from it."""
    found: dict[str, set[str]] = {word: set() for word in words}
    for word in words:
        for end in range(len(word)):
            found.setdefault(word[:end], set()).add(word[end])
    return found
