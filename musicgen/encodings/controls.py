"""The channels of a frame that stand before its notes: where pieces end, bars, tempo."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count, pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from musicgen.encodings.base import BOUNDARY
from musicgen.encodings.grid import check_steps
from musicgen.errors import EncodingError
from musicgen.music import Music, Tempo, TimeSignature
from musicgen.notation.metre import Metre, beat

__all__ = ["TEMPOS", "Controls"]

TEMPOS = (40, 44, 48, 54, 60, 66, 72, 80, 88, 96, 108, 120, 132, 144, 160, 176, 192, 216, 240)
"""Marks of a metronome, about 10 % apart, in quarter notes a minute."""

MOST_STEPS = 1_000_000
MOST_NUMERATOR = 255
# What the formats can write.
MOST_BEATS, FINEST_BEAT = 99, 64

# Levels of the first thermometer.
EIGHTH, BEAT, BAR = 1, 2, 3

_LIMITS = np.sqrt(np.multiply(TEMPOS[:-1], TEMPOS[1:]))

Frames = npt.NDArray[Any]


class Controls:
    """What a frame says beside its notes, as thermometers: the first channels up to a level are 1.

    ========  ==================================================================================
    channel   is 1
    ========  ==================================================================================
    boundary  in the frame that ends the piece
    metre     on every eighth note of a bar; the next one on every beat; the next on the bar line;
              then, on the bar line too, one for each of the other denominators up to the metre's
    tempo     in every step, up to the nearest of `TEMPOS`; in none where the piece says none
    ========  ==================================================================================

    A bar is as long as it is to the next bar line, so that pickups and changes of metre need no
    more channels; its denominator tells 6/8 from 3/4. A piece lasts to the end of its last bar.
    Eighths and beats say nothing new, but a network learns where the bar lines are by counting to
    two and three in place of a dozen.

    Parameters
    ----------
    steps_per_quarter
        Steps of the grid a quarter note, a divisor of 480.
    denominators
        Those of the metres of the training pieces, rising; any other becomes the next lower one, or
        the first.

    Attributes
    ----------
    metre, tempo
        Their channels.
    thermometers
        Both: of these channels the first up to a level are 1.
    size
        Number of channels.

    Raises
    ------
    EncodingError
        When the steps do not divide 480.

    Examples
    --------
    >>> controls = Controls(1, [4, 8])
    >>> music = Music(1, [Tempo(0, 43)], [TimeSignature(0, 1, 4), TimeSignature(1, 6, 8)])
    >>> frames = controls.encode(music, 5)
    >>> frames[:, controls.metre].T
    array([[1, 1, 1, 1, 1, 1, 1],
           [1, 1, 0, 0, 1, 0, 0],
           [1, 1, 0, 0, 1, 0, 0],
           [0, 1, 0, 0, 1, 0, 0]], dtype=uint8)
    >>> frames[0, controls.tempo].tolist()[:4]
    [1, 1, 0, 0]
    >>> controls.decode(frames, ended=True)
    ([Tempo(time=0, qpm=44.0)],
     [TimeSignature(time=0, numerator=1, denominator=4),
      TimeSignature(time=1, numerator=6, denominator=8)])
    """

    def __init__(self, steps_per_quarter: int, denominators: Sequence[int]) -> None:
        check_steps(steps_per_quarter)
        self.steps_per_quarter = steps_per_quarter
        self.denominators = list(denominators) or [4]
        first = BOUNDARY + 1
        self.metre = slice(first, first + BEAT + len(self.denominators))
        self.tempo = slice(self.metre.stop, self.metre.stop + len(TEMPOS))
        self.thermometers = self.metre, self.tempo
        self.size = self.tempo.stop

    def encode(self, music: Music, end: int) -> npt.NDArray[np.uint8]:
        """Return the channels ``(T, size)`` of a piece on the grid, without the boundary.

        Parameters
        ----------
        music
            A tick of it is a step.
        end
            The step at which it ends; T is that of the bar line there or after it.

        Raises
        ------
        EncodingError
            For an impossible tempo or metre, or more than a million steps.
        """
        if end > MOST_STEPS:
            raise EncodingError(
                f"the piece is {end} steps long, more than {MOST_STEPS:,}; cut it or take fewer "
                "steps_per_quarter"
            )
        lines, T = _bar_lines(music, end)
        levels = np.zeros(T, np.int64)
        for line, stop in pairwise([*lines, T]):
            metre, steps = lines[line], np.arange(stop - line)
            levels[line:stop][2 * steps % self.steps_per_quarter == 0] = EIGHTH
            length = beat(metre) * 4 * self.steps_per_quarter
            levels[line:stop][steps * length.denominator % length.numerator == 0] = BEAT
            others = np.searchsorted(self.denominators[1:], metre.denominator, side="right")
            levels[line] = BAR + others
        frames = np.zeros((T, self.size), np.uint8)
        frames[:, self.metre] = np.arange(BEAT + len(self.denominators)) < levels[:, np.newaxis]
        for tempo in music.tempos:
            if not tempo.qpm > 0:
                raise EncodingError(
                    f"found a tempo of {tempo.qpm} quarter notes a minute, expected more than 0"
                )
            level = int(np.searchsorted(_LIMITS, tempo.qpm)) + 1
            frames[tempo.time :, self.tempo] = np.arange(len(TEMPOS)) < level
        return frames

    def decode(self, frames: Frames, *, ended: bool) -> tuple[list[Tempo], list[TimeSignature]]:
        """Return the changes of tempo and metre that frames ``(T, D)`` tell, in steps.

        A bar line where no metre can put one is passed over.

        Parameters
        ----------
        frames
            A channel is on from 0.5.
        ended
            Whether the piece ends here. Otherwise the last bar may be cut off.
        """
        levels = np.count_nonzero(frames[:, self.tempo] >= 0.5, axis=1)
        changes = np.flatnonzero(np.diff(levels, prepend=0)).tolist()
        tempos = [Tempo(at, float(TEMPOS[levels[at] - 1])) for at in changes if levels[at]]
        levels = np.count_nonzero(frames[:, self.metre] >= 0.5, axis=1)
        lines = np.flatnonzero(levels >= BAR).tolist()
        metres: list[TimeSignature] = []
        start, bar = (lines or [0])[0], 0
        for line in [*lines[1:], len(frames)] if lines else []:
            length = line - start
            if line == len(frames) and length < bar and not ended:
                break
            found = self._metre(length, self.denominators[levels[start] - BAR])
            if found is None and length <= MOST_BEATS * self.steps_per_quarter:
                continue
            if found and (not metres or metres[-1][1:] != found or (start - metres[-1].time) % bar):
                metres.append(TimeSignature(start, *found))
                bar = length
            start = line
        return tempos, metres

    def _metre(self, length: int, denominator: int) -> tuple[int, int] | None:
        """Return the metre of a bar of so many steps, in its beats or the longest that fit."""
        whole = 4 * self.steps_per_quarter
        while denominator <= FINEST_BEAT:
            numerator, rest = divmod(length * denominator, whole)
            if not rest:
                return (numerator, denominator) if 0 < numerator <= MOST_BEATS else None
            denominator *= 2
        return None


def _bar_lines(music: Music, end: int) -> tuple[dict[int, Metre], int]:
    """Return the bar lines before the end, each with its metre, and the first one from it."""
    lines, last = dict[int, Metre](), end
    latest = {change.time: change for change in music.time_signatures if change.time < end}
    for time, until in pairwise([*sorted(latest), end]):
        _, numerator, denominator = latest[time]
        longest = 4 * music.resolution * numerator
        if not (1 <= numerator <= MOST_NUMERATOR and 1 <= denominator <= longest):
            raise EncodingError(
                f"found a metre of {numerator}/{denominator}, expected up to {MOST_NUMERATOR} "
                "beats in a bar, which must not be shorter than a step"
            )
        for bar in count():
            steps = (8 * music.resolution * bar * numerator + denominator) // (2 * denominator)
            last = time + steps
            if last >= until:
                break
            lines[last] = Metre(numerator, denominator)
    return lines, last
