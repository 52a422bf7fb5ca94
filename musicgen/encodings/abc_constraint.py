"""What may be drawn next, so that a sample is ABC whose bars add up."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from musicgen.encodings.base import BOUNDARY
from musicgen.errors import EncodingError
from musicgen.formats.abc.grammar import Grammar, State

__all__ = ["AbcConstraint"]

MAX_STATES = 200_000
"""More states than this are forgotten: a state with its mask takes about a kilobyte."""

MAX_TAIL = 24


class _Node:
    """A state that has been met.

    Attributes
    ----------
    state
        The state, folded; None after the end.
    allowed
        Which symbols may follow.
    after
        Symbol, spare measures as far as they matter → the node it led to, and their change.
    """

    __slots__ = ("after", "allowed", "state")

    def __init__(self, state: State | None, allowed: npt.NDArray[np.bool_]) -> None:
        self.state = state
        self.allowed = allowed
        self.after: dict[tuple[int, int], tuple[_Node, int]] = {}


class _Automaton:
    """The states of a grammar as far as they have been met, shared by all who walk over them."""

    def __init__(self, grammar: Grammar, texts: tuple[str | None, ...]) -> None:
        self._grammar, self._texts, self.reach = grammar, texts, grammar.reach
        self._nodes: dict[State, _Node] = {}
        self._masks: dict[Hashable, npt.NDArray[np.bool_]] = {}
        end = np.zeros(len(texts), np.bool_)
        end[BOUNDARY] = True
        end.flags.writeable = False
        self._end = _Node(None, end)
        self.start = self._node(grammar.start)

    def advance(self, node: _Node, spare: int, symbol: int) -> tuple[_Node, int]:
        """Return the node that an allowed symbol leads to, and the measures to spare there."""
        if symbol == BOUNDARY:
            return self._end, 0
        state = node.state and self._grammar.advance(node.state, self._texts[symbol] or "")
        assert state is not None
        state, left = self._grammar.fold(self._grammar.unfold(state, spare))
        found = self._nodes.get(state) or self._node(state)
        node.after[symbol, min(spare, self.reach)] = found, left - spare
        return found, left

    def _node(self, state: State) -> _Node:
        if len(self._nodes) > MAX_STATES:
            for node in self._nodes.values():
                node.after.clear()
            self._nodes.clear()
            self._masks.clear()
        digest = self._grammar.digest(state)
        mask = self._masks.get(digest)
        if mask is None:
            mask = self._masks[digest] = self._mask(state)
        node = self._nodes[state] = _Node(state, mask)
        return node

    def _mask(self, state: State) -> npt.NDArray[np.bool_]:
        followers = self._grammar.followers(state)
        allowed = np.array([text in followers for text in self._texts])
        allowed[BOUNDARY] = self._grammar.may_end(state)
        allowed.flags.writeable = False
        return allowed


@lru_cache(maxsize=8)
def _automaton(texts: tuple[str | None, ...], **conditions: Any) -> _Automaton:
    grammar = Grammar((text for text in texts if text), **conditions)
    return _Automaton(grammar, texts)


class AbcConstraint:
    r"""Allows the symbols after which a tune can still be completed; fulfils `Constraint`.

    What is drawn under it parses strictly, and all its bars add up; see
    `~musicgen.formats.abc.grammar.Grammar`. Symbols of several voices are never allowed.

    Parameters
    ----------
    texts
        Text of each symbol; None for the boundary, 0, and for the unknown.
    metre, key, title
        What the header must say, such as ``"6/8"`` and ``"Ador"``; the model decides when None.
    bars
        Number of bars after which the tune must end. When None, the model decides, at a bar line
        with all repeats closed.
    most_bars
        Number of bars after which it must end in any case.
    unit_length
        The unit note length where the texts say none; when None it follows from the metre.

    Raises
    ------
    EncodingError
        When no tune can be written with these texts, or none of these conditions.

    Examples
    --------
    >>> texts = [None, "M:2/4\n", "K:C\n", "C", "2", "|"]
    >>> constraint = AbcConstraint(texts, bars=1, unit_length=Fraction(1, 8))
    >>> for symbol in [1, 2, 3, 4]:
    ...     constraint.advance(symbol)
    >>> [texts[symbol] for symbol in np.flatnonzero(constraint.allowed())]
    ['C', '|']
    """

    def __init__(
        self,
        texts: Sequence[str | None],
        *,
        metre: str | None = None,
        key: str | None = None,
        title: str | None = None,
        bars: int | None = None,
        most_bars: int = 256,
        unit_length: Fraction | None = None,
    ) -> None:
        self._texts = tuple(texts)
        self._automaton = _automaton(
            self._texts, metre=metre, key=key, title=title, bars=bars, most_bars=most_bars,
            unit_length=unit_length,
        )  # fmt: skip
        self._node, self._spare = self._automaton.start, 0
        self._count, self._tail = 0, ""

    def allowed(self) -> npt.NDArray[np.bool_]:
        """Return which symbols may be next, ``(V,)``; it cannot be written to."""
        return self._node.allowed

    def advance(self, symbol: int) -> None:
        """Take note of the next symbol, of a primer or drawn.

        Raises
        ------
        EncodingError
            When it is not allowed; the message says where and what would be.
        """
        step = self._node.after.get((symbol, min(self._spare, self._automaton.reach)))
        if step is not None:
            self._node, change = step
            self._spare += change
        elif self._node.allowed[symbol]:
            self._node, self._spare = self._automaton.advance(self._node, self._spare, symbol)
        else:
            raise EncodingError(self._complaint(symbol))
        self._count += 1
        self._tail = (self._tail + (self._texts[symbol] or ""))[-MAX_TAIL:]

    def _complaint(self, symbol: int) -> str:
        text = self._texts[symbol]
        found = "the end" if symbol == BOUNDARY else "no text" if text is None else repr(text)
        could = [
            "the end" if at == BOUNDARY else repr(self._texts[at])
            for at in np.flatnonzero(self._node.allowed)
        ]
        listed = ", ".join(could[:20]) + (", …" if len(could) > 20 else "")
        place = f"after {self._tail!r}" if self._tail else "at the start"
        return (
            f"symbol {self._count + 1}, {place}: found {found}, expected {listed}, lest the bars "
            "do not add up or something stays open; change the primer, or sample without "
            "constraints"
        )
