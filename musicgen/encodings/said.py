"""What the training pieces of an encoding of scores say."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from musicgen.encodings.marks import Marks
from musicgen.encodings.measures import measures
from musicgen.errors import EncodingError

if TYPE_CHECKING:
    from musicgen.music import Music

__all__ = ["Said"]

MOST_TEMPOS = 32


class Said:
    """What the training pieces say, collected piece by piece."""

    def __init__(self, steps_per_quarter: int) -> None:
        self.steps_per_quarter = Marks(steps_per_quarter).steps_per_quarter
        self.metres: Counter[tuple[int, int]] = Counter()
        self.upbeats: set[int] = set()
        self.modes: Counter[str] = Counter()
        self.tempos: Counter[float] = Counter()
        self.pitches: Counter[int] = Counter()
        self.velocities: Counter[int] = Counter()

    def add(self, music: Music) -> None:
        """Take in a piece on the grid; one that `Marks.steps` will refuse is passed over."""
        try:
            bars = measures(music)
        except EncodingError:
            return
        self.metres.update(metre for metre in bars.metres.values() if metre)
        self.upbeats |= {bars.upbeat} - {0}
        self.modes.update(key.mode for key in music.key_signatures)
        self.tempos.update(tempo.qpm for tempo in music.tempos if tempo.qpm > 0)
        notes = [note for track in music.tracks if not track.is_drum for note in track.notes]
        self.pitches.update(note.pitch for note in notes)
        self.velocities.update(note.velocity for note in notes)

    @property
    def marks(self) -> Marks:
        """The marks that say it; of many tempos, 32 that as many pieces are near to."""
        tempos = sorted(self.tempos)
        if len(tempos) > MOST_TEMPOS:
            counted = sorted(self.tempos.elements())
            places = [(2 * n + 1) * len(counted) // (2 * MOST_TEMPOS) for n in range(MOST_TEMPOS)]
            tempos = sorted({counted[place] for place in places})
        return Marks(
            self.steps_per_quarter, sorted(self.metres), sorted(self.modes), tempos,
            sorted(self.upbeats),
        )  # fmt: skip

    @property
    def range(self) -> range:
        """From the lowest pitch to the highest; middle C where there are no notes."""
        return range(min(self.pitches, default=60), max(self.pitches, default=60) + 1)

    @property
    def velocity(self) -> int:
        """The median velocity of the notes; 64 where there are none."""
        ordered = sorted(self.velocities.elements())
        return ordered[len(ordered) // 2] if ordered else 64
