"""Tunes → Music: what is written in ticks, and what is said of repairs."""

from pathlib import Path

import pytest

from musicgen.convert import tune_to_music
from musicgen.errors import FormatError, FormatWarning
from musicgen.music import Note, Tune

HEAD = "X:1\nT:Air\nM:2/4\nL:1/4\nK:C\n"


def test_repairs_are_said_with_their_place() -> None:
    tune = Tune(HEAD + "A]B)|", Path("a.abc"), 3)
    with pytest.warns(FormatWarning, match=r"^a.abc:8:2: repaired: .* 1 more in this tune"):
        music = tune_to_music(tune)
    assert [note.pitch for note in music.tracks[0].notes] == [69, 71]
    with pytest.raises(FormatError):
        tune_to_music(tune, strict=True)


def test_what_is_mild_is_not_said() -> None:
    tune_to_music(Tune(HEAD + "A!\nB|"))


def test_repeats_by_choice() -> None:
    tune = Tune(HEAD + "|:AB:|")
    assert len(tune_to_music(tune).tracks[0].notes) == 4
    assert len(tune_to_music(tune, repeats=False).tracks[0].notes) == 2


def test_accompaniment_by_choice() -> None:
    tune = Tune(HEAD + '"C"AB|')
    assert len(tune_to_music(tune).tracks) == 1
    melody, accompaniment = tune_to_music(tune, accompaniment=True).tracks
    assert (melody.name, accompaniment.name) == ("Air", "accompaniment")
    assert accompaniment.notes[:2] == [Note(0, 36, 240, 56), Note(480, 48, 240, 56)]
    assert accompaniment.notes[0].velocity < melody.notes[0].velocity


def test_drums() -> None:
    assert tune_to_music(Tune(HEAD + "%%MIDI channel 10\nC|")).tracks[0].is_drum
