"""Repeats and variant endings, played out in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from musicgen.formats.abc.spelling import ending_numbers

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from musicgen.formats.abc.score import Bar

__all__ = ["unfold"]

T = TypeVar("T")


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
            yield elements[at]
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
