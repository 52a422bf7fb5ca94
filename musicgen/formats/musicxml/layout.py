"""The metres of a score to be written, and what changes in its measures."""

from __future__ import annotations

from bisect import bisect_right
from fractions import Fraction
from typing import TYPE_CHECKING, TypeVar

from musicgen.errors import FormatError
from musicgen.formats.musicxml.grid import SHORTEST
from musicgen.notation.metre import Metre, fitting

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from musicgen.music import KeySignature, Tempo, TimeSignature
    from musicgen.notation.bars import Bar

__all__ = ["by_bar", "metres", "on_grid"]

DENOMINATORS = (1, 2, 4, 8, 16, 32, 64, 128)
START = Fraction(0)

Change = TypeVar("Change", "KeySignature", "Tempo", "TimeSignature")


def on_grid(changes: Iterable[Change], resolution: int) -> dict[Fraction, Change]:
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
        step = SHORTEST * 4 * resolution
        found[(2 * change.time + step) // (2 * step) * SHORTEST] = change
    return dict(sorted(found.items()))


def metres(
    signatures: dict[Fraction, TimeSignature],
) -> tuple[list[tuple[Fraction, Metre]], Fraction]:
    """Find the metres, the first at the start, and the length of the pickup.

    A first bar that is shorter than the next, and for which alone a metre stands, is a pickup.

    Raises
    ------
    FormatError
        When notation has no sign for a metre.
    """
    found = []
    for time, (_, numerator, denominator) in signatures.items():
        if not 1 <= numerator <= 255 or denominator not in DENOMINATORS:
            raise FormatError(f"MusicXML has no time signature {numerator}/{denominator}")
        found.append((time, Metre(numerator, denominator)))
    if not found or found[0][0] > 0:
        found.insert(0, (START, Metre(4, 4)))
    if len(found) > 1:
        (_, short), (time, metre), *others = found
        usual = fitting(4 * time, (metre.numerator, metre.denominator))
        if time == short.bar < metre.bar and usual == (short.numerator, short.denominator):
            return [(START, metre), *others], time
    return found, START


def by_bar(
    changes: dict[Fraction, Change], bars: Sequence[Bar]
) -> list[list[tuple[Fraction, Change]]]:
    """Sort changes into bars, each with its offset from the start of its bar."""
    starts = [bar.start for bar in bars]
    sorted_in: list[list[tuple[Fraction, Change]]] = [[] for _ in bars]
    for time, change in changes.items():
        at = bisect_right(starts, time) - 1
        sorted_in[at].append((time - starts[at], change))
    return sorted_in
