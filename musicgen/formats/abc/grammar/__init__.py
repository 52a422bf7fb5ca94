"""The grammar of clean ABC whose bars add up: what can follow, character by character."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from fractions import Fraction
from functools import lru_cache

from musicgen.errors import EncodingError
from musicgen.formats.abc.grammar.body import Body, Place
from musicgen.formats.abc.grammar.header import MAX_LINES, MAX_TEXT, Header, HeaderReader
from musicgen.formats.abc.grammar.lexicon import Lexicon
from musicgen.formats.abc.grammar.liveness import Liveness
from musicgen.formats.abc.grammar.reading import Reader
from musicgen.formats.abc.grammar.words import PITCHES

__all__ = ["Grammar", "State"]

MAX_DIGESTS = 100_000

_PLAIN = frozenset(PITCHES)
_LOOSE = frozenset({Place.NOTE, Place.AFTER})
_WITHIN = frozenset({Place.SIGNED, Place.NOTE, Place.AFTER, Place.MIDDLE})
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
        self._followers: dict[Hashable, frozenset[str]] = {}
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
        """Return the texts that can follow; it is quick where a state of its `digest` was met."""
        digest = self.digest(state)
        found = self._followers.get(digest)
        if found is None:
            if len(self._followers) >= MAX_DIGESTS:
                self._followers.clear()
            found = self._followers[digest] = frozenset(self._find_followers(state))
        return found

    def _find_followers(self, state: State) -> Iterator[str]:
        lexicon = self.lexicon
        if isinstance(state, Header) or state.tie or state.place in _APART:
            yield from (t for t in lexicon.texts if self.advance(state, t) is not None)
            return
        kinds = lexicon.kinds
        if state.place == Place.NOTE:
            # All that does not go on with the note follows as it does when the note is over.
            after = self._reader.sounds.committed(state)
            yield from self.followers(after) if after is not None else ()
            kinds = lexicon.continuations
        can: dict[str, bool] = {}
        for text, kind in kinds.items():
            if kind not in can:
                can[kind] = self.advance(state, text) is not None
            if can[kind]:
                yield text

    def may_end(self, state: State) -> bool:
        """Whether the tune may end here."""
        return isinstance(state, Body) and self._liveness.may_end(state)

    def digest(self, state: State) -> Hashable:
        """Return what decides which texts can follow: states of one digest allow the same.

        Within a bar it is the time to where the bar may end, not the form of the tune.
        """
        if isinstance(state, Header):
            length = state.length
            if state.word[:1] != "X":
                length = length and 1 + (length == MAX_TEXT)
            return state._replace(length=length, lines=int(state.lines == MAX_LINES))
        form, left, reader = state.form, state.left, self._reader
        form = form._replace(measures=min(form.measures, 3))
        pitch = state.pitch
        if state.place in _LOOSE and not state.tie and pitch.lstrip("^_=") in _PLAIN:
            bare = pitch.lstrip("^_=")
            tied = bare in self.lexicon.plain_pitches
            pitch = f"{'c' if bare.islower() else 'C'}{bare[1:]}{tied}"
        if state.place in _WITHIN:
            over = state
            if state.place == Place.NOTE:
                over = reader.sounds.committed(state) or state
            bars = reader.time.bar_lines(form, over.left) if reader.time.ends_here(over) else None
            # An open slur or tie leads on, never past the end.
            goes_on = bool(bars) and form.after("|", over.left) is not None
            times = tuple([left - lack for lack in reader.time.targets(state)])
            return (
                *state[1:3],
                times,
                bars,
                goes_on,
                form.is_first,
                pitch,
                *state[4:6],
                *state[7:],
            )
        return state._replace(form=form, pitch=pitch)
