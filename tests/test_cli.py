"""The command line, as a user runs it: a process, its output, its exit code, its files."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import mido
import numpy as np
import pytest
import safetensors
from safetensors.numpy import save_file

from musicgen.formats import abc, get, midi
from musicgen.formats.registry import BUILT_IN
from musicgen.networks import Model

ROOT = Path(__file__).parents[1]
STARTER = ROOT / "corpora" / "starter"
JUNK = b"\0\1\2" * 99
TUNE = "X:1\nK:C\nC|\n"
TINY = ("--hidden-size", "48", "--num-layers", "1", "--learning-rate", "0.02", "--dropout", "0")


def run(*arguments, cwd, code=0):
    done = subprocess.run(
        [sys.executable, "-m", "musicgen", *map(str, arguments)],
        cwd=cwd, capture_output=True, text=True, encoding="utf-8", timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done


def refused(*arguments, cwd):
    """Run what must end in one line on stderr and exit code 2; return the line."""
    done = run(*arguments, cwd=cwd, code=2)
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


@pytest.fixture(scope="module")
def home(scales, tmp_path_factory):
    """A folder with a small trained model in ``models/tunes.safetensors``."""
    folder = tmp_path_factory.mktemp("home")
    (folder / "tunes").symlink_to(scales)
    done = run("train", "tunes", *TINY, "--epochs", 40, "--seed", 3, cwd=folder)
    assert "40 tunes from 40 abc files" in done.stderr
    return folder


def test_help_has_examples(tmp_path):
    assert "train" in run("--help", cwd=tmp_path).stdout
    for command in ("train", "sample", "convert"):
        assert f"musicgen {command} " in run(command, "--help", cwd=tmp_path).stdout


def test_version(tmp_path):
    assert re.fullmatch(r"musicgen \d+\.\d+\.\d+\n", run("--version", cwd=tmp_path).stdout)


def test_training_leaves_model_history_and_picture(home):
    models = home / "models"
    with safetensors.safe_open(models / "tunes.safetensors", "np") as stream:
        facts = json.loads(stream.metadata()["musicgen"])["facts"]
    lines = (models / "tunes.history.jsonl").read_text().splitlines()
    history = [json.loads(line) for line in lines]
    assert facts["corpus"]["pieces"] == 40
    assert len(facts["corpus"]["sha256"]) == 64
    assert min(h["validation"] for h in history) == pytest.approx(facts["validation"], abs=1e-4)
    assert history[0]["validation"] > history[-1]["validation"]
    assert all(h["seconds"] > 0 for h in history)
    assert (models / "tunes.png").read_bytes().startswith(b"\x89PNG")


def test_sampling_answers_in_every_format(home, tmp_path):
    formats = list(BUILT_IN)
    asked = [word for name in formats for word in ("--format", name)]
    done = run(
        "sample", "tunes", *asked, "--count", 2, "--seed", 5, "--out", tmp_path, "--plot", "--json",
        cwd=home,
    )  # fmt: skip
    result = json.loads(done.stdout)
    assert result["seed"] == 5
    assert len(result["samples"]) == 2
    for number, one in enumerate(result["samples"], 1):
        files = dict(zip(formats, map(Path, one["files"]), strict=True))
        pieces = {name: get(name).read(file) for name, file in files.items()}
        (tune,) = pieces["abc"]
        assert tune.text == one["abc"]
        assert abc.parse(tune, strict=True).first("X") == str(number)
        assert "written by musicgen" in tune.text
        assert mido.MidiFile(files["midi"]).length == pytest.approx(one["seconds"], abs=0.01)
        notes = [sum(len(track.notes) for track in pieces[name][0].tracks)
                 for name in ("midi", "musicxml")]  # fmt: skip
        assert notes[0] == notes[1] >= one["bars"] > 0
        (sound,) = pieces["wav"]
        assert len(sound.samples) / sound.rate == pytest.approx(one["seconds"], abs=5)
        assert files["abc"].with_suffix(".png").read_bytes().startswith(b"\x89PNG")


def test_a_table_is_printed_for_people(home, tmp_path):
    done = run("sample", "tunes", "--seed", 5, "--out", tmp_path / "one.abc", cwd=home)
    assert (tmp_path / "one.abc").read_text().strip() in done.stdout
    assert re.search(r"title +key +metre +bars +seconds", done.stdout)
    assert "1 of 1 parsed at the first draw" in done.stderr or "drawn again" in done.stderr


def test_same_seed_same_samples(home, tmp_path):
    for folder in ("a", "b"):
        run("sample", "tunes", "--seed", 9, "--count", 2, "--out", tmp_path / folder, cwd=home)
    one, two = (
        {file.name: file.read_bytes() for file in (tmp_path / folder).iterdir()}
        for folder in ("a", "b")
    )
    assert one == two
    assert len(one) == 2


def test_same_seed_same_model(home, tmp_path):
    for name in ("a", "b"):
        out = tmp_path / f"{name}.safetensors"
        run(
            "train",
            "tunes",
            *TINY,
            "--epochs",
            2,
            "--seed",
            3,
            "--dropout",
            0.3,
            "--out",
            out,
            cwd=home,
        )
    one, two = ((tmp_path / f"{name}.safetensors").read_bytes() for name in ("a", "b"))
    assert one == two


def test_the_newest_model_is_the_default(home, tmp_path):
    done = run("sample", "--json", "--out", tmp_path, cwd=home)
    assert json.loads(done.stdout)["model"] == str(Path("models", "tunes.safetensors"))


def test_a_primer_starts_each_tune(home, tmp_path):
    primer = tmp_path / "primer.abc"
    primer.write_text("X:1\nT:Tune\nM:4/4\nL:1/8\nK:C\n|:CDEFGABc|\n")
    done = run(
        "sample", "tunes", "--primer", primer, "--count", 2, "--json", "--out", tmp_path, cwd=home
    )
    for one in json.loads(done.stdout)["samples"]:
        assert "K:C\n|:CDEFGABc|" in one["abc"]


def test_a_strange_primer_is_refused(home, tmp_path):
    primer = tmp_path / "primer.abc"
    primer.write_text("X:1\nK:C\nC^§\n", encoding="utf-8")
    message = refused("sample", "tunes", "--primer", primer, cwd=home)
    assert "'§', '^'" in message or "'^', '§'" in message


def test_convert_a_tune_and_a_tunebook(home, tmp_path):
    run("convert", STARTER / "greensleeves.abc", tmp_path / "g.mid", cwd=home)
    (music,) = midi.read(tmp_path / "g.mid")
    assert music.title == "Greensleeves"
    assert music.time_signatures[0][1:] == (6, 8)
    book = tmp_path / "book.abc"
    book.write_text(
        "".join(
            (STARTER / f"{n}.abc").read_text() + "\n" for n in ("greensleeves", "auld-lang-syne")
        )
    )
    done = run("convert", book, tmp_path / "midi", "--to", "midi", "--json", cwd=home)
    files = json.loads(done.stdout)["files"]
    assert [Path(file).name for file in files] == ["book-1.mid", "book-2.mid"]
    assert [midi.read(Path(file))[0].title for file in files] == ["Greensleeves", "Auld Lang Syne"]


def test_corpora_list_shows_licences(tmp_path):
    done = run("corpora", "list", cwd=tmp_path)
    for name in ("ryans", "oneills", "airds", "essen", "chorales"):
        assert re.search(rf"^{name} ", done.stdout, re.M)
    assert done.stdout.count("licence: ") == 5


def test_corpora_get(tmp_path):
    done = run("corpora", "get", "airds", cwd=tmp_path)
    assert "6 files in" in done.stdout
    assert "licence: " in done.stdout
    assert len(list((tmp_path / "corpora" / "airds").glob("*.abc"))) == 6


def test_one_bad_file_does_not_stop_the_others(home, tmp_path):
    folder = tmp_path / "tunes"
    folder.mkdir()
    for file in sorted((home / "tunes").iterdir())[:9]:
        (folder / file.name).write_bytes(file.read_bytes())
    (folder / "bad.abc").write_bytes(bytes(range(256)))
    out = tmp_path / "m.safetensors"
    done = run("train", folder, *TINY, "--epochs", 1, "--out", out, cwd=tmp_path)
    assert "9 tunes from 9 abc files" in done.stderr
    assert re.search(r"left out: .*bad\.abc", done.stderr)


def broken_model(path, version):
    save_file({"w": np.zeros(2)}, path, {"musicgen": json.dumps({"version": version})})


@pytest.mark.parametrize(
    ("make", "command", "message"),
    [
        (None, ("train", "none"), "none does not exist"),
        (lambda p: (p / "empty").mkdir(), ("train", "empty"), "is empty"),
        (lambda p: (p / "a.txt").write_text("a"), ("train", "."), "none readable"),
        (lambda p: (p / "a.abc").write_bytes(JUNK), ("train", "."), "a.abc"),
        (lambda p: (p / "a.abc").write_bytes(JUNK), ("convert", "a.abc", "a.mid"), "a.abc"),
        (
            lambda p: (p / "a.mid").write_bytes(b"MThd\0\0\0\6\0\1\0\2\1\xe0MTrk\0\0\0\x20\0\x90"),
            ("convert", "a.mid", "b.mid"),
            "truncated",
        ),
        (None, ("sample", "none"), "no model none"),
        (None, ("sample",), "no model in models/"),
        (lambda p: (p / "m").write_bytes(b"ABC"), ("sample", "m"), "m is no model file"),
        (lambda p: broken_model(p / "m", 99), ("sample", "m"), "update musicgen"),
        (lambda p: (p / "a").write_text("hello"), ("convert", "a", "b.mid"), "no known format"),
        (lambda p: (p / "a").write_text(TUNE), ("convert", "a", "b.xyz"), "--to"),
        (lambda p: (p / "a").write_text(TUNE), ("convert", "a", "b", "--to", "wax"), "'wax'"),
        (None, ("convert", "none.abc", "b.mid"), "none.abc: No such file"),
        (None, ("corpora", "get", "none"), "ryans, oneills"),
        (None, ("train", STARTER, "--out", "model.bin"), ".safetensors"),
        (None, ("train", STARTER, "--cell", "lsmt"), "lstm, gru, elman"),
        (None, ("train", STARTER, "--optimizer", "magic"), "adam, rmsprop, sgd"),
        (None, ("train", STARTER, "--val-fraction", "2"), "between 0 and 1"),
        (None, ("train", STARTER, "--minutes", "0"), "minutes is 0"),
    ],
)  # fmt: skip
def test_bad_input_gets_one_line(make, command, message, tmp_path):
    if make:
        make(tmp_path)
    assert message in refused(*command, cwd=tmp_path)


def test_an_output_folder_that_cannot_be_written(home, tmp_path):
    (tmp_path / "file").write_text("")
    blocked = tmp_path / "file" / "models"
    for command in (
        ("train", STARTER, "--out", blocked / "m.safetensors"),
        ("sample", "tunes", "--out", blocked),
        ("convert", STARTER / "greensleeves.abc", blocked / "g.mid"),
        ("corpora", "get", "airds", "--out", blocked),
    ):
        assert "Not a directory" in refused(*command, cwd=home)


@pytest.mark.skipif(os.name == "nt", reason="signals are sent the POSIX way")
def test_ctrl_c_saves_the_best_model(home, tmp_path):
    out = tmp_path / "m.safetensors"
    process = subprocess.Popen(
        [sys.executable, "-m", "musicgen", "train", "tunes", *TINY, "--epochs", "100000",
         "--patience", "100000", "--out", str(out)],
        cwd=home, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while not out.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    assert "the best model so far is saved" in stderr
    assert str(out) in stdout
    assert out.with_suffix(".png").exists()
    assert Model.load(out).facts["validation"] > 0


@pytest.mark.parametrize("module", BUILT_IN)
def test_adapters_load_nothing_heavy(module):
    code = f"import sys; from musicgen.formats import {module}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert not loaded & {"music21", "matplotlib", "numpy", "scipy", "soundfile", "typer", "tqdm"}
    assert "musicgen.engine" not in done.stdout.split()


def test_help_loads_nothing_heavy():
    code = "import sys; import musicgen.cli; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert not loaded & {"music21", "matplotlib", "numpy", "mido", "safetensors"}
