"""Bach's chorales in four voices: the scores that come with music21 → `Music`."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from musicgen.errors import FormatError, FormatWarning
from musicgen.formats import musicxml

if TYPE_CHECKING:
    from pathlib import Path

    from musicgen.music import Music

__all__ = ["read_chorale", "titles"]

VOICES = ("Soprano", "Alto", "Tenor", "Bass")
CHOIR_AAHS = 52


def titles() -> dict[str, str]:
    """List the chorales that music21 knows as such: BWV number → German first line.

    Examples
    --------
    >>> titles()["269"]
    'Aus meines Herzens Grunde'
    """
    from music21.corpus import chorales  # takes half a second to import

    known = chorales.ChoraleListRKBWV().byBWV  # type: ignore[no-untyped-call]
    return {number: entry["title"] for number, entry in known.items()}


def read_chorale(path: Path, title: str) -> Music:
    """Read the four voices of a score; instruments that play along are left out.

    Repeats are not played.

    Parameters
    ----------
    path
        The score, MusicXML.
    title
        The title of the piece.

    Returns
    -------
    Music
        A track for each voice, from soprano to bass.

    Raises
    ------
    FormatError
        When the score cannot be read, or lacks one of the voices.
    """
    with warnings.catch_warnings():
        # Two scores have grace notes, which no one misses.
        warnings.simplefilter("ignore", FormatWarning)
        (music,) = musicxml.read(path, unfold=False)
    parts = {track.name: track for track in music.tracks}
    if not parts.keys() >= set(VOICES):
        raise FormatError(
            f"found parts {', '.join(parts)}, expected {', '.join(VOICES)}", path=path
        )
    music.title = title
    music.tracks = [parts[voice] for voice in VOICES]
    for track in music.tracks:
        track.program = CHOIR_AAHS
    return music
