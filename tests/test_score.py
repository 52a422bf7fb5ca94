"""Surprisal: every bit belongs to its note and bar, and a slip stands out."""

import json
import math
import re
from dataclasses import replace
from itertools import chain

import numpy as np
import pytest

from musicgen import encodings
from musicgen.convert import convert, tune_to_music
from musicgen.encodings.abc_tokens import AbcTokens
from musicgen.encodings.alignment import NO_BAR, Alignable
from musicgen.encodings.characters import Characters
from musicgen.errors import EncodingError, ModelError
from musicgen.evaluation import piece_surprisal
from musicgen.formats import abc, midi
from musicgen.music import Music, Note, Tempo, TimeSignature, Track, Tune
from musicgen.networks import Architecture, Model, Network
from musicgen.training import evaluate
from musicgen.workflows import score_file

TUNE = Tune(
    "X:1\nT:Everything\nL:1/16\nR:Reel\nM:C|\nK:Ador\n"
    'A2|:"Am"e2A2 (3^c2B2A2 {g}e3d ~f4|[Ac]8-[Ac]8:|\n'
    "[M:3/4]A4>B4 z4|[K:D]f4&d4 (ag)|Z|d12|]",
    line=5,
)
VOICES = Tune("X:1\nM:2/4\nL:1/8\nK:D\nV:1\nd2e2|f4|\nV:2\nD4|A,4|\nV:1\ng4|]\nV:2\nG4|]\n")
MUSIC = Music(
    480,
    [Tempo(0, 120.0)],
    [TimeSignature(0, 1, 4), TimeSignature(480, 3, 4)],
    [],
    [
        Track(name="upper", notes=[Note(0, 67, 480), Note(480, 72, 480), Note(960, 72, 960)]),
        Track(name="lower", notes=[Note(480, 48, 1440), Note(2400, 50, 480)]),
    ],
)
PIECES = {Tune: TUNE, Music: MUSIC}
CLASSES = [encodings.get(name) for name in encodings.NAMES]
ALIGNABLE = [one for one in CLASSES if hasattr(one, "align")]


def fitted(encoding):
    return encoding.fit([PIECES[encoding.kind]])


def network_of(encoding, rng=None):
    architecture = Architecture(encoding.size, encoding.head, 8, 1, embedding_size=4)
    network = Network.initialise(architecture, rng or np.random.default_rng(1), np.float64)
    if rng is None:
        network.load_weights({name: 0 * array for name, array in network.weights().items()})
    return network


@pytest.fixture(params=ALIGNABLE, ids=lambda encoding: encoding.name)
def encoding(request):
    return fitted(request.param)


def test_six_encodings_align():
    names = {"tokens", "characters", "events", "piano-roll", "score-grid", "chords"}
    assert {one.name for one in ALIGNABLE} == names


def test_an_alignment_is_of_what_encode_returns(encoding):
    piece = PIECES[encoding.kind]
    aligned = encoding.align(piece)
    assert isinstance(encoding, Alignable)
    np.testing.assert_array_equal(aligned.array, encoding.encode(piece))
    assert len(aligned.labels) == encoding.size
    assert aligned.step_bars.shape == (len(aligned.array),)
    assert aligned.step_bars[-1] == NO_BAR
    assert set(aligned.step_bars) - {NO_BAR} == set(range(len(aligned.bars)))


def test_no_step_is_of_two_notes_and_each_lies_in_a_bar_of_its_note(encoding):
    aligned = encoding.align(PIECES[encoding.kind])
    cells = [
        cell for one in aligned.notes for cell in zip(one.steps, one.channels or one.steps,
                                                      strict=True)
    ]  # fmt: skip
    assert len(cells) == len(set(cells)) > 0
    for one in aligned.notes:
        assert aligned.step_bars[one.steps[0]] == one.bar


@pytest.mark.parametrize("one", [one for one in ALIGNABLE if one.kind is Music])
def test_the_notes_of_music_are_those_that_are_decoded(one):
    encoding = fitted(one)
    aligned = encoding.align(MUSIC)
    decoded = chain(*(track.notes for track in encoding.decode(aligned.array).tracks))
    assert sorted(note.note for note in aligned.notes) == sorted(decoded)
    assert [bar.number for bar in aligned.bars] == [0, 1, 2]
    assert [bar.time for bar in aligned.bars] == [0, 480, 1920]
    last = max(aligned.notes, key=lambda note: note.note.time)
    assert (last.bar, last.beat, last.text) == (2, 2.0, "D3")


@pytest.mark.parametrize("one", [AbcTokens, Characters])
@pytest.mark.parametrize("tune", [TUNE, VOICES])
def test_the_notes_of_abc_are_those_that_sound(one, tune):
    aligned = one.fit([tune]).align(tune)
    played = tune_to_music(replace(tune, text=tune.text.replace("-", "")), repeats=False)
    sounding = chain(*(track.notes for track in played.tracks))
    assert sorted(note.note[:3] for note in aligned.notes) == sorted(n[:3] for n in sounding)
    lines = tune.text.split("\n")
    for note in aligned.notes:
        if not lines[note.line - tune.line].startswith("[", note.column - 1):
            assert lines[note.line - tune.line].startswith(note.text, note.column - 1)


def test_tokens_of_a_note_are_its_pitch_and_length():
    encoding = AbcTokens.fit([TUNE])
    aligned = encoding.align(TUNE)
    told = [[encoding.texts[aligned.array[step]] for step in one.steps] for one in aligned.notes]
    # In C dorian and in eighths.
    assert told[:8] == [["c"], ["g"], ["c"], ["=e"], ["d"], ["c"], ["g", "3/2"], ["f", "/2"]]
    assert told[9:11] == [["c"], ["e", "4"]]
    assert [one.beat for one in aligned.notes[:5]] == [1.0, 1.0, 1.25, 1.5, 1.667]
    assert [bar.number for bar in aligned.bars] == list(range(len(aligned.bars)))


def test_labels_of_tokens_are_in_the_key_of_the_tune():
    aligned = (encoding := AbcTokens.fit([TUNE])).align(TUNE)
    first = [aligned.labels[aligned.array[one.steps[0]]] for one in aligned.notes]
    assert first[:5] == ["A", "e", "A", "^c", "B"]
    assert aligned.labels[encoding.texts.index("3/2")] == "length 3/2"


def test_characters_of_a_note_are_as_it_is_written():
    aligned = Characters.fit([TUNE]).align(TUNE)
    told = ["".join(TUNE.text[step] for step in one.steps) for one in aligned.notes]
    assert told[:8] == ["A2", "e2", "A2", "^c2", "B2", "A2", "e3", "d"]
    assert told[9:13] == ["A", "c]8", "A", "c]8"]
    assert "A4>" in told


def test_bits_are_those_of_the_validation(encoding):
    network = network_of(encoding, np.random.default_rng(3))
    found = piece_surprisal(Model(network, encoding), PIECES[encoding.kind])
    array = encoding.encode(PIECES[encoding.kind])
    assert found.steps == len(array)
    assert math.isclose(found.bits / found.steps, evaluate(network, [array]), rel_tol=1e-6)
    parts = [found.header_bits, found.end_bits, *(bar.bits for bar in found.bars)]
    assert math.isclose(found.bits, sum(parts), rel_tol=1e-9)
    for place, bar in enumerate(found.bars):
        own = [one.bits for one in found.notes if one.note.bar == place]
        assert bar.notes == len(own)
        assert sum(own) <= bar.bits + 1e-9
        assert not own or math.isclose(bar.note_bits, sum(own) / len(own))


def test_a_network_that_knows_nothing_needs_as_many_bits_as_there_are_choices(encoding):
    found = piece_surprisal(Model(network_of(encoding), encoding), PIECES[encoding.kind])
    each = 1.0 if encoding.head == "bernoulli" else math.log2(encoding.size)
    for one in found.notes:
        assert math.isclose(one.bits, each * len(one.note.steps))
        assert math.isclose(one.found.probability, 2**-each)


def test_what_is_expected_is_likely_and_not_what_is_there(encoding):
    network = network_of(encoding, np.random.default_rng(5))
    found = piece_surprisal(Model(network, encoding), PIECES[encoding.kind])
    for one in found.notes:
        assert one.found.text not in [choice.text for choice in one.expected]
        assert all(choice.text for choice in one.expected)
        likely = [choice.probability for choice in one.expected]
        assert likely == sorted(likely, reverse=True)
        if encoding.head == "categorical":
            assert one.found.probability + sum(likely) <= 1 + 1e-9
            assert 2**-one.bits <= one.found.probability + 1e-12


@pytest.mark.parametrize("name", ["velocity-roll"])
def test_a_model_without_probabilities_is_refused(name):
    encoding = encodings.get(name).fit([MUSIC])
    with pytest.raises(ModelError, match="says no probabilities"):
        piece_surprisal(Model(network_of(encoding), encoding), MUSIC)


@pytest.fixture(scope="module")
def slip(corpora, tmp_path_factory):
    """A file of two tunes that a model learned from, a note of the second written wrong."""
    first, second = (
        file.read_text().strip() for file in sorted(corpora["abc"].iterdir())[:4:3]
    )  # fmt: skip
    lines = second.replace("X:1", "X:2").split("\n")
    assert lines[-1].startswith("|:")
    lines[-1] = f"{lines[-1][:4]}E{lines[-1][5:]}"
    path = tmp_path_factory.mktemp("slip") / "slip.abc"
    path.write_text("\n".join([first, "", *lines, ""]))
    return path, first.count("\n") + 2 + len(lines), 5


def test_a_slip_is_the_most_surprising_note_of_the_oddest_bar(slip, models):
    path, line, column = slip
    scoring = score_file(path, models("tokens"))
    right, wrong = (piece.surprisal for piece in scoring.pieces)
    note = wrong.most_surprising(1)[0]
    assert (note.note.line, note.note.column, note.note.text) == (line, column, "E")
    assert max(wrong.bars, key=lambda bar: bar.bits) == wrong.bars[note.note.bar]
    assert note.bits > 2 * right.most_surprising(1)[0].bits


def bars_of(crowds):
    """Score bars of so many notes with a model to which every event costs the same."""
    notes = [
        Note(1920 * bar + 120 * step, 60 + step, 120)
        for bar, crowd in enumerate(crowds)
        for step in range(crowd)
    ]
    music = Music(480, [], [TimeSignature(0, 4, 4)], [], [Track(notes=notes)])
    encoding = encodings.get("events").fit([music])
    return piece_surprisal(Model(network_of(encoding), encoding), music).bars


@pytest.mark.parametrize("bars", [2, 3, 5, 10])
def test_a_bar_stands_out_of_a_piece_of_any_length(bars):
    found = bars_of([2] * (bars - 1) + [16])
    assert [bar.is_unusual for bar in found] == [False] * (bars - 1) + [True]


def test_a_bar_is_measured_against_the_others():
    found = bars_of([2, 8, 4, 10, 6])
    for at, bar in enumerate(found):
        others = [other.bits for other in found if other is not bar]
        mean, spread = np.mean(others), np.std(others)
        assert spread > mean / 4
        assert bar.z == pytest.approx((bar.bits - mean) / spread), at


def test_no_bar_stands_out_of_those_that_cost_much_the_same():
    assert not any(bar.is_unusual for bar in bars_of([8, 8, 8, 8, 9]))
    assert [bar.z for bar in bars_of([8])] == [0]


JIG = Tune(
    "X:1\nM:6/8\nL:1/8\nK:D\n|:A|def gfe|FAd fed|1 cdB A2:|2 cdB A2||\n|:A|dfa gfe|cde d2:|\n"
)


@pytest.mark.parametrize("one", [AbcTokens, Characters])
def test_bars_are_numbered_as_in_the_engraved_score(one):
    aligned = one.fit([JIG]).align(JIG)
    engraved = re.findall(r'<measure n="(\d+)"', abc.to_mei(abc.parse(JIG)))
    assert [bar.number for bar in aligned.bars] == [0, 1, 2, 3, 4, 5, 6]
    assert list(dict.fromkeys(map(int, engraved))) == [bar.number for bar in aligned.bars]
    # The pickup of the second part completes the bar before the double bar line.
    pickup = next(note for note in aligned.notes if (note.line, note.column) == (6, 3))
    assert (aligned.bars[pickup.bar].number, pickup.beat) == (4, 2.667)
    assert set(aligned.step_bars) - {NO_BAR} == set(range(len(aligned.bars)))


@pytest.mark.parametrize("one", [AbcTokens, Characters])
def test_a_long_rest_counts_as_its_bars(one):
    tune = Tune("X:1\nM:2/4\nL:1/4\nK:C\nCD|Z3|EF|]\n")
    bars = one.fit([tune]).align(tune).bars
    assert (bars[1].number, bars[-1].number) == (2, 5)


def test_the_command_prints_bars_and_notes(slip, models, musicgen):
    path, line, column = slip
    out = musicgen("score", path, "--model", models("tokens"), "--top", 2).stdout
    first, second = out.split("\n2. ")
    assert first.startswith("1. Tune\n")
    table, notes = second.split("\n bits")
    assert table.count(f"{line}:") == 2
    assert len(notes.strip().split("\n")) == 3
    assert notes.split("\n")[1].split()[3:5] == [f"{line}:{column}", "E"]


def test_json_tells_everything(slip, models, musicgen):
    path, line, column = slip
    done = musicgen("score", path, "--tune", 2, "--json", "--top", 1, "--model", models("tokens"))
    [piece] = json.loads(done.stdout)["pieces"]
    assert (piece["number"], piece["title"]) == (2, "Tune")
    [place] = piece["most_surprising"]
    note = piece["notes"][place]
    assert (note["line"], note["column"], note["bar"], note["pitch"]) == (line, column, 1, 64)
    assert note["found"]["text"] == "E"
    assert len(note["expected"]) == 3
    total = sum(bar["bits"] for bar in piece["bars"]) + piece["header_bits"] + piece["end_bits"]
    assert total == pytest.approx(piece["bits"], abs=0.01)


SLIPS = "X:1\nM:4/4\nL:1/8\nK:C\nCDEFGABc|c4c3|[CEG8|[EGC8|]\n"


def test_what_does_not_add_up_and_what_is_repaired_is_told(models, musicgen, tmp_path):
    path = tmp_path / "a.abc"
    path.write_text(SLIPS)
    out = musicgen("score", path, "--model", models("tokens"), "--top", 0).stdout
    assert "\n5:10: bar 2 is 1/8 too short\n" in out
    assert re.findall(r"^5:\d+: repaired: .*", out, re.MULTILINE)[0].startswith("5:15: ")
    assert out.count("repaired: ") == 2
    done = musicgen("score", path, "--model", models("tokens"), "--json")
    [piece] = json.loads(done.stdout)["pieces"]
    assert piece["uneven"][0] == {
        "number": 2, "line": 5, "column": 10, "found": "7/8", "expected": "1"
    }  # fmt: skip
    assert len(piece["repaired"]) == 2
    assert not done.stderr


def test_it_is_told_that_repeats_are_played(musicgen, tmp_path):
    encoding = encodings.get("events").fit([MUSIC])
    Model(network_of(encoding), encoding).save(tmp_path / "m.safetensors")
    (tmp_path / "a.abc").write_text(JIG.text)
    command = ("score", tmp_path / "a.abc", "--model", tmp_path / "m.safetensors")
    out = musicgen(*command).stdout
    assert "repeats are played" in out
    assert " an event; " in out
    [piece] = json.loads(musicgen(*command, "--json").stdout)["pieces"]
    assert piece["repeats_played"]
    assert len(piece["bars"]) == 10


def test_a_tune_without_slips_has_no_remarks(models, musicgen, tmp_path):
    path = tmp_path / "a.abc"
    path.write_text(JIG.text)
    out = musicgen("score", path, "--model", models("tokens"), "--top", 0).stdout
    assert len(out.strip().split("\n")) == 4 + 7


def test_the_picture_shows_every_note(slip, models, musicgen, tmp_path):
    picture = tmp_path / "a.svg"
    musicgen("score", slip[0], "--tune", 1, "--model", models("tokens"), "--plot", picture)
    notes = score_file(slip[0], models("tokens"), piece=1).pieces[0].surprisal.notes
    drawn = picture.read_text()
    boxes = drawn.split('id="PolyCollection_1"')[1].split("</g>")[0]
    assert boxes.count("<path") == len(notes)
    assert drawn.count('id="axes_') == 3


def test_the_picture_names_bars_and_marks_the_odd_one(slip, models, musicgen, tmp_path):
    picture = tmp_path / "a.svg"
    musicgen("score", slip[0], "--tune", 2, "--model", models("tokens"), "--plot", picture)
    bars = score_file(slip[0], models("tokens"), piece=2).pieces[0].surprisal.bars
    drawn = re.findall(r"<!-- (\d+\*?) -->", picture.read_text().split('id="axes_2"')[1])
    names = [f"{one.bar.number}{'*' if one.is_unusual else ''}" for one in bars]
    assert drawn[: len(names)] == names
    assert "1*" in names


def test_music_is_scored_with_its_beats_and_no_places(models, tmp_path):
    midi.write(convert(scale_tune(), Music), tmp_path / "a.mid")
    scoring = score_file(tmp_path / "a.mid", models("tokens"))
    assert scoring.pieces[0].line is None
    for note in scoring.pieces[0].surprisal.notes:
        assert (note.note.line, note.note.column) == (0, 0)
        assert note.note.beat >= 1


def scale_tune():
    return Tune("X:1\nM:4/4\nL:1/8\nK:C\nCDEFGABc|c4c4|]\n")


def test_a_piece_that_cannot_be_scored_is_left_out(models, musicgen, tmp_path):
    path = tmp_path / "a.abc"
    path.write_text(f"{scale_tune().text}\nX:2\nK:C\nz4|\n")
    done = musicgen("score", path, "--model", models("tokens"), "--top", 0)
    assert "left out: piece 2: the piece holds no notes" in done.stderr
    assert "expected" not in done.stdout
    with pytest.raises(EncodingError, match="no notes"):
        score_file(path, models("tokens"), piece=2)


def test_what_cannot_be_scored_is_refused_in_one_line(slip, models, corpora, refused, tmp_path):
    path, model = slip[0], models("tokens")
    sound = next(corpora["wav"].iterdir())
    assert "sound has no notes" in refused("score", sound)
    assert "there is no piece 3" in refused("score", path, "--tune", 3, "--model", model)
    drawn = refused("score", path, "--plot", tmp_path / "a.png", "--model", model)
    assert "holds 2 pieces" in drawn
    assert "--tune" in drawn
    (tmp_path / "notes.txt").write_text("hello")
    assert "not a file of a known format" in refused("score", tmp_path / "notes.txt")


def test_without_a_model_the_kind_of_the_file_decides(monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(
        "musicgen.workflows.score.find_model", lambda name: asked.append(name) or tmp_path / "none"
    )
    (tmp_path / "a.abc").write_text(scale_tune().text)
    midi.write(MUSIC, tmp_path / "a.mid")
    for name in ("a.abc", "a.mid"):
        with pytest.raises(FileNotFoundError):
            score_file(tmp_path / name)
    assert asked == ["irish", "events"]
