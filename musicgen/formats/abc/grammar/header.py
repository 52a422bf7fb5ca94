"""The header of a tune, read character by character."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from musicgen.errors import EncodingError
from musicgen.formats.abc.fields import default_length, parse_key, parse_length, parse_meter
from musicgen.formats.abc.grammar.body import Body
from musicgen.formats.abc.grammar.filling import LONGEST, TICKS
from musicgen.formats.abc.grammar.form import Form
from musicgen.formats.abc.grammar.spelling import Spelling

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from fractions import Fraction

    from musicgen.formats.abc.grammar.lexicon import Lexicon
    from musicgen.notation.metre import Metre

__all__ = ["Header", "HeaderReader"]

TEXTS = frozenset("ABCDFGNORSTZ")
"""Fields of free text."""

HORNPIPE = "hornpipe"

MAX_TEXT = 200
MAX_LINES = 24
MAX_NUMBER = 5


class Header(NamedTuple):
    """How far the header has been written.

    Attributes
    ----------
    word
        The line so far; of a field of free text its letter and colon only.
    length
        Number of characters of free text.
    lines
        Number of lines of free text.
    given
        Letters of the other fields that there have been.
    metre
        The metre; None before ``M:``.
    unit
        Unit note length in ticks; 0 where no ``L:`` has come.
    """

    word: str = ""
    length: int = 0
    lines: int = 0
    given: str = ""
    metre: Metre | None = None
    unit: int = 0


class HeaderReader:
    """Reads headers, and tells which can be completed.

    Parameters
    ----------
    lexicon
        The words that can be spelled.
    metre, key, title
        What the header must say; anything when None.
    unit
        The unit note length where no ``L:`` is given; when None it follows from the metre.
    measures, exact
        Of the form of the tune.
    """

    def __init__(
        self,
        lexicon: Lexicon,
        *,
        metre: str | None = None,
        key: str | None = None,
        title: str | None = None,
        unit: Fraction | None = None,
        measures: int,
        exact: bool,
    ) -> None:
        self._lexicon = lexicon
        self._unit, self._measures, self._exact = unit, measures, exact
        self._longest = max(map(len, lexicon.texts), default=1)
        self.lines = {
            letter: Spelling(_lines(lexicon.values(letter)), lexicon.texts) for letter in "MLQK"
        }
        self._ask("M", "metre", metre, parse_meter)
        self._ask("K", "key", key, parse_key)
        if title is not None:
            self._ask_title(title)
        self._required = ["M"] + ["T"] * (title is not None)
        self._numbered = {"X", ":", "\n"} <= lexicon.texts and any(
            digit in lexicon.texts for digit in "123456789"
        )
        self._units = [
            int(TICKS * parse_length(line[2:].strip())) for line in self.lines["L"].reachable("")
        ]
        if not self.lives(Header()):
            raise EncodingError(
                f"no bar of {_values(self.lines['M'])} can be filled with the lengths of notes "
                "that the model knows; ask for another metre, or sample without constraints"
            )

    def _ask(
        self, letter: str, what: str, value: str | None, read: Callable[[str], object]
    ) -> None:
        """Keep the lines of a field that say what was asked for."""
        lines = self.lines[letter]
        try:
            wanted = None if value is None else read(value)
        except ValueError as error:
            raise EncodingError(f"{error}; the model knows: {_values(lines)}") from None
        if value is not None:
            kept = [line for line in lines.spelled("") if read(line[2:].strip()) == wanted]
            self.lines[letter] = Spelling(kept, self._lexicon.texts)
        if not self.lines[letter].leads(""):
            asked = f"no {what}" if value is None else f"not the {what} {value}"
            raise EncodingError(f"the model can write {asked}; it knows: {_values(lines)}")

    def _ask_title(self, title: str) -> None:
        line = f"T:{title}\n"
        self.lines["T"] = Spelling([line], self._lexicon.texts)
        is_text = title.isprintable() and title.strip() and not set("%\\") & set(title)
        if title[:1] in (":", "|", "[") or not is_text:
            raise EncodingError(
                f"{title!r} is no title; expected a line of text without '%' and backslash"
            )
        if not self.lines["T"].leads(""):
            lacking = sorted(set(line) - self._lexicon.texts)
            raise EncodingError(
                f"the title {title!r} cannot be written: the model does not know "
                f"{', '.join(map(repr, lacking))}; leave these out, or the title"
            )

    def read(self, header: Header, character: str) -> Header | Body | None:
        """Return the state after one more character; None where it cannot stand."""
        if not header.word:
            return self._start(header, character)
        letter, word = header.word[0], header.word + character
        if letter in self.lines:
            if not self.lines[letter].begins(word):
                return None
            if character != "\n":
                return header._replace(word=word)
            return self._given(header._replace(word=""), letter, word[2:].strip())
        if len(word) == 2:
            return header._replace(word=word) if character == ":" else None
        if letter == "R" and character != "\n" and len(word) <= len(HORNPIPE) + 2:
            text = self._text(header, letter, character)
            return text and text._replace(word=word)
        return self._text(header, letter, character)

    def lives(self, header: Header) -> bool:
        """Whether an end can be reached."""
        texts, word = self._lexicon.texts, header.word
        if not word:
            return header.metre is not None or self._takes(header, "M", "")
        if word[0] in self.lines:
            return self._takes(header, word[0], word)
        if "\n" not in texts or (len(word) == 1 and ":" not in texts):
            return False
        return header.length > 0 or any(
            len(text) == 1 and self._text(header, word[0], text) is not None for text in texts
        )

    def digest(self, header: Header) -> Header:
        """Return what decides which texts can follow."""
        length = header.length
        if header.word[:1] != "X" and length:
            length = 1 + max(0, length + self._longest - MAX_TEXT)
        lines = max(0, header.lines + self._longest - MAX_LINES)
        return header._replace(length=length, lines=lines)

    def _takes(self, header: Header, letter: str, start: str) -> bool:
        """Whether a field can stand here whose line starts so."""
        lines = self.lines[letter].spelled(start)
        header = header._replace(word="")
        # One tempo or key can stand where another can.
        for line in lines if letter in "ML" else islice(lines, 1):
            after = self._given(header, letter, line[2:].strip())
            if after is not None and (isinstance(after, Body) or self.lives(after)):
                return True
        return False

    def _start(self, header: Header, letter: str) -> Header | None:
        if self._numbered and not header.given:
            can = letter == "X"
        elif letter in self.lines:
            can = letter not in header.given
        else:
            can = letter in TEXTS and header.lines < MAX_LINES
        return header._replace(word=letter, length=0) if can else None

    def _text(self, header: Header, letter: str, character: str) -> Header | None:
        length = header.length
        if character == "\n":
            lines = header.lines + (letter != "X")
            is_hornpipe = header.word[2:].strip().lower() == HORNPIPE
            if not length or (is_hornpipe and header.metre and not _is_common(header.metre)):
                return None
            given = header.given + "X" * (letter == "X") + "h" * is_hornpipe
            return header._replace(word="", length=0, lines=lines, given=given)
        if letter == "X":
            can = character in "0123456789"[not length :] and length < MAX_NUMBER
        else:
            # What starts so would be read as music.
            can = character.isprintable() and character not in ("%\\" if length else ":|[%\\")
            can = can and length < MAX_TEXT
        return header._replace(length=length + 1) if can else None

    def _given(self, header: Header, letter: str, value: str) -> Header | Body | None:
        """Take a field that decides what the music can be."""
        metre, unit = header.metre, header.unit
        match letter:
            case "M":
                metre = parse_meter(value)
                units = [unit] if unit else [self._default(metre), *self._units]
                if metre is None or not any(self._fills(metre, unit) for unit in units):
                    return None
                if "h" in header.given and not _is_common(metre):
                    return None
            case "L":
                unit = int(TICKS * parse_length(value))
                metres = [metre] if metre else map(_metre, self.lines["M"].spelled(""))
                if not any(m is not None and self._fills(m, unit) for m in metres):
                    return None
            case "K":
                unit = unit or self._default(metre)
                lacks = any(required not in header.given for required in self._required)
                if lacks or metre is None or not self._fills(metre, unit):
                    return None
                whole = _whole(metre)
                form = Form(whole, self._measures, self._exact)
                return Body(form, unit, metre.is_compound, whole, swings="h" in header.given)
        return header._replace(metre=metre, unit=unit, given=header.given + letter)

    def _default(self, metre: Metre | None) -> int:
        return int(TICKS * (self._unit or default_length(metre)))

    def _fills(self, metre: Metre, unit: int) -> bool:
        return metre.bar * TICKS <= LONGEST and self._lexicon.filling(unit).fills(_whole(metre))


def _lines(fields: Iterable[str]) -> Iterator[str]:
    return (f"{field[:2]}{space}{field[2:]}\n" for field in fields for space in ("", " "))


def _values(lines: Spelling) -> str:
    values = {line[2:].strip() for line in lines.spelled("")}
    listed = sorted(values, key=lambda value: (len(value), value))
    return (", ".join(listed[:40]) + (", …" if len(listed) > 40 else "")) or "none"


def _metre(line: str) -> Metre | None:
    return parse_meter(line[2:].strip())


def _is_common(metre: Metre) -> bool:
    """Whether it is one of the metres in which players want hornpipes."""
    return (metre.numerator, metre.denominator) in ((2, 4), (4, 4))


def _whole(metre: Metre) -> int:
    return TICKS * metre.numerator // metre.denominator
