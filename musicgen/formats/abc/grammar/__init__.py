"""The grammar of clean ABC whose bars add up: what can follow, character by character."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from fractions import Fraction
from functools import lru_cache

from musicgen.errors import EncodingError
from musicgen.formats.abc.grammar.body import Body
from musicgen.formats.abc.grammar.followers import Followers
from musicgen.formats.abc.grammar.header import Header, HeaderReader
from musicgen.formats.abc.grammar.lexicon import Lexicon
from musicgen.formats.abc.grammar.liveness import Liveness
from musicgen.formats.abc.grammar.reading import Reader

__all__ = ["Grammar", "State"]

State = Header | Body
"""How far a tune has been written; it can be compared and hashed."""


@lru_cache(maxsize=4)
def _lexicon(texts: frozenset[str]) -> Lexicon:
    return Lexicon(texts)


class Grammar:
    r"""Says what can follow in a tune.

    It accepts a part of ABC: a header of text fields, ``M:``, ``L:``, ``Q:`` and ``K:``; music of
    one voice with chords, rests, ties, slurs, grace notes, tuplets, broken rhythm, chord symbols,
    annotations and decorations; ``[M:]``, ``[K:]`` and ``[Q:]`` after bar lines; repeats and first
    and second endings. Every tune that it accepts parses strictly, and its bars add up as
    `~musicgen.formats.abc.measures.uneven_bars` has it. A state is only entered when the tune can
    be completed from there with the texts at hand.

    Parameters
    ----------
    texts
        What a tune is written with: characters, or longer pieces of text.
    metre, key, title
        What the header must say; anything when None.
    bars
        Number of bars to write, after which the tune must end; a pickup and the bar that lacks it
        are one.
    most_bars
        Number of bars after which the tune must end when `bars` is None.
    unit_length
        The unit note length where no ``L:`` is given; when None it follows from the metre.

    Raises
    ------
    EncodingError
        When the texts cannot write any tune, or not one of these conditions.

    Examples
    --------
    >>> grammar = Grammar("X:1\nMK/48CDEFG|2", bars=1)
    >>> state = grammar.advance(grammar.start, "X:1\nM:2/4\nK:C\nC2D2E2")
    >>> [text for text in "CDEFG2|\n" if grammar.advance(state, text) is not None]
    ['C', 'D', 'E', 'F', 'G', '2', '|']
    >>> grammar.may_end(grammar.advance(state, "FG|"))
    True
    """

    start = Header()

    def __init__(
        self,
        texts: Iterable[str],
        *,
        metre: str | None = None,
        key: str | None = None,
        title: str | None = None,
        bars: int | None = None,
        most_bars: int = 256,
        unit_length: Fraction | None = None,
    ) -> None:
        self.lexicon = _lexicon(frozenset(texts))
        self._reader = Reader(self.lexicon)
        self._liveness = Liveness(self._reader)
        self._followers = Followers(self._reader, self._liveness)
        count = most_bars if bars is None else bars
        if count < 1:
            raise EncodingError(f"a tune of {count} bars was asked for; expected 1 or more")
        self._header = HeaderReader(
            self.lexicon, metre=metre, key=key, title=title, unit=unit_length,
            measures=count, exact=bars is not None,
        )  # fmt: skip
        self._check_music()

    def _check_music(self) -> None:
        lexicon = self.lexicon
        found = {
            "a note without accidental": lexicon.plain_pitches,
            "the bar line '|'": "|" in lexicon.bars.reachable(""),
        }
        for what, can in found.items():
            if not can:
                raise EncodingError(
                    f"no tune can be written with this vocabulary: it lacks {what}; train on ABC "
                    "tunes, or sample without constraints"
                )

    def advance(self, state: State, text: str) -> State | None:
        """Return the state after more text; None where no tune goes on so."""
        for at, character in enumerate(text):
            if isinstance(state, Body):
                body = self._reader.read_all(state, text[at:])
                return body if body is not None and self._liveness.lives(body) else None
            after = self._header.read(state, character)
            if after is None:
                return None
            state = after
        if isinstance(state, Body):
            return state if self._liveness.lives(state) else None
        return state if self._header.lives(state) else None

    def followers(self, state: State) -> frozenset[str]:
        """Return the texts that can follow; it is quick where a state of its `digest` was met."""
        if isinstance(state, Body):
            return self._followers.after(state)
        texts = self.lexicon.texts
        return frozenset(text for text in texts if self.advance(state, text) is not None)

    def may_end(self, state: State) -> bool:
        """Whether the tune may end here."""
        return isinstance(state, Body) and self._liveness.may_end(state)

    def digest(self, state: State) -> Hashable:
        """Return what decides which texts can follow: states of one digest allow the same.

        Within a bar it is what the time allows to where the bar may end, not the form of the tune.
        """
        if isinstance(state, Body):
            return self._followers.outlook.digest(state)
        return self._header.digest(state)

    def fold(self, state: State) -> tuple[State, int]:
        """Take off the measures that are out of sight, for which nothing else differs.

        Returns
        -------
        state
            With a few measures to write at most.
        spare
            How many more there are.
        """
        far = self._followers.outlook.far
        if isinstance(state, Header) or state.form.measures <= far:
            return state, 0
        return state._replace(form=state.form._replace(measures=far)), state.form.measures - far

    @property
    def reach(self) -> int:
        """Most measures that a text brings to an end."""
        return self._followers.outlook.reach

    @staticmethod
    def unfold(state: State, spare: int) -> State:
        """Put such measures back, unless the tune is over."""
        if not spare or isinstance(state, Header) or state.form.is_over:
            return state
        form = state.form._replace(measures=state.form.measures + spare)
        return state._replace(form=form)
