"""Quantising: moving notes to the nearest points of a grid, which is always named."""

from __future__ import annotations

import re
from fractions import Fraction
from math import lcm
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from musicgen.errors import FormatError
from musicgen.music import KeySignature, Music, Note, Tempo, TimeSignature, Track

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Shift", "find_grid", "quantise", "shift"]

GRIDS = (
    "1/8",
    "1/16",
    "1/16+1/8t",
    "1/32+1/16t",
    "1/64+1/32t",
    "1/32+1/16t+1/20+1/28",
    "1/64+1/32t+1/40+1/56+1/36",
)
"""What `find_grid` tries, the coarsest first."""

USUAL = "1/16+1/8t"
"""The grid of a piece that lies on none: a performance."""

MAX_STEPS = 256
CLOSE = Fraction(1, 192)

_GRID = re.compile(r"1/(\d{1,3})(t?)")

Change = TypeVar("Change", Tempo, TimeSignature, KeySignature)


class Shift(NamedTuple):
    """How far quantising moves the notes of a piece, in quarter notes.

    Attributes
    ----------
    notes
        How many notes there are.
    moved
        How many of them start or end elsewhere.
    mean, largest
        Distance that the onset or the end of a note moves, whichever moves farther.
    """

    notes: int
    moved: int
    mean: float
    largest: float


class _Grid:
    """Points in time, as ticks of a resolution at which each is a whole number."""

    def __init__(self, grid: str | int) -> None:
        steps = _steps(grid)
        self.resolution = lcm(*(step.denominator for step in steps))
        self._steps = sorted((int(step * self.resolution) for step in steps), reverse=True)

    def nearest(self, time: int, resolution: int) -> int:
        """Find the point nearest to a tick of another resolution; the coarser grid at a draw."""
        scaled, best, distance = time * self.resolution, 0, -1
        for step in self._steps:
            # Half-way goes up, in whole numbers: floats would lose ticks of long pieces.
            point = (2 * scaled + step * resolution) // (2 * step * resolution) * step
            off = abs(point * resolution - scaled)
            if distance < 0 or off < distance:
                best, distance = point, off
        return best

    def after(self, point: int) -> int:
        """Find the first point after another."""
        return min(point - point % step + step for step in self._steps)


def quantise(music: Music, grid: str | int) -> Music:
    """Move every onset and every end to the nearest point of a grid.

    No note vanishes: one that would have no length lasts to the next point. Changes of tempo,
    metre and key move alike; of two that meet at one point the later stays.

    Parameters
    ----------
    music
        Left as it is.
    grid
        Steps a quarter note, such as 4; or the name of a note value: ``"1/16"``, with ``t`` that
        of a triplet: ``"1/8t"`` is the same as ``"1/12"``, three of which fill a quarter note.
        ``+`` joins several: ``"1/16+1/8t"`` holds the points of both, and each note goes to the
        nearest.

    Returns
    -------
    Music
        At the smallest resolution that has every point of the grid as a whole tick.

    Raises
    ------
    FormatError
        When it is no grid, or the piece has impossible times.

    Examples
    --------
    >>> played = Music(480, tracks=[Track(notes=[Note(3, 60, 470), Note(644, 62, 150)])])
    >>> exact = quantise(played, "1/16+1/8t")
    >>> exact.resolution, exact.tracks[0].notes
    (12, [Note(time=0, pitch=60, duration=12, velocity=64),
          Note(time=16, pitch=62, duration=4, velocity=64)])
    """
    points = _Grid(grid)
    _check(music)

    def place(time: int) -> int:
        return points.nearest(time, music.resolution)

    def moved(note: Note) -> Note:
        time = place(note.time)
        end = max(place(note.end), points.after(time))
        return note._replace(time=time, duration=end - time)

    def changes(found: Iterable[Change]) -> list[Change]:
        return list({place(x.time): x._replace(time=place(x.time)) for x in found}.values())

    return Music(
        points.resolution,
        changes(music.tempos),
        changes(music.time_signatures),
        changes(music.key_signatures),
        [
            Track(track.program, track.is_drum, track.name, sorted(map(moved, track.notes)))
            for track in music.tracks
        ],
        music.title,
        sorted({place(time) for time in music.fermatas}),
    )


def shift(music: Music, grid: str | int) -> Shift:
    """Measure how far `quantise` moves the notes of a piece.

    Examples
    --------
    >>> played = Music(480, tracks=[Track(notes=[Note(0, 60, 480), Note(468, 62, 252)])])
    >>> shift(played, "1/8")
    Shift(notes=2, moved=1, mean=0.0125, largest=0.025)
    """
    distances = [max(pair) for pair in _distances(music, grid)]
    return Shift(
        len(distances),
        sum(distance > 0 for distance in distances),
        float(sum(distances) / len(distances)) if distances else 0.0,
        float(max(distances, default=0)),
    )


def find_grid(music: Music) -> str:
    """Choose a grid: the coarsest of `GRIDS` on which all notes lie.

    Half a tick of the piece is no distance. Where the ends of notes lie on none of the grids
    – notes played short –, onsets decide alone; where these do not either, it is ``"1/16+1/8t"``.

    Examples
    --------
    >>> find_grid(Music(480, tracks=[Track(notes=[Note(0, 60, 160), Note(160, 62, 160)])]))
    '1/16+1/8t'
    """
    # A fine tolerance for coarse resolutions, at which half a tick would reach any point.
    near = min(Fraction(1, 2 * max(music.resolution, 1)), CLOSE)
    for ends_count in (True, False):
        for grid in GRIDS:
            if all(
                onset <= near and (end <= near or not ends_count)
                for onset, end in _distances(music, grid)
            ):
                return grid
    return USUAL


def _distances(music: Music, grid: str | int) -> Iterator[tuple[Fraction, Fraction]]:
    """Give how far the onset and the end of each note move, in quarter notes."""
    points = _Grid(grid)
    _check(music)
    for track in music.tracks:
        for note in track.notes:
            time = points.nearest(note.time, music.resolution)
            end = max(points.nearest(note.end, music.resolution), points.after(time))
            yield (
                abs(Fraction(time, points.resolution) - Fraction(note.time, music.resolution)),
                abs(Fraction(end, points.resolution) - Fraction(note.end, music.resolution)),
            )


def _steps(grid: str | int) -> list[Fraction]:
    """Read a grid: the length of each of its steps in quarter notes."""
    names = [f"1/{4 * grid}"] if isinstance(grid, int) else grid.replace(" ", "").split("+")
    steps = []
    for name in names:
        match = _GRID.fullmatch(name)
        number = int(match[1]) if match else 0
        if match is None or not 1 <= number <= MAX_STEPS:
            raise FormatError(
                f"{grid!r} is not a grid",
                hint="write for example 1/16, 1/8t for triplets, or 1/16+1/8t for both; "
                f"the finest step is 1/{MAX_STEPS}",
            )
        steps.append(Fraction(4, number) * (Fraction(2, 3) if match[2] else 1))
    return steps


def _check(music: Music) -> None:
    """Refuse times that mean nothing."""
    if music.resolution < 1:
        raise FormatError(f"the resolution is {music.resolution}, expected at least 1")
    times = [
        *(note.time for track in music.tracks for note in track.notes),
        *(change.time for change in music.tempos),
        *(change.time for change in music.time_signatures),
        *(change.time for change in music.key_signatures),
        *music.fermatas,
    ]
    if min(times, default=0) < 0:
        raise FormatError(f"found an event at tick {min(times)}, expected no time before 0")
