"""Repeats and variant endings: completing what texts leave out, and playing them in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from musicgen.formats.abc.score import Bar, Element, Field, Sound
from musicgen.formats.abc.spelling import ending_numbers

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from musicgen.formats.abc.reporter import Reporter

__all__ = ["complete", "unfold"]

T = TypeVar("T")


class _Section:
    """What is known of the section that is being read, in one voice."""

    def __init__(self) -> None:
        self.open: Bar | None = None
        self.start: Bar | None = None
        self.ending: Bar | None = None
        self.endings: set[int] = set()
        self.seen_start = False
        self.needs_start = False


def complete(body: list[Element], report: Reporter) -> None:
    """Give every repeat its start and its end, in place.

    A repeat without ``|:`` starts at the end of the repeat before it or at the last double bar;
    the first one of a tune starts where the tune does. A ``|:`` that no ``:|`` follows is undone.

    Parameters
    ----------
    body
        The elements of a tune; voices may alternate.
    report
        Told of what players call an error. A missing start is none: it is custom.
    """
    sections: dict[str, _Section] = {}
    first: dict[str, int] = {}
    voice = ""
    for at, element in enumerate(body):
        if isinstance(element, Field) and element.key == "V":
            voice = element.value.split(maxsplit=1)[0] if element.value else ""
        elif isinstance(element, Sound | Bar):
            section = sections.setdefault(voice, _Section())
            first.setdefault(voice, at)
            if isinstance(element, Bar):
                _read_bar(element, section, report)
            elif section.open is None and section.ending is None:
                section.endings = set()
    for section in sections.values():
        if section.open is not None:
            bar = section.open
            report(bar.line, bar.column, f"{bar.kind!r} is never closed by ':|'")
            bar.kind = ":|" if bar.kind == "::" else "||"
    for voice, at in sorted(first.items(), key=lambda item: -item[1]):
        if sections[voice].needs_start:
            _insert_start(body, at)


def _insert_start(body: list[Element], at: int) -> None:
    element = body[at]
    if isinstance(element, Bar) and element.kind in ("|", "||", "[|", "|]") and not element.ending:
        element.kind = "|:"
    elif isinstance(element, Bar | Sound):
        body.insert(at, Bar(element.line, element.column, "|:"))


def _read_bar(bar: Bar, section: _Section, report: Reporter) -> None:
    if bar.starts_repeat and not bar.ends_repeat and section.open is not None:
        report(bar.line, bar.column, "found '|:' after '|:' without ':|' between")
        bar.kind = "::"
    if bar.ends_repeat:
        if section.open is None and section.ending is None:
            _assume_start(section)
        section.open, section.start, section.ending = None, bar, None
    if bar.starts_repeat:
        section.open, section.ending, section.endings = bar, None, set()
        section.seen_start = True
    elif bar.kind in ("||", "|]", "[|"):
        section.start, section.ending = bar, None
    if bar.ending:
        _read_ending(bar, section, report)


def _read_ending(bar: Bar, section: _Section, report: Reporter) -> None:
    numbers = set(ending_numbers(bar.ending))
    if section.ending is not None and bar.kind == "|":
        report(bar.line, bar.column, "the ending before has no ':|'", "write :|" + bar.ending)
        bar.kind = ":|"
        section.open, section.start = None, bar
    if section.open is None and not section.endings:
        if 1 not in numbers:
            report(bar.line, bar.column, f"ending {bar.ending} without ending 1")
            bar.ending = ""
            return
        _assume_start(section)
        section.open = section.start
    section.endings |= numbers
    section.ending = bar


def _assume_start(section: _Section) -> None:
    start = section.start
    if start is None or (not section.seen_start and not section.needs_start):
        section.needs_start = True
    else:
        start.kind = "::" if start.ends_repeat else "|:"


def unfold(elements: Sequence[T], bars: Sequence[Bar | None]) -> Iterator[T]:
    """Give the elements of one voice in the order in which they are played.

    Parameters
    ----------
    elements
        Anything.
    bars
        For each element the bar line that it is, or None. Repeats must be complete.
    """
    start, turn, at, skipping = -1, 1, 0, False
    while at < len(elements):
        bar = bars[at]
        if bar is None:
            if not skipping:
                yield elements[at]
            at += 1
            continue
        if bar.ends_repeat and not skipping and turn < _turns(bars, start):
            turn, at = turn + 1, start + 1
            continue
        if skipping and (bar.kind != "|" or bar.ending):
            skipping = False
        if bar.starts_repeat:
            start, turn = at, 1
        if bar.ending and turn not in ending_numbers(bar.ending):
            skipping = True
        yield elements[at]
        at += 1


def _turns(bars: Sequence[Bar | None], start: int) -> int:
    """How often the section after `start` is played."""
    last = 2
    for bar in bars[start + 1 :]:
        if bar is not None:
            if bar.starts_repeat:
                break
            if bar.ending:
                last = max(last, *ending_numbers(bar.ending))
    return last
