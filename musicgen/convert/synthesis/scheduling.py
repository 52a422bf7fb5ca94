"""Which note sounds when: ticks → samples, notes of the same sound together."""

from __future__ import annotations

import math
from collections import defaultdict
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from musicgen.errors import FormatError

if TYPE_CHECKING:
    import numpy.typing as npt

    from musicgen.music import Music, Track

__all__ = ["LONGEST_HOURS", "Sound", "Strike", "onsets_and_ends", "schedule"]

LONGEST_HOURS = 2
BRIGHTNESS_STEPS = 16
PLAIN_TEMPO = 120.0
SLOWEST_TEMPO = 1e-6
WIDTH = 0.4


class Sound(NamedTuple):
    """What is played once for all notes that share it.

    Attributes
    ----------
    is_drum, program, pitch
        As in `Track` and `Note`.
    brightness
        0 to 16, by velocity.
    """

    is_drum: bool
    program: int
    pitch: int
    brightness: int


class Strike(NamedTuple):
    """One note of a sound.

    Attributes
    ----------
    start, stop
        Samples at which it begins and is let go.
    left, right
        Amplitudes.
    """

    start: int
    stop: int
    left: float
    right: float


def schedule(music: Music, rate: int) -> dict[Sound, list[Strike]]:
    """Say for each sound of a piece when it is struck.

    A note that still sounds when its track strikes the same pitch again is let go there; of notes
    of one pitch that start together only the longest is played. The tracks stand from left to
    right, drums in the middle. Amplitude follows the velocity's power of 1.6.

    Raises
    ------
    FormatError
        When a note or tempo is impossible, or the piece lasts longer than two hours.
    """
    found: dict[Sound, list[Strike]] = defaultdict(list)
    melodic = [track for track in music.tracks if track.notes and not track.is_drum]
    for track in music.tracks:
        if not track.notes:
            continue
        _check(track)
        times = onsets_and_ends(music, track)
        if times.max() > LONGEST_HOURS * 3600:
            raise FormatError(
                f"the piece lasts {times.max() / 3600:.1f} hours, expected at most {LONGEST_HOURS}",
                hint="cut it into parts",
            )
        place = 0.5
        if not track.is_drum and len(melodic) > 1:
            at = next(i for i, other in enumerate(melodic) if other is track)
            place += WIDTH * (at / (len(melodic) - 1) - 0.5)
        left, right = math.cos(place * math.pi / 2), math.sin(place * math.pi / 2)
        samples = np.rint(times * rate).astype(np.int64)
        following: dict[int, int] = {}
        program = 0 if track.is_drum else track.program
        # From the last onset back, the longest of several at once first.
        for i in np.lexsort(samples.T)[::-1]:
            note = track.notes[i]
            start, stop = samples[i].tolist()
            if following.get(note.pitch) == start:
                continue
            stop = min(stop, following.get(note.pitch, stop))
            following[note.pitch] = start
            gain = (note.velocity / 127) ** 1.6
            bright = 0 if track.is_drum else note.velocity * BRIGHTNESS_STEPS // 127
            sound = Sound(track.is_drum, program, note.pitch, bright)
            found[sound].append(Strike(start, stop, gain * left, gain * right))
    return dict(sorted(found.items()))


def onsets_and_ends(music: Music, track: Track) -> npt.NDArray[np.float64]:
    """Return when the notes of a track start and end, ``(n_notes, 2)`` in seconds.

    Of two tempos at one tick the later in the list holds.

    Examples
    --------
    >>> from musicgen.music import Music, Note, Tempo, Track
    >>> track = Track(notes=[Note(0, 60, 480), Note(480, 62, 960)])
    >>> music = Music(480, [Tempo(0, 60.0), Tempo(960, 120.0)], tracks=[track])
    >>> onsets_and_ends(music, track).tolist()
    [[0.0, 1.0], [1.0, 2.5]]
    """
    ticks = np.array([(note.time, note.time + note.duration) for note in track.notes], np.float64)
    changes = sorted(music.tempos, key=itemgetter(0))
    if changes and changes[0].time < 0:
        raise FormatError(f"a tempo at tick {changes[0].time}, expected 0 or later")
    tempos = [(0, PLAIN_TEMPO), *changes]
    starts = np.array([time for time, _ in tempos], np.float64)
    lengths = np.array([_tick(qpm, music.resolution) for _, qpm in tempos])
    seconds = np.concatenate([[0.0], np.cumsum(np.diff(starts) * lengths[:-1])])
    at = np.searchsorted(starts, ticks, side="right") - 1
    result: npt.NDArray[np.float64] = seconds[at] + (ticks - starts[at]) * lengths[at]
    return result


def _tick(qpm: float, resolution: int) -> float:
    """Return the seconds of a tick."""
    if resolution < 1:
        raise FormatError(f"a quarter note has {resolution} ticks, expected at least 1")
    if not (qpm > SLOWEST_TEMPO and math.isfinite(qpm)):
        raise FormatError(f"found a tempo of {qpm} quarter notes a minute, expected more than 0")
    return 60 / (qpm * resolution)


def _check(track: Track) -> None:
    if not 0 <= track.program <= 127:
        raise FormatError(f"program {track.program} is not one of 0 to 127")
    for note in track.notes:
        good = 0 <= note.time <= 2**53 and 0 <= note.duration <= 2**53
        if not (good and 0 <= note.pitch <= 127 and 0 <= note.velocity <= 127):
            raise FormatError(
                f"found {note}, expected a time from 0, a pitch and a velocity from 0 to 127"
            )
