"""The grammar of clean ABC whose bars add up: what can follow, character by character."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from fractions import Fraction
from functools import lru_cache

from musicgen.errors import EncodingError
from musicgen.formats.abc.fields import parse_key, parse_meter
from musicgen.formats.abc.grammar.body import Body, Place
from musicgen.formats.abc.grammar.header import MAX_LINES, MAX_TEXT, Header, HeaderReader
from musicgen.formats.abc.grammar.lexicon import Lexicon
from musicgen.formats.abc.grammar.liveness import Liveness
from musicgen.formats.abc.grammar.reading import Reader

__all__ = ["Grammar", "State"]

# Where notes differ in what they can be.
_APART = frozenset({Place.PITCH, Place.CHORD, Place.GRACE, Place.QUOTE, Place.NAME, Place.FIELD})

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
    `~musicgen.formats.abc.measures.uneven_bars` has it. A state is only entered when the tune can be
    completed from there with the texts at hand.

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
    ['C', 'D', 'E', 'F', 'G', '2']
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
        self._header = HeaderReader(
            self.lexicon,
            metre=parse_meter(metre) if metre is not None else None,
            key=key,
            title=title,
            unit=unit_length,
            measures=most_bars if bars is None else bars,
            exact=bars is not None,
        )

    def advance(self, state: State, text: str) -> State | None:
        """Return the state after more text; None where no tune goes on so."""
        for character in text:
            if isinstance(state, Body):
                after: State | None = self._reader.read(state, character)
            else:
                after = self._header.read(state, character)
            if after is None:
                return None
            state = after
        if isinstance(state, Body):
            return state if self._liveness.lives(state) else None
        return state if self._header.lives(state) else None

    def followers(self, state: State) -> frozenset[str]:
        """Return the texts that can follow."""
        lexicon = self.lexicon
        if isinstance(state, Header) or state.tie or state.place in _APART:
            return frozenset(t for t in lexicon.texts if self.advance(state, t) is not None)
        can: dict[str, bool] = {}
        for text, kind in lexicon.kinds.items():
            if kind not in can:
                can[kind] = self.advance(state, text) is not None
        return frozenset(text for text, kind in lexicon.kinds.items() if can[kind])

    def may_end(self, state: State) -> bool:
        """Whether the tune may end here."""
        return isinstance(state, Body) and self._liveness.may_end(state)

    def digest(self, state: State) -> Hashable:
        """Return what decides which texts can follow: states of one digest allow the same.

        It leaves out how many bars are left, as long as it is more than a repeat needs, which
        letter a note has, and the like.
        """
        if isinstance(state, Header):
            length = state.length and 1 + (state.length == MAX_TEXT)
            return state._replace(length=length, lines=int(state.lines == MAX_LINES))
        form = state.form._replace(measures=min(state.form.measures, 3))
        pitch = state.pitch
        if not state.tie and pitch.lstrip("^_=") in self.lexicon.plain_pitches:
            pitch = f"{'c' if pitch.lstrip('^_=').islower() else 'C'}{pitch.lstrip('^_=')[1:]}"
        return state._replace(form=form, pitch=pitch)
