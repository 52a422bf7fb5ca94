"""`Music` → MusicXML file."""

from __future__ import annotations

from itertools import starmap
from typing import TYPE_CHECKING

from musicgen.errors import FormatError
from musicgen.files import write_atomically
from musicgen.formats.musicxml import markup
from musicgen.formats.musicxml.container import pack
from musicgen.formats.musicxml.grid import GRIDS, UNITS, Bar, Grid, quantise
from musicgen.formats.musicxml.layout import bars, extended, in_units
from musicgen.formats.musicxml.parts import PartWriter
from musicgen.formats.musicxml.voices import Pitched
from musicgen.music import Music, Track

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["GRIDS", "to_text", "write"]

MOST_MEASURES = 500_000
HEADER = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0 Partwise//EN" '
    '"http://www.musicxml.org/dtds/partwise.dtd">\n'
    '<score-partwise version="4.0">\n'
)


def write(piece: Music, path: Path, *, grid: str = "notation") -> None:
    """Write a piece as a score, replacing the file in one step; ``.mxl`` packs it.

    Each `Track` becomes a part. Notes that start and end together make a chord, others that overlap
    further voices, at most four a staff. Measures are filled with rests, and notes are tied over
    bar lines and at beats that must be seen. The same piece always gives the same bytes.

    Parameters
    ----------
    piece
        The music.
    path
        The file.
    grid
        What times are rounded to, one of `GRIDS`. ``"notation"`` keeps all that has a sign: notes
        down to the 128th, and triplets, quintuplets and septuplets of a beat down to 32nds. If any
        time of a beat has none, it rounds all in that beat to 32nds or to triplets of 16ths. The
        others, such as ``"1/16"`` or ``"1/16 and triplets"``, round all to their steps, which suits
        what was played and not written.

    Raises
    ------
    FormatError
        When MusicXML has no sign for something in the piece.
    OSError
        When the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from musicgen.formats import musicxml
    >>> from musicgen.music import Note
    >>> scale = Music(24, title="Scale", tracks=[Track(notes=[Note(0, 60, 8), Note(8, 62, 120)])])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     musicxml.write(scale, Path(folder) / "scale.mxl")
    ...     again = musicxml.read(Path(folder) / "scale.mxl")[0]
    >>> again.title, again.tracks[0].notes[1]
    ('Scale', Note(time=160, pitch=62, duration=2400, velocity=64))
    """
    try:
        text = to_text(piece, grid=grid)
    except FormatError as error:
        error.path = path
        raise
    score = text.encode()
    write_atomically(path, pack(score) if path.suffix.lower() == ".mxl" else score)


def to_text(piece: Music, *, grid: str = "notation") -> str:
    """Write a piece as the text of a score.

    Parameters
    ----------
    piece, grid
        As for `write`.

    Raises
    ------
    FormatError
        When MusicXML has no sign for something in the piece.
    """
    if grid not in GRIDS:
        raise FormatError(f"no grid is called {grid!r}", hint=f"there are: {', '.join(GRIDS)}")
    return _score(piece, GRIDS[grid])


def _score(piece: Music, grid: Grid) -> str:
    resolution = piece.resolution
    if resolution < 1:
        raise FormatError(f"found {resolution} ticks a quarter note, expected at least 1")
    metres = in_units(piece.time_signatures, resolution)
    keys = in_units(piece.key_signatures, resolution)
    tempos = in_units(piece.tempos, resolution)
    tracks = piece.tracks or [Track()]
    drawn = extended(bars(metres), piece.end * UNITS // resolution + 1)
    parts = [_placed(track, resolution, drawn, grid) for track in tracks]
    last = max([0, *metres, *keys, *tempos])
    end = max([last + 1, *(end for notes in parts for _, end, _ in notes)])
    drawn = extended([bar for bar in drawn if bar.start < end], end)
    if len(drawn) * len(tracks) > MOST_MEASURES:
        raise FormatError(f"the piece has more than {MOST_MEASURES:,} measures in all its parts")
    title = markup.text(piece.title)
    out = [f" <work><work-title>{title}</work-title></work>"] if title else []
    out.append(
        " <identification><encoding><software>musicgen</software></encoding></identification>"
    )
    out += [" <part-list>", *starmap(markup.score_part, enumerate(tracks)), " </part-list>"]
    for number, (track, notes) in enumerate(zip(tracks, parts, strict=True)):
        part = PartWriter(f"P{number + 1}", track.program, track.is_drum, drawn, notes)
        is_keyed = not track.is_drum or all(track.is_drum for track in tracks)
        out += part.lines(keys if is_keyed else {}, tempos if number == 0 else {})
    return HEADER + "\n".join(out) + "\n</score-partwise>\n"


def _placed(
    track: Track, resolution: int, drawn: Sequence[Bar], grid: Grid
) -> list[tuple[int, int, Pitched]]:
    if not 0 <= track.program <= 127:
        raise FormatError(f"program {track.program} is not one of 0 to 127")
    for note in track.notes:
        if not (
            note.time >= 0
            and note.duration >= 0
            and 0 <= note.pitch <= 127
            and 1 <= note.velocity <= 127
        ):
            raise FormatError(
                f"found {note}, expected a time from 0, a pitch to 127, a velocity from 1 to 127"
            )
    times = [(note.time, note.end) for note in track.notes]
    place = quantise(times, resolution, drawn, grid)
    step = UNITS // grid.rounded[0]
    return [
        (
            place[note.time],
            place[note.end] if place[note.end] > place[note.time] else place[note.time] + step,
            Pitched(note.pitch, note.velocity),
        )
        for note in track.notes
    ]
