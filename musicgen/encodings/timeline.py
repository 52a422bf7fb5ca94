"""What happens in a piece at each step of a grid."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any, NamedTuple

from musicgen.encodings.grid import on_grid
from musicgen.errors import EncodingError
from musicgen.music import Music, Note, Track

__all__ = ["Moment", "Program", "tempo", "tempo_bin", "timeline"]

Program = tuple[bool, int]
"""Whether it is a drum kit, and the General MIDI number."""

TEMPO_CENTRE = 120.0
TEMPO_RATIO = 1.05  # about what listeners tell apart


class Moment(NamedTuple):
    """What happens at one step.

    Attributes
    ----------
    changes
        New values of ``"metre"`` (numerator, denominator), ``"key"`` (fifths, mode) and ``"tempo"``
        (bin).
    notes
        The notes that start, by program and pitch.
    """

    changes: dict[str, Any]
    notes: dict[tuple[Program, int], Note]


def timeline(piece: Music, steps_per_quarter: int) -> dict[int, Moment]:
    """Return the moments of a piece by step, in the order of time.

    Tracks of one program become one; changes to what already holds are left out.

    Raises
    ------
    EncodingError
        For a tempo that is not above 0.

    Examples
    --------
    >>> timeline(Music(4, tracks=[Track(9, notes=[Note(6, 60, 2)])]), 2)
    {3: Moment(changes={}, notes={((False, 9), 60): Note(time=3, pitch=60, duration=1,
                                                         velocity=64)})}
    """
    parts: defaultdict[Program, list[Note]] = defaultdict(list)
    for track in piece.tracks:
        parts[track.is_drum, track.program] += track.notes
    music = on_grid(
        Music(
            piece.resolution,
            piece.tempos,
            piece.time_signatures,
            piece.key_signatures,
            [Track(number, is_drum, notes=notes) for (is_drum, number), notes in parts.items()],
        ),
        steps_per_quarter,
    )
    moments: defaultdict[int, Moment] = defaultdict(lambda: Moment({}, {}))
    for time, *metre in music.time_signatures:
        moments[time].changes["metre"] = tuple(metre)
    for time, *key in music.key_signatures:
        moments[time].changes["key"] = tuple(key)
    for time, qpm in music.tempos:
        moments[time].changes["tempo"] = tempo_bin(qpm)
    for track in music.tracks:
        for note in track.notes:
            moments[note.time].notes[(track.is_drum, track.program), note.pitch] = note
    found, held = {}, dict[str, Any]()
    for time in sorted(moments):
        changes, notes = moments[time]
        new = {family: value for family, value in changes.items() if held.get(family) != value}
        held |= new
        if new or notes:
            found[time] = Moment(new, notes)
    return found


def tempo_bin(qpm: float) -> int:
    """Return the number of the bin of a tempo: ``round(log(qpm / 120) / log 1.05)``.

    Raises
    ------
    EncodingError
        When it is not above 0.

    Examples
    --------
    >>> tempo_bin(120), tempo_bin(124), tempo_bin(60)
    (0, 1, -14)
    """
    if not 0 < qpm < math.inf:
        raise EncodingError(f"found a tempo of {qpm} quarter notes a minute, expected more than 0")
    return round(math.log(qpm / TEMPO_CENTRE, TEMPO_RATIO))


def tempo(number: int) -> float:
    """Return the quarter notes a minute in the middle of a bin.

    Examples
    --------
    >>> tempo(0), tempo(1), tempo(-14)
    (120.0, 126.0, 60.61)
    """
    return round(TEMPO_CENTRE * TEMPO_RATIO**number, 2)
