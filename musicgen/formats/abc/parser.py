"""The text of a tune → a `Score`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from musicgen.errors import FormatError
from musicgen.formats.abc import repeats
from musicgen.formats.abc.builder import Builder
from musicgen.formats.abc.fields import parse_key, parse_length, parse_meter, parse_tempo
from musicgen.formats.abc.interpretation import UNIT, interpret
from musicgen.formats.abc.lexer import FIELD, PITCH, field_value, strip_comment, tokens
from musicgen.formats.abc.parts import order
from musicgen.formats.abc.reporter import Reporter
from musicgen.formats.abc.score import Field, Score, Sound
from musicgen.formats.abc.symbols import Macros, read_symbol
from musicgen.formats.abc.transposition import key_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from musicgen.music import Tune

__all__ = ["parse"]

MAX_LENGTH = 200_000
"""More characters than this are no tune: the longest known ones have a third of them."""

_DIRECTIVE = re.compile(r"(?:%%|[ \t]*I:)[ \t]*(.*)")
_INLINE_COMMENT = re.compile(r'[^"%]*(?:"[^"]*"[^"%]*)*')
_TEXT_BLOCK = re.compile(r"%%[ \t]*begin(text|ps|svg)\b")
_KEY = re.compile(r"[ \t]*\[?K[ \t]?:")
_BRACKETED = re.compile(r"[ \t]*\[([A-Za-z]:[^\[\]]*)\][ \t]*")
# Collections made for machines part everything, a note and its length too.
_APART = re.compile(rf"({PITCH}|[zx\]])[ ](\d+/*\d*|/+\d*)")
_CLOSE = re.compile(r"[A-Ga-gz][,']*[\d/]*[A-Ga-gz]")
_TONIC = re.compile(r"[A-G][#b]?")
_VALUES: dict[str, Callable[[str], object]] = {
    "K": parse_key,
    "M": parse_meter,
    "L": parse_length,
    "Q": lambda value: parse_tempo(value, UNIT),
    "U": read_symbol,
}
_HINTS = {
    "K": "write for example K:G, K:Am or K:Ddor",
    "M": "write for example M:4/4, M:6/8 or M:C",
    "L": "write for example L:1/8",
    "Q": "write for example Q:1/4=120",
    "U": "write for example U:T = !trill!",
    "m": "write for example m:~G2 = {A}G{F}G",
}


def parse(tune: Tune, *, strict: bool = False) -> Score:
    r"""Parse the text of a tune.

    Parameters
    ----------
    tune
        The text, and where it stood.
    strict
        Whether only well-formed text is accepted. Otherwise, what players repair is repaired, and
        `Score.problems` lists it.

    Raises
    ------
    FormatError
        When `strict`, at the first problem that is not mild; otherwise only where the text is
        beyond all bounds.

    Examples
    --------
    >>> from musicgen.music import Tune
    >>> score = parse(Tune("X:1\nT:Air\nK:D\n|:F2 A>B:|"))
    >>> score.first("T"), len(score.body), score.problems
    ('Air', 6, [])
    """
    if len(tune.text) > MAX_LENGTH:
        raise FormatError(
            f"a tune of {len(tune.text):,} characters",
            path=tune.path, line=tune.line, column=1,
            hint=f"a tune has up to {MAX_LENGTH:,}; start each with an 'X:' line",
        )  # fmt: skip
    return _Parser(tune, strict).parse()


class _Parser:
    """Reads the lines of one tune."""

    def __init__(self, tune: Tune, strict: bool) -> None:
        self._lines = _lines(tune)
        self._report = Reporter(tune.path, strict)
        self._score = Score(problems=self._report.problems)
        self._builder = Builder(self._report)
        self._macros = Macros()
        self._line = tune.line
        self._has_key = any(_KEY.match(line) for line in tune.text.split("\n"))

    def parse(self) -> Score:
        """Read header and body."""
        score, report = self._score, self._report
        rest = self._header()
        for number, line in [*rest, *self._lines]:
            self._line = number
            self._body_line(number, line)
        score.body = self._builder.finish()
        repeats.complete(score.body, report, in_parts=bool(order(score)))
        interpret(score, report)
        if not any(isinstance(element, Sound) and element.notes for element in score.body):
            report(self._line, 1, "the tune has no notes", "write notes after the K: line")
        return score

    def _header(self) -> list[tuple[int, str]]:
        """Fill the header; return the line of music that was found in place of a ``K:``."""
        header = self._score.header
        for number, line in self._lines:
            self._line = number
            directive = _DIRECTIVE.match(line)
            text = strip_comment(line)
            bracketed = _BRACKETED.fullmatch(text)
            if bracketed is not None:
                self._report(
                    number, 1, "a field of the header in brackets", f"write {bracketed[1]}"
                )
                text = f" {bracketed[1]}"
            match = FIELD.match(text)
            if directive is not None:
                header.append(Field(number, 1, "%%", directive[1].rstrip()))
            elif match is not None and match[1] == "+" and header:
                last = header[-1]
                text = f"{last.value} {field_value(match[2])}"
                entry = Field(number, match.start(2) + 1, last.key, text)
                if self._is_valid(entry):
                    last.value = entry.value
            elif match is not None:
                entry = Field(number, match.start(2) + 1, match[1], field_value(match[2]))
                if self._is_valid(entry):
                    header.append(entry)
                elif entry.key == "K":
                    header.append(Field(number, entry.column, "K", "C"))
                if entry.key == "K":
                    # Before the music there is no key that a clef alone could leave as it is.
                    entry.value = entry.value or "none"
                    return []
            elif text.strip() and not (header and header[-1].key == "H"):
                # Only the history may go on without a field.
                hint = "the header ends with a K: line"
                self._report(number, 1, "expected a field such as 'M:4/4'", hint)
                if not self._has_key:
                    header.append(Field(number, 1, "K", "C"))
                    return [(number, line)]
        hint = "the header ends with a K: line, such as K:G"
        self._report(self._line, 1, "the K: line is missing", hint)
        header.append(Field(self._line, 1, "K", "C"))
        return []

    def _is_valid(self, entry: Field) -> bool:
        """Check the value of a field, and repair that of a key; False where nothing helps."""
        try:
            if entry.key in _VALUES:
                _VALUES[entry.key](entry.value)
            if entry.key == "K":
                entry.value = key_text(entry.value)
            elif entry.key == "U":
                letter, meaning = read_symbol(entry.value)
                self._builder.symbols[letter] = meaning
            elif entry.key == "m":
                self._macros.define(entry.value)
        except ValueError as error:
            self._report(entry.line, entry.column, str(error), _HINTS.get(entry.key, ""))
            return entry.key == "K" and _repair_key(entry)
        return True

    def _body_line(self, number: int, line: str) -> None:
        directive = _DIRECTIVE.match(line)
        if directive is not None:
            self._builder.add_field(Field(number, 1, "%%", directive[1].rstrip()))
            return
        match = FIELD.match(line)
        if match is not None:
            value = field_value(strip_comment(match[2]))
            entry = Field(number, match.start(2) + 1, match[1], value)
            if self._is_valid(entry):
                self._builder.add_field(entry)
            return
        text = _without_comment(line)
        if text:
            self._music(number, text)

    def _music(self, number: int, text: str) -> None:
        try:
            text = self._macros.expand(text)
        except ValueError as error:
            self._report(number, 1, str(error))
        if _APART.search(text) and not _CLOSE.search(text):
            self._report(number, 1, "lengths apart from their notes", "write A2, not A 2")
            text = _APART.sub(r"\1\2 ", text)
        builder = self._builder
        for token in tokens(text, number):
            if token.kind != "inline":
                builder.add(token)
                continue
            value = field_value(token.text[3:-1])
            entry = Field(number, token.column + 3, token.text[1], value, inline=True)
            if entry.key == "I":
                builder.add_field(Field(number, entry.column, "%%", value))
            elif self._is_valid(entry):
                builder.add_field(entry)
        builder.end_line()


def _repair_key(entry: Field) -> bool:
    """Write the tonic large, or leave out what follows it; False where that helps nothing."""
    capital = entry.value[:1].upper() + entry.value[1:]
    tonic = _TONIC.match(capital)
    for value in (capital, tonic[0] if tonic else ""):
        try:
            parse_key(value)
        except ValueError:
            continue
        entry.value = value
        return bool(value)
    return False


def _lines(tune: Tune) -> Iterator[tuple[int, str]]:
    """Give each line of a tune and its number, blocks of text between directives left out."""
    block = ""
    for number, line in enumerate(tune.text.split("\n"), tune.line):
        start = _TEXT_BLOCK.match(line)
        if block:
            block = "" if line.replace(" ", "").startswith(f"%%end{block}") else block
        elif start is not None:
            block = start[1]
        else:
            yield number, line


def _without_comment(line: str) -> str:
    """Cut a line of music before its comment, which starts outside quotation marks."""
    if "%" in line:
        code = _INLINE_COMMENT.match(line)
        if code is not None and line[code.end() : code.end() + 1] == "%":
            line = line[: code.end()]
    return line.rstrip()
