"""ABC as a sequence of musical symbols."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from statistics import median_low
from typing import Any, ClassVar, Self

import numpy as np

from musicgen.encodings.base import Symbols
from musicgen.encodings.layout import lay_out
from musicgen.encodings.normal_form import normal_form
from musicgen.encodings.vocabulary import UNKNOWN, Vocabulary
from musicgen.errors import EncodingError, FormatError
from musicgen.formats import abc
from musicgen.formats.abc.fields import parse_key, parse_meter
from musicgen.formats.abc.interpretation import interpret
from musicgen.formats.abc.score import Field
from musicgen.formats.abc.transposing import tonic, transposed
from musicgen.music import KeySignature, Tune

__all__ = ["AbcTokens"]

LOWEST, CENTRE, HIGHEST = 55, 71, 84
"""Where a melody lies: from G below middle C to two octaves above it, around B."""

_TOKEN = re.compile(
    r'"[^"]*"|![^!]*!|\[[A-Z]:[^\]]*\]'
    r"|:?\|\d[\d,-]*|\[\d[\d,-]*|\|\]|\|\||\|:|:\||::|\|"
    r"|\(\d(?::\d*){0,2}"
    r"|(?:\^\^?|__?|=)?[A-Ga-g][,']*"
    r"|\d+/\d+|\d+|/\d*"
    r"|[^\s]"
)
_SORT = re.compile(
    r"[RMQK]:|\[[A-Z]:|\"|!|(?P<pitch>[\^_=]*[A-Ga-g][,']*)|(?P<length>[\d/]+)|\(\d|(?P<bar>[|:])"
)
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
        "names, clefs, instruments and transpositions of voices",
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
        self.tonics = {mode: dict(held) for mode, held in (tonics or {}).items()}

    @classmethod
    def fit(
        cls, pieces: Iterable[Tune], *, common_key: bool = True, least: int | None = None
    ) -> Self:
        """Collect the tokens of these tunes.

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

        Tunes that cannot be encoded are passed over.

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
                    tonic, mode = _tonic_and_mode(score.first("K"))
                    tonics.setdefault(mode, Counter())[tonic] += 1

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
                f"never saw; it knows: {' '.join(self._like(lacking[0]))}"
            )
        return self.vocabulary.symbols(texts)

    def decode(self, array: Iterable[int]) -> Tune:
        """Return the tune, up to the first boundary, laid out for people to read.

        Nothing is repaired: tokens in an order that makes no music give a text that `abc.parse`
        finds fault with.

        Raises
        ------
        EncodingError
            For the unknown symbol.
        """
        texts = self.vocabulary.decode(array)
        body = next((at for at, text in enumerate(texts) if text[-1] != "\n"), len(texts))
        fields = dict(text.rstrip("\n").split(":", 1) for text in texts[:body])
        key, metre = fields.get("K", "C"), fields.get("M", "none")
        lines = ["X:1", f"T:{_title(fields.get('R', ''), key)}"]
        lines += [f"R:{fields['R']}"] if "R" in fields else []
        lines += [f"M:{metre}", "L:1/8"]
        lines += [f"Q:{fields['Q']}"] if "Q" in fields else []
        lines += [f"K:{key}", lay_out(texts[body:], parse_meter(metre))]
        return Tune("\n".join(lines).rstrip())

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
        before = score.first("K")
        after = transposed(score, *_way(score, wanted))
        for entry in after.header:
            if entry.key == "T" and entry.value == _title(score.first("R"), before):
                entry.value = _title(score.first("R"), after.first("K"))
        text = abc.print_score(after)
        return Tune(text, tune.path, tune.line)

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
        tonic, mode = _tonic_and_mode(abc.parse(tune).first("K"))
        held = self.tonics.get(mode, {tonic: 1})
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

    def _like(self, lacking: str) -> list[str]:
        """Give the tokens that could stand in the place of one."""
        known = [text for text in self.texts if text is not None]
        return [text.strip() for text in known if _sort(text) == _sort(lacking)]


def _sort(token: str) -> str:
    """Tell which sort of thing a token is."""
    match = _SORT.match(token)
    return "" if match is None else match[0] if match.lastgroup is None else match.lastgroup


def _cut(score: abc.Score, common_key: bool) -> list[str]:
    """Cut a score in its normal form into tokens."""
    if common_key and tonic(score.first("K")) is not None:
        score = transposed(score, *_way(score, 0))
    body = abc.print_score(replace(score, header=[Field(0, 0, "K", "C")]))
    return [
        *(f"{entry.key}:{entry.value}\n" for entry in score.header),
        *("/2" if text == "/" else text for text in _TOKEN.findall(body.partition("K:C")[2])),
    ]


def _tonic_and_mode(key: str) -> tuple[str, str]:
    """Part the value of ``K:`` after its tonic.

    Examples
    --------
    >>> _tonic_and_mode("F#dor")
    ('F#', 'dor')
    """
    match = re.match(r"([A-G][#b]?)(.*)|(HP|Hp)", key)
    if match is None:
        return "C", key
    return (match[1], match[2]) if match[1] else ("A", "mix")


def _way(score: abc.Score, wanted: int) -> tuple[int, int]:
    """Find semitones and fifths from the tonic of a score to another, in a fitting octave."""
    fifths = wanted - (tonic(score.first("K")) or 0)
    pitches = [
        pitch
        for part in interpret(score)
        for event in part.events
        if not event.instrument.is_drum
        for pitch in event.pitches
    ] or [CENTRE]
    low, middle, high = min(pitches), median_low(pitches), max(pitches)

    def strain(semitones: int) -> tuple[int, int, int]:
        outside = max(LOWEST - low - semitones, 0) + max(high + semitones - HIGHEST, 0)
        return outside, abs(middle + semitones - CENTRE), abs(semitones)

    around = 7 * fifths % 12
    return min(range(around - 48, around + 48, 12), key=strain), fifths


def _closed(tune: Tune) -> Tune:
    """Close the repeat that a primer leaves open, lest its start is taken for a slip."""
    closed = replace(tune, text=f"{tune.text.rstrip()}\n:|")
    is_open = len(abc.parse(closed).problems) < len(abc.parse(tune).problems)
    return closed if is_open else tune


def _title(rhythm: str, key: str) -> str:
    """Make a title of what is known."""
    name = rhythm.capitalize() or "Tune"
    found = parse_key(key)
    if tonic(key) is None:
        return name
    return f"{name} in {KeySignature(0, found.fifths, found.mode).name}"
