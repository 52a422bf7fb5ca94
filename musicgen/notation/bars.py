"""Where the bars of a piece stand."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from musicgen.errors import FormatError

if TYPE_CHECKING:
    from musicgen.notation.metre import Metre

__all__ = ["MAX_BARS", "Bar", "lay_out"]

MAX_BARS = 50_000


class Bar(NamedTuple):
    """One bar; times in whole notes.

    Attributes
    ----------
    start, end
        Its place.
    origin
        Where its beats count from: before `start` in an upbeat.
    metre
        Its metre.
    """

    start: Fraction
    end: Fraction
    origin: Fraction
    metre: Metre

    @property
    def is_full(self) -> bool:
        """Whether it is as long as the metre says."""
        return self.end - self.start == self.metre.bar

    @property
    def is_upbeat(self) -> bool:
        """Whether it lacks its first beats."""
        return self.origin < self.start


def lay_out(metres: list[tuple[Fraction, Metre]], pickup: Fraction, end: Fraction) -> list[Bar]:
    """Set bars from time 0 on until the end lies in one, or on its last bar line.

    A metre that starts within a bar cuts that bar short. The last bar is full; after an upbeat it
    is short by that, if the piece has one metre and ends there.

    Parameters
    ----------
    metres
        Time and metre of each change, the first at 0, in whole notes.
    pickup
        Length of the upbeat.
    end
        End of the last note.

    Raises
    ------
    FormatError
        When there would be more than 50,000 bars.

    Examples
    --------
    >>> from musicgen.notation.metre import Metre
    >>> found = lay_out([(Fraction(0), Metre(3, 4))], Fraction(1, 4), Fraction(3, 2))
    >>> [(str(bar.start), str(bar.end)) for bar in found]
    [('0', '1/4'), ('1/4', '1'), ('1', '3/2')]
    """
    bounds = [time for time, _ in metres[1:]] + [end]
    count = sum(
        (until - time) // metre.bar + 2 for (time, metre), until in zip(metres, bounds, strict=True)
    )
    if count > MAX_BARS:
        raise FormatError(
            f"the piece has about {count} bars, more than {MAX_BARS:,}",
            hint="cut it, or give a longer metre",
        )
    bars = []
    for (start, metre), until in zip(metres, bounds, strict=True):
        origin = start + pickup - metre.bar if start == 0 and pickup else start
        while origin < until:
            stop = min(origin + metre.bar, until) if until != end else origin + metre.bar
            bars.append(Bar(max(origin, start), stop, origin, metre))
            origin = stop
    last = bars[-1]
    if pickup and len(metres) == 1 and len(bars) > 2 and last.end - pickup >= end:
        bars[-1] = last._replace(end=last.end - pickup)
    return bars
