"""What a score says beside its notes, as symbols: metre, key, tempo, bar lines and fermatas."""

from __future__ import annotations

from collections import defaultdict
from math import log
from typing import TYPE_CHECKING, Any, Self

from musicgen.encodings.base import BOUNDARY
from musicgen.encodings.grid import check_steps
from musicgen.encodings.measures import COMMON_TIME, Metre, measures
from musicgen.errors import EncodingError
from musicgen.formats.abc.fields import parse_key, parse_meter
from musicgen.music import KeySignature

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from musicgen.music import Music

__all__ = ["BAR", "FERMATA", "HEADER", "Key", "Marks", "pitch_name"]

BAR = BOUNDARY + 1
FERMATA = BAR + 1
HEADER = 3
"""So many symbols come first: metre, key and tempo."""

Key = tuple[int, str] | None
"""Fifths and mode; None where a piece does not say."""


class Marks:
    """The symbols that stand between notes, numbered from 1.

    A piece starts with its metre, key and tempo, in this order, each perhaps *unsaid*; changes
    stand before the step from which they hold. A bar line opens every bar, the first too; a fermata
    stands before the notes of its step. A piece with an upbeat names the metre of its full bars:
    the first bar is short.

    Parameters
    ----------
    steps_per_quarter
        Steps of a quarter note, a divisor of 480.
    metres
        The metres that there are.
    modes
        The modes of keys; each has all fifteen signatures.
    tempos
        The tempos that there are, in quarter notes a minute; others go to the nearest by ratio.
    upbeats
        Lengths in steps of the upbeats of training pieces: a sample has no other.

    Attributes
    ----------
    size
        Number of symbols, the boundary included; also the first that is free.

    Raises
    ------
    EncodingError
        When `steps_per_quarter` does not divide 480.
    """

    def __init__(
        self,
        steps_per_quarter: int,
        metres: Iterable[tuple[int, int]] = (),
        modes: Iterable[str] = (),
        tempos: Iterable[float] = (),
        upbeats: Iterable[int] = (),
    ) -> None:
        check_steps(steps_per_quarter)
        self.steps_per_quarter = steps_per_quarter
        self.metres: list[Metre] = [None, *metres]
        self.modes = list(modes)
        self.keys: list[Key] = [None, *((n, mode) for mode in self.modes for n in range(-7, 8))]
        self.tempos: list[float | None] = [None, *tempos]
        self.upbeats = list(upbeats)
        self.values: list[Any] = [*self.metres, *self.keys, *self.tempos]
        self.first_metre = FERMATA + 1
        self.first_key = self.first_metre + len(self.metres)
        self.first_tempo = self.first_key + len(self.keys)
        self.size = self.first_tempo + len(self.tempos)

    def metre(self, metre: Metre) -> int:
        """Return the symbol of a metre.

        Raises
        ------
        EncodingError
            When no training piece has it.
        """
        if metre not in self.metres:
            known = ", ".join("{}/{}".format(*known) for known in self.metres if known)
            raise EncodingError(
                "a metre of {}/{} is in no training piece; ".format(*metre or COMMON_TIME)
                + f"there are: {known or 'none'}"
            )
        return self.first_metre + self.metres.index(metre)

    def key(self, key: Key) -> int:
        """Return the symbol of a key.

        Raises
        ------
        EncodingError
            When no training piece has such a one.
        """
        if key not in self.keys:
            fifths, mode = key or (0, "major")
            raise EncodingError(
                f"a signature of {fifths:+d} fifths, {mode}, is in no training piece; there are "
                f"−7 to +7 fifths, {', '.join(self.modes) or 'in no mode'}"
            )
        return self.first_key + self.keys.index(key)

    def tempo(self, qpm: float | None) -> int:
        """Return the symbol of the nearest tempo; of *unsaid* for none.

        Raises
        ------
        EncodingError
            When it is not above 0.
        """
        known = [tempo for tempo in self.tempos if tempo is not None]
        if qpm is None or not known:
            return self.first_tempo
        if not qpm > 0:
            raise EncodingError(f"found a tempo of {qpm} quarter notes a minute; expected above 0")
        nearest = min(known, key=lambda tempo: abs(log(tempo / qpm)))
        return self.first_tempo + self.tempos.index(nearest)

    def metre_of(self, text: str) -> int:
        """Return the symbol of a metre that someone asks for, such as ``"3/4"`` or ``"C"``.

        Raises
        ------
        EncodingError
            When it is none, or no training piece has it.
        """
        try:
            found = parse_meter(text)
        except ValueError as error:
            raise EncodingError(f"{error}; write for example 3/4") from error
        return self.metre((found.numerator, found.denominator) if found else None)

    def key_of(self, text: str) -> int:
        """Return the symbol of a key that someone asks for, such as ``"G"``, ``"Am"``, ``"Ddor"``.

        Raises
        ------
        EncodingError
            When it is none, or no training piece has its mode.
        """
        try:
            found = parse_key(text)
        except ValueError as error:
            raise EncodingError(f"{error}; write for example G, Am or Ddor") from error
        return self.key((found.fifths, found.mode))

    def text(self, symbol: int) -> str:
        """Say what a mark means."""
        if symbol < self.first_metre:
            return ("end", "|", "fermata")[symbol]
        value = self.values[symbol - self.first_metre]
        if value is None:
            return "unsaid"
        if symbol < self.first_key:
            return "{}/{}".format(*value)
        return KeySignature(0, *value).name if symbol < self.first_tempo else f"{value:g} qpm"

    def steps(self, music: Music) -> Iterator[list[int]]:
        """Give the marks before each step of a piece; those of the header before the first.

        Parameters
        ----------
        music
            On the grid.

        Raises
        ------
        EncodingError
            When a bar is no whole number of steps, a metre or key is in no training piece, or a
            tempo is not above 0.
        """
        bars = measures(music)
        keys: dict[int, Key] = {0: None}
        keys |= {time: (fifths, mode) for time, fifths, mode in music.key_signatures}
        tempos: dict[int, float | None] = {0: None}
        tempos |= dict(music.tempos)
        marks: defaultdict[int, list[int]] = defaultdict(list)
        for time, metre in bars.metres.items():
            marks[time].append(self.metre(metre))
        for time, key in keys.items():
            marks[time].append(self.key(key))
        for time, tempo in tempos.items():
            marks[time].append(self.tempo(tempo))
        for time in bars.starts:
            marks[time].append(BAR)
        for time in music.fermatas:
            marks[time].append(FERMATA)
        return (marks.get(time, []) for time in range(bars.end))

    def state(self) -> dict[str, Any]:
        """Return what makes the marks again, JSON-able."""
        return {
            "steps_per_quarter": self.steps_per_quarter,
            "metres": [list(metre) for metre in self.metres if metre],
            "modes": self.modes,
            "tempos": self.tempos[1:],
            "upbeats": self.upbeats,
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Make the marks again."""
        metres = [(int(numerator), int(denominator)) for numerator, denominator in state["metres"]]
        return cls(
            state["steps_per_quarter"], metres, state["modes"], state["tempos"], state["upbeats"]
        )


def pitch_name(pitch: int) -> str:
    """Name a pitch; middle C is C4.

    Examples
    --------
    >>> pitch_name(60), pitch_name(70)
    ('C4', 'A♯4')
    """
    names = ("C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B")
    return f"{names[pitch % 12]}{pitch // 12 - 1}"
