"""Moving pieces up and down."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musicgen import convert
from musicgen.convert import transpose, tune_to_music
from musicgen.errors import FormatError
from musicgen.formats import abc
from musicgen.formats.abc.fields import parse_key
from musicgen.formats.abc.transposing import Interval, signature_shift, transposed, transposed_key
from musicgen.music import Audio, KeySignature, Music, Note, Track, Tune

TUNES = {
    "modes": "X:1\nT:Modes\nK:Ador\nA^GA|[K:Emix]efg-|g^a|[K:Cm]_AB=e|",
    "accidentals": "X:1\nK:Bb\n^FF=F_D|B^f__B=b-|b^f|\nK:E\n^^cd=g|",
    "chord symbols": 'X:1\nK:D\n"Am7/G"A"Bb"d"^slow"e|',
    "voices": "X:1\nV:1\nV:2 clef=treble-8\nK:F\nV:1\nB{^c}d(3B=Bc|[FAc]2&F2|\nV:2\nBFB2|",
    "no key": "X:1\nK:none\nCD_E^F|",
    "explicit": "X:1\nK:D exp _b ^f\nBFcCG|\nK:G _e\neEfF|",
    "pipes": "X:1\nK:HP\nGABcdefga|",
    "clef": "X:1\nK:E bass\nFGA|\nK:treble\nFGA|",
    "repeats": "X:1\nP:AB\nK:Am\nP:A\n|:A^G|1A2:|2a2|]\nP:B\nK:F#m\n|:ag^de:|",
    "far keys": "X:1\nK:C#\nBE|\nK:Cb\nFC|",
}


def pitches(tune: Tune) -> list[list[tuple[int, int, int]]]:
    return [[note[:3] for note in track.notes] for track in tune_to_music(tune).tracks]


@pytest.mark.parametrize("semitones", range(-12, 13))
@pytest.mark.parametrize("text", TUNES.values(), ids=TUNES)
def test_every_pitch_of_a_tune_moves(text: str, semitones: int) -> None:
    tune = Tune(text)
    moved = transpose(tune, semitones)
    abc.parse(moved, strict=True)
    expected = [
        [(time, pitch + semitones, duration) for time, pitch, duration in track]
        for track in pitches(tune)
    ]
    assert pitches(moved) == expected


@pytest.mark.parametrize("text", TUNES.values(), ids=TUNES)
def test_signatures_have_few_signs_and_keep_their_mode(text: str) -> None:
    for semitones in range(-12, 13):
        before = tune_to_music(Tune(text)).key_signatures
        after = tune_to_music(transpose(Tune(text), semitones)).key_signatures
        assert [key.mode for key in after] == [key.mode for key in before]
        assert all(-7 <= key.fifths <= 7 for key in after)
        assert abs(after[0].fifths) <= 6 or semitones % 12 == 0
        for key, moved in zip(before, after, strict=True):
            expected = 0 if " exp" in text and key == before[0] else 7 * semitones
            assert (key.fifths + expected - moved.fifths) % 12 == 0


@given(
    st.sampled_from(["C", "Gm", "Ador", "F#mix", "Bbphr", "C#", "Cb", "none"]),
    st.lists(st.text("^_=ABcd',|", min_size=1, max_size=4), min_size=1),
    st.integers(-11, 11),
)
def test_any_notes_move_or_are_refused(key: str, texts: list[str], semitones: int) -> None:
    text = abc.print_score(abc.parse(Tune(f"X:1\nK:{key}\nC{' '.join(texts)}|")))
    try:
        moved = transpose(Tune(text), semitones)
    except FormatError as error:
        assert "outside 0 to 127" in str(error) or "three sharps" in str(error)  # noqa: PT017
        return
    assert [note[1] - semitones for note in pitches(moved)[0]] == [
        note[1] for note in pitches(Tune(text))[0]
    ]


def test_nothing_moves_by_nothing() -> None:
    tune, music = Tune("X:1\nK:C\n C  D|"), Music(tracks=[Track(notes=[Note(0, 60, 1)])])
    assert transpose(tune, 0) is tune
    assert transpose(music, 0) is music


def test_a_tune_comes_back_the_way_it_went() -> None:
    text = 'X:1\nT:Air\nR:air\nM:3/4\nL:1/4\nQ:1/4=90\nK:Gm\n"Gm"G>A^F|(3GAB {c}d2|[G,DBg]3|]'
    assert transpose(transpose(Tune(text), 4), -4).text == text


def test_letters_move_by_equal_steps() -> None:
    tune = Tune('X:7\nT:Air in G\nK:G\n"Em"G^c_e=f!trill!F|\nw:so do not touch it')
    assert transpose(tune, 3).text == (
        'X:7\nT:Air in G\nK:Bb\n"Gm"B^e^g=a!trill!A|\nw:so do not touch it'
    ).replace("^e^g=a!trill!", "=e_g_aT")


def test_the_place_of_a_tune_is_kept(tmp_path) -> None:
    path = tmp_path / "a.abc"
    moved = transpose(Tune("X:1\nK:C\nC|", path, 12), 2)
    assert (moved.path, moved.line) == (path, 12)
    with pytest.raises(FormatError, match=r"a\.abc:14:1: pitch 60 moved by 80 semitones"):
        transpose(Tune("X:1\nK:C\nC|", path, 12), 80)


@pytest.mark.parametrize(
    ("key", "semitones", "expected"),
    [
        ("C", 1, "Db"),
        ("C", -1, "B"),
        ("Am", 3, "Cm"),
        ("Ador", 2, "Bdor"),
        ("Emix clef=bass", 1, "Fmix clef=bass"),
        ("G ^c", 2, "A ^d"),
        ("HP", 2, "Bmix"),
        ("none", 2, "D"),
        ("treble", 2, "treble"),
        ("G", 12, "G"),
    ],
)
def test_keys(key: str, semitones: int, expected: str) -> None:
    interval = Interval(semitones, signature_shift(parse_key(key).fifths, semitones))
    assert transposed_key(key, interval) == expected


def test_chord_symbols_have_one_sign_at_most() -> None:
    score = abc.parse(Tune('X:1\nK:B\n"B#"B"(E#m7/B#)"B"N.C."B"C6/9/e"B"^so"B "F#"|'))
    moved = transposed(score, 1, 7)
    texts = [text for element in moved.body for text in getattr(element, "quotes", ())]
    assert texts == ["C#", "(F#m7/C#)", "N.C.", "Db6/9/F", "^so", "G"]


def test_a_way_that_leads_out_of_the_signatures_is_respelled() -> None:
    score = abc.parse(Tune("X:1\nK:F#\nFE|"))
    assert abc.print_score(transposed(score, 1, 7)) == "X:1\nK:G\nGF|"


def test_percussion_stays() -> None:
    tune = Tune("X:1\nK:D\nV:1\nFc|\nV:2\n%%MIDI channel 10\nFc^G|")
    tracks = tune_to_music(transpose(tune, 1)).tracks
    assert [[note.pitch for note in track.notes] for track in tracks] == [[67, 74], [66, 73, 68]]
    drums = Track(is_drum=True, notes=[Note(0, 36, 1)])
    flute = Track(notes=[Note(0, 72, 1)])
    moved = transpose(Music(tracks=[drums, flute]), -12)
    assert [track.notes[0].pitch for track in moved.tracks] == [36, 60]


def test_percussion_that_moves_by_itself_is_refused() -> None:
    tune = Tune("X:1\nK:D transpose=5\n%%MIDI channel 10\nF|")
    with pytest.raises(FormatError, match="percussion"):
        transpose(tune, 1)


def test_music_moves_with_its_signatures() -> None:
    music = Music(
        key_signatures=[KeySignature(0, 2, "mixolydian"), KeySignature(9, -3, "minor")],
        tracks=[Track(5, name="a", notes=[Note(0, 60, 4, 7), Note(9, 127, 1)])],
    )
    moved = transpose(music, -2)
    assert moved.key_signatures == [
        KeySignature(0, 0, "mixolydian"),
        KeySignature(9, -5, "minor"),
    ]
    assert moved.tracks == [Track(5, name="a", notes=[Note(0, 58, 4, 7), Note(9, 125, 1)])]
    assert music.tracks[0].notes[0].pitch == 60
    with pytest.raises(FormatError, match="pitch 127 moved by 1 semitones is outside 0 to 127"):
        transpose(music, 1)


def test_sound_is_refused() -> None:
    with pytest.raises(FormatError, match="sound cannot be transposed"):
        transpose(Audio(None, 8000), 1)


def test_the_bridges_offer_it() -> None:
    assert "transpose" in convert.__all__
    assert convert.transpose is transpose
