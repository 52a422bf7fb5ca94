"""Marks → the metres, keys, tempos and fermatas of a piece."""

from __future__ import annotations

from typing import TYPE_CHECKING

from musicgen.encodings.grid import refined
from musicgen.encodings.marks import BAR, FERMATA
from musicgen.encodings.measures import bar_steps, upbeat_metre
from musicgen.music import KeySignature, Music, Tempo, TimeSignature, Track

if TYPE_CHECKING:
    from collections.abc import Iterable

    from musicgen.encodings.marks import Marks
    from musicgen.encodings.measures import Metre

__all__ = ["MarkReader"]


class MarkReader:
    """Collects what the marks of a piece say, symbol by symbol.

    Parameters
    ----------
    marks
        Their vocabulary.

    Attributes
    ----------
    step
        The present step, which the caller counts on.
    """

    def __init__(self, marks: Marks) -> None:
        self.step = 0
        self._marks = marks
        self._metre: Metre = None
        self._bars: list[int] = []
        self._metres: dict[int, TimeSignature] = {}
        self._keys: dict[int, KeySignature] = {}
        self._tempos: dict[int, Tempo] = {}
        self._fermatas: set[int] = set()

    def read(self, symbol: int) -> None:
        """Take in a mark that stands before the present step."""
        marks, step = self._marks, self.step
        if symbol == BAR:
            self._bars.append(step)
            if len(self._bars) == 2:
                self._end_first_bar()
        elif symbol == FERMATA:
            self._fermatas.add(step)
        elif symbol < marks.first_key:
            self._metre = metre = marks.metres[symbol - marks.first_metre]
            if metre is not None:
                self._metres[step] = TimeSignature(step, *metre)
        elif symbol < marks.first_tempo:
            key = marks.keys[symbol - marks.first_key]
            if key is not None:
                self._keys[step] = KeySignature(step, *key)
        else:
            tempo = marks.tempos[symbol - marks.first_tempo]
            if tempo is not None:
                self._tempos[step] = Tempo(step, tempo)

    def _end_first_bar(self) -> None:
        steps, metre = self._marks.steps_per_quarter, self._metre
        # A bar that a change of metre cuts short is no upbeat.
        if metre is None or self.step in self._metres or self.step >= bar_steps(metre, steps):
            return
        upbeat = upbeat_metre(self.step, metre, steps)
        self._metres = {
            0: TimeSignature(0, *upbeat),
            self.step: TimeSignature(self.step, *metre),
        }

    def music(self, tracks: Iterable[Track]) -> Music:
        """Return the piece with these tracks, at 480 ticks a quarter note."""
        return refined(
            Music(
                self._marks.steps_per_quarter,
                list(self._tempos.values()),
                list(self._metres.values()),
                list(self._keys.values()),
                list(tracks),
                fermatas=sorted(self._fermatas),
            ),
        )
