"""Repeats and variant endings: completing what texts leave out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from musicgen.formats.abc.parts import is_label
from musicgen.formats.abc.score import Bar, Break, Element, Field, Sound
from musicgen.formats.abc.spelling import ending_numbers

if TYPE_CHECKING:
    from musicgen.formats.abc.reporter import Reporter

__all__ = ["complete"]

SOUNDING = (Sound, Bar)


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
    previous
        The bar line that nothing has sounded after.
    bars, first_bars
        How many bars the ending has so far, and the first ending had.
    outgrown
        The bar line at which a later ending is as long as the first.
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
        self.previous: Bar | None = None
        self.bars = self.first_bars = 0
        self.outgrown: Bar | None = None

    @property
    def lacks_start(self) -> bool:
        """Whether nothing is open that a ``:|`` could end."""
        return not self.is_open and self.ending is None

    @property
    def goes_back(self) -> bool:
        """Whether a ``:|`` here sends the player back: not at the end of the last turn."""
        if self.is_open or self.ending is None:
            return True
        return min(ending_numbers(self.ending.ending), default=0) < max(self.numbers, default=0)

    def end_part(self) -> None:
        """Take the label of a new part: it ends the last ending, and a repeat may start there."""
        if not self.is_open and self.previous is not None:
            self.start, self.ending = self.previous, None

    def count(self, bar: Bar) -> None:
        """Count the bars of an ending up to its end, or to where it is as long as the first."""
        if self.ending is None:
            self.outgrown = None
            return
        self.bars += 1
        if len(self.endings) == 1:
            self.first_bars = self.bars
        elif self.bars == self.first_bars and not self.is_open:
            self.outgrown = bar
        elif self.outgrown is not None and (bar.ends_repeat or bar.ending):
            # The last ending was over there: what is repeated here is another section.
            self.start, self.ending, self.outgrown = self.outgrown, None, None
            self.endings = []

    def open(self, bar: Bar | None) -> None:
        """Open a repeat."""
        self.is_open, self.opener, self.seen_start = True, bar, True
        self.ending, self.endings = None, []

    def assume_start(self, bar: Bar, report: Reporter) -> None:
        """Open the repeat that the text only closes, at `bar`."""
        if self.start is None or not self.seen_start:
            self.from_start = True
            self.open(None)
        else:
            message = f"no '|:' opens this repeat: it is played from line {self.start.line}"
            report(bar.line, bar.column, message, "write '|:' where the repeat starts", mild=True)
            self.start.kind = "::" if self.start.ends_repeat else "|:"
            if self.start is not bar:
                # An ending before the label of a part, in which nothing sounds.
                self.start.ending = ""
            self.open(self.start)

    def undo(self, report: Reporter) -> None:
        """Take back a repeat that is never closed, and its endings."""
        place = self.opener or self.endings[0]
        # At the very end it is another way to write ':|'; the repeat before has been read so.
        mild = place is self.previous
        report(place.line, place.column, f"{place.kind!r} is never closed by ':|'", mild=mild)
        if self.opener is None:
            self.from_start = False
        else:
            self.opener.kind = ":|" if self.opener.kind == "::" else "||"
        for ending in self.endings:
            ending.ending = ""


def complete(body: list[Element], report: Reporter, *, in_parts: bool = False) -> None:
    """Give every repeat its start and its end, in place.

    A repeat without ``|:`` starts at the end of the repeat before it, at the last double bar or at
    the label of the part; the first one of a tune starts where the tune does. A ``|:`` that no
    ``:|`` follows is undone.

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
    section: _Section | None = None
    for at, element in enumerate(body):
        if isinstance(element, Field):
            if element.key == "V":
                voice = element.value.split(maxsplit=1)[0] if element.value else ""
                section = sections.get((voice, part))
            elif is_label(element) and in_parts:
                part = element.value
                section = sections.get((voice, part))
            elif is_label(element) and section is not None:
                section.end_part()
        elif isinstance(element, SOUNDING):
            if section is None:
                section = sections[voice, part] = _Section()
                first[voice, part] = at
            if isinstance(element, Bar):
                _read_bar(element, section, report)
                section.previous = element
            else:
                section.previous = None
                if section.lacks_start:
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
        parted = [Break(" ")] if isinstance(element, Bar) else []
        body[at:at] = [Bar(element.line, element.column, "|:"), *parted]


def _read_bar(bar: Bar, section: _Section, report: Reporter) -> None:
    if bar.kind == "|:" and section.is_open:
        report(bar.line, bar.column, "found '|:' after '|:' without ':|' between")
        bar.kind = "::"
    section.count(bar)
    if bar.ending:
        _check_ending(bar, section, report)
    if bar.ends_repeat:
        if section.lacks_start:
            section.assume_start(bar, report)
        elif not section.goes_back and (bar.starts_repeat or not bar.ending):
            # The last ending goes on, never back; players that count wrong are spared the choice.
            bar.kind = "|:" if bar.kind == "::" else "||"
        section.is_open, section.start, section.ending = False, bar, None
    if bar.starts_repeat:
        section.open(bar)
    elif bar.kind in ("||", "|]", "[|") and not bar.ending:
        section.start, section.ending = bar, None
    if bar.ending:
        if not section.is_open and not section.endings:
            section.assume_start(bar, report)
        section.endings.append(bar)
        section.ending, section.bars, section.outgrown = bar, 0, None


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
