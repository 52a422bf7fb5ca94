"""Music → Tune: the header, and the voices bar by bar."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from musicgen.convert.notation import changes
from musicgen.convert.notation.voices import elements
from musicgen.errors import FormatError
from musicgen.formats import abc
from musicgen.formats.abc.fields import parse_length
from musicgen.formats.abc.score import Field
from musicgen.formats.abc.spelling import is_length, length_text
from musicgen.music import Track, Tune
from musicgen.notation.bars import lay_out
from musicgen.notation.quantisation import find_grid, quantise
from musicgen.notation.rhythm import pieces
from musicgen.notation.segments import cut
from musicgen.notation.voices import Chord, Pitched, voices

if TYPE_CHECKING:
    from collections.abc import Iterator

    from musicgen.convert.notation.changes import Fields
    from musicgen.convert.notation.voices import Row
    from musicgen.music import Music

__all__ = ["losses", "music_to_tune"]

losses = (
    "velocities",
    "times between the points of the grid",
    "tracks without notes; the names of tracks that have none",
    "that several voices are one track, where notes of one track overlap",
    "changes of tempo, metre and key that change nothing, or come after the last note",
    "that a piece does not say its tempo, metre or key: each is said from the start",
    "tempos beyond three decimals",
    "fermatas where no note or rest starts as it is written",
    "modes that ABC does not name: they become major keys of the same signature",
)
"""What does not come back when the text is played."""

UNITS = tuple(Fraction(1, number) for number in (8, 4, 16, 32, 2))
LOWEST_TREBLE = 55
MAX_BARS_IN_ALL = 100_000

Voices = list[tuple[Track, list[Chord]]]


def music_to_tune(
    music: Music,
    *,
    key: str | None = None,
    metre: str | None = None,
    unit: str | None = None,
    grid: str | int | None = None,
    pickup: str | None = None,
) -> Tune:
    r"""Write a piece as an ABC tune.

    Each track is a voice; one whose notes overlap is as few voices as can be. Repeats are written
    out.

    Parameters
    ----------
    music
        The piece.
    key
        As in ``K:``, such as ``"G"`` or ``"Ador"``. The piece's own key signatures by default, or
        the key that its notes fit best.
    metre
        As in ``M:``, such as ``"6/8"``. The piece's own time signatures by default; else 4/4, 3/4
        or 6/8, whichever its rhythm repeats in.
    unit
        Unit note length as in ``L:``, such as ``"1/8"``. That of the shortest text by default.
    grid
        As `musicgen.convert.quantise` takes it. The coarsest that holds every note by default.
    pickup
        Length of the upbeat before the first full bar, such as ``"1/8"``; ``"0"`` for none.
        Estimated by default, where neither a change of metre nor a rest at the start tells.

    Raises
    ------
    FormatError
        When the piece has no notes, or something that ABC cannot say, such as a metre of 7/128.

    Examples
    --------
    >>> from musicgen.music import KeySignature, Music, Note, TimeSignature, Track
    >>> notes = [Note(0, 67, 240), Note(240, 69, 240), Note(480, 71, 960), Note(1440, 66, 960)]
    >>> piece = Music(480, [], [TimeSignature(0, 3, 4)], [KeySignature(0, 1)], [Track(notes=notes)])
    >>> print(music_to_tune(piece).text)
    X:1
    M:3/4
    L:1/8
    K:G
    GA B4|F4 z2|]
    """
    exact = quantise(music, find_grid(music) if grid is None else grid)
    if not exact.end:
        raise FormatError("the piece has no notes", hint="an ABC tune needs at least one")
    for note in (note for track in exact.tracks for note in track.notes):
        if not 0 <= note.pitch <= 127:
            raise FormatError(f"found a note of pitch {note.pitch}, expected 0 to 127")
    whole = 4 * exact.resolution
    parted = [
        (track, voice)
        for track in exact.tracks
        for voice in sorted(
            voices(
                (Fraction(note.time, whole), Fraction(note.end, whole), Pitched(note.pitch, 0))
                for note in track.notes
            ),
            key=_height,
            reverse=True,
        )
    ]
    onsets = sorted(
        (chord.start, chord.end - chord.start) for _, voice in parted for chord in voice
    )
    metres, keys = changes.metres(exact, metre, onsets), changes.keys(exact, key)
    bars = lay_out(metres, changes.pickup(pickup, metres, onsets), Fraction(exact.end, whole))
    if len(bars) * len(parted) > MAX_BARS_IN_ALL:
        raise FormatError(
            f"{len(parted)} voices of {len(bars)} bars are too many",
            hint="leave tracks out, or quantise to a coarser grid so that fewer notes overlap",
        )
    # Tempo is said once, metre and key in each voice.
    first = changes.fields(metres, keys, changes.tempos(exact))
    others = changes.fields(metres, keys, [])
    fields = [first, *[others] * (len(parted) - 1)]
    rows = [
        [
            (bar, pieces(segments, bar))
            for bar, segments in zip(bars, cut(voice, bars, found), strict=True)
        ]
        for (_, voice), found in zip(parted, fields, strict=True)
    ]
    length = _unit(unit, rows)
    fermatas = {Fraction(time, whole) for time in exact.fermatas}
    score = abc.Score([*_header(exact.title, first, length, parted)])
    named = _is_named(parted, exact.title)
    for number, ((track, _), row, found) in enumerate(zip(parted, rows, fields, strict=True), 1):
        score.body += _voice_start(track, number if named else None)
        score.body += elements(row, found, length, fermatas)
    return Tune(abc.print_score(score))


def _unit(unit: str | None, rows: list[Row]) -> Fraction:
    """Choose the unit note length with which the lengths are the fewest signs."""
    try:
        units = UNITS if unit is None else (parse_length(unit),)
    except ValueError as error:
        raise FormatError(str(error), hint="write for example 1/8") from error
    lengths: dict[Fraction, int] = {}
    for row in rows:
        for _, written in row:
            for piece in written:
                lengths[piece.length] = lengths.get(piece.length, 0) + 1

    def signs(unit: Fraction) -> int:
        return sum(count * len(length_text(length / unit)) for length, count in lengths.items())

    fitting = [unit for unit in units if all(is_length(length / unit) for length in lengths)]
    if not fitting:
        raise FormatError(
            "the piece has notes too long or too short for the unit note length",
            hint="give another unit, or quantise to a coarser grid",
        )
    return min(fitting, key=signs)


def _header(title: str, fields: Fields, unit: Fraction, voices: Voices) -> Iterator[Field]:
    start = dict(fields[Fraction(0)])
    yield _field("X", "1")
    if _text(title):
        yield _field("T", _text(title))
    yield _field("M", start["M"])
    yield _field("L", f"{unit.numerator}/{unit.denominator}")
    if "Q" in start:
        yield _field("Q", start["Q"])
    if _is_named(voices, title):
        for number, (track, line) in enumerate(voices, 1):
            name = _text(track.name).replace('"', "'")
            yield _field("V", f"{number}" + f' name="{name}"' * bool(name) + _clef(track, line))
    yield _field("K", start["K"])


def _is_named(voices: Voices, title: str) -> bool:
    """Whether voices need a field of their own."""
    track, line = voices[0]
    return len(voices) > 1 or track.name not in ("", title) or bool(_clef(track, line))


def _clef(track: Track, line: list[Chord]) -> str:
    if track.is_drum:
        return " clef=perc"
    return " clef=bass" if _height(line) < LOWEST_TREBLE else ""


def _height(voice: list[Chord]) -> float:
    return sum(chord.centre for chord in voice) / len(voice)


def _text(text: str) -> str:
    """Put a text on one line, without the signs that cannot be shown."""
    shown = "".join(sign for sign in text if sign.isprintable() or sign.isspace())
    return " ".join(shown.split())


def _field(letter: str, value: str) -> Field:
    return Field(0, 0, letter, value)


def _voice_start(track: Track, number: int | None) -> Iterator[Field]:
    if number is not None:
        yield _field("V", str(number))
    if track.is_drum:
        yield _field("%%", "MIDI channel 10")
    if track.program:
        yield _field("%%", f"MIDI program {track.program}")
