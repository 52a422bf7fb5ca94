"""What may follow in a score: the order of marks, and bars of the metre's length."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from musicgen.encodings.base import BOUNDARY
from musicgen.encodings.marks import BAR, FERMATA, HEADER
from musicgen.encodings.measures import COMMON_TIME, bar_steps
from musicgen.errors import EncodingError

if TYPE_CHECKING:
    from musicgen.encodings.marks import Marks

__all__ = ["ChordsConstraint", "ScoreConstraint", "ScoreGridConstraint"]

# The marks of a step come in this order, each once at most.
METRE, KEY, TEMPO, BAR_LINE, HELD = range(1, 6)

Mask = npt.NDArray[np.bool_]


class ScoreConstraint:
    """Keeps a sample a well-formed score: its marks; heirs say what is within a step.

    The header is complete; marks stand in order before the notes of a step; each bar is as long as
    its metre, except that the first may be an upbeat such as training pieces have, and that the
    last then may lack it; the piece ends with a bar.

    Parameters
    ----------
    marks
        The vocabulary of marks.
    size
        Number of all symbols V.
    metre, key
        What the piece is in from its start to its end, such as ``"3/4"`` and ``"Am"``, written as
        in ABC. The model decides by default.
    bars
        Number of full bars, an upbeat not counted. The model decides by default.

    Raises
    ------
    EncodingError
        When no training piece is in this metre or key, or `bars` is less than 1.
    """

    def __init__(
        self,
        marks: Marks,
        size: int,
        *,
        metre: str | None = None,
        key: str | None = None,
        bars: int | None = None,
    ) -> None:
        if bars is not None and bars < 1:
            raise EncodingError(f"asked for {bars} bars; expected 1 or more")
        self.marks = marks
        self._size = size
        self._bars_asked = bars
        self._asked: dict[int, int] = {}
        if metre is not None:
            self._asked[METRE] = marks.metre_of(metre)
        if key is not None:
            self._asked[KEY] = marks.key_of(key)
        self._starts = {
            METRE: marks.first_metre, KEY: marks.first_key, TEMPO: marks.first_tempo
        }  # fmt: skip
        self._stops = {METRE: marks.first_key, KEY: marks.first_tempo, TEMPO: marks.size}
        self._said: dict[int, int] = {}
        self._header = 0
        self._bar = bar_steps(COMMON_TIME, marks.steps_per_quarter)
        self._place = self._bar
        self._bars = 0
        self._upbeat = 0
        self._full_bars = 0
        self._rank = 0
        self._is_within = False

    def allowed(self) -> Mask:
        """Return which symbols ``(V,)`` may come next, the boundary included."""
        mask = np.zeros(self._size, np.bool_)
        if self._header < HEADER:
            self._allow_value(mask, self._header + 1)
        elif self._is_within:
            self._allow_notes(mask)
        else:
            self._allow_marks(mask)
        return mask

    def _allow_value(self, mask: Mask, rank: int) -> None:
        """Allow what the header may say."""
        if rank in self._asked:
            mask[self._asked[rank]] = True
        else:
            mask[self._starts[rank] : self._stops[rank]] = True

    def _allow_change(self, mask: Mask, rank: int) -> None:
        if rank > self._rank and rank not in self._asked:
            mask[self._starts[rank] + 1 : self._stops[rank]] = True
            mask[self._said[rank]] = False

    def _allow_marks(self, mask: Mask) -> None:
        is_barred = self._rank >= BAR_LINE
        is_full = self._place == self._bar and not is_barred
        is_metred = self._said[METRE] > self.marks.first_metre
        may_be_upbeat = is_metred and self._bars == 1 and self._place in self.marks.upbeats
        # A primer may have more bars than asked for.
        is_last = self._bars_asked is not None and self._full_bars >= self._bars_asked
        if self._rank == 0 and self._may_end():
            mask[BOUNDARY] = True
        if is_full and self._bars and is_last:
            return
        if is_full or (may_be_upbeat and not is_barred):
            mask[BAR] = True
        if is_full and self._bars:
            self._allow_change(mask, METRE)
        if self._bars and not is_barred:
            self._allow_change(mask, KEY)
            self._allow_change(mask, TEMPO)
        if not is_full:
            mask[FERMATA] = self._rank < HELD
            self._allow_notes(mask)

    def _may_end(self) -> bool:
        if self._full_bars < (self._bars_asked or 1):
            return False
        lacks_upbeat = self._upbeat > 0 and self._place == self._bar - self._upbeat
        return self._place == self._bar or lacks_upbeat

    def advance(self, symbol: int) -> None:
        """Take the next symbol, drawn or of a primer.

        Raises
        ------
        EncodingError
            When a primer is in another metre or key than asked for.
        """
        if symbol == BOUNDARY:
            return
        if symbol >= self.marks.size:
            self._is_within = True
            self._take_note(symbol)
        elif symbol == BAR:
            self._start_bar()
        elif symbol == FERMATA:
            self._rank = HELD
        else:
            self._take_value(symbol)

    def _take_value(self, symbol: int) -> None:
        rank = next(rank for rank, stop in self._stops.items() if symbol < stop)
        if self._asked.get(rank, symbol) != symbol:
            raise EncodingError(
                f"the primer is in {self.marks.text(symbol)}, the sample is to be in "
                f"{self.marks.text(self._asked[rank])}; ask for the same, or for neither"
            )
        # A new one each time: copies must not share it.
        self._said = {**self._said, rank: symbol}
        if self._header < HEADER:
            self._header += 1
        else:
            self._rank = rank
        if rank == METRE:
            metre = self.marks.metres[symbol - self.marks.first_metre]
            # The bar before it has ended, and the last will lack nothing for an upbeat.
            self._upbeat = 0
            self._bar = self._place = bar_steps(metre, self.marks.steps_per_quarter)

    def _start_bar(self) -> None:
        if self._bars == 1 and self._place < self._bar:
            self._upbeat, self._full_bars = self._place, 0
        self._bars += 1
        self._full_bars += 1
        self._place = 0
        self._rank = BAR_LINE

    def _end_step(self) -> None:
        """Go on to the next step: heirs call it after the last note of one."""
        self._place += 1
        self._rank = 0
        self._is_within = False

    def _allow_notes(self, mask: Mask) -> None:
        """Allow what may come next within a step."""
        raise NotImplementedError

    def _take_note(self, symbol: int) -> None:
        """Take a symbol that is no mark."""
        raise NotImplementedError


class ScoreGridConstraint(ScoreConstraint):
    """So many symbols a step as there are voices; a hold only where the voice sounds."""

    def __init__(self, marks: Marks, size: int, voices: int, **conditions: Any) -> None:
        super().__init__(marks, size, **conditions)
        self._rest = marks.size
        self._hold = self._rest + 1
        self._sounds = (False,) * voices
        self._voice = 0

    def _allow_notes(self, mask: Mask) -> None:
        mask[self._rest :] = True
        mask[self._hold] = self._sounds[0]

    def _take_note(self, symbol: int) -> None:
        # The first is always that of the voice whose turn it is.
        self._sounds = (*self._sounds[1:], symbol != self._rest)
        self._voice += 1
        if self._voice == len(self._sounds):
            self._voice = 0
            self._end_step()


class ChordsConstraint(ScoreConstraint):
    """Pitches ascend within a step, and go on only where they sounded in the step before."""

    def __init__(self, marks: Marks, size: int, **conditions: Any) -> None:
        super().__init__(marks, size, **conditions)
        self._next = marks.size
        self._first = self._next + 1
        self._sounded: frozenset[int] = frozenset()
        self._now: frozenset[int] = frozenset()

    def _allow_notes(self, mask: Mask) -> None:
        lowest = max(self._now, default=-1) + 1
        mask[self._next] = True
        mask[self._first + 2 * lowest :: 2] = True
        mask[[self._first + 2 * number + 1 for number in self._sounded if number >= lowest]] = True

    def _take_note(self, symbol: int) -> None:
        if symbol == self._next:
            self._sounded, self._now = self._now, frozenset()
            self._end_step()
        else:
            self._now |= {(symbol - self._first) // 2}
