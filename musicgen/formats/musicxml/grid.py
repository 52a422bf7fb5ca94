"""The times that notation has signs for, and rounding to them."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING

from musicgen.notation.metre import span

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from musicgen.notation.bars import Bar
    from musicgen.notation.voices import Chord

__all__ = ["SHORTEST", "SHORTEST_ROUNDED", "Spans"]

STEPS = (128, 96, 80, 112)
"""How many 128th notes, and 32nds of triplets, quintuplets and septuplets, make a whole note."""

SHORTEST, SHORTEST_ROUNDED = Fraction(1, 128), Fraction(1, 32)
ROUNDED = (SHORTEST_ROUNDED, Fraction(1, 24))


class Spans:
    """The times in which only one kind of tuplet may lie.

    Parameters
    ----------
    bars
        They reach beyond the last note.
    """

    def __init__(self, bars: Sequence[Bar]) -> None:
        self._bars = bars
        self._starts = [bar.start for bar in bars]
        self._found: dict[Fraction, tuple[Fraction, Fraction]] = {}

    def around(self, time: Fraction) -> tuple[Fraction, Fraction]:
        """Find start and length of that around a time."""
        if time not in self._found:
            bar = self._bars[bisect_right(self._starts, time) - 1]
            length = span(bar.metre)
            self._found[time] = time - (time - bar.origin) % length, length
        return self._found[time]

    def cost(self, voice: list[Chord], chord: Chord) -> float | None:
        """Return 0, or None where a chord does not fit to what a voice has in its beat."""
        start, length = self.around(chord.start)
        times = [chord.start, chord.end]
        for other in reversed(voice):
            if other.end <= start:
                break
            times += other.start, other.end
        inside = [time - start for time in times if start < time < start + length]
        fits = any(all(step % offset.denominator == 0 for offset in inside) for step in STEPS)
        return 0.0 if fits else None

    def place(self, notes: Sequence[tuple[Fraction, Fraction]]) -> dict[Fraction, Fraction]:
        """Find where each time is written.

        If one time of a beat has no sign, all in it are rounded to 32nds or to triplets of 16ths.

        Parameters
        ----------
        notes
            Onset and end of each. The onsets choose the step: when a note was let go tells little
            about how it is written.

        Examples
        --------
        >>> from musicgen.notation.bars import lay_out
        >>> from musicgen.notation.metre import Metre
        >>> spans = Spans(lay_out([(Fraction(0), Metre(4, 4))], Fraction(0), Fraction(1)))
        >>> times = [Fraction(hundredths, 400) for hundredths in (0, 33, 67, 100, 150)]
        >>> [str(placed * 4) for placed in spans.place(list(zip(times, times[1:]))).values()]
        ['0', '1/3', '2/3', '1', '3/2']
        """
        spans: dict[tuple[Fraction, Fraction], list[Fraction]] = defaultdict(list)
        span_of: dict[Fraction, tuple[Fraction, Fraction]] = {}
        for time in sorted({time for note in notes for time in note}):
            span_of[time] = self.around(time)
            spans[span_of[time]].append(time)
        on = {
            time: {step for step in STEPS if step % (time - start).denominator == 0}
            for time, (start, _) in span_of.items()
        }
        off = {span_of[time] for time, steps in on.items() if not steps}
        # Both ends of a note must be of one tuplet, if they lie in one beat.
        off |= {
            span_of[onset]
            for onset, end in notes
            if span_of[onset] == span_of[end] and not on[onset] & on[end]
        }
        onsets = {onset for onset, _ in notes}
        placed = {time: time for time in span_of}
        for start, length in off:
            steps = [step for step in ROUNDED if length % step == 0]
            heard = [time - start for time in spans[start, length] if time in onsets]
            step = min(steps, key=partial(_error, heard))
            for time in spans[start, length]:
                # Half-way goes up.
                placed[time] = start + (2 * (time - start) + step) // (2 * step) * step
        return placed


def _error(offsets: Iterable[Fraction], step: Fraction) -> Fraction:
    return sum((min(offset % step, -offset % step) for offset in offsets), Fraction(0))
