"""The command line: its help, its output, its exit codes, its messages."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import typer
from safetensors.numpy import save_file

from musicgen.cli import app
from musicgen.formats import midi
from musicgen.formats.registry import BUILT_IN

ROOT = Path(__file__).parents[1]
STARTER = ROOT / "corpora" / "starter"
JUNK = b"\0\1\2" * 99
TUNE = "X:1\nK:C\nC|\n"


def process(*arguments, cwd):
    return subprocess.run(
        [sys.executable, "-m", "musicgen", *arguments],
        cwd=cwd, capture_output=True, text=True, encoding="utf-8", timeout=120, check=False,
    )  # fmt: skip


def test_version_from_a_process(tmp_path):
    done = process("--version", cwd=tmp_path)
    assert re.fullmatch(r"musicgen \d+\.\d+\.\d+\n", done.stdout)
    assert done.returncode == 0


def test_bad_input_to_a_process(tmp_path):
    done = process("train", "none", "--json", cwd=tmp_path)
    message = "none does not exist; expected a folder of music files"
    assert (done.returncode, done.stderr) == (2, f"musicgen: {message}\n")
    assert json.loads(done.stdout) == {"error": message}


def test_warnings_are_plain_lines(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "tunes").mkdir()
    for number in range(2):
        (tmp_path / "tunes" / f"{number}.abc").write_text(f"X:1\nK:C\nC{'DE'[number]}|\n")
    monkeypatch.setenv("MUSICGEN_CACHE", str(tmp_path / "file" / "cache"))
    tiny = ("--hidden-size", "2", "--num-layers", "1", "--epochs", "1")
    done = process("train", "tunes", *tiny, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    first, _ = done.stderr.split("\n", 1)
    assert first.startswith(f"musicgen: the cache {tmp_path / 'file' / 'cache'} cannot be written")
    assert "Warning" not in done.stderr


def commands(command=None, words=()):
    """Find every command and group, each with the words that call it."""
    command = command or typer.main.get_command(app)
    yield pytest.param(words, id=" ".join(words) or "musicgen")
    for name, inner in getattr(command, "commands", {}).items():
        yield from commands(inner, (*words, name))


@pytest.mark.parametrize("words", list(commands()))
def test_help_has_examples(words, musicgen):
    shown = musicgen(*words, "--help").stdout
    examples = shown[shown.rindex("--help") :]
    assert " ".join(("musicgen", *words, "")) in examples


def test_convert_a_tune_and_a_tunebook(musicgen, tmp_path):
    musicgen("convert", STARTER / "greensleeves.abc", tmp_path / "g.mid")
    (music,) = midi.read(tmp_path / "g.mid")
    assert music.title == "Greensleeves"
    assert music.time_signatures[0][1:] == (6, 8)
    book = tmp_path / "book.abc"
    book.write_text(
        "".join(
            (STARTER / f"{n}.abc").read_text() + "\n" for n in ("greensleeves", "auld-lang-syne")
        )
    )
    done = musicgen("convert", book, tmp_path / "midi", "--to", "midi", "--json")
    files = json.loads(done.stdout)["files"]
    assert [Path(file).name for file in files] == ["book-1.mid", "book-2.mid"]
    assert [midi.read(Path(file))[0].title for file in files] == ["Greensleeves", "Auld Lang Syne"]


def test_corpora_list_shows_licences(musicgen):
    shown = musicgen("corpora", "list").stdout
    for name in ("ryans", "oneills", "airds", "essen", "chorales"):
        assert re.search(rf"^{name} ", shown, re.M)
    assert shown.count("licence: ") == 5
    listed = json.loads(musicgen("corpora", "list", "--json").stdout)
    assert len(listed) == 5
    assert all(collection["licence"] in shown for collection in listed)


def test_corpora_get(musicgen, tmp_path):
    shown = musicgen("corpora", "get", "airds", cwd=tmp_path).stdout
    assert "6 files in" in shown
    assert "licence: " in shown
    assert len(list((tmp_path / "corpora" / "airds").glob("*.abc"))) == 6


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
        (lambda p: (p / "m").write_bytes(b"ABC"), ("sample", "m"), "m is no model file"),
        (lambda p: broken_model(p / "m", 99), ("sample", "m"), "update musicgen"),
        (None, ("models", "info", "none"), "no model none"),
        (lambda p: (p / "a").write_text("hello"), ("convert", "a", "b.mid"), "no known format"),
        (lambda p: (p / "a").write_text(TUNE), ("convert", "a", "b.xyz"), "--to"),
        (lambda p: (p / "a").write_text(TUNE), ("convert", "a", "b", "--to", "wax"), "'wax'"),
        (None, ("convert", "none.abc", "b.mid"), "none.abc: No such file"),
        (None, ("corpora", "get", "none"), "ryans, oneills"),
        (None, ("train", STARTER, "--out", "model.bin"), ".safetensors"),
        (None, ("train", STARTER, "--cell", "lsmt"), "lstm, gru, elman"),
        (None, ("train", STARTER, "--optimizer", "magic"), "adam, rmsprop, sgd"),
        (None, ("train", STARTER, "--schedule", "train"), "constant, cosine"),
        (None, ("train", STARTER, "--encoding", "morse"), "there are: tokens, characters"),
        (None, ("train", STARTER, "--format", "wax"), "'wax'"),
        (None, ("train", STARTER, "--val-fraction", "2"), "between 0 and 1"),
        (None, ("train", STARTER, "--minutes", "0"), "minutes is 0"),
        (None, ("train", STARTER, "--grad-clip", "0"), "grad_clip is 0"),
        (None, ("train", STARTER, "--learning-rate", "-1"), "learning_rate is -1"),
        (None, ("train", STARTER, "--transpose", "5"), "expected LOWEST:HIGHEST"),
        (None, ("train", STARTER, "--transpose", "3:1"), "expected LOWEST:HIGHEST"),
        (None, ("train", STARTER, "--init-from", "none"), "no model none"),
    ],
)  # fmt: skip
def test_bad_input_gets_one_line(make, command, message, refused, tmp_path):
    if make:
        make(tmp_path)
    assert message in refused(*command, cwd=tmp_path)
    assert not list(tmp_path.glob("**/*.safetensors"))


def test_an_output_folder_that_cannot_be_written(models, refused, tmp_path):
    (tmp_path / "file").write_text("")
    blocked = tmp_path / "file" / "models"
    for command in (
        ("train", STARTER, "--out", blocked / "m.safetensors"),
        ("sample", models("tokens"), "--out", blocked),
        ("convert", STARTER / "greensleeves.abc", blocked / "g.mid"),
        ("corpora", "get", "airds", "--out", blocked),
    ):
        assert "Not a directory" in refused(*command)


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


def test_doctor_says_what_computes(musicgen):
    found = json.loads(musicgen("doctor", "--json").stdout)
    name = found["kernels"]["name"]
    assert name in found["kernels"]["possible"]
    assert found["parts"]["soundfile"]
    assert f"kernels:     {name} (" in musicgen("doctor").stdout
