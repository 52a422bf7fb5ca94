"""Tokens → ABC text that people read: beams, and a few bars a line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from fractions import Fraction

from musicgen.encodings.tokeniser import split_music
from musicgen.formats.abc.fields import parse_key, parse_meter
from musicgen.formats.abc.interpretation import TUPLET_TIMES, UNIT
from musicgen.formats.abc.score import Score
from musicgen.formats.abc.spelling import read_length
from musicgen.formats.abc.transposing import tonic
from musicgen.music import KeySignature
from musicgen.notation.metre import Metre, beam

__all__ = ["lay_out", "title_of"]

BARS_A_LINE = 4

_PITCH = re.compile(r"[\^_=]*[A-Ga-g][,']*|z")
_LENGTH = re.compile(r"[\d/]+")
_BAR = re.compile(r"[|:]+\]?(?:\d.*)?")
_CHANGE = re.compile(r"\[([MV]):(.*)\]")
_TUPLET = re.compile(r"\((\d)(?::(\d?)(?::(\d*))?)?")


def lay_out(texts: Sequence[str]) -> str:
    r"""Write tokens as a tune, with spaces between beams and line feeds after some bars.

    Parameters
    ----------
    texts
        Tokens, which need not make sense. Without ``K:`` the key is C, without ``M:`` there is no
        metre.

    Examples
    --------
    >>> print(lay_out(["M:3/4\n", "K:D\n", "|:", "A", "B", "c", "d", "e", "2", ":|"]))
    X:1
    T:Tune in D major
    M:3/4
    L:1/8
    K:D
    |:AB cd e2:|
    """
    at = next((at for at, text in enumerate(texts) if not text.endswith("\n")), len(texts))
    found = dict(text.rstrip("\n").split(":", 1) for text in texts[:at])
    header = {"M": "none", "L": "1/8", "K": "C"} | found
    page = _Page(parse_meter(header["M"]))
    # Symbols may have been drawn in pieces, such as a length in two.
    for symbol in split_music("".join(texts[at:])):
        page.add(symbol)
    lines = [f"{key}:{header[key]}" for key in "RMLQK" if key in header]
    title = _title(header.get("R", ""), header["K"])
    return "\n".join(["X:1", f"T:{title}", *lines, "".join(page.texts)]).rstrip()


def title_of(score: Score) -> str:
    """Return the title that `lay_out` makes of rhythm and key."""
    return _title(score.first("R"), score.first("K"))


def _title(rhythm: str, key: str) -> str:
    name = rhythm.capitalize() or "Tune"
    if tonic(key) is None:
        return name
    found = parse_key(key)
    return f"{name} in {KeySignature(0, found.fifths, found.mode).name}"


class _Page:
    """Follows the time of the tokens that it writes."""

    def __init__(self, metre: Metre | None) -> None:
        self.texts: list[str] = []
        self._metre = metre
        self._now = self._last = Fraction(0)
        self._sound: Fraction | None = None
        self._in_chord = self._in_grace = False
        self._heads = 0
        self._scale, self._left = Fraction(1), 0
        self._bars = 0

    def add(self, text: str) -> None:
        """Write a token."""
        change = _CHANGE.fullmatch(text)
        if _BAR.fullmatch(text) or text == "&":
            self._end_sound()
            self.texts.append(text)
            self._end_bar(text)
        elif change is not None:
            self._end_sound()
            self._change(*change.groups())
            self.texts.append(text)
        elif _LENGTH.fullmatch(text):
            self._lengthen(text)
            self.texts.append(text)
        else:
            if not (self._in_chord or self._in_grace or self._sound is None or text in ("-", ")")):
                self._end_sound()
                self._space()
            self.texts.append(text)
            self._follow(text)

    def _follow(self, text: str) -> None:
        """Note what a token of a sound says of its length."""
        tuplet = _TUPLET.fullmatch(text)
        if text.startswith("{"):
            self._in_grace = True
        elif text == "}":
            self._in_grace = False
        elif text == "[":
            self._in_chord, self._heads = True, 0
        elif text == "]":
            self._in_chord, self._heads = False, 1
        elif tuplet is not None:
            p, q, r = (int(number or 0) for number in tuplet.groups())
            compound = self._metre is not None and self._metre.is_compound
            self._scale = Fraction(q or TUPLET_TIMES.get(p, 3 if compound else 2), p or 1)
            self._left = r or p
        elif _PITCH.fullmatch(text) and not self._in_grace:
            self._heads = self._heads + 1 if self._in_chord else 1
            if self._heads == 1:
                self._sound = UNIT

    def _lengthen(self, text: str) -> None:
        """Lengthen the sound; of a chord the first note counts, and what follows the chord."""
        if self._sound is None or self._in_grace or self._heads > 1:
            return
        with suppress(ValueError):
            self._sound *= read_length(text)

    def _end_sound(self) -> None:
        if self._sound is None:
            return
        self._last = self._now
        self._now += self._sound * (self._scale if self._left > 0 else 1)
        self._left -= 1
        self._sound = None

    def _space(self) -> None:
        """Part what is to come from what was, where a beat lies between."""
        if self._metre is not None:
            length = beam(self._metre)
            if self._now // length != self._last // length:
                self.texts.append(" ")

    def _end_bar(self, text: str) -> None:
        if text != "&":
            full = self._metre.bar if self._metre else Fraction(0)
            self._bars += 2 * self._now > full
            ends = text.strip("|") != "" or len(text) > 1
            if not text[-1].isdigit() and (self._bars >= BARS_A_LINE or (ends and self._bars > 1)):
                self._end_line()
        self._now = self._last = Fraction(0)

    def _end_line(self) -> None:
        self.texts.append("\n")
        self._bars = 0

    def _change(self, key: str, value: str) -> None:
        if key == "V":
            if self.texts and self.texts[-1] != "\n":
                self._end_line()
            self._now = self._last = Fraction(0)
            return
        with suppress(ValueError):
            self._metre = parse_meter(value)
