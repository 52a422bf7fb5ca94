"""Tune → Music: an ABC tune played."""

from __future__ import annotations

import warnings
from fractions import Fraction
from typing import TYPE_CHECKING

from musicgen.errors import FormatError, FormatWarning
from musicgen.formats import abc
from musicgen.music import KeySignature, Music, Note, Tempo, TimeSignature, Track, Tune

if TYPE_CHECKING:
    from musicgen.formats.abc.playback import Voice

__all__ = ["tune_to_music"]

RESOLUTION = 480
TEMPO = 120.0
VELOCITY, ACCOMPANIMENT_VELOCITY = 80, 56


def tune_to_music(
    tune: Tune, *, strict: bool = False, repeats: bool = True, accompaniment: bool = False
) -> Music:
    """Play an ABC tune: a track for each voice and instrument, 480 ticks a quarter note.

    Onsets and ends are rounded to ticks from exact fractions, so that nothing drifts. Where the
    tune names no tempo, 120 quarter notes a minute are written.

    Parameters
    ----------
    tune
        The text.
    strict
        Refuse what players repair.
    repeats
        Whether repeats are played out.
    accompaniment
        Whether the chord symbols are played, softly, by a track of that name.

    Raises
    ------
    FormatError
        As `musicgen.formats.abc.parse` and `musicgen.formats.abc.perform`.

    Warns
    -----
    FormatWarning
        What had to be repaired: the first place, and how many more there are.
    """
    score = abc.parse(tune, strict=strict)
    _warn(tune, score)
    played = abc.perform(score, repeats=repeats, accompaniment=accompaniment)
    title = score.first("T")
    tracks = [_track(voice, title) for voice in played.voices]
    tempos = [Tempo(_ticks(time), qpm) for time, qpm in played.tempos]
    if not tempos or tempos[0].time > 0:
        tempos.insert(0, Tempo(0, TEMPO))
    return Music(
        RESOLUTION,
        tempos,
        [
            TimeSignature(_ticks(time), meter.numerator, meter.denominator)
            for time, meter in played.meters
        ],
        [KeySignature(_ticks(time), key.fifths, key.mode) for time, key in played.keys],
        tracks,
        title,
        sorted({_ticks(time) for time in played.fermatas}),
    )


def _warn(tune: Tune, score: abc.Score) -> None:
    repaired = [problem for problem in score.problems if not problem.mild]
    if repaired:
        first = repaired[0]
        more = f"; {len(repaired) - 1} more in this tune" if len(repaired) > 1 else ""
        place = FormatError(
            f"repaired: {first.message}{more}",
            path=tune.path,
            line=first.line,
            column=first.column,
            hint=first.hint or None,
        )
        warnings.warn(str(place), FormatWarning, stacklevel=3)


def _track(voice: Voice, title: str) -> Track:
    velocity = ACCOMPANIMENT_VELOCITY if voice.is_accompaniment else VELOCITY
    notes = []
    for onset, pitch, duration in voice.notes:
        time = _ticks(onset)
        notes.append(Note(time, pitch, max(_ticks(onset + duration) - time, 1), velocity))
    return Track(voice.program, voice.is_drum, voice.name or title, notes)


def _ticks(quarters: Fraction) -> int:
    return round(quarters * RESOLUTION)
