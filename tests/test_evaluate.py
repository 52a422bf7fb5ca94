"""Judging models: what is held out, what it costs, what is copied, and how it is told."""

import base64
import errno
import json
import math
import re
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
from conftest import FORMATS, scale

from musicgen import encodings, workflows
from musicgen.convert import convert
from musicgen.encodings.chords import Chords
from musicgen.encodings.score_grid import ScoreGrid
from musicgen.errors import CorpusError
from musicgen.evaluation import (
    NoveltyIndex,
    Validity,
    check_music,
    check_tune,
    count_frames,
    likelihood,
    measure_copying,
)
from musicgen.evaluation.page import Figure, Heading, Table, page
from musicgen.formats import get, midi
from musicgen.music import Audio, Music, Note, TimeSignature, Track, Tune
from musicgen.networks import Architecture, Model, Network
from musicgen.training import evaluate, read_corpus
from musicgen.workflows import (
    evaluate_model,
    evaluation_pieces,
    evaluation_tables,
    sample_from,
)
from musicgen.workflows.copied_run import copied_example, describe_place
from musicgen.workflows.corpus_pieces import part
from musicgen.workflows.drawing import Drawn
from musicgen.workflows.tables import counted_pieces

JUDGED = ("tokens", "score-grid", "piano-roll", "spectrum")


@pytest.fixture(scope="module")
def judged(models, corpora):
    """By the name of an encoding: the evaluation of its model on what it learned from."""

    def judge(name):
        corpus = corpora[FORMATS[encodings.get(name).kind]]
        # The pieces stand for samples: nothing is drawn, and all of it is copied.
        samples = None if encodings.get(name).kind is Audio else corpus
        return evaluate_model(models(name), corpus, samples=samples, jobs=1)

    return {name: judge(name) for name in JUDGED}


@pytest.mark.parametrize("name", JUDGED)
def test_held_out_pieces_are_those_of_the_validation(name, judged, models):
    found, facts = judged[name], Model.load(models(name)).facts
    assert found.of_training
    assert found.pieces["training"] == 11
    assert found.pieces["held-out"] == 1
    cost = found.likelihood["held-out"]
    figure = cost.squared_error_a_step if name == "spectrum" else cost.bits_a_step
    assert figure == pytest.approx(facts["validation"], rel=1e-5)


@pytest.mark.parametrize("name", ["tokens", "score-grid", "piano-roll"])
def test_what_was_learned_is_found_again(name, judged):
    copying = judged[name].copying
    for way in ("melody", "melody and rhythm"):
        samples = copying[way]["samples"]
        assert len(samples.lengths) == 12
        whole = samples.lengths == samples.lengths.max()
        assert whole.sum() >= 11
        assert samples.shares[8] > 0.9
        assert len(copying[way]["held-out"].lengths) == 1
    overlaps = evaluation_tables(judged[name])[1]
    assert "∩ training" in overlaps.header


def test_sound_has_a_likelihood_alone(judged):
    found = judged["spectrum"]
    assert not found.statistics
    assert not found.copying
    assert found.likelihood["held-out"].nats_a_step is None
    assert any("Of sound nothing else is judged" in note for note in found.notes)
    assert not any("samples" in note for note in found.notes)
    (table,) = evaluation_tables(found)
    assert table.header[1] == "squared error a frame"


@pytest.fixture
def strange(tmp_path):
    """A folder of 6 tunes that no model has learned from."""
    folder = tmp_path / "strange"
    folder.mkdir()
    for number in range(6):
        text = scale(number).text.replace("L:1/8", "L:1/4")
        (folder / f"{number}.abc").write_text(text)
    return folder


def test_samples_of_sound_are_refused(models, corpora, refused):
    said = refused("evaluate", models("spectrum"), corpora["wav"], "--samples", corpora["wav"])
    assert "samples of it cannot be judged" in said
    assert "leave --samples out" in said
    found = evaluate_model(models("tokens"), corpora["abc"], samples=corpora["abc"], jobs=1)
    assert found.pieces["samples"] == 12


def test_a_part_of_the_training_corpus_is_parted_in_the_same_way(models, corpora, tmp_path):
    model = models("tokens")
    learned, aside = part(read_corpus(corpora["abc"]), Model.load(model))
    assert (len(learned), len(aside)) == (11, 1)
    folder = tmp_path / "deep" / "elsewhere"
    folder.mkdir(parents=True)
    for at in (*learned[:3], *aside):
        text = (corpora["abc"] / f"{at:02}.abc").read_text().replace("T:", "T:The so-called ")
        (folder / f"{50 - at}.abc").write_bytes(text.replace("\n", "\r\n").encode())
    found = evaluate_model(model, folder, samples=folder, jobs=1)
    assert found.pieces == {"training": 3, "held-out": 1, "samples": 4}
    whole = evaluate_model(model, corpora["abc"], samples=folder, jobs=1)
    assert found.likelihood["held-out"] == whole.likelihood["held-out"]
    assert "learned from 3 of these 4 pieces" in found.notes[0]
    assert "learned from 8 more, which are not at hand" in found.notes[1]


def test_what_is_added_to_the_training_corpus_is_held_out_too(models, scales):
    found = evaluate_model(models("tokens"), scales, samples=scales / "00.abc", jobs=1)
    assert found.pieces == {"training": 11, "held-out": 29, "samples": 1}


def test_nothing_is_left_that_was_not_learned(models, corpora, refused, tmp_path):
    model = models("tokens")
    learned, _ = part(read_corpus(corpora["abc"]), Model.load(model))
    shutil.copy(corpora["abc"] / f"{learned[0]:02}.abc", tmp_path)
    said = refused("evaluate", model, tmp_path)
    assert "learned from all pieces of" in said
    assert "add music, or name another corpus" in said


def test_all_held_out_pieces_are_compared_with_few_samples(models, scales, monkeypatch):
    def judge():
        return evaluate_model(models("tokens"), scales, samples=scales / "00.abc", jobs=1)

    found = judge()
    for way in ("melody", "melody and rhythm"):
        assert len(found.copying[way]["held-out"].lengths) == 29
        assert len(found.copying[way]["samples"].lengths) == 1
    copying = next(table for table in evaluation_tables(found) if "Copying" in table.title)
    assert copying.rows[0] == ["pieces", "29", "1", "29", "1"]
    monkeypatch.setattr(workflows.evaluate, "MOST_COMPARED", 5)
    found = judge()
    assert len(found.copying["melody"]["held-out"].lengths) == 5
    assert "Validity and copying look at 5 of the held-out pieces." in found.notes


def test_near_copies_are_counted_and_the_others_judged_alone(models, corpora, tmp_path):
    model, folder = models("tokens"), tmp_path / "corpus"
    shutil.copytree(corpora["abc"], folder)
    learned, (aside,) = part(read_corpus(folder), Model.load(model))
    (folder / f"{aside:02}.abc").unlink()
    text = (folder / f"{learned[0]:02}.abc").read_text()
    (folder / "near.abc").write_text(text.rstrip() + "c4c4|\n")
    strange = "X:1\nM:4/4\nL:1/8\nK:C\n|:CBDAEcFG|GcCBFDEA|ABCcEDFB:|\n"
    (folder / "strange.abc").write_text(strange)
    found = evaluate_model(model, folder, samples=folder, jobs=1)
    assert found.pieces["held-out"] == 2
    assert found.near_copies.pieces == 1
    (folder / "near.abc").unlink()
    alone = evaluate_model(model, folder, samples=folder, jobs=1)
    assert found.near_copies.others == alone.likelihood["held-out"] == alone.near_copies.others
    assert alone.near_copies.pieces == 0
    assert found.notes[-1].endswith(
        f"training piece: 1. The 1 others cost {alone.likelihood['held-out'].bits_a_step:.3f} bits "
        "a token."
    )


def test_what_was_left_out_is_named(models, corpora, musicgen, tmp_path):
    folder = tmp_path / "corpus"
    shutil.copytree(corpora["abc"], folder)
    shutil.copy(folder / "03.abc", folder / "again.abc")
    for number in range(5):
        (folder / f"broken{number}.mid").write_bytes(b"MThd")
    command = ("evaluate", models("tokens"), folder, "--samples", corpora["abc"], "--jobs", 1)
    said = json.loads(musicgen(*command, "--json").stdout)
    assert said["duplicates"] == 1
    assert [one["file"] for one in said["left_out"]] == [
        str(folder / f"broken{number}.mid") for number in range(5)
    ]
    assert all(one["reason"] for one in said["left_out"])
    assert said["near_copies"]["pieces"] <= said["pieces"]["held-out"]
    shown = musicgen(*command).stdout
    assert f"Left out of {folder}: 1 repeated piece.\n" in shown
    assert shown.count("Left out: ") == 3
    assert f"{folder / 'broken0.mid'}" in shown
    assert "… and 2 more left out." in shown


def test_another_corpus_is_held_out_as_a_whole(models, strange):
    found = evaluate_model(models("tokens"), strange, samples=strange, jobs=1)
    assert not found.of_training
    assert found.pieces == {"training": 0, "held-out": 6, "samples": 6}
    assert found.likelihood["held-out"].pieces == 6
    assert found.near_copies is None
    assert "training" not in found.likelihood
    assert set(found.statistics) == {"held-out", "samples"}
    assert set(found.copying["melody"]) == {"samples"}
    assert "learned from none of these 6 pieces, but from 11 others (abc)" in found.notes[0]
    assert "6 of 6 fit the encoding; samples are compared with these" in found.notes[0]
    held_out, samples = found.statistics["held-out"], found.statistics["samples"]
    assert held_out.histograms == samples.histograms


def test_a_planted_copy_is_named(models, strange, tmp_path):
    run = "CEGcBAFD EFGABcde FGAF"  # 20 notes
    source = strange / "source.abc"
    source.write_text(f"X:1\nT:The Source\nM:4/4\nL:1/8\nK:C\nC8|{run} G4|c8|\n")
    samples = tmp_path / "samples"
    samples.mkdir()
    # The same 20 notes a fourth higher, in the fourth bar.
    copied = "FAcfedBG ABcdefga _BcdB"
    text = f"X:1\nM:4/4\nL:1/8\nK:F\nF2F2F2F2|C8|F8|{copied} F4|a8|\n"
    (samples / "a.abc").write_text(text)
    found = evaluate_model(models("tokens"), source.parent, samples=samples, jobs=1)
    for way in ("melody", "melody and rhythm"):
        ((number, match),) = found.copying[way]["samples"].most(3)
        assert found.names[number] == "a.abc"
        assert match.source.title == "The Source"
        assert found.sources[match.piece] == source
        assert match.length >= 20
        assert match.semitones == 5


def test_samples_are_the_first_draws_of_sample(models, corpora, tmp_path):
    found = evaluate_model(models("tokens"), corpora["abc"], count=3, seed=4, jobs=1)
    written = sample_from(models("tokens"), tmp_path, count=3, seed=4).samples
    first = {f"sample {at}": one.piece for at, one in enumerate(written, 1) if one.draws == 1}
    assert first
    assert found.names == list(first)
    assert [example.piece for example in found.examples[:-1]] == list(first.values())
    assert found.validity["samples"].parses == pytest.approx(len(first) / 3)


def test_what_is_not_sound_counts_and_is_left_out(models, corpora, monkeypatch):
    model = models("tokens")
    symbols = Model.load(model).encoding.encode(scale(3))[:-1]
    draws = [Drawn(symbols[::-1], 1.0, True), Drawn(symbols, 1.0, False), Drawn(symbols, 1.0, True)]
    monkeypatch.setattr(evaluation_pieces, "draw_pieces", lambda *_, **__: draws)
    found = evaluate_model(model, corpora["abc"], count=3, jobs=1)
    assert found.names == ["sample 3"]
    assert found.pieces["samples"] == 1
    shares = found.validity["samples"]
    assert shares.ended == pytest.approx(2 / 3)
    assert shares.parses == pytest.approx(1 / 3)
    assert len(found.copying["melody"]["held-out"].lengths) == 1


def test_nothing_sound_at_all(models, corpora, monkeypatch):
    draws = [Drawn(np.zeros(0, np.int32), 1.0, False)]
    monkeypatch.setattr(evaluation_pieces, "draw_pieces", lambda *_, **__: draws)
    found = evaluate_model(models("tokens"), corpora["abc"], count=1, jobs=1)
    assert found.pieces["samples"] == 0
    assert found.validity["samples"].parses == 0
    rows = {row[0]: row for table in evaluation_tables(found) for row in table.rows}
    assert rows["longest run, median"][2] == "–"
    assert rows["pitch_range"][3] == "–"


def network(encoding):
    shape = Architecture(encoding.size, encoding.head, hidden_size=5, num_layers=1)
    return Model(Network.initialise(shape, np.random.default_rng(3)), encoding)


def music(voices, quarters=8):
    tracks = [
        Track(notes=[Note(480 * at, 50 + 9 * voice + at, 480) for at in range(quarters)])
        for voice in range(voices)
    ]
    return Music(480, time_signatures=[TimeSignature(0, 4, 4)], tracks=tracks)


def test_likelihood_is_that_of_training_however_it_is_laid_out():
    pieces = [music(2, 4 + 4 * (at % 3)) for at in range(60)]
    encoding = Chords.fit(pieces[:20], steps_per_quarter=1)
    model = network(encoding)
    arrays = [encoding.encode(piece) for piece in pieces]
    seen = []
    found = likelihood(model, arrays, lambda *counts: seen.append(counts))
    assert found.bits_a_step == pytest.approx(evaluate(model.network, arrays, T=7, B=3), rel=1e-5)
    assert found.nats_a_step == pytest.approx(found.bits_a_step * math.log(2))
    assert found.nats_a_piece * 60 == pytest.approx(found.nats_a_step * found.steps)
    assert found.nats_a_frame * found.frames == pytest.approx(found.nats_a_step * found.steps)
    assert found.steps == sum(map(len, arrays))
    assert found.frames == 20 * (5 + 9 + 13)
    assert seen == [(50, 60), (60, 60)]
    with pytest.raises(CorpusError, match="no piece"):
        likelihood(model, [])


@pytest.mark.parametrize("encoder", [Chords, ScoreGrid])
@pytest.mark.parametrize("steps", [1, 4])
def test_a_frame_is_a_step_of_the_grid(encoder, steps):
    encoding = encoder.fit([music(3)], steps_per_quarter=steps)
    assert count_frames(encoding, encoding.encode(music(3))) == 8 * steps + 1


@pytest.mark.parametrize("name", ["tokens", "characters", "events"])
def test_texts_and_events_have_no_frames(name):
    piece = convert(scale(1), encodings.get(name).kind)
    encoding = encodings.get(name).fit([piece])
    assert count_frames(encoding, encoding.encode(piece)) is None


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("CDEF|GABc|", Validity(None, True, True, None, False)),
        ("CDEF|GAB|c4|", Validity(None, True, False, None, False)),
        ("CDEF|(3GAB|", Validity(None, True, False, None, False)),
        ("CDEF|[GAB|", Validity(None, False, False, None, False)),
        ("z4|", Validity(None, False, True, None, True)),
    ],
)
def test_validity_of_tunes(body, expected):
    assert check_tune(Tune(f"X:1\nM:4/4\nL:1/4\nK:C\n{body}\n")) == expected


def test_an_unended_tune_counts_for_nothing():
    assert check_tune(scale(1), ended=False) == Validity(False, False, False, None, False)
    assert check_tune(scale(1), ended=True).parses


def test_validity_of_notes():
    assert check_music(music(2), midi, ended=True) == Validity(True, None, None, True, False)
    assert check_music(Music(), midi).empty

    def write(piece, path):
        midi.write(Music(480, tracks=[Track(notes=piece.tracks[0].notes[1:])]), path)

    forgetful = SimpleNamespace(extensions=(".mid",), write=write, read=midi.read)
    assert check_music(music(2), forgetful).reads_back is False


def test_copying_of_nothing():
    found = measure_copying(NoveltyIndex([music(1)]), [])
    assert found.matches == []
    assert found.shares == {}
    assert all(map(math.isnan, found.quartiles))


def test_the_page_stands_alone(models, corpora, musicgen, tmp_path):
    file, sample = tmp_path / "page.html", corpora["abc"] / "03.abc"
    done = musicgen(
        "evaluate", models("tokens"), corpora["abc"], "--samples", sample, "--html", file,
        "--json",
    )  # fmt: skip
    said = json.loads(done.stdout)
    text = file.read_text(encoding="utf-8")
    assert said["page"] == str(file)
    assert "<script" not in text
    assert not re.search(r"\bhttps?:|//[a-z]|url\(", re.sub(r'src="[^"]*"', "", text))
    sources = re.findall(r'src="([^"]*)"', text)
    assert all(source.startswith("data:") for source in sources)
    media = [source.split(";")[0] for source in sources]
    assert media.count("data:image/png") == 4  # of a sample, its source, the corpus, and curves
    sounds = [source for source in sources if source.startswith("data:audio/")]
    assert len(sounds) == 3
    sound = tmp_path / f"a.{sounds[0][11:14]}"
    sound.write_bytes(base64.b64decode(sounds[0].partition(",")[2]))
    (audio,) = get("wav").read(sound)
    assert audio.samples.shape[1] == 1
    assert 1 < len(audio.samples) / audio.rate <= 20.1
    assert np.abs(audio.samples).max() > 0.05
    bits = said["likelihood"]["held-out"]["bits_a_step"]
    assert f"<td>{bits:.3f}</td>" in text
    assert said["copying"]["melody"]["samples"]["longest"] >= 3


def test_table_and_json_say_the_same(models, corpora, musicgen):
    command = ("evaluate", models("score-grid"), corpora["midi"], "--samples", corpora["midi"])
    said = json.loads(musicgen(*command, "--json").stdout)
    table = musicgen(*command).stdout
    assert "11 training pieces, 1 held-out piece, 12 samples read from" in table
    cost = said["likelihood"]["held-out"]
    row = rf"held-out +{cost['nats_a_step']:.3f} +{cost['bits_a_step']:.3f}"
    assert re.search(row, table)
    median = said["copying"]["melody"]["samples"]["median"]
    assert re.search(rf"longest run, median .*{median:.1f}", table)
    mean = said["statistics"]["pitch_range"]["samples"]["mean"]
    assert re.search(rf"pitch_range .*{mean:.2f} ±", table)
    assert re.search(r"file is read with the same notes +100\.0 % +100\.0 %", table)
    assert said["statistics"]["pitch_range"]["held-out"]["deviation"] is None


def test_pages_escape_what_is_shown():
    shown = page("<b>", ["a & b", Heading("<i>"), Table("t", ["<u>"], [["<s>"]]),
                         Figure('"x"', "image/png", b"12")])  # fmt: skip
    assert not re.search(r"<[bius]>", shown)
    assert "a &amp; b" in shown
    assert 'alt="&quot;x&quot;" src="data:image/png;base64,MTI="' in shown


def test_what_cannot_be_judged(models, corpora, refused, monkeypatch, tmp_path):
    model = models("tokens")
    assert "no model none" in refused("evaluate", "none", corpora["abc"])
    assert "does not exist" in refused("evaluate", model, tmp_path / "none")
    assert "no readable tune" in refused("evaluate", model, corpora["wav"])
    (tmp_path / "file").write_text("")
    blocked = tmp_path / "file" / "page.html"
    # Before anything is computed.
    monkeypatch.setattr(workflows.evaluate, "likelihood", None)
    assert "is a file; expected a folder" in refused(
        "evaluate", model, corpora["abc"], "--html", blocked, "--jobs", 1
    )


def test_ctrl_c_ends_at_once(models, corpora, musicgen, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(workflows.evaluate, "likelihood", interrupted)
    done = musicgen("evaluate", models("tokens"), corpora["abc"], "--jobs", 1, code=130)
    assert done.stdout == ""
    assert done.stderr.endswith("stopped; nothing was written\n")


def samples_folder(tmp_path, texts):
    folder = tmp_path / "samples"
    folder.mkdir()
    for name, text in texts.items():
        (folder / name).write_text(text)
    return folder


def test_samples_that_are_alike_are_all_judged(models, corpora, tmp_path):
    folder = samples_folder(tmp_path, {f"{at}.abc": scale(3).text for at in range(3)})
    shutil.copy(corpora["midi"] / "00.mid", folder / "0.mid")  # the same sample once more
    (folder / "0.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    found = evaluate_model(models("tokens"), corpora["abc"], samples=folder, jobs=1)
    assert found.names == ["0.abc", "1.abc", "2.abc"]
    assert len(found.copying["melody"]["samples"].lengths) == 3
    assert found.validity["samples"].parses == 1


def test_samples_that_cannot_be_read_are_not_valid(models, corpora, tmp_path):
    folder = samples_folder(tmp_path, {"broken.mid": "MThd and no more"})
    shutil.copy(corpora["midi"] / "00.mid", folder / "whole.mid")
    found = evaluate_model(models("score-grid"), corpora["midi"], samples=folder, jobs=1)
    assert found.names == ["whole.mid"]
    assert found.validity["samples"].reads_back == 0.5
    assert any("not valid" in note and "broken.mid" in note for note in found.notes)
    assert [file.name for file, _ in found.left_out] == ["broken.mid"]


def test_tunes_that_cannot_be_played_are_not_valid(models, corpora, tmp_path):
    too_long = scale(3).text + "CDEF|\n" * 40_000
    folder = samples_folder(tmp_path, {"a.abc": scale(3).text, "b.abc": too_long})
    found = evaluate_model(models("tokens"), corpora["abc"], samples=folder, jobs=1)
    assert found.names == ["a.abc"]
    assert found.validity["samples"].parses == 0.5
    assert any("b.abc" in note for note in found.notes)


def test_a_folder_without_samples(models, corpora, refused, tmp_path):
    asked = ("evaluate", models("tokens"), corpora["abc"], "--samples")
    assert "none does not exist" in refused(*asked, tmp_path / "none")
    folder = samples_folder(tmp_path, {"poem.txt": "roses"})
    assert "holds no samples" in refused(*asked, folder)


def test_copies_through_a_second_ending_are_found(models, tmp_path):
    head = "X:1\nT:Ends\nM:4/4\nL:1/8\nK:C\n"
    (tmp_path / "corpus.abc").write_text(head + "|:CEDF GABc|1 dcBA G4:|2 edcd e2c2|]\n")
    folder = samples_folder(tmp_path, {"a.abc": head + "CEDF GABc|edcd e2c2|]\n"})
    found = evaluate_model(models("tokens"), tmp_path / "corpus.abc", samples=folder, jobs=1)
    ((_, match),) = found.copying["melody"]["samples"].most(1)
    assert (match.source.title, match.length) == ("Ends", 14)


def test_a_page_that_cannot_be_written_is_refused_first(
    models, corpora, refused, monkeypatch, tmp_path
):
    monkeypatch.setattr(workflows.evaluate, "likelihood", None)
    assert "expected the name of a file, such as page.html" in refused(
        "evaluate", models("tokens"), corpora["abc"], "--html", tmp_path, "--jobs", 1
    )


@pytest.mark.parametrize("as_json", [False, True])
def test_a_full_disk_loses_the_page_alone(
    models, corpora, musicgen, monkeypatch, tmp_path, as_json
):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(workflows, "write_page", full)
    done = musicgen(
        "evaluate", models("tokens"), corpora["abc"], "--samples", corpora["abc"] / "03.abc",
        "--html", tmp_path / "page.html", "--jobs", 1, *["--json"] * as_json, code=2,
    )  # fmt: skip
    assert done.stderr.endswith("page.html is not written: No space left on device\n")
    if as_json:
        said = json.loads(done.stdout)
        assert said["likelihood"]["held-out"]["pieces"] == 1
        assert said["page"] is None
        assert "No space left" in said["error"]
    else:
        assert "\nLikelihood\n" in done.stdout
        assert "\npage: " not in done.stdout


def drawn_and_read(models, corpora, monkeypatch):
    """Return the evaluation of two draws, one of them unsound, and that of samples of a folder."""
    model = models("tokens")
    symbols = Model.load(model).encoding.encode(scale(3))[:-1]
    draws = [Drawn(symbols[::-1], 1.0, True), Drawn(symbols, 1.0, True)]
    monkeypatch.setattr(evaluation_pieces, "draw_pieces", lambda *_, **__: draws)
    drawn = evaluate_model(model, corpora["abc"], count=2, seed=7, jobs=1)
    return drawn, evaluate_model(model, corpora["abc"], samples=corpora["abc"], jobs=1)


def test_where_samples_come_from_is_told(models, corpora, monkeypatch):
    drawn, read = drawn_and_read(models, corpora, monkeypatch)
    said = counted_pieces(drawn)
    assert said.startswith("11 training pieces, 1 held-out piece, 2 samples drawn with seed 7; ")
    assert "1 of the samples is unsound" in said
    notes = [table.note for table in evaluation_tables(drawn)]
    command = f"musicgen sample {drawn.model} --seed 7 --count 2 (sample 2 becomes tokens-7-2.abc)"
    assert any(command in note for note in notes)
    said = counted_pieces(read)
    assert said.endswith(f"12 samples read from {corpora['abc']}")
    notes = " ".join(table.note for table in evaluation_tables(read))
    assert "drawn" not in notes
    assert "musicgen sample" not in notes


def test_what_rests_on_few_pieces_is_not_shown(models, corpora, monkeypatch):
    few, many = (
        {row[0]: row for table in evaluation_tables(found) for row in table.rows}
        for found in drawn_and_read(models, corpora, monkeypatch)
    )
    known = "known groups of 8 notes"
    assert few[known][1:] == ["–"] * 4  # of one piece each
    assert many[known][1] == "–"
    assert many[known][2].endswith(" %")
    assert few["pitch_range"][4:6] == many["pitch_range"][4:6] == ["–", "–"]


def voices(name, *lines):
    tracks = [
        Track(name=f"voice {number}", notes=[Note(480 * at, pitch, 480) for at, pitch in line])
        for number, line in enumerate(lines, 1)
    ]
    return Music(480, time_signatures=[TimeSignature(0, 4, 4)], tracks=tracks, title=name)


def test_a_copied_run_stands_above_its_source():
    run = [60, 61, 63, 66, 70, 75]
    sample = voices(
        "sample", [(at, 72) for at in range(16)],
        [(0, 40), *((5 + at, 3 + pitch) for at, pitch in enumerate(run)), (11, 50)],
    )  # fmt: skip
    source = voices("Source", [(at, pitch) for at, pitch in enumerate([*run, 80])], [(0, 30)])
    match = NoveltyIndex([source]).look_up(sample).match
    assert describe_place(match.sample) == "bar 2, voice 2"
    assert describe_place(match.source) == "bar 1, voice 1"
    example = copied_example("sample 9", "source.mid", sample, source, match)
    assert example.label.startswith("sample 9, from bar 2, voice 2: 6 notes in a row")
    assert "Source (source.mid), from bar 1, voice 1" in example.label
    assert "moved by +3 semitones" in example.label
    above, below = example.piece.tracks
    copied = [(480 * (1 + at), 3 + pitch) for at, pitch in enumerate(run)]
    assert [(note.time, note.pitch) for note in above.notes] == [*copied, (480 * 7, 50)]
    assert [(note.time, note.pitch) for note in below.notes] == [*copied, (480 * 7, 83)]


def test_the_worst_copier_is_shown(judged):
    found = judged["tokens"]
    ((number, match),) = found.copying["melody"]["samples"].most(1)
    labels = [example.label for example in found.examples]
    assert labels.count(f"{found.names[number]}, which copies most") == 1
    assert labels[-1].startswith("held-out")
    assert [track.name for track in found.copied.piece.tracks] == ["sample", "source"]
    assert found.copied.label.startswith(found.names[number])
    assert f"{match.length} notes in a row" in found.copied.label


def test_words_stand_to_the_left_and_long_ones_may_wrap():
    long = "a title of more than one or two words"
    shown = page("t", [Table("t", ["", "what", "n"], [["melody and rhythm", long, "−3"]])])
    assert '<td class="words">melody and rhythm</td>' in shown
    assert f'<td class="words long">{long}</td><td>−3</td>' in shown
