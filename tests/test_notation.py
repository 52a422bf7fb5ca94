"""Music → Tune: what is written, and that it plays as the piece did."""

import importlib.util
import random
import re
from collections import defaultdict
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musicgen.convert import convert, music_to_tune, quantise, tune_to_music
from musicgen.convert.notation.metre import find_metre
from musicgen.errors import FormatError, FormatWarning
from musicgen.formats import abc, midi
from musicgen.music import KeySignature, Music, Note, Tempo, TimeSignature, Track, Tune
from musicgen.notation.quantisation import find_grid

DATA = Path(__file__).parents[2] / "shared" / "data"
SPEC = importlib.util.find_spec("music21")
RYAN = Path(SPEC.origin).parent / "corpus" / "ryansMammoth" if SPEC and SPEC.origin else Path("-")
CHANGES = {"tempos": 120.0, "time_signatures": None, "key_signatures": None}
MODES = ["major", "minor", "ionian", "aeolian", "mixolydian", "dorian", "phrygian", "lydian",
         "locrian"]  # fmt: skip


def written(text: str, **options: str) -> str:
    """Play ABC text and write it again; return the music without its header."""
    tune = music_to_tune(tune_to_music(Tune(text), strict=True), **options)
    return tune.text.split("\nK:", 1)[1].split("\n", 1)[1]


def header(tune: Tune) -> list[str]:
    lines = tune.text.split("\n")
    return lines[: next(at for at, line in enumerate(lines) if line.startswith("K:")) + 1]


def piece(*notes: tuple[int, ...], **parts: list) -> Music:
    return Music(4, tracks=[Track(notes=[Note(*note) for note in notes])], **parts)


def check(music: Music, grid: str | None = None, **options: str) -> Tune:
    """Check that a piece plays as before when it is written and read; return the tune.

    Tracks are told apart by their names, which must differ.
    """
    grid = grid or find_grid(music)
    exact = quantise(music, grid)
    tune = music_to_tune(exact, grid=grid, **options)
    score = abc.parse(tune, strict=True)
    assert score.problems == []
    assert abc.print_score(score) == tune.text
    back = tune_to_music(tune, strict=True)
    assert notes_of(back) == notes_of(exact), tune.text
    assert len({body.count("|") for body in re.split(r"\nV:\d+\n", tune.text)[1:]}) <= 1
    for name, default in CHANGES.items() if not options else ():
        expected = changes(exact, name, default)
        assert not expected or changes(back, name, default) == expected, tune.text
    return tune


def ticks(music: Music, time: int) -> int:
    return round(Fraction(time * 480, music.resolution))


def notes_of(music: Music) -> dict[str, list[tuple[int, int, int]]]:
    found = defaultdict(list)
    for track in music.tracks:
        found[track.name] += [
            (
                ticks(music, note.time),
                note.pitch,
                max(ticks(music, note.end), ticks(music, note.time) + 1),
            )
            for note in track.notes
        ]
    return {name: sorted(notes) for name, notes in found.items() if notes}


def changes(music: Music, name: str, default: float | None) -> list[tuple]:
    """List the changes that change something before the end; the first holds from the start."""
    found = [(ticks(music, x.time), *x[1:]) for x in getattr(music, name) if x.time < music.end]
    if not found:
        return []
    start = [(0, default)] if default else [(0, *found[0][1:])]
    found = [x for x in start if found[0][0] > 0] + found
    return [x for at, x in enumerate(found) if at == 0 or x[1:] != found[at - 1][1:]]


# Round trips ------------------------------------------------------------------------------------

GRIDS = {"1/16": 4, "1/16+1/8t": 12, "1/32+1/16t+1/20+1/28": 840, "1/64+1/36": 144}


@st.composite
def pieces(draw: st.DrawFn) -> tuple[Music, str]:
    grid = draw(st.sampled_from(list(GRIDS)))
    resolution = GRIDS[grid]
    time = st.integers(0, 8 * resolution)
    long = st.one_of(st.integers(1, resolution), st.integers(1, 5 * resolution))
    note = st.builds(Note, time, st.integers(0, 127) | st.integers(58, 74), long)
    tracks = [
        Track(draw(st.integers(0, 127)), False, f"track {number}", sorted(notes))
        for number, notes in enumerate(
            draw(st.lists(st.lists(note, max_size=8), min_size=1, max_size=3))
        )
    ]
    if not any(track.notes for track in tracks):
        tracks[0].notes.append(draw(note))
    metre = st.tuples(st.integers(1, 13) | st.just(33), st.sampled_from([1, 2, 4, 8, 16, 32, 64]))
    metres = draw(st.dictionaries(time, metre, min_size=1, max_size=3))
    if min(Fraction(*metre) for metre in metres.values()) < Fraction(1, 16):
        metres = {2: (3, 32)}
    keys = draw(
        st.dictionaries(
            time, st.tuples(st.integers(-7, 7), st.sampled_from(MODES)), min_size=1, max_size=3
        )
    )
    tempos = draw(
        st.dictionaries(
            time, st.sampled_from([60.0, 90.0, 97.3, 120.0, 133.333]), min_size=1, max_size=3
        )
    )
    return (
        Music(
            resolution,
            [Tempo(at, qpm) for at, qpm in sorted(tempos.items())],
            [TimeSignature(at, *values) for at, values in sorted(metres.items())],
            [KeySignature(at, *values) for at, values in sorted(keys.items())],
            tracks,
            "Any",
        ),
        grid,
    )


@settings(max_examples=150)
@given(pieces())
def test_round_trip(drawn: tuple[Music, str]) -> None:
    music, grid = drawn
    check(music, grid)


@settings(max_examples=50)
@given(
    pieces(),
    st.sampled_from(["0", "1/8", "3/8", "7/16", "5"]),
    st.sampled_from(["3/4", "6/8", "33/32"]),
)
def test_round_trip_with_options(drawn: tuple[Music, str], pickup: str, metre: str) -> None:
    music, grid = drawn
    check(music, grid, pickup=pickup, metre=metre, key="Ebdor", unit="1/16")


def sample(folder: Path, pattern: str, size: int) -> list[Path]:
    files = sorted(folder.glob(pattern))
    return random.Random(0).sample(files, min(size, len(files)))


def told_apart(music: Music) -> Music:
    for number, track in enumerate(music.tracks):
        track.name = f"track {number}"
    music.title = "Any"
    return music


@pytest.mark.parametrize(
    ("pattern", "size"),
    [("nottingham/MIDI/*.mid", 25), ("report_jigs_midi/*.mid", 5), ("mozart_piano_midi/*.mid", 1),
     ("nottingham/ABC_cleaned/*.abc", 2)],
)  # fmt: skip
@pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is not here")
@pytest.mark.filterwarnings("ignore::musicgen.errors.FormatWarning")
def test_real_pieces(pattern: str, size: int) -> None:
    for path in sample(DATA, pattern, size):
        found = [
            tune_to_music(music) if isinstance(music, Tune) else music
            for music in (abc if path.suffix == ".abc" else midi).read(path)[:20]
        ]
        for music in found:
            # Tempos of MIDI have more decimals than those of ABC.
            music.tempos = [tempo._replace(qpm=round(tempo.qpm, 3)) for tempo in music.tempos]
            check(told_apart(music))


@pytest.mark.skipif(not RYAN.is_dir(), reason="music21 is not installed")
@pytest.mark.filterwarnings("ignore::musicgen.errors.FormatWarning")
def test_fiddle_tunes() -> None:
    for path in sample(RYAN, "*.abc", 40):
        for tune in abc.read(path):
            check(told_apart(tune_to_music(tune)))


# What is written --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "music",
    [
        "GABc dedB|dedB dedB|c2ec B2dB|A2F2 G4|]",
        "G8-|G8|z4 z2G2|Z|c4-c/B/A/G/ A2|[CEG]6 [DF]2|G8|]",
        "(3GABc2 (3:2:2G2Bc2|(5:4GABcd e4|(7:4GABcdef g4|(3G2A2B2 c4|]",
        "(3zAB(3AzB (3:2:2z2B(3:2:2B2z|G8|]",
        "^G=G^g=g ^GGAG|^G_BAB GFED|G8|]",
        "^D2E2 ^A2B2|_B2A2 ^c2=c2|G8|]",
        "^G8-|^G8|G8|]",
        "d3G- G4|G6d2|G7d|G3d3 G2|dG4G3|]",
        "z/G/G/G/ G/G3/2 G4|G/4G/4G/G G6|G8|]",
        "G8|[M:3/4]G6|[M:6/8]G3 GGG|[M:4/4]G8|]",
        "G4 [K:Eb]E2B2|[K:Am]c8|]",
        "G2[Q:1/4=90]G6-|G2-[Q:1/4=120]G6|]",
    ],
)  # fmt: skip
def test_written_as_it_was(music: str) -> None:
    text = written(f"X:1\nM:4/4\nL:1/8\nQ:1/4=100\nK:G\n{music}\n", unit="1/8", pickup="0")
    assert plain(text) == plain(music)


def plain(text: str) -> str:
    return re.sub(r"[ \n]", "", text).replace("z4z2G", "z6G")


def test_beams_and_lines() -> None:
    jig = "GAG BdB|ded Bcd|ege dBG|AGA BAG|GFE D2z|"
    assert written(f"X:1\nM:6/8\nL:1/8\nK:G\n{jig}", unit="1/8") == (
        "GAG BdB|ded Bcd|ege dBG|AGA BAG|\nGFE D2z|]"
    )
    waltz = written("X:1\nM:3/4\nL:1/8\nK:C\nCDEFGA|c6|", unit="1/8")
    assert waltz == "CD EF GA|c6|]"


def test_header() -> None:
    music = Music(
        4,
        [Tempo(0, 97.5)],
        [TimeSignature(0, 2, 4)],
        [KeySignature(0, 1, "dorian")],
        [Track(73, name="Flute", notes=[Note(0, 69, 4), Note(4, 72, 4)])],
        "Air  of\n100%",
    )
    assert music_to_tune(music).text == (
        "X:1\nT:Air of 100\\%\nM:2/4\nL:1/4\nQ:1/4=97.5\n"
        'V:1 name="Flute"\nK:Ador\nV:1\n%%MIDI program 73\nA c|]'
    )


def test_tempo_counts_dotted_beats_in_compound_metres() -> None:
    music = piece((0, 60, 2), tempos=[Tempo(0, 180.0)], time_signatures=[TimeSignature(0, 6, 8)])
    assert "Q:3/8=120" in header(music_to_tune(music))


@pytest.mark.parametrize(
    ("qpm", "text"), [(5e7, "9999"), (1e-9, "0.001"), (float("inf"), "9999"), (-3.0, "0.001")]
)
def test_tempo_out_of_range(qpm: float, text: str) -> None:
    with pytest.warns(FormatWarning, match="is written as"):
        tune = music_to_tune(piece((0, 60, 4), tempos=[Tempo(0, qpm)]))
    assert f"Q:1/4={text}" in header(tune)
    abc.parse(tune, strict=True)


@pytest.mark.parametrize("unit", ["1/4", "1/8", "1/16"])
def test_unit(unit: str) -> None:
    music = piece((0, 60, 2), (2, 62, 2))
    assert f"L:{unit}" in header(music_to_tune(music, unit=unit))
    assert tune_to_music(music_to_tune(music, unit=unit)).tracks[0].notes[1].time == 240


@pytest.mark.parametrize(("length", "unit"), [(1, "1/16"), (2, "1/8"), (4, "1/4")])
def test_unit_of_the_shortest_text(length: int, unit: str) -> None:
    music = piece(*((at * length, 60, length) for at in range(9)))
    assert f"L:{unit}" in header(music_to_tune(music))


def test_lines_of_a_track() -> None:
    music = Music(4, [], [TimeSignature(0, 4, 4)], [KeySignature(0, 0)])
    melody = [Note(4 * at, 72 + at, 4) for at in range(4)]
    music.tracks = [Track(name="Organ", notes=[Note(0, 48, 16), *melody]), Track(name='"B"')]
    tune = music_to_tune(music)
    assert tune.text.split("K:C\n")[1] == "V:1\nc^c d_e|]\nV:2\nC,4|]"
    assert header(tune)[-3:-1] == ['V:1 name="Organ"', 'V:2 name="Organ" clef=bass']


def test_a_note_struck_again_while_it_sounds() -> None:
    music = Music(
        4, [], [], [], [Track(name="a", notes=[Note(0, 60, 8), Note(0, 60, 8), Note(4, 60, 12)])]
    )
    assert notes_of(tune_to_music(music_to_tune(music)))["a"] == [
        (0, 60, 960), (0, 60, 960), (480, 60, 1920),
    ]  # fmt: skip


def test_two_notes_on_one_line_of_the_staff() -> None:
    music = piece((0, 60, 32), (0, 61, 32), (32, 60, 16), key_signatures=[KeySignature(0, 0)])
    music.time_signatures = [TimeSignature(0, 4, 4)]
    tune = check(told_apart(music))
    assert tune.text.endswith("[=C^C]8-|[=C^C]8|C8|]")


def test_a_metre_cuts_the_bar() -> None:
    text = written("X:1\nM:4/4\nL:1/4\nK:C\nCDEF|GA[M:3/4]BCD|", unit="1/4", pickup="0")
    assert text == "CD EF|GA|[M:3/4]B C D|]"


def test_drums() -> None:
    kit = Music(4, tracks=[Track(0, True, "Kit", [Note(0, 36, 4), Note(4, 38, 4)])])
    assert 'V:1 name="Kit" clef=perc' in music_to_tune(kit).text
    assert "\n%%MIDI channel 10\n" in music_to_tune(kit).text


# What a piece does not say ------------------------------------------------------------------------

JIG = "GAG BdB|ded B2d|gdB dBG|AFD D2A|GAG BdB|ded B2d|gdB AFD|G3 G3|"
REEL = "G2G2 GABc|d2d2 d4|c2c2 cBAG|F2F2 F2D2|G2G2 GABc|d2d2 d4|cBAG FEDF|G2G2 G4|"
WALTZ = "G4 B2|d4 B2|c4 A2|F4 D2|G4 B2|d4 e2|d2 c2 A2|G6|"


@pytest.mark.parametrize(
    ("music", "metre", "key"), [(JIG, "6/8", "G"), (REEL, "4/4", "G"), (WALTZ, "3/4", "G")]
)
def test_metre_and_key_are_found(music: str, metre: str, key: str) -> None:
    played = tune_to_music(Tune(f"X:1\nM:{metre}\nL:1/8\nK:{key}\n{music}"))
    played.time_signatures, played.key_signatures = [], []
    assert {f"M:{metre}", f"K:{key}"} <= {*header(music_to_tune(played))}


@pytest.mark.parametrize(("music", "metre"), [(JIG, "6/8"), (REEL, "4/4"), (WALTZ, "3/4")])
@pytest.mark.parametrize("upbeat", ["", "D|"])
def test_upbeat_is_found(music: str, metre: str, upbeat: str) -> None:
    upbeat = upbeat.replace("D", "D2") if metre != "6/8" else upbeat
    text = written(f"X:1\nM:{metre}\nL:1/8\nK:G\n{upbeat}{music}", unit="1/8")
    assert plain(text).startswith(plain(upbeat + music.split("|")[0] + "|"))


def test_upbeat_follows_from_a_change_of_metre() -> None:
    text = written("X:1\nM:4/4\nL:1/4\nK:C\nG|c4|[M:3/4]c3|", unit="1/4")
    assert text == "G|c4|[M:3/4]c3|]"


def test_the_last_bar_is_short_by_the_upbeat() -> None:
    assert written("X:1\nM:4/4\nL:1/4\nK:C\nG|cc cc|c3|", unit="1/4", pickup="1/4") == (
        "G|cc cc|c3|]"
    )


def test_metre_of_nothing_that_repeats() -> None:
    assert str(find_metre([])) == str(find_metre([(Fraction(0), Fraction(1))]))
    check(told_apart(piece((0, 60, 1))))


# Bad input ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("music", "message"),
    [
        (Music(), "the piece has no notes"),
        (Music(tracks=[Track()] * 3), "the piece has no notes"),
        (Music(0, tracks=[Track(notes=[Note(0, 60, 1)])]), "the resolution is 0"),
        (piece((-4, 60, 4)), "at tick -4"),
        (piece((0, 128, 4)), "pitch 128"),
        (piece((0, -1, 4)), "pitch -1"),
        (piece((10**9, 60, 4)), "bars, more than"),
        (piece((10**30, 60, 4)), "bars, more than"),
        (piece((0, 60, 10**9)), "bars, more than"),
        (piece((0, 60, 4), time_signatures=[TimeSignature(0, 7, 128)]), "metre of 7/128"),
        (piece((0, 60, 4), time_signatures=[TimeSignature(0, 0, 4)]), "metre of 0/4"),
        (piece((0, 60, 4), time_signatures=[TimeSignature(0, 4, 3)]), "metre of 4/3"),
        (piece((0, 60, 4), time_signatures=[TimeSignature(0, 100, 4)]), "metre of 100/4"),
        (piece((0, 60, 4), key_signatures=[KeySignature(0, 8)]), "8 sharps"),
        (piece((0, 60, 4), tempos=[Tempo(0, float("nan"))]), "not a number"),
        (piece(*((0, 60, at) for at in range(1, 80))), "more than 64 notes"),
        (piece(*((0, 60, 64_000) for _ in range(64))), "64 voices of"),
    ],
)  # fmt: skip
def test_refused(music: Music, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        music_to_tune(music)


@pytest.mark.parametrize(
    "option",
    [{"key": "H"}, {"metre": "4"}, {"metre": "none"}, {"unit": "1/3"}, {"grid": "1/7x"},
     {"pickup": "1/3"}, {"pickup": "x"}, {"pickup": "1/0"}],
)  # fmt: skip
def test_options_refused(option: dict[str, str]) -> None:
    with pytest.raises(FormatError) as caught:
        music_to_tune(piece((0, 60, 4)), **option)
    assert caught.value.hint


@pytest.mark.parametrize("metre", [(1, 1), (99, 1), (33, 32), (1, 64), (5, 64), (99, 64)])
def test_odd_metres(metre: tuple[int, int]) -> None:
    notes = [(0, 60, 7), (5, 64, 9), (30, 62, 1)]
    check(told_apart(piece(*notes, time_signatures=[TimeSignature(0, *metre)])))


def test_many_tracks() -> None:
    tracks = [Track(name=f"{number}", notes=[Note(number, 60, 8)]) for number in range(200)]
    check(Music(4, tracks=tracks))


def test_changes_after_the_end_are_left_out() -> None:
    music = piece((0, 60, 4), time_signatures=[TimeSignature(0, 4, 4), TimeSignature(10**12, 3, 4)])
    assert "3/4" not in music_to_tune(music).text


def test_unknown_modes_become_major() -> None:
    music = piece((0, 60, 4), key_signatures=[KeySignature(0, 2, "blues")])
    assert "K:D" in header(music_to_tune(music))


def test_odd_texts() -> None:
    music = Music(
        4, tracks=[Track(name='a "b" %c\n\t|', notes=[Note(0, 60, 4)])], title="%%x\r\n: y\\"
    )
    tune = music_to_tune(music)
    score = abc.parse(tune, strict=True)
    assert abc.print_score(score) == tune.text
    assert header(tune)[-2].startswith("V:1 name=\"a 'b' ")


def test_bridge() -> None:
    music = piece((0, 60, 4))
    assert convert(music, Tune) == music_to_tune(music)


def test_little_music_is_in_c_and_in_four():
    text = music_to_tune(Music(480, tracks=[Track(notes=[Note(0, 66, 480)])])).text
    assert "M:4/4\n" in text
    assert "K:C\n" in text


def test_names_lose_what_cannot_be_shown():
    notes = [Note(0, 60, 480)]
    music = Music(480, tracks=[Track(name="A\x07B\ud800", notes=notes)], title="Prelude\0")
    text = music_to_tune(music).text
    assert "T:Prelude\n" in text
    assert 'name="AB"' in text
