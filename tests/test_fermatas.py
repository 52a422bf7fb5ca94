"""Fermatas from format to format."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from score_cases import CHANGES, UPBEAT, line

from musicgen.convert import music_to_tune, tune_to_music
from musicgen.encodings.grid import on_grid
from musicgen.formats import midi, musicxml
from musicgen.music import Music, Note, TimeSignature, Track, Tune
from musicgen.notation.quantisation import quantise


def abc(body):
    return Tune(f"X:1\nM:4/4\nL:1/4\nK:C\n{body}\n")


def there_and_back(piece, path):
    musicxml.write(piece, path)
    return musicxml.read(path)[0]


@pytest.mark.parametrize(
    ("body", "fermatas"),
    [
        ("CD!fermata!EF|", [960]),
        ("CDHEF|", [960]),
        ("CD!invertedfermata!EF|", [960]),
        ("!fermata![CEG]2 C2|", [0]),
        ("C!fermata!z D2|", [480]),
        ("|:C2!fermata!D2:|", [960, 2880]),
        ("C4-|!fermata!C4|", [1920]),
        ("!trill!CDEF|", []),
        ("V:1\n!fermata!C4|\nV:2\n!fermata!C,2 !fermata!D,2|", [0, 960]),
    ],
)
def test_abc_plays_them(body, fermatas):
    assert tune_to_music(abc(body)).fermatas == fermatas


def test_abc_writes_them():
    piece = tune_to_music(abc("CD!fermata!EF|!fermata!z4|C4|"))
    text = music_to_tune(piece).text
    assert "CD HEF|!fermata!z4|C4|]" in text
    assert tune_to_music(Tune(text)) == piece


@pytest.mark.parametrize("piece", [UPBEAT, CHANGES], ids=["upbeat", "changes"])
def test_musicxml_keeps_them(piece, tmp_path):
    assert there_and_back(piece, tmp_path / "piece.musicxml").fermatas == piece.fermatas


@given(st.sets(st.integers(0, 15)))
def test_every_note_can_be_held(tmp_path_factory, steps):
    fermatas = sorted(240 * step for step in steps)
    piece = Music(tracks=[Track(notes=line(*[(60, 240)] * 16))], fermatas=fermatas)
    path = tmp_path_factory.getbasetemp() / "held.musicxml"
    assert there_and_back(piece, path).fermatas == fermatas
    assert tune_to_music(music_to_tune(piece)).fermatas == fermatas


def test_musicxml_reads_the_sign_on_notes_rests_and_tied_notes(tmp_path):
    path = tmp_path / "piece.musicxml"
    fermata = "<notations><fermata>angled</fermata></notations>"
    path.write_text(
        "<score-partwise><part-list><score-part id='P1'/></part-list><part id='P1'>"
        "<measure><attributes><divisions>1</divisions></attributes>"
        "<note><pitch><step>C</step><octave>4</octave></pitch><duration>2</duration>"
        f"<tie type='start'/>{fermata}</note>"
        "<note><pitch><step>C</step><octave>4</octave></pitch><duration>2</duration>"
        f"<tie type='stop'/><notations/>{fermata}</note>"
        f"<note><rest/><duration>4</duration>{fermata}</note>"
        "</measure></part></score-partwise>"
    )
    (piece,) = musicxml.read(path)
    assert piece.tracks[0].notes == [Note(0, 60, 1920, 80)]
    assert piece.fermatas == [0, 960, 1920]


def test_musicxml_plays_them_at_every_repeat(tmp_path):
    path = tmp_path / "piece.musicxml"
    path.write_text(
        "<score-partwise><part-list><score-part id='P1'/></part-list><part id='P1'>"
        "<measure><attributes><divisions>1</divisions></attributes>"
        "<note><pitch><step>C</step><octave>4</octave></pitch><duration>4</duration>"
        "<notations><fermata/></notations></note>"
        "<barline><repeat direction='backward'/></barline></measure></part></score-partwise>"
    )
    assert musicxml.read(path)[0].fermatas == [0, 1920]
    assert musicxml.read(path, unfold=False)[0].fermatas == [0]


def test_the_sign_stands_once_on_a_chord_and_on_no_hidden_rest(tmp_path):
    notes = [Note(0, 60, 960), Note(0, 64, 960), Note(0, 72, 480), Note(960, 67, 960)]
    piece = Music(
        time_signatures=[TimeSignature(0, 4, 4)], tracks=[Track(notes=notes)], fermatas=[0, 960]
    )
    text = musicxml.to_text(piece)
    assert text.count("<fermata/>") == 3
    assert there_and_back(piece, tmp_path / "piece.musicxml").fermatas == [0, 960]


def test_midi_has_none(tmp_path):
    midi.write(UPBEAT, tmp_path / "piece.mid")
    (piece,) = midi.read(tmp_path / "piece.mid")
    assert piece.fermatas == []
    assert "fermatas" in midi.losses


def test_grids_move_them():
    piece = Music(480, tracks=[Track(notes=[Note(0, 60, 960)])], fermatas=[10, 470, 490])
    assert on_grid(piece, 4).fermatas == [0, 4]
    assert quantise(piece, "1/16").fermatas == [0, 4]
