"""What several test files share."""

import io
import signal
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import settings

from musicgen import encodings
from musicgen.cli import main
from musicgen.convert import convert
from musicgen.formats import get
from musicgen.music import Audio, Music, Tune

# The same examples at every run, however slow the machine: a failure is never a matter of luck.
settings.register_profile("steady", deadline=None, derandomize=True)
settings.load_profile("steady")


@pytest.fixture(scope="session", autouse=True)
def _cache(tmp_path_factory):
    """What is computed from a corpus stays among the tests' own files."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MUSICGEN_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def scales(tmp_path_factory):
    """A folder of 40 different tunes that a small network learns in seconds."""
    folder = tmp_path_factory.mktemp("scales")
    for number in range(40):
        (folder / f"{number:02}.abc").write_text(scale(number).text)
    return folder


def scale(number):
    notes = "CDEFGABc"
    run = "".join(notes[(number + step) % 8] for step in range(8))
    key, last = "CGDFA"[number // 8], notes[number % 7]
    return Tune(f"X:1\nT:Tune\nM:4/4\nL:1/8\nK:{key}\n|:{run}|{last}4c4:|\n")


@pytest.fixture(scope="session")
def corpora(tmp_path_factory):
    """By the name of a format: a folder of 12 files of it."""
    root = tmp_path_factory.mktemp("corpora")
    for name in ("abc", "midi", "musicxml", "wav"):
        form = get(name)
        (root / name).mkdir()
        for number in range(12):
            piece = sine(0.05 + number / 50) if form.kind is Audio else scale(3 * number)
            file = root / name / f"{number:02}{form.extensions[0]}"
            form.write(convert(piece, form.kind), file)
    return {folder.name: folder for folder in root.iterdir()}


def sine(radians):
    samples = 0.5 * np.sin(radians * np.arange(12000, dtype=np.float32))
    return Audio(samples[:, np.newaxis], 16000)


FORMATS = {Tune: "abc", Music: "midi", Audio: "wav"}


@pytest.fixture(scope="session")
def models(corpora, musicgen, tmp_path_factory):
    """By the name of an encoding: a small model, trained when it is first asked for."""
    folder = tmp_path_factory.mktemp("models")

    @cache
    def model(name):
        corpus = corpora[FORMATS[encodings.get(name).kind]]
        # Frames are learned slowly, and thousands of channels too slowly.
        size, epochs = {"fourier": (4, 2), "piano-roll": (24, 80)}.get(name, (24, 30))
        path = folder / f"{name}.safetensors"
        musicgen(
            "train", corpus, "--encoding", name, "--hidden-size", size, "--num-layers", 1,
            "--epochs", epochs, "--learning-rate", 0.03, "--dropout", 0, "--out", path,
        )  # fmt: skip
        return path

    return model


@pytest.fixture(scope="session")
def musicgen():
    """Run the command line in this process; return its exit code and what it printed."""

    def run(*arguments, cwd=".", code=0):
        streams = [io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2)]
        former = signal.getsignal(signal.SIGINT)
        with pytest.MonkeyPatch.context() as patch, chdir(cwd):
            patch.setattr(sys, "argv", ["musicgen", *map(str, arguments)])
            with redirect_stdout(streams[0]), redirect_stderr(streams[1]):
                try:
                    main()
                    ended = 0
                except SystemExit as end:
                    ended = end.code or 0
                finally:
                    signal.signal(signal.SIGINT, former)
        stdout, stderr = (stream.buffer.getvalue().decode() for stream in streams)
        assert ended == code, stderr + stdout
        return SimpleNamespace(code=ended, stdout=stdout, stderr=stderr)

    return run


@pytest.fixture(scope="session")
def refused(musicgen):
    """Run what must end in one line on stderr and exit code 2; return the line."""

    def run(*arguments, cwd="."):
        done = musicgen(*arguments, cwd=cwd, code=2)
        assert done.stderr.startswith("musicgen: "), done.stderr
        assert done.stderr.count("\n") == 1, done.stderr
        return done.stderr

    return run
