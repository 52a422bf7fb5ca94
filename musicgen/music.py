"""The three native kinds of piece: `Tune`, `Music` and `Audio`.

The words are those of MusPy [1]_, so that readers of the field know them.

References
----------
.. [1] Dong et al., "MusPy: A Toolkit for Symbolic Music Generation", ISMIR 2020.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from musicgen.errors import FormatError

if TYPE_CHECKING:  # the MIDI adapter alone needs no numpy
    from pathlib import Path

    import numpy as np
    import numpy.typing as npt

__all__ = [
    "Audio",
    "KeySignature",
    "Music",
    "Note",
    "Piece",
    "Tempo",
    "TimeSignature",
    "Track",
    "Tune",
]


# From the tonic of the major key of a signature to that of another mode of it, in fifths.
_STEPS_TO_TONIC = {
    "lydian": -1, "mixolydian": 1, "dorian": 2, "minor": 3, "aeolian": 3, "phrygian": 4,
    "locrian": 5,
}  # fmt: skip


class Note(NamedTuple):
    """One sounding note.

    Attributes
    ----------
    time
        Onset in ticks.
    pitch
        MIDI note number, 0–127; 60 is middle C.
    duration
        Length in ticks, at least 1.
    velocity
        Loudness, 1–127.
    """

    time: int
    pitch: int
    duration: int
    velocity: int = 64

    @property
    def end(self) -> int:
        """Tick at which the note stops sounding."""
        return self.time + self.duration


class Tempo(NamedTuple):
    """From tick `time` on, `qpm` quarter notes a minute, more than 0."""

    time: int
    qpm: float


class TimeSignature(NamedTuple):
    """From tick `time` on, bars of `numerator`/`denominator`."""

    time: int
    numerator: int
    denominator: int


class KeySignature(NamedTuple):
    """From tick `time` on, a key signature.

    Attributes
    ----------
    time
        Tick.
    fifths
        Sharps (positive) or flats (negative) in the signature, −7 to 7.
    mode
        ``"major"``, ``"minor"``, ``"dorian"``, …
    """

    time: int
    fifths: int
    mode: str = "major"

    @property
    def name(self) -> str:
        """Tonic and mode.

        Examples
        --------
        >>> KeySignature(0, -3, "minor").name, KeySignature(0, 2, "mixolydian").name
        ('C minor', 'A mixolydian')
        """
        place = self.fifths + _STEPS_TO_TONIC.get(self.mode, 0) + 1
        sharps, letter = divmod(place, 7)
        return f"{'FCGDAEB'[letter]}{'♯' * sharps}{'♭' * -sharps} {self.mode}"


@dataclass(slots=True)
class Track:
    """The notes of one instrument, sorted by time.

    Attributes
    ----------
    program
        General MIDI program, 0–127.
    is_drum
        Whether pitches name percussion sounds.
    name
        Free text.
    notes
        The notes.
    """

    program: int = 0
    is_drum: bool = False
    name: str = ""
    notes: list[Note] = field(default_factory=list)


@dataclass(slots=True)
class Music:
    """A piece as notes on a grid of ticks.

    Attributes
    ----------
    resolution
        Ticks a quarter note.
    tempos, time_signatures, key_signatures
        Changes, sorted by time; of two at one tick the later in the list holds. An empty list
        means that the piece does not say.
    tracks
        The instruments.
    title
        Free text.
    fermatas
        Ticks at which what sounds is held at will, sorted, each once: the onsets of the notes, tied
        ones included, and rests that bear the sign.
    """

    resolution: int = 480
    tempos: list[Tempo] = field(default_factory=list)
    time_signatures: list[TimeSignature] = field(default_factory=list)
    key_signatures: list[KeySignature] = field(default_factory=list)
    tracks: list[Track] = field(default_factory=list)
    title: str = ""
    fermatas: list[int] = field(default_factory=list)

    @property
    def end(self) -> int:
        """Tick at which the last note stops sounding; 0 without notes."""
        return max((note.end for track in self.tracks for note in track.notes), default=0)

    @property
    def seconds(self) -> float:
        """Length in seconds, tempo changes counted; 120 quarter notes a minute where none is said.

        Raises
        ------
        FormatError
            When a tempo is not above 0.

        Examples
        --------
        >>> notes = [Note(0, 60, 480), Note(480, 62, 480)]
        >>> Music(480, [Tempo(0, 60.0), Tempo(480, 120.0)], tracks=[Track(notes=notes)]).seconds
        1.5
        """
        end, total, previous = self.end, 0.0, Tempo(0, 120.0)
        for tempo in [*sorted(self.tempos, key=itemgetter(0)), Tempo(end, 120.0)]:
            if not tempo.qpm > 0:
                raise FormatError(
                    f"found a tempo of {tempo.qpm} quarter notes a minute, expected more than 0"
                )
            total += (min(tempo.time, end) - min(previous.time, end)) / previous.qpm
            previous = tempo
        return total * 60.0 / self.resolution


@dataclass(slots=True)
class Audio:
    """Sound as samples.

    Attributes
    ----------
    samples
        Array ``(n_samples, n_channels)`` of float32 in [−1, 1].
    rate
        Samples a second.
    """

    samples: npt.NDArray[np.float32]
    rate: int


@dataclass(frozen=True, slots=True)
class Tune:
    r"""The ABC source text of one tune, and where it stood.

    Attributes
    ----------
    text
        From the tune's ``X:`` line to its last line, lines ended by ``"\n"``, no blank line at
        the end.
    path
        The file that it was read from.
    line
        Line of the file, counted from 1, on which the tune starts.
    """

    text: str
    path: Path | None = None
    line: int = 1


Piece = Tune | Music | Audio
