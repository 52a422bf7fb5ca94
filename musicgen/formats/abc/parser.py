"""The text of a tune → a `Score`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from musicgen.formats.abc import repeats
from musicgen.formats.abc.builder import Builder
from musicgen.formats.abc.fields import parse_key, parse_length, parse_meter, parse_tempo
from musicgen.formats.abc.interpretation import UNIT, interpret
from musicgen.formats.abc.lexer import FIELD, strip_comment, tokens
from musicgen.formats.abc.parts import order
from musicgen.formats.abc.reporter import Reporter
from musicgen.formats.abc.score import Field, Score, Sound

if TYPE_CHECKING:
    from collections.abc import Callable

    from musicgen.music import Tune

__all__ = ["parse"]

_DIRECTIVE = re.compile(r"(?:%%|[ \t]*I:)[ \t]*(.*)")
_INLINE_COMMENT = re.compile(r'[^"%]*(?:"[^"]*"[^"%]*)*')
_VALUES: dict[str, Callable[[str], object]] = {
    "K": parse_key,
    "M": parse_meter,
    "L": parse_length,
    "Q": lambda value: parse_tempo(value, UNIT),
}
_HINTS = {
    "K": "write for example K:G, K:Am or K:Ddor",
    "M": "write for example M:4/4, M:6/8 or M:C",
    "L": "write for example L:1/8",
    "Q": "write for example Q:1/4=120",
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
        When `strict`, at the first problem that is not mild.

    Examples
    --------
    >>> from musicgen.music import Tune
    >>> score = parse(Tune("X:1\nT:Air\nK:D\n|:F2 A>B:|"))
    >>> score.first("T"), len(score.body), score.problems
    ('Air', 6, [])
    """
    report = Reporter(tune.path, strict)
    lines = list(enumerate(tune.text.split("\n"), tune.line))
    score = Score(problems=report.problems)
    rest = _header(lines, score, report)
    builder = Builder(report)
    for number, line in rest:
        _body_line(number, line, builder, report)
    score.body = builder.finish()
    repeats.complete(score.body, report, in_parts=bool(order(score)))
    interpret(score, report)
    if not any(isinstance(element, Sound) and element.notes for element in score.body):
        report(lines[-1][0], 1, "the tune has no notes", "write notes after the K: line")
    return score


def _header(lines: list[tuple[int, str]], score: Score, report: Reporter) -> list[tuple[int, str]]:
    """Fill the header; return the lines of the body."""
    for at, (number, line) in enumerate(lines):
        directive = _DIRECTIVE.match(line)
        text = strip_comment(line)
        match = FIELD.match(text)
        if directive is not None:
            score.header.append(Field(number, 1, "%%", directive[1].rstrip()))
        elif match is not None and match[1] != "+":
            entry = Field(number, match.start(2) + 1, match[1], match[2].strip())
            if _valid(entry, report):
                score.header.append(entry)
            elif entry.key == "K":
                score.header.append(Field(number, entry.column, "K", "C"))
            if match[1] == "K":
                return lines[at + 1 :]
        elif text.strip() and not _continues(score):
            report(number, 1, "expected a field such as 'M:4/4'", "the header ends with a K: line")
            score.header.append(Field(number, 1, "K", "C"))
            return lines[at:]
    report(lines[-1][0], 1, "the K: line is missing", "the header ends with a K: line, such as K:G")
    score.header.append(Field(lines[-1][0], 1, "K", "C"))
    return []


def _continues(score: Score) -> bool:
    """Whether a line without field may go on a text: only the history does so."""
    return bool(score.header) and score.header[-1].key == "H"


def _valid(entry: Field, report: Reporter) -> bool:
    read = _VALUES.get(entry.key)
    if read is None:
        return True
    try:
        read(entry.value)
    except ValueError as error:
        report(entry.line, entry.column, str(error), _HINTS[entry.key])
        return False
    return True


def _body_line(number: int, line: str, builder: Builder, report: Reporter) -> None:
    directive = _DIRECTIVE.match(line)
    if directive is not None:
        builder.add_field(Field(number, 1, "%%", directive[1].rstrip()))
        return
    match = FIELD.match(line)
    if match is not None:
        value = strip_comment(match[2]).strip()
        entry = Field(number, match.start(2) + 1, match[1], value)
        if _valid(entry, report):
            builder.add_field(entry)
        return
    code = _INLINE_COMMENT.match(line)
    text = line if code is None or line[code.end() : code.end() + 1] != "%" else line[: code.end()]
    if not text.strip():
        return
    for token in tokens(text.rstrip(), number):
        if token.kind != "inline":
            builder.add(token)
            continue
        entry = Field(
            number, token.column + 3, token.text[1], token.text[3:-1].strip(), inline=True
        )
        if _valid(entry, report):
            builder.add_field(entry)
    builder.end_line()
