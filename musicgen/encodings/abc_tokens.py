"""ABC as a sequence of musical symbols."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, ClassVar, Self

import numpy as np

from musicgen.encodings.abc_alignment import align_tokens, moved_label
from musicgen.encodings.abc_constraint import AbcConstraint
from musicgen.encodings.alignment import Alignment
from musicgen.encodings.base import Symbols
from musicgen.encodings.common_key import at_tonic, to_tonic, tonic_and_mode
from musicgen.encodings.layout import lay_out, title_of
from musicgen.encodings.normal_form import key_value, metre_value, normal_form
from musicgen.encodings.tokeniser import sort_of, tokens
from musicgen.encodings.vocabulary import UNKNOWN, Vocabulary
from musicgen.errors import EncodingError, FormatError
from musicgen.formats import abc
from musicgen.formats.abc.fields import parse_meter
from musicgen.formats.abc.interpretation import UNIT
from musicgen.formats.abc.transposing import Interval, tonic, transposed
from musicgen.music import Tune

__all__ = ["AbcTokens"]

MOST_BARS = 96
"""A sample under constraint ends here at the latest; few tunes of any collection are longer."""

_FINAL = frozenset({"|", "||", "|]"})


class AbcTokens:
    r"""One symbol a musical symbol of ABC: a pitch, a length, a bar line and so on.

    Every token is a piece of ABC text, and all of them joined are the tune: first the header, a
    token a line, ``R:``, ``M:``, ``Q:`` and ``K:`` in this order, of which the rhythm and the tempo
    may be absent; then the music in eighths, with neither spaces nor line ends.

    Symbol 0 ends a tune, symbol 1 stands for a token that is not in the vocabulary.

    Parameters
    ----------
    texts
        The tokens, each once.
    common_key
        Whether all tunes are moved to the tonic C, the mode kept.
    tonics
        For each mode, as ``K:`` writes it, how many tunes stood on each tonic.

    Examples
    --------
    >>> tune = Tune("X:1\nR:Reel\nM:C|\nK:Ador\n|:eA (3^cBA e3/2d/|[Ac]4-[Ac]4:|")
    >>> encoding = AbcTokens.fit([tune])
    >>> symbols = encoding.encode(tune)
    >>> [encoding.texts[symbol] for symbol in symbols[:9]]
    ['R:reel\n', 'M:2/2\n', 'K:Cdor\n', '|:', 'g', 'c', '(3', '=e', 'd']
    >>> print(encoding.in_key(encoding.decode(symbols), "A").text)
    X:1
    T:Reel in A dorian
    R:reel
    M:2/2
    L:1/8
    K:Ador
    |:eA(3^cBA e3/2d/|[Ac]4- [Ac]4:|
    """

    name: ClassVar[str] = "tokens"
    kind: ClassVar[type[Tune]] = Tune
    head: ClassVar[str] = "categorical"
    unit: ClassVar[str] = "token"
    losses: ClassVar[tuple[str, ...]] = (
        "the title and all other fields but R:, M:, Q: and K:",
        "the key that a tune stood in, where all are moved to a common one",
        "lyrics, annotations, and what stands on bar lines",
        "how the text was laid out: line ends, beams, the unit note length, broken rhythm",
        "names, clefs and instruments of voices; one that sounds transposed, but for octaves, is "
        "read as it is written",
        "the labels of parts, which are written out in the order in which they are played",
        "the lengths of grace notes; rests that are not printed become plain ones",
        "fractions of a beat a minute of a tempo, and C| as opposed to 2/2",
        "tempo and rhythm, and any other token, that too few training tunes hold",
    )
    never: ClassVar[tuple[int, ...]] = (UNKNOWN,)

    def __init__(
        self,
        texts: Iterable[str],
        *,
        common_key: bool = True,
        tonics: Mapping[str, Mapping[str, int]] | None = None,
    ) -> None:
        self.vocabulary = Vocabulary(texts)
        self.common_key = common_key
        self.tonics = {
            mode: dict(sorted(held.items())) for mode, held in sorted((tonics or {}).items())
        }

    @classmethod
    def fit(
        cls, pieces: Iterable[Tune], *, common_key: bool = True, least: int | None = None
    ) -> Self:
        """Collect the tokens of these tunes; those that cannot be encoded are passed over.

        Parameters
        ----------
        pieces
            Training tunes.
        common_key
            Whether all tunes are moved to the tonic C, the mode kept: as much to learn from for
            every key as for one.
        least
            A token that fewer tunes hold becomes the unknown symbol, which is never drawn: there is
            too little to learn where it belongs. None means 2 from a hundred tunes on, else 1.

        Raises
        ------
        EncodingError
            When `least` is below 1.
        """
        tonics: dict[str, Counter[str]] = {}

        def cut() -> Iterator[list[str]]:
            for tune in pieces:
                with suppress(FormatError):
                    score = normal_form(abc.parse(tune))
                    yield _cut(score, common_key)
                    name, mode = tonic_and_mode(score.first("K"))
                    tonics.setdefault(mode, Counter())[name] += 1

        texts = Vocabulary.count(cut(), least).texts[UNKNOWN + 1 :]
        found = (text for text in texts if text is not None)
        return cls(found, common_key=common_key, tonics=tonics)

    @property
    def texts(self) -> tuple[str | None, ...]:
        """Text of each symbol; None for the boundary and for the unknown."""
        return self.vocabulary.texts

    @property
    def size(self) -> int:
        """Number of symbols."""
        return len(self.vocabulary)

    @property
    def usual_length(self) -> int:
        """Most tokens of a sample where no number is asked for."""
        return 4000

    def encode(self, piece: Tune) -> Symbols:
        """Return the symbols of the tune's tokens, then 0.

        A tune that is not well-formed is repaired as players do. A rhythm or tempo that the
        vocabulary lacks is left out.

        Raises
        ------
        FormatError
            When the tune cannot be read, or not be moved to the common key.
        """
        return self.vocabulary.encode(self._known(self._cut(piece)))

    def align(self, piece: Tune) -> Alignment:
        """Encode a tune and tell which tokens are of which note; labels are in the tune's key.

        Raises
        ------
        FormatError
            As `encode`.
        """
        score, interval = normal_form(abc.parse(piece)), Interval(0, 0)
        if self.common_key and tonic(score.first("K")) is not None:
            interval = to_tonic(score, 0)
        moved = transposed(score, *interval)
        texts = self._known(tokens(moved))
        back = Interval(-interval.semitones, -interval.fifths)
        labels = ["end", "unknown", *(moved_label(text, back) for text in self.texts if text)]
        symbols = self.vocabulary.encode(texts)
        return align_tokens(moved, texts, symbols, labels, piece, back.semitones)

    def encode_primer(self, piece: Tune) -> Symbols:
        """Return the symbols of the tune's tokens, but for a bar line that ends it.

        A repeat may stay open. A rhythm or tempo that the vocabulary lacks is left out.

        Raises
        ------
        EncodingError
            When it holds other tokens that the vocabulary lacks; the message names them, and those
            of their kind that there are.
        """
        closed = _closed(piece)
        texts = self._known(self._cut(closed))
        if texts[-1] in _FINAL or closed != piece:
            texts.pop()
        lacking = sorted({text for text in texts if text not in self.vocabulary})
        if lacking:
            raise EncodingError(
                f"the primer holds {', '.join(text.strip() for text in lacking)}, which the model "
                f"never saw; it knows: {self._like(lacking[0])}"
            )
        return self.vocabulary.symbols(texts)

    def decode(self, array: Iterable[int]) -> Tune:
        """Return the tune, up to the first boundary, laid out for people to read.

        The music is not repaired: tokens in an order that makes none give a text that `abc.parse`
        finds fault with. Without ``K:`` the key is C, without ``M:`` there is no metre.

        Raises
        ------
        EncodingError
            For the unknown symbol.
        """
        return Tune(lay_out(self.vocabulary.decode(array)))

    def constraint(
        self,
        *,
        key: str | None = None,
        metre: str | None = None,
        bars: int | None = None,
        title: str | None = None,
    ) -> AbcConstraint:
        r"""Return what keeps a sample sound: its bars add up, and all that opens is closed.

        Parameters
        ----------
        key
            Such as ``"Ador"``. With a common key, it sets the mode alone; `in_key` does the rest.
        metre
            Such as ``"6/8"``.
        bars
            How many.
        title
            Tokens hold no title: it is given to the tune when that is done.

        Raises
        ------
        EncodingError
            For what is no key or metre, or one that the vocabulary lacks.

        Examples
        --------
        >>> encoding = AbcTokens(["M:6/8\n", "K:C\n", "K:Cm\n", "C", "3", "|"])
        >>> constraint = encoding.constraint(key="Am", metre="6/8")
        >>> constraint.advance(2)
        >>> [encoding.texts[symbol] for symbol in np.flatnonzero(constraint.allowed())]
        ['K:Cm\n']
        """
        try:
            if key is not None:
                key = key_value(key)
                if self.common_key and tonic(key) is not None:
                    key = f"C{tonic_and_mode(key)[1]}"
            if metre is not None:
                metre = metre_value(parse_meter(metre))
        except ValueError as error:
            raise EncodingError(f"{error}; a key is for example Ador, a metre 6/8") from None
        for field, value in (("K", key), ("M", metre)):
            token = f"{field}:{value}\n"
            if value is not None and token not in self.vocabulary:
                raise EncodingError(
                    f"the model never saw {token.strip()}; it knows: {self._like(token)}"
                )
        # The rhythm comes before the metre: a reel in 6/8 would be the wrong tune.
        texts = [None if metre and text and text.startswith("R:") else text for text in self.texts]
        return AbcConstraint(
            texts, key=key, metre=metre, bars=bars, most_bars=MOST_BARS, unit_length=UNIT
        )

    def in_key(self, tune: Tune, key: str) -> Tune:
        r"""Move a tune to another tonic, in the octave in which melodies lie.

        Parameters
        ----------
        tune
            Any tune, such as `decode` returns.
        key
            Whose tonic is wanted, such as ``"D"`` or ``"Ador"``. The mode stays that of the tune;
            where it would have more than seven sharps or flats, the signature is respelled.

        Raises
        ------
        FormatError
            When it names no tonic.

        Examples
        --------
        >>> tune = AbcTokens([]).in_key(Tune("X:1\nK:Cm\nEGce|\n"), "F#")
        >>> tune.text
        'X:1\nK:F#m\nAcfa|'
        """
        wanted = tonic(key)
        if wanted is None:
            raise FormatError(f"{key!r} names no tonic", hint="write for example G, Bb or Ador")
        score = abc.parse(tune)
        moved = at_tonic(score, wanted)
        for entry in moved.header:
            if entry.key == "T" and entry.value == title_of(score):
                entry.value = title_of(moved)
        return replace(tune, text=abc.print_score(moved))

    def draw_tonic(self, tune: Tune, rng: np.random.Generator) -> str:
        r"""Draw a tonic for a tune, as often as training tunes of its mode stood on it.

        Parameters
        ----------
        tune
            Any tune; its own tonic comes back when no training tune had its mode.
        rng
            Source of one draw.

        Examples
        --------
        >>> encoding = AbcTokens.fit([Tune("X:1\nK:Ador\nA|"), Tune("X:2\nK:G\nG|")])
        >>> encoding.draw_tonic(Tune("X:1\nK:Cdor\nC|"), np.random.default_rng(0))
        'A'
        """
        name, mode = tonic_and_mode(abc.parse(tune).first("K"))
        held = self.tonics.get(mode, {name: 1})
        counts = np.array(list(held.values()))
        return list(held)[rng.choice(len(held), p=counts / counts.sum())]

    def state(self) -> dict[str, Any]:
        """Return the tokens, whether there is a common key, and how often each tonic was."""
        return {
            "texts": list(self.texts[UNKNOWN + 1 :]),
            "common_key": self.common_key,
            "tonics": self.tonics,
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Make the encoding again."""
        return cls(state["texts"], common_key=state["common_key"], tonics=state["tonics"])

    def _cut(self, tune: Tune) -> list[str]:
        return _cut(normal_form(abc.parse(tune)), self.common_key)

    def _known(self, texts: list[str]) -> list[str]:
        return [text for text in texts if text[:2] not in ("R:", "Q:") or text in self.vocabulary]

    def _like(self, lacking: str) -> str:
        """List the tokens that could stand in the place of one."""
        known = [text for text in self.texts if text is not None]
        return " ".join(text.strip() for text in known if sort_of(text) == sort_of(lacking))


def _cut(score: abc.Score, common_key: bool) -> list[str]:
    is_moved = common_key and tonic(score.first("K")) is not None
    return tokens(at_tonic(score, 0) if is_moved else score)


def _closed(tune: Tune) -> Tune:
    """Close the repeat that a primer leaves open, lest its start is taken for a slip."""
    closed = replace(tune, text=f"{tune.text.rstrip()}\n:|")
    is_open = len(abc.parse(closed).problems) < len(abc.parse(tune).problems)
    return closed if is_open else tune
