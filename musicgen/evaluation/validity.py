"""Whether pieces are sound: texts parse, bars add up, files hold what was written."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

from musicgen.errors import FormatError, FormatWarning
from musicgen.formats import Format, abc
from musicgen.formats.abc.measures import uneven_bars
from musicgen.music import Music, Tune

__all__ = ["Validity", "check_music", "check_tune", "mean_validity"]


class Validity(NamedTuple):
    """What of a piece is sound, or of which share of several; None where it was not asked.

    Attributes
    ----------
    ended
        The model ended it, and not the greatest length.
    parses
        Its text parses without repair.
    bars_add_up
        Its bars are as long as the metre says, see `musicgen.formats.abc.measures.uneven_bars`.
    reads_back
        The file that was written of it is read with the same notes.
    empty
        It has no notes.
    """

    ended: float | None = None
    parses: float | None = None
    bars_add_up: float | None = None
    reads_back: float | None = None
    empty: float | None = None


def check_tune(tune: Tune, *, ended: bool | None = None) -> Validity:
    r"""Check a text.

    Parameters
    ----------
    tune
        The text. What is not ended is not checked any further: none of it counts.
    ended
        Whether the model ended it; None where no model wrote it.

    Examples
    --------
    >>> check_tune(Tune("X:1\nM:2/4\nL:1/4\nK:C\nCE|GEC|\n"))
    Validity(ended=None, parses=True, bars_add_up=False, reads_back=None, empty=False)
    """
    if ended is False:
        return Validity(False, False, False, empty=False)
    parses = bars_add_up = False
    empty = True
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FormatWarning)
        try:
            score = abc.parse(tune)
            empty = not any(voice.notes for voice in abc.perform(score, repeats=False).voices)
            bars_add_up = not uneven_bars(score)
            abc.parse(tune, strict=True)
            parses = True
        except FormatError:
            pass  # as far as it came
    return Validity(ended, parses, bars_add_up, empty=empty)


def check_music(music: Music, form: Format, *, ended: bool | None = None) -> Validity:
    """Check a piece of notes by writing it to a file that is read again and thrown away.

    Parameters
    ----------
    music
        The piece.
    form
        The format of the file. Onsets, lengths and pitches must come back, in quarter notes;
        tracks, loudness and the rest may change.
    ended
        As for `check_tune`.

    Raises
    ------
    OSError
        When the system has no room for the file.

    Examples
    --------
    >>> from musicgen.formats import midi
    >>> from musicgen.music import Note, Track
    >>> check_music(Music(4, tracks=[Track(notes=[Note(0, 60, 4)])]), midi)
    Validity(ended=None, parses=None, bars_add_up=None, reads_back=True, empty=False)
    """
    reads_back = False
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", FormatWarning)
        file = Path(folder, f"piece{form.extensions[0]}")
        try:
            form.write(music, file)
            (found,) = form.read(file)
            reads_back = _notes(found) == _notes(music)
        except FormatError:
            pass  # it does not come back
    return Validity(ended, reads_back=reads_back, empty=not _notes(music))


def mean_validity(checks: Sequence[Validity]) -> Validity:
    """Return the share of the pieces for which each thing holds, of those that were asked.

    Examples
    --------
    >>> mean_validity([Validity(parses=True, empty=False), Validity(parses=False, empty=False)])
    Validity(ended=None, parses=0.5, bars_add_up=None, reads_back=None, empty=0.0)
    """
    columns = ([value for value in column if value is not None]
               for column in zip(*checks, strict=True))  # fmt: skip
    return Validity(*(sum(column) / len(column) if column else None for column in columns))


def _notes(music: Music) -> list[tuple[Fraction, int, Fraction]]:
    quarter = music.resolution
    return sorted(
        (Fraction(note.time, quarter), note.pitch, Fraction(note.duration, quarter))
        for track in music.tracks
        for note in track.notes
    )
