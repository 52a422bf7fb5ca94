"""Music on a metrical grid: a tick is a step."""

from __future__ import annotations

from collections.abc import Iterable

from musicgen.errors import EncodingError
from musicgen.music import Music, Note, Track

__all__ = ["RESOLUTION", "check_steps", "on_grid", "refined"]

RESOLUTION = 480
"""Ticks a quarter note of decoded pieces; steps have to be whole numbers of them."""


def check_steps(steps_per_quarter: int) -> None:
    """Make sure that steps of a grid are whole ticks.

    Raises
    ------
    EncodingError
        When they are not.
    """
    if steps_per_quarter < 1 or RESOLUTION % steps_per_quarter:
        raise EncodingError(
            f"steps_per_quarter is {steps_per_quarter}; expected a divisor of {RESOLUTION}: 4, 12 "
            "and 24 are usual"
        )


def on_grid(music: Music, steps_per_quarter: int) -> Music:
    """Return the piece with a resolution of so many steps a quarter note.

    Onsets, ends and changes go to the nearest step; a note lasts one step at least. Equal notes
    that fall on each other within a track become one, the longest and loudest.

    Parameters
    ----------
    music
        Any resolution.
    steps_per_quarter
        1 or more; 4 gives sixteenths, 12 triplets of eighths as well, 24 thirty-seconds and their
        triplets.

    Raises
    ------
    EncodingError
        When `steps_per_quarter` is not above 0.

    Examples
    --------
    >>> music = Music(480, tracks=[Track(notes=[Note(0, 60, 230), Note(250, 62, 5)])])
    >>> on_grid(music, 4).tracks[0].notes
    [Note(time=0, pitch=60, duration=2, velocity=64),
     Note(time=2, pitch=62, duration=1, velocity=64)]
    """
    if steps_per_quarter < 1:
        raise EncodingError(f"steps_per_quarter is {steps_per_quarter}; expected 1 or more")
    from_, to = music.resolution, steps_per_quarter

    def step(time: int) -> int:
        return (2 * time * to + from_) // (2 * from_)

    return Music(
        to,
        [tempo._replace(time=step(tempo.time)) for tempo in music.tempos],
        [metre._replace(time=step(metre.time)) for metre in music.time_signatures],
        [key._replace(time=step(key.time)) for key in music.key_signatures],
        [
            Track(
                track.program, track.is_drum, track.name,
                _merged(
                    Note(step(n.time), n.pitch, max(step(n.end) - step(n.time), 1), n.velocity)
                    for n in track.notes
                ),
            )
            for track in music.tracks
        ],
        music.title,
        sorted({step(time) for time in music.fermatas}),
    )  # fmt: skip


def refined(music: Music) -> Music:
    """Return a piece whose ticks are steps with `RESOLUTION` ticks a quarter note.

    Examples
    --------
    >>> refined(Music(4, tracks=[Track(notes=[Note(1, 60, 2)])])).tracks[0].notes
    [Note(time=120, pitch=60, duration=240, velocity=64)]
    """
    check_steps(music.resolution)
    return on_grid(music, RESOLUTION)


def _merged(notes: Iterable[Note]) -> list[Note]:
    found: dict[tuple[int, int], Note] = {}
    for note in notes:
        key = note.time, note.pitch
        other = found.get(key, note)
        found[key] = note._replace(
            duration=max(note.duration, other.duration), velocity=max(note.velocity, other.velocity)
        )
    return sorted(found.values())
