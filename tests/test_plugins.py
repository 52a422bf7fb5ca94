"""A format of a third party, installed as its users would, and used by every command."""

import json
import os
import subprocess
import sys
from pathlib import Path

import mido
import pytest

SOURCE = Path(__file__).parent / "plugins" / "ringtone"
TONES = [
    "Up {n}:d=8,o=5,b=120:c,d,e,f,g,a,b,c6",
    "Down {n}:d=8,o=5,b=120:c6,b,a,g,f,e,d,c",
    "Steps {n}:d=8,o=5,b=120:c,e,d,f,e,g,f,4c.",
    "Sharp {n}:d=16,o=5,b=120:c,c#,d,d#,e,8p,e,4c6",
]

TUNES = ["X:1\nT:Air\nL:1/8\nK:D\nFA d2 z f3 | (3agf [df]4 |]", "X:1\nK:C\n"]


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """The plug-in built and installed into a folder of its own, and a process's way to it."""
    folder = tmp_path_factory.mktemp("installed")
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation",
         "--target", str(folder), str(_copy(SOURCE, tmp_path_factory.mktemp("source")))],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return os.environ | {"PYTHONPATH": str(folder)}


def _copy(source, target):
    """Building leaves files beside the source: they must not lie in the project."""
    for file in source.iterdir():
        if file.is_file():
            (target / file.name).write_bytes(file.read_bytes())
    return target


@pytest.fixture(scope="module")
def home(environment, tmp_path_factory):
    """A folder with ringtones and a model that learned from them."""
    folder = tmp_path_factory.mktemp("home")
    (folder / "tones").mkdir()
    for number in range(24):
        text = TONES[number % 4].format(n=number).replace("o=5", f"o={4 + number // 12}")
        text = text.replace("b=120", f"b={60 + number}")
        (folder / "tones" / f"{number:02}.rtttl").write_text(text)
    run(environment, folder, "train", "tones", "--hidden-size", 64, "--num-layers", 1,
        "--learning-rate", 0.02, "--dropout", 0, "--epochs", 40, "--seed", 1)  # fmt: skip
    return folder


def run(environment, cwd, *arguments):
    done = subprocess.run(
        [sys.executable, "-m", "musicgen", *map(str, arguments)],
        cwd=cwd, env=environment, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done


def test_contract(environment, tmp_path):
    code = (
        "from pathlib import Path\n"
        "from musicgen import formats\n"
        "from musicgen.music import Tune\n"
        "from musicgen.testing import check_format\n"
        f"tunes = [Tune(text) for text in {TUNES!r}]\n"
        f"check_format(formats.get('ringtone'), tunes, Path({str(tmp_path)!r}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_train(home):
    assert (home / "models" / "tones.safetensors").is_file()


def test_sample(environment, home):
    # Ringtones have no metre whose bars could add up.
    done = run(environment, home, "sample", "tones", "--format", "ringtone", "--format", "midi",
               "--no-constraints", "--pictures", 0, "--seed", 4, "--json")  # fmt: skip
    tone, _ = json.loads(done.stdout)["samples"][0]["files"]
    assert (home / tone).suffix == ".rtttl"
    assert ":d=4,o=5,b=" in (home / tone).read_text()


def test_convert_both_ways(environment, home):
    run(environment, home, "convert", "tones/02.rtttl", "steps.mid")
    notes = [
        message.note for message in mido.MidiFile(home / "steps.mid")
        if message.type == "note_on" and message.velocity
    ]  # fmt: skip
    assert notes == [60, 64, 62, 65, 64, 67, 65, 60]
    (home / "air.abc").write_text("X:1\nT:Air\nL:1/8\nQ:1/4=90\nK:G\nGABc d2f2|\n")
    run(environment, home, "convert", "air.abc", "air.rtttl")
    assert (home / "air.rtttl").read_text() == (
        "Air:d=4,o=5,b=90:8g4,8a4,8b4,8c5,4d5,4f#5\n"
    )  # fmt: skip


def test_convert_a_folder(environment, home):
    done = run(environment, home, "convert", "tones", "midi", "--to", "midi", "--json")
    record = json.loads(done.stdout)
    assert len(record["files"]) == 24
    assert not record["refused"]


def test_inspect(environment, home):
    done = run(environment, home, "inspect", "tones", "--json")
    record = json.loads(done.stdout)
    assert record["formats"] == {"ringtone": 24}
    assert record["pieces"] == 24
