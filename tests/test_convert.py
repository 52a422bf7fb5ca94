"""Bridges between the kinds of piece."""

import numpy as np
import pytest

from musicgen.convert import convert, tune_to_music
from musicgen.errors import FormatError, FormatWarning
from musicgen.music import Audio, KeySignature, Music, Note, Tempo, TimeSignature, Tune


def music(text: str) -> Music:
    return tune_to_music(Tune(text))


def test_notes_in_ticks() -> None:
    piece = music("X:1\nT:Air\nT:Other name\nL:1/8\nK:C\nC2[EG]|")
    assert (piece.title, piece.resolution) == ("Air", 480)
    assert [track.name for track in piece.tracks] == ["Air"]
    assert piece.tracks[0].notes == [
        Note(0, 60, 480, 80), Note(480, 64, 240, 80), Note(480, 67, 240, 80),
    ]  # fmt: skip


def test_tuplets_do_not_drift() -> None:
    piece = music("X:1\nL:1/8\nK:C\n" + "(7:2:7CCCCCCC" * 300 + "C")
    assert piece.tracks[0].notes[-1].time == 300 * 480
    times = [note.time for note in piece.tracks[0].notes]
    ends = [note.end for note in piece.tracks[0].notes]
    assert ends[:-1] == times[1:]


@pytest.mark.parametrize(
    ("tempo", "qpm"),
    [("1/4=100", 100.0), ("3/8=60", 90.0), ("1/2=50", 100.0), ("120", 60.0), ('"Allegro"', 120.0),
     ('"Andante" 1/4=90', 90.0)],
)  # fmt: skip
def test_tempo(tempo: str, qpm: float) -> None:
    assert music(f"X:1\nL:1/8\nQ:{tempo}\nK:C\nC").tempos == [Tempo(0, qpm)]


def test_no_tempo_is_120() -> None:
    assert music("X:1\nK:C\nC").tempos == [Tempo(0, 120.0)]
    assert music("X:1\nL:1/4\nK:C\nC[Q:1/4=90]C").tempos == [Tempo(0, 120.0), Tempo(480, 90.0)]


@pytest.mark.parametrize(
    ("meter", "expected"),
    [("6/8", [(6, 8)]), ("C", [(4, 4)]), ("C|", [(2, 2)]), ("(2+3)/8", [(5, 8)]), ("none", [])],
)
def test_meter(meter: str, expected: list[tuple[int, int]]) -> None:
    signatures = music(f"X:1\nM:{meter}\nK:C\nC").time_signatures
    assert signatures == [TimeSignature(0, *numbers) for numbers in expected]


def test_changes() -> None:
    piece = music("X:1\nM:4/4\nL:1/4\nK:Am\nC[M:3/4][K:D]C")
    assert piece.time_signatures == [TimeSignature(0, 4, 4), TimeSignature(480, 3, 4)]
    assert piece.key_signatures == [KeySignature(0, 0, "minor"), KeySignature(480, 2, "major")]


def test_voices_are_tracks() -> None:
    piece = music('X:1\nT:Duo\nK:C\nV:1 name="Flute"\n%%MIDI program 73\nc\nV:2\nC')
    assert [(track.name, track.program) for track in piece.tracks] == [("Flute", 73), ("2", 0)]


def test_strict() -> None:
    with pytest.raises(FormatError):
        tune_to_music(Tune("X:1\nK:C\nA)"), strict=True)
    with pytest.warns(FormatWarning, match=r"3:2: repaired: found '\)' without '\('"):
        assert tune_to_music(Tune("X:1\nK:C\nA)")).tracks


def test_convert() -> None:
    tune = Tune("X:1\nK:C\nC")
    assert convert(tune, Tune) is tune
    assert convert(tune, Music) == tune_to_music(tune)


def test_sound_is_not_turned_into_notes() -> None:
    sound = Audio(np.zeros((1, 1), np.float32), 8000)
    for kind in (Music, Tune):
        with pytest.raises(FormatError, match="cannot be turned into") as caught:
            convert(sound, kind)
        assert caught.value.hint


def test_a_tune_is_played_by_way_of_its_notes() -> None:
    tune = Tune("X:1\nL:1/4\nQ:1/4=120\nK:C\nC")
    sound = convert(tune, Audio)
    assert np.array_equal(sound.samples, convert(convert(tune, Music), Audio).samples)
    assert np.abs(sound.samples).max() > 0.1
