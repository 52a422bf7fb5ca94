"""The measures of a score to be written, and what changes in them."""

from __future__ import annotations

from bisect import bisect_right
from fractions import Fraction
from typing import TYPE_CHECKING, TypeVar

from musicgen.errors import FormatError
from musicgen.formats.musicxml.bars import fitting
from musicgen.formats.musicxml.grid import SHORTEST, UNITS, Bar

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from musicgen.music import KeySignature, Tempo, TimeSignature

__all__ = ["bars", "by_bar", "extended", "in_units"]

MOST_BARS = 50_000
DENOMINATORS = (1, 2, 4, 8, 16, 32, 64, 128)

Change = TypeVar("Change", "KeySignature", "Tempo", "TimeSignature")


def in_units(changes: Iterable[Change], resolution: int) -> dict[int, Change]:
    """Find the nearest 128th note of each change; of two at one place the later stays.

    Raises
    ------
    FormatError
        When one lies before the start.
    """
    found = {}
    for change in changes:
        if change.time < 0:
            raise FormatError(f"found {change}, expected a time from 0")
        step = SHORTEST * resolution
        found[(2 * change.time * UNITS + step) // (2 * step) * SHORTEST] = change
    return dict(sorted(found.items()))


def bars(metres: dict[int, TimeSignature]) -> list[Bar]:
    """Draw the bar lines up to the last change of metre, and one bar more.

    A change of metre ends a bar. A first bar that is shorter than the next, and for which alone a
    metre stands, is a pickup.

    Parameters
    ----------
    metres
        By units.

    Raises
    ------
    FormatError
        When notation has no sign for a metre, or there are more than 50,000 bars.
    """
    changes: list[tuple[int, tuple[int, int]]] = []
    for time, (_, numerator, denominator) in metres.items():
        if not 1 <= numerator <= 255 or denominator not in DENOMINATORS:
            raise FormatError(f"MusicXML has no time signature {numerator}/{denominator}")
        metre = numerator, denominator
        if not changes or changes[-1][1] != metre or (time - changes[-1][0]) % _length(metre):
            changes.append((time, metre))
    if not changes or changes[0][0] > 0:
        changes.insert(0, (0, (4, 4)))
    found: list[Bar] = []
    for number, (start, metre) in enumerate(changes):
        length = _length(metre)
        following = changes[number + 1] if number + 1 < len(changes) else None
        stop = start + length if following is None else following[0]
        if (stop - start) // length + len(found) > MOST_BARS:
            raise FormatError(f"the piece has more than {MOST_BARS:,} measures")
        if number == 0 and following is not None and _is_pickup(stop, metre, following[1]):
            found.append(Bar(start, stop, following[1], True, True))
            continue
        for at in range(start, stop, length):
            is_new = at == start and not (found and found[-1].metre == metre)
            found.append(Bar(at, min(at + length, stop), metre, is_new, False))
    return found


def extended(found: list[Bar], end: int) -> list[Bar]:
    """Add bars like the last one until they reach a time.

    Raises
    ------
    FormatError
        When there are more than 50,000 bars.
    """
    last = found[-1]
    length = _length(last.metre)
    missing = -(-(end - last.end) // length)
    if len(found) + missing > MOST_BARS:
        raise FormatError(f"the piece has more than {MOST_BARS:,} measures")
    starts = range(last.end, last.end + missing * length, length)
    return found + [Bar(at, at + length, last.metre, False, False) for at in starts]


def by_bar(changes: dict[int, Change], found: Sequence[Bar]) -> list[list[tuple[int, Change]]]:
    """Sort changes into bars, each with its offset from the start of its bar, in units."""
    starts = [bar.start for bar in found]
    sorted_in: list[list[tuple[int, Change]]] = [[] for _ in found]
    for time, change in changes.items():
        at = bisect_right(starts, time) - 1
        sorted_in[at].append((time - starts[at], change))
    return sorted_in


def _length(metre: tuple[int, int]) -> int:
    return 4 * UNITS * metre[0] // metre[1]


def _is_pickup(length: int, metre: tuple[int, int], following: tuple[int, int]) -> bool:
    return (
        length == _length(metre) < _length(following)
        and fitting(Fraction(length, UNITS), following) == metre
    )
