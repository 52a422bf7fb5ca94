"""Which words can be spelled with given pieces of text, and from which beginnings."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator

__all__ = ["Spelling"]

LAST = chr(0x10FFFF)
"""Comes after every character of a word."""


class Spelling:
    """A set of words, and the pieces of text that they are to be put together from.

    The words with the same beginning lie side by side when they are sorted, so that nothing is
    worked out for beginnings that are never asked for.

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
        self._sorted = sorted(self.words)
        self._texts: dict[str, list[str]] = {}
        for text in texts:
            self._texts.setdefault(text[:1], []).append(text)
        self._begins: dict[str, bool] = {}
        self._leads: dict[str, bool] = {}
        self._reachable: dict[str, frozenset[str]] = {}

    def begins(self, text: str) -> bool:
        """Whether a word starts with this text, or is it."""
        found = self._begins.get(text)
        if found is None:
            at = bisect_left(self._sorted, text)
            found = at < len(self._sorted) and self._sorted[at].startswith(text)
            self._begins[text] = found
        return found

    def spelled(self, start: str) -> Iterator[str]:
        """Give the words, `start` itself included, that pieces after `start` can lead to."""
        met, begun = {start}, [start]
        while begun:
            beginning = begun.pop()
            if beginning in self.words:
                yield beginning
            for character in self._next(beginning):
                for text in self._texts.get(character, ()):
                    longer = beginning + text
                    if longer not in met and self.begins(longer):
                        met.add(longer)
                        begun.append(longer)

    def reachable(self, start: str) -> frozenset[str]:
        """Return all these words."""
        found = self._reachable.get(start)
        if found is None:
            found = self._reachable[start] = frozenset(self.spelled(start))
        return found

    def leads(self, start: str) -> bool:
        """Whether there is such a word."""
        found = self._leads.get(start)
        if found is None:
            found = self._leads[start] = next(self.spelled(start), None) is not None
        return found

    def _next(self, start: str) -> Iterator[str]:
        """Give the characters that words go on with after a beginning."""
        words, size = self._sorted, len(start)
        at = bisect_left(words, start)
        while at < len(words) and words[at].startswith(start):
            if len(words[at]) == size:
                at += 1
                continue
            yield words[at][size]
            at = bisect_left(words, words[at][: size + 1] + LAST, at)
