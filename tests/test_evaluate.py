"""Judging models: what is held out, what it costs, what is copied, and how it is told."""

import base64
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
from musicgen.training import evaluate
from musicgen.workflows import (
    evaluate_model,
    evaluation_pieces,
    evaluation_tables,
    sample_from,
)
from musicgen.workflows.drawing import Drawn

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
    (table,) = evaluation_tables(found)
    assert table.header[1] == "squared error a frame"


def test_another_corpus_is_held_out_as_a_whole(models, scales):
    found = evaluate_model(models("tokens"), scales, samples=scales, jobs=1)
    assert not found.of_training
    assert found.pieces == {"training": 0, "held-out": 40, "samples": 40}
    assert found.likelihood["held-out"].pieces == 40
    assert "training" not in found.likelihood
    assert set(found.statistics) == {"held-out", "samples"}
    assert set(found.copying["melody"]) == {"samples"}
    assert "not the corpus that the model learned from" in found.notes[0]
    held_out, samples = found.statistics["held-out"], found.statistics["samples"]
    assert held_out.histograms == samples.histograms


def test_a_planted_copy_is_named(models, corpora, tmp_path):
    run = "CEGcBAFD EFGABcde FGAF"  # 20 notes
    source = tmp_path / "corpus" / "source.abc"
    shutil.copytree(corpora["abc"], source.parent)
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
    assert media.count("data:image/png") == 3
    sounds = [source for source in sources if source.startswith("data:audio/")]
    assert len(sounds) == 2
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
    assert "11 training pieces, 1 held-out pieces, 12 samples" in table
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
