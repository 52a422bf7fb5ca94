"""Training from a folder: what is read, what is learned, what is left behind."""

import errno
import json
import math
import os
import re
import shutil

import numpy as np
import pytest

from musicgen import encodings
from musicgen.encodings.abc_tokens import AbcTokens
from musicgen.files import write_atomically
from musicgen.networks import Model, model
from musicgen.training import loop
from musicgen.workflows import CorpusRead, train_on

TINY = ("--hidden-size", 6, "--num-layers", 1, "--dropout", 0)
ONCE = (*TINY, "--epochs", 1)


@pytest.mark.parametrize("name", encodings.NAMES)
def test_every_encoding_is_learned(name, models):
    trained = Model.load(models(name))
    facts = trained.facts
    assert trained.encoding.name == name
    assert trained.network.architecture.size == trained.encoding.size
    assert facts["corpus"]["pieces"] == 12
    assert len(facts["corpus"]["sha256"]) == 64
    assert trained.learned.dtype == np.uint64
    assert len(trained.learned) == 11
    assert math.isfinite(facts["validation"])
    assert facts["unit"].split()[-1] == trained.encoding.unit
    if name in ("piano-roll", "velocity-roll"):
        assert set(facts["decoding"]["thresholds"]) == {"f1", "polyphony"}
    elif trained.encoding.head == "gaussian":
        assert len(facts["decoding"]["residual"]) == trained.encoding.size
    else:
        assert facts["decoding"] == {}


def test_model_history_and_picture(scales, musicgen, monkeypatch, tmp_path):
    monkeypatch.setattr(loop, "SHORTEST_INTERVAL", 4)
    out = tmp_path / "m.safetensors"
    settings = ("--hidden-size", 24, "--num-layers", 1, "--epochs", 20, "--learning-rate", 0.02)
    done = musicgen("train", scales, *settings, "--out", out, "--json")
    assert "40 pieces from 40 abc files: 36 sequences to learn from" in done.stderr
    assert "what it writes now:\n    X:1\n" in done.stderr
    said = json.loads(done.stdout)
    assert said["model"] == str(out)
    assert (tmp_path / "m.last.safetensors").is_file()
    assert (tmp_path / "m.png").read_bytes().startswith(b"\x89PNG")
    lines = (tmp_path / "m.history.jsonl").read_text().splitlines()
    history = [json.loads(line) for line in lines]
    costs = [line["validation"] for line in history]
    facts = Model.load(out).facts
    assert said["validation"] == facts["validation"] == pytest.approx(min(costs), abs=1e-4)
    assert said["first_validation"] == costs[0] > min(costs)
    assert said["batches"] == history[-1]["batches"]
    assert [line["best"] for line in history].count(True) > 1


def test_what_is_printed_for_people(corpora, musicgen, tmp_path):
    done = musicgen("train", corpora["midi"], *ONCE, cwd=tmp_path)
    files = named(done.stdout)
    assert list(files) == ["Model", "Last", "History", "Picture", "Try it"]
    for name in ("Last", "History", "Picture"):
        assert (tmp_path / files[name]).is_file()
    assert "bits an event" in done.stderr
    assert "12 pieces from 12 midi files: 11 sequences to learn from" in done.stderr


def named(text):
    lines = (line.partition(":") for line in text.splitlines())
    return {name: value.strip() for name, _, value in lines}


def test_same_seed_same_model(scales, musicgen, tmp_path):
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        out = tmp_path / f"{name}.safetensors"
        musicgen("train", scales, *ONCE, "--dropout", 0.3, "--seed", seed, "--out", out)
    a, b, c = ((tmp_path / f"{name}.safetensors").read_bytes() for name in "abc")
    assert a == b != c


def test_one_bad_file_does_not_stop_the_others(corpora, musicgen, tmp_path):
    folder = shutil.copytree(corpora["abc"], tmp_path / "tunes")
    (folder / "bad.abc").write_bytes(bytes(range(256)))
    (folder / "poem.txt").write_text("Call the piper.")
    done = musicgen("train", folder, *ONCE, cwd=tmp_path)
    assert "12 pieces from 12 abc files" in done.stderr
    assert "bad.abc" in done.stderr.partition("left out: ")[2]
    assert "poem.txt: not a music file of a known format" in done.stderr


@pytest.fixture
def mixed(corpora, tmp_path):
    """A folder with six tunes, four MIDI files of other tunes, the same as MusicXML, two sounds."""
    folder = tmp_path / "mixed"
    folder.mkdir()
    for name, numbers in (
        ("abc", range(6)), ("midi", range(6, 10)), ("musicxml", range(6, 10)), ("wav", range(2)),
    ):  # fmt: skip
        for file in sorted(corpora[name].iterdir())[numbers.start : numbers.stop]:
            shutil.copy(file, folder / f"{name}-{file.name}")
    return folder


def test_formats_mixed_in_a_folder(mixed, musicgen, tmp_path):
    done = musicgen("train", mixed, *ONCE, "--out", tmp_path / "m.safetensors")
    assert "from 6 abc files, 4 midi files (converted), 4 musicxml files (converted)" in done.stderr
    assert done.stderr.count("wav file: sound cannot be turned into notes") == 2
    assert "encoding tokens" in done.stderr


def test_an_asked_encoding_decides_what_is_converted(mixed, musicgen, tmp_path):
    out = tmp_path / "m.safetensors"
    done = musicgen("train", mixed, *ONCE, "--encoding", "score-grid", "--out", out)
    assert "from 6 abc files (converted), 4 midi files, 4 musicxml files" in done.stderr
    done = musicgen("train", mixed, *ONCE, "--encoding", "spectrum", "--out", out)
    assert "2 pieces from 2 wav files" in done.stderr
    assert done.stderr.count("abc file among sound files") == 6
    assert "musicgen convert" in done.stderr


@pytest.mark.parametrize(
    ("format", "settings", "message"),
    [
        ("abc", ("--encoding", "spectrum"), "convert it first"),
        ("wav", ("--encoding", "score-grid"), "sound cannot be turned into notes"),
        ("wav", ("--transpose", "-1:1"), "sound cannot be transposed"),
        ("midi", ("--batch-size", 12), "this corpus gives 11 to learn from: take a smaller batch"),
        ("midi", ("--steps-per-quarter", 7), "expected a divisor of 480"),
        ("midi", ("--common-key",), "common_key is no setting of the encoding events"),
        (
            "abc",
            ("--encoding", "characters", "--steps-per-quarter", 4),
            "steps_per_quarter is no setting of the encoding characters",
        ),
    ],
)
def test_what_does_not_fit_is_refused(format, settings, message, corpora, refused, tmp_path):
    out = tmp_path / "m.safetensors"
    assert message in refused("train", corpora[format], *ONCE, *settings, "--out", out)
    assert not list(tmp_path.iterdir())


def test_transpositions_are_learned_but_not_judged_by(corpora, tmp_path):
    seen = []
    for name, shifts in (("plain", None), ("moved", range(-1, 2))):
        train_on(
            corpora["midi"], tmp_path / f"{name}.safetensors", encoding="events", transpose=shifts,
            hidden_size=4, num_layers=1, epochs=1, report=seen.append,
        )  # fmt: skip
    plain, moved = (event for event in seen if isinstance(event, CorpusRead))
    assert moved.training == 3 * plain.training
    assert moved.steps == 3 * plain.steps
    assert moved.validation == plain.validation == 1


def test_settings_of_an_encoding(corpora, musicgen, tmp_path):
    out = tmp_path / "m.safetensors"
    musicgen(
        "train", corpora["midi"], *ONCE, "--encoding", "piano-roll", "--steps-per-quarter", 2,
        "--out", out,
    )  # fmt: skip
    assert Model.load(out).encoding.controls.steps_per_quarter == 2
    musicgen("train", corpora["abc"], *ONCE, "--own-key", "--out", out)
    encoding = Model.load(out).encoding
    assert isinstance(encoding, AbcTokens)
    assert not encoding.common_key


def test_init_from_takes_weights_and_encoding(models, corpora, musicgen, refused, tmp_path):
    out = tmp_path / "m.safetensors"
    begun = ("train", corpora["musicxml"], "--epochs", 1, "--seed", 1, "--out", out, "--init-from")
    done = musicgen(*begun, models("events"), "--learning-rate", 1e-9)
    assert "12 pieces from 12 musicxml files" in done.stderr
    old, new = Model.load(models("events")), Model.load(out)
    assert new.encoding.state() == old.encoding.state()
    assert new.network.architecture == old.network.architecture
    for name, weight in old.network.weights().items():
        assert weight == pytest.approx(new.network.weights()[name], abs=1e-5), name
    assert new.facts["init_from"] == "events"
    # Another seed sets another piece aside; the music is the same, so that now all are learned.
    assert set(old.learned.tolist()) < set(new.learned.tolist())
    assert len(new.learned) == 12
    message = refused(*begun, models("events"), "--encoding", "chords")
    assert "brings its encoding, events, and its network" in message
    message = refused(*begun, models("events"), "--hidden-size", 64)
    assert "and its network" in message
    plain = ("train", corpora["abc"], *ONCE, "--out", tmp_path / "p.safetensors")
    musicgen(*plain)
    message = refused(*plain, "--resume", "--init-from", models("tokens"))
    assert "--resume or --init-from, not both" in message


def test_a_second_start_finds_what_the_first_computed(corpora, musicgen, monkeypatch, tmp_path):
    out = tmp_path / "m.safetensors"
    for folder in ("empty", "used"):
        monkeypatch.setenv("MUSICGEN_CACHE", str(tmp_path / folder))
        musicgen("train", corpora["abc"], *ONCE, "--out", out)
    entries = list((tmp_path / "used" / "corpora").iterdir())

    def fit(*_, common_key=True):
        raise AssertionError("fitted again")

    monkeypatch.setattr(AbcTokens, "fit", fit)
    done = musicgen("train", corpora["abc"], *ONCE, "--out", out)
    assert "12 pieces from 12 abc files" in done.stderr
    assert list((tmp_path / "used" / "corpora").iterdir()) == entries


def test_minutes_end_a_run(corpora, musicgen, tmp_path):
    out = tmp_path / "m.safetensors"
    done = musicgen("train", corpora["abc"], *TINY, "--minutes", 0.001, "--out", out, "--json")
    assert json.loads(done.stdout)["seconds"] >= 0.06
    assert out.is_file()


def test_a_plan_without_an_end_gets_one(corpora, musicgen, monkeypatch, tmp_path):
    monkeypatch.setattr("musicgen.workflows.train.BATCHES", 40)
    done = musicgen("train", corpora["abc"], *TINY, "--json", cwd=tmp_path)
    said = json.loads(done.stdout)
    assert said["epochs"] >= 30
    assert said["batches"] >= 40


def test_a_cost_that_explodes(corpora, musicgen, tmp_path):
    with np.errstate(all="ignore"):
        done = musicgen(
            "train", corpora["abc"], *TINY, "--optimizer", "sgd", "--learning-rate", 1e38,
            "--grad-clip", 1e30, "--epochs", 99, "--out", tmp_path / "m.safetensors", code=2,
        )  # fmt: skip
    assert re.search("lower.learning.rate|learning.rate.lower", done.stderr.splitlines()[-1])


@pytest.mark.parametrize(("save", "name"), [(3, "m.safetensors"), (4, "m.last.safetensors")])
def test_a_disk_that_fills_leaves_the_old_files(
    save, name, corpora, musicgen, monkeypatch, tmp_path
):
    monkeypatch.setattr(loop, "SHORTEST_INTERVAL", 1)
    out = tmp_path / "m.safetensors"
    plan = ("train", corpora["abc"], *TINY, "--epochs", 4, "--out", out)
    musicgen(*plan)
    whole = out.read_bytes()
    for file in tmp_path.iterdir():
        file.unlink()
    saves, before = 0, {}

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def fill(path, data):
        nonlocal saves
        saves += 1
        with pytest.MonkeyPatch.context() as patch:
            if saves == save:
                before.update(contents(tmp_path))
                patch.setattr(os, "fsync", full)
            write_atomically(path, data)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(model, "write_atomically", fill)
        done = musicgen(*plan, code=2)
    last_line = done.stderr.splitlines()[-1]
    assert last_line.startswith(f"musicgen: {tmp_path / name}: No space left on device; what was")
    assert name in before
    assert contents(tmp_path) == before
    assert Model.load(out).facts["validation"] > 0
    musicgen(*plan, "--resume")
    assert out.read_bytes() == whole


def contents(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir()}
