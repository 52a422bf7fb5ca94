"""The words of the grammar that can be put together from a vocabulary."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cached_property

from musicgen.formats.abc.grammar import words
from musicgen.formats.abc.grammar.filling import Filling
from musicgen.formats.abc.grammar.spelling import Spelling

__all__ = ["Lexicon"]

_FOREIGN = re.compile(r"[A-Z]:[^:|].*\n|\[[A-Z]:[^]]*\]|!\w+!")
"""A line of the header, or a field or name, which stands in the music only if it is a word."""

_ANNOTATION = re.compile(r'"[\^_<>@][^"]*"?')


class Lexicon:
    """Which words can be spelled with the texts of a vocabulary.

    Parameters
    ----------
    texts
        The texts, such as single characters or tokens.

    Attributes
    ----------
    texts
        The same, without repetitions.
    lengths, pitches, tuplets, bars, endings, names
        What can stand within the music.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self.texts = frozenset(text for text in texts if text)
        self.lengths = Spelling(words.LENGTHS, self.texts)
        self.pitches = Spelling(words.PITCHES, self.texts)
        self.tuplets = Spelling(words.TUPLETS, self.texts)
        self.bars = Spelling(words.BARS, self.texts)
        self.endings = Spelling(words.ENDINGS, self.texts)
        self.names = Spelling(words.NAMES, self.texts)
        self._fillings: dict[int, Filling] = {}
        self._times: dict[tuple[int, str], tuple[int, ...]] = {}

    @cached_property
    def chords(self) -> Spelling:
        """Chord symbols."""
        return Spelling(words.CHORDS, self.texts)

    @cached_property
    def fields(self) -> Spelling:
        """Fields in brackets."""
        return Spelling((f"[{field}]" for field in self.values("MKQ")), self.texts)

    @cached_property
    def plain_pitches(self) -> frozenset[str]:
        """Notes that can be written without accidental: a tie can lead to them."""
        return frozenset(pitch for pitch in self.pitches.reachable("") if pitch[0] not in "^_=")

    @cached_property
    def repeats(self) -> bool:
        """Whether a repeat can be closed."""
        return ":|" in self.bars.reachable("")

    @cached_property
    def second_endings(self) -> bool:
        """Whether a first ending can be closed."""
        return not self.bars.reachable("").isdisjoint((":|2", ":|[2"))

    def values(self, keys: str) -> list[str]:
        """Return the fields with these letters, spelled or not, such as ``"M:6/8"``."""
        stripped = {text.strip("[]\n") for text in self.texts}
        own = sorted(text for text in stripped if text[1:2] == ":" and "\n" not in text)
        return [
            *(f"{key}:{value}" for key in keys for value in words.VALUES[key]),
            *(text for text in own if text[0] in keys and words.is_value(text[0], text[2:])),
        ]

    def times(self, unit: int, word: str) -> tuple[int, ...]:
        """Return the lengths that a note can get whose length has been begun, in ticks."""
        found = self._times.get((unit, word))
        if found is None:
            lengths = {unit * words.LENGTHS[end] for end in self.lengths.reachable(word)}
            found = tuple(sorted(int(time) for time in lengths if time.denominator == 1))
            self._times[unit, word] = found
        return found

    def filling(self, unit: int) -> Filling:
        """Return what times can be filled when the unit note length is so many ticks."""
        found = self._fillings.get(unit)
        if found is None:
            found = self._fillings[unit] = Filling(self.times(unit, ""))
        return found

    def kind(self, text: str) -> str:
        """Return a text that is like this one: notes are alike, and so are chord symbols."""
        if text in self.pitches.words:
            return "C"
        return '"C"' if text[0] == '"' and text in self.chords.words else text

    @cached_property
    def music(self) -> list[str]:
        """The texts that can stand in the music, as far as their look tells."""
        return [text for text in self.texts if not _FOREIGN.fullmatch(text) or self.is_word(text)]

    def is_word(self, text: str) -> bool:
        """Whether a text is a word of the music, or the start of one."""
        spellings = (
            self.pitches, self.lengths, self.tuplets, self.bars, self.endings, self.names,
            self.fields,
        )  # fmt: skip
        return (
            len(text) == 1
            or any(spelling.begins(text) for spelling in spellings)
            or (text[0] == '"' and self.chords.begins(text))
            or _ANNOTATION.fullmatch(text) is not None
        )
