"""Bach's chorales in four voices: music21's scores → `Music`.

music21 takes half a second to import, hence the imports inside the functions.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from musicgen.errors import FormatError
from musicgen.music import KeySignature, Music, Note, Tempo, TimeSignature, Track

if TYPE_CHECKING:
    from fractions import Fraction
    from pathlib import Path

__all__ = ["read_chorale", "titles"]

RESOLUTION = 480
VOICES = ("Soprano", "Alto", "Tenor", "Bass")
CHOIR_AAHS = 52


def titles() -> dict[str, str]:
    """List the chorales that music21 knows as such: BWV number → German first line.

    Examples
    --------
    >>> titles()["269"]
    'Aus meines Herzens Grunde'
    """
    from music21.corpus import chorales

    known = chorales.ChoraleListRKBWV().byBWV  # type: ignore[no-untyped-call]
    return {number: entry["title"] for number, entry in known.items()}


def read_chorale(path: Path, title: str) -> Music:
    """Read the four voices of a score; instruments that play along are left out.

    Ties are joined, repeats are not played, fermatas are dropped.

    Parameters
    ----------
    path
        The score, in any format of music21.
    title
        The title of the piece.

    Returns
    -------
    Music
        A track for each voice, from soprano to bass.

    Raises
    ------
    FormatError
        When music21 cannot read the score, or it lacks one of the voices.
    """
    from music21 import converter

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # music21's remarks on its own files help no one here
        try:
            score: Any = converter.parse(path, forceSource=True, storePickle=False)
        except Exception as error:  # music21 announces no common base of what its parsers raise
            raise FormatError(f"music21 cannot read it: {error}", path=path) from error
        parts = {part.partName: part for part in score.parts}
        if not parts.keys() >= set(VOICES):
            raise FormatError(
                f"found parts {', '.join(map(str, parts))}, expected {', '.join(VOICES)}", path=path
            )
        return _music([parts[voice] for voice in VOICES], title)


def _music(parts: list[Any], title: str) -> Music:
    first = parts[0].flatten()
    return Music(
        RESOLUTION,
        [
            Tempo(_ticks(mark.offset), mark.getQuarterBPM())
            for mark in first.getElementsByClass("MetronomeMark")
        ],
        [
            TimeSignature(_ticks(metre.offset), metre.numerator, metre.denominator)
            for metre in first.getElementsByClass("TimeSignature")
        ],
        [
            KeySignature(_ticks(key.offset), key.sharps, getattr(key, "mode", "major"))
            for key in first.getElementsByClass("KeySignature")
        ],
        [
            Track(CHOIR_AAHS, name=voice, notes=_notes(part))
            for voice, part in zip(VOICES, parts, strict=True)
        ],
        title,
    )


def _notes(part: Any) -> list[Note]:
    found = []
    for element in part.stripTies().flatten().notes:
        onset = _ticks(element.offset)
        duration = _ticks(element.offset + element.quarterLength) - onset
        if duration:  # grace notes take no time
            found += [Note(onset, pitch.midi, duration) for pitch in element.pitches]
    return sorted(found)


def _ticks(quarters: float | Fraction) -> int:
    return round(quarters * RESOLUTION)
