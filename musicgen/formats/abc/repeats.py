"""Repeats and variant endings: completing what texts leave out, and playing them in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from musicgen.formats.abc.parts import is_label
from musicgen.formats.abc.score import Bar, Element, Field, Sound
from musicgen.formats.abc.spelling import ending_numbers

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from musicgen.formats.abc.reporter import Reporter

__all__ = ["complete", "unfold"]

T = TypeVar("T")


class _Section:
    """What is known of the section that is being read, in one voice.

    Attributes
    ----------
    is_open
        Whether a repeat has started and not ended.
    opener
        The bar line at which it started; None for the start of the tune.
    start
        The bar line at which a repeat is assumed to start that nothing opens.
    ending
        The bar line of the variant ending that is being read.
    endings
        Those of all endings of the repeat.
    numbers
        Their numbers.
    from_start
        Whether a repeat is assumed at the start of the tune.
    seen_start
        Whether any repeat has been opened, after which none is assumed there.
    """

    def __init__(self) -> None:
        self.is_open = False
        self.opener: Bar | None = None
        self.start: Bar | None = None
        self.ending: Bar | None = None
        self.endings: list[Bar] = []
        self.numbers: set[int] = set()
        self.from_start = False
        self.seen_start = False

    @property
    def lacks_start(self) -> bool:
        """Whether nothing is open that a ``:|`` could end."""
        return not self.is_open and self.ending is None

    def open(self, bar: Bar | None) -> None:
        """Open a repeat."""
        self.is_open, self.opener, self.seen_start = True, bar, True
        self.ending, self.endings = None, []

    def assume_start(self) -> None:
        """Open the repeat that the text only closes."""
        if self.start is None or not self.seen_start:
            self.from_start = True
            self.open(None)
        else:
            self.start.kind = "::" if self.start.ends_repeat else "|:"
            self.open(self.start)

    def undo(self, report: Reporter) -> None:
        """Take back a repeat that is never closed, and its endings."""
        place = self.opener or self.endings[0]
        report(place.line, place.column, f"{place.kind!r} is never closed by ':|'")
        if self.opener is None:
            self.from_start = False
        else:
            self.opener.kind = ":|" if self.opener.kind == "::" else "||"
        for ending in self.endings:
            ending.ending = ""


def complete(body: list[Element], report: Reporter, *, in_parts: bool = False) -> None:
    """Give every repeat its start and its end, in place.

    A repeat without ``|:`` starts at the end of the repeat before it or at the last double bar;
    the first one of a tune starts where the tune does. A ``|:`` that no ``:|`` follows is undone.

    Parameters
    ----------
    body
        The elements of a tune; voices may alternate.
    report
        Told of what players call an error. A missing start is none: it is custom.
    in_parts
        Whether the parts are played in an order of their own, so that no repeat leads from one
        into another.
    """
    sections: dict[tuple[str, str], _Section] = {}
    first: dict[tuple[str, str], int] = {}
    voice = part = ""
    for at, element in enumerate(body):
        if isinstance(element, Field) and element.key == "V":
            voice = element.value.split(maxsplit=1)[0] if element.value else ""
        elif in_parts and isinstance(element, Field) and is_label(element):
            part = element.value
        elif isinstance(element, Sound | Bar):
            section = sections.setdefault((voice, part), _Section())
            first.setdefault((voice, part), at)
            if isinstance(element, Bar):
                _read_bar(element, section, report)
            elif section.lacks_start:
                section.endings = []
    for section in sections.values():
        if section.is_open:
            section.undo(report)
    for place, at in sorted(first.items(), key=lambda item: -item[1]):
        if sections[place].from_start:
            _insert_start(body, at)


def _insert_start(body: list[Element], at: int) -> None:
    element = body[at]
    if isinstance(element, Bar) and element.kind in ("|", "||", "[|", "|]") and not element.ending:
        element.kind = "|:"
    elif isinstance(element, Bar | Sound):
        body.insert(at, Bar(element.line, element.column, "|:"))


def _read_bar(bar: Bar, section: _Section, report: Reporter) -> None:
    if bar.kind == "|:" and section.is_open:
        report(bar.line, bar.column, "found '|:' after '|:' without ':|' between")
        bar.kind = "::"
    if bar.ending:
        _check_ending(bar, section, report)
    if bar.ends_repeat:
        if section.lacks_start:
            section.assume_start()
        elif not section.is_open and (bar.starts_repeat or not bar.ending):
            # The last ending goes on, never back; players that count wrong are spared the choice.
            bar.kind = "|:" if bar.kind == "::" else "||"
        section.is_open, section.start, section.ending = False, bar, None
    if bar.starts_repeat:
        section.open(bar)
    elif bar.kind in ("||", "|]", "[|"):
        section.start, section.ending = bar, None
    if bar.ending:
        if not section.is_open and not section.endings:
            section.assume_start()
        section.endings.append(bar)
        section.ending = bar


def _check_ending(bar: Bar, section: _Section, report: Reporter) -> None:
    """Take an ending out that does not fit, and make the bar line fit one that does."""
    if bar.starts_repeat or not section.endings or (bar.ends_repeat and section.lacks_start):
        section.numbers = set()
    numbers = ending_numbers(bar.ending)
    due = max(section.numbers, default=0) + 1
    if min(numbers) > due or section.numbers & set(numbers):
        report(bar.line, bar.column, f"ending {bar.ending} where ending {due} is due")
        bar.ending = ""
        return
    section.numbers |= set(numbers)
    if section.ending is not None and bar.kind == "|":
        report(bar.line, bar.column, "the ending before has no ':|'", f"write :|{bar.ending}")
        bar.kind = ":|"


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
    turns = _turns(bars, start)
    while at < len(elements):
        bar = bars[at]
        if bar is None:
            if not skipping:
                yield elements[at]
            at += 1
            continue
        if bar.ends_repeat and not skipping and turn < turns:
            turn, at = turn + 1, start + 1
            continue
        if skipping and (bar.kind != "|" or bar.ending):
            skipping = False
        if bar.starts_repeat:
            start, turn = at, 1
            turns = _turns(bars, start)
        if bar.ending and turn not in ending_numbers(bar.ending):
            skipping = True
        yield elements[at]
        at += 1


def _turns(bars: Sequence[Bar | None], start: int) -> int:
    """How often the section after `start` is played."""
    last = 2
    for at in range(start + 1, len(bars)):
        bar = bars[at]
        if bar is not None:
            if bar.starts_repeat:
                break
            if bar.ending:
                last = max(last, *ending_numbers(bar.ending))
    return last
