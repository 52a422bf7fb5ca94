"""Tunes → Music: what is written in ticks, and what is said of repairs."""

from pathlib import Path

import pytest

from musicgen.convert import music_to_tune, tune_to_music
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


def test_a_track_for_each_instrument() -> None:
    tracks = tune_to_music(Tune(HEAD + "C|\n%%MIDI program 40\nD|")).tracks
    assert [(track.program, track.name, len(track.notes)) for track in tracks] == [
        (0, "Air", 1), (40, "Air", 1),
    ]  # fmt: skip


def test_the_only_voice_without_a_name_has_the_title() -> None:
    assert tune_to_music(Tune("X:1\nT:Air\nV:1\nK:C\nC|")).tracks[0].name == "Air"


def test_a_percent_sign_in_the_title() -> None:
    tune = Tune('X:1\nT:100\\% silk\nV:1 name="50\\%"\nK:C\nC|')
    music = tune_to_music(tune)
    assert (music.title, music.tracks[0].name) == ("100% silk", "50%")
    again = tune_to_music(music_to_tune(music))
    assert (again.title, again.tracks[0].name) == ("100% silk", "50%")


def test_drums() -> None:
    assert tune_to_music(Tune(HEAD + "%%MIDI channel 10\nC|")).tracks[0].is_drum
