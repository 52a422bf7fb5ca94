"""Tune → Music: an ABC tune played."""

from __future__ import annotations

from fractions import Fraction

from musicgen.formats import abc
from musicgen.music import KeySignature, Music, Note, Tempo, TimeSignature, Track, Tune

__all__ = ["tune_to_music"]

RESOLUTION = 480
TEMPO = 120.0
VELOCITY = 80


def tune_to_music(tune: Tune, *, strict: bool = False) -> Music:
    """Play an ABC tune: repeats unfolded, one track a voice, 480 ticks a quarter note.

    Onsets and ends are rounded to ticks from exact fractions, so that nothing drifts. Where the
    tune names no tempo, 120 quarter notes a minute are written.

    Parameters
    ----------
    tune
        The text.
    strict
        Refuse what players repair.

    Raises
    ------
    FormatError
        As `musicgen.formats.abc.parse`.
    """
    score = abc.parse(tune, strict=strict)
    played = abc.perform(score)
    title = score.first("T")
    tracks = []
    for voice in played.voices:
        notes = []
        for onset, pitch, duration in voice.notes:
            time = _ticks(onset)
            notes.append(Note(time, pitch, max(_ticks(onset + duration) - time, 1), VELOCITY))
        tracks.append(Track(voice.program, name=voice.name or title, notes=notes))
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
    )


def _ticks(quarters: Fraction) -> int:
    return round(quarters * RESOLUTION)
