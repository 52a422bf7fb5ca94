"""`Music` → MusicXML file."""

from __future__ import annotations

from fractions import Fraction
from itertools import starmap
from typing import TYPE_CHECKING

from musicgen.errors import FormatError
from musicgen.files import write_atomically
from musicgen.formats.musicxml import markup
from musicgen.formats.musicxml.container import pack
from musicgen.formats.musicxml.grid import SHORTEST, SHORTEST_ROUNDED, Spans
from musicgen.formats.musicxml.layout import metres, on_grid
from musicgen.formats.musicxml.parts import PartWriter
from musicgen.formats.musicxml.staves import staves
from musicgen.music import Music, Track
from musicgen.notation.bars import lay_out
from musicgen.notation.quantisation import quantise
from musicgen.notation.voices import Pitched

if TYPE_CHECKING:
    from pathlib import Path

    from musicgen.notation.voices import Timed

__all__ = ["to_text", "write"]

MOST_MEASURES = 500_000
BEAT = Fraction(1, 4)
HEADER = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0 Partwise//EN" '
    '"http://www.musicxml.org/dtds/partwise.dtd">\n'
    '<score-partwise version="4.0">\n'
)


def write(piece: Music, path: Path, *, grid: str | int | None = None) -> None:
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
        As `musicgen.convert.quantise` takes it, such as ``"1/16+1/8t"``, which suits what was
        played and not written. Without it, or where it is finer than notation, all that has a sign
        stays: notes down to the 128th, and triplets, quintuplets and septuplets of a beat down to
        32nds; if any time of a beat has none, all in that beat go to 32nds or to triplets of 16ths.

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


def to_text(piece: Music, *, grid: str | int | None = None) -> str:
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
    resolution = piece.resolution
    if resolution < 1:
        raise FormatError(f"found {resolution} ticks a quarter note, expected at least 1")
    tracks = piece.tracks or [Track()]
    for track in tracks:
        _check(track)
    return _score(piece if grid is None else quantise(piece, grid))


def _score(piece: Music) -> str:
    resolution = piece.resolution
    signatures = on_grid(piece.time_signatures, resolution)
    keys = on_grid(piece.key_signatures, resolution)
    tempos = on_grid(piece.tempos, resolution)
    found, pickup = metres(signatures)
    fermatas = {Fraction(time, 4 * resolution) for time in piece.fermatas}
    tracks = piece.tracks or [Track()]
    last = max([Fraction(0), *signatures, *keys, *tempos]) + SHORTEST
    # Rounding moves no note out of its beat.
    spans = Spans(lay_out(found, pickup, max(last, Fraction(piece.end, 4 * resolution)) + BEAT))
    parts = [_placed(track, resolution, spans) for track in tracks]
    bars = lay_out(found, pickup, max([last, *(end for notes in parts for _, end, _ in notes)]))
    if len(bars) * len(tracks) > MOST_MEASURES:
        raise FormatError(f"the piece has more than {MOST_MEASURES:,} measures in all its parts")
    title = markup.text(piece.title)
    out = [f" <work><work-title>{title}</work-title></work>"] if title else []
    out.append(
        " <identification><encoding><software>musicgen</software></encoding></identification>"
    )
    out += [" <part-list>", *starmap(markup.score_part, enumerate(tracks)), " </part-list>"]
    for number, (track, notes) in enumerate(zip(tracks, parts, strict=True)):
        parted = staves(notes, track.program, is_drum=track.is_drum, cost=spans.cost)
        part = PartWriter(f"P{number + 1}", track.is_drum, bars, parted, fermatas)
        is_keyed = not track.is_drum or all(track.is_drum for track in tracks)
        out += part.lines(keys if is_keyed else {}, tempos if number == 0 else {})
    return HEADER + "\n".join(out) + "\n</score-partwise>\n"


def _check(track: Track) -> None:
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


def _placed(track: Track, resolution: int, spans: Spans) -> list[Timed]:
    times = [
        (Fraction(note.time, 4 * resolution), Fraction(note.end, 4 * resolution))
        for note in track.notes
    ]
    place = spans.place(times)
    return [
        (
            place[start],
            place[end] if place[end] > place[start] else place[start] + SHORTEST_ROUNDED,
            Pitched(note.pitch, note.velocity),
        )
        for (start, end), note in zip(times, track.notes, strict=True)
    ]
