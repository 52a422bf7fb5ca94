"""Runs that are broken off and gone on with: they end as if nothing had happened."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from musicgen.errors import MusicgenError
from musicgen.networks import Model
from musicgen.training import loop
from musicgen.workflows import train_on

SETTINGS = {
    "hidden_size": 8, "num_layers": 1, "epochs": 18, "patience": 99, "dropout": 0.3,
    "weight_dropout": 0.2, "seed": 5, "jobs": 1,
}  # fmt: skip
OPTIONS = [
    word for name, value in SETTINGS.items() for word in (f"--{name.replace('_', '-')}", str(value))
]
posix = pytest.mark.skipif(os.name == "nt", reason="signals are sent the POSIX way")

# Validates often, and takes its time to save, so that it does not end too soon. With a number, dies
# at that replacement of a file, before or after.
PROGRAM = """
import os, signal, sys, time
from pathlib import Path
from musicgen.cli import main
from musicgen.training import loop

loop.SHORTEST_INTERVAL = 1
number, after = int(sys.argv.pop(1)), sys.argv.pop(1) == "after"
replace, count = Path.replace, 0

def replaced(path, target):
    global count
    if path.suffix == ".tmp" and ".m." in path.name:
        count += 1
        time.sleep(0.02)
    if count == number and not after:
        os.kill(os.getpid(), signal.SIGKILL)
    replace(path, target)
    if count == number and after:
        os.kill(os.getpid(), signal.SIGKILL)

Path.replace = replaced
main()
"""


@pytest.fixture(autouse=True)
def _often(monkeypatch):
    """Validation, and so a checkpoint, after every epoch: as in the processes."""
    monkeypatch.setattr(loop, "SHORTEST_INTERVAL", 1)


@pytest.fixture(scope="module")
def undisturbed(scales, tmp_path_factory):
    """The model of a whole run."""
    path = tmp_path_factory.mktemp("undisturbed") / "m.safetensors"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "SHORTEST_INTERVAL", 1)
        train_on(scales, path, **SETTINGS)
    return path.read_bytes()


def start(scales, path, *arguments, number=-1, when="before"):
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(number), when, "train", str(scales), *OPTIONS,
         "--out", str(path), *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def open_all(path):
    """Open every model file; return how many batches the last one has seen."""
    for file in path.parent.glob("*.safetensors"):
        Model.load(file)
    last = path.with_suffix(".last.safetensors")
    return Model.load(last).training["batches"] if last.exists() else 0


@posix
def test_killed_at_random_moments(scales, undisturbed, tmp_path):
    path, rng = tmp_path / "m.safetensors", np.random.default_rng(8)
    done = 0
    for _ in range(3):
        process = start(scales, path, "--resume")
        for _ in range(rng.integers(4, 9)):  # lines, most of them after a validation
            process.stderr.readline()
        time.sleep(0.05 * rng.random())
        process.kill()
        process.communicate(timeout=60)
        assert process.returncode == -signal.SIGKILL
        before, done = done, open_all(path)
        assert done >= before
    assert done > 0
    events = []
    result = train_on(scales, path, **SETTINGS, resume=True, report=events.append)
    assert 0 < events[0].resumed == done < result.last.batches
    assert path.read_bytes() == undisturbed
    open_all(path)
    assert not list(tmp_path.glob(".*"))


@posix
@pytest.mark.parametrize(("number", "when"), [(1, "before"), (4, "after"), (8, "before")])
def test_killed_while_files_are_written(number, when, scales, undisturbed, tmp_path):
    path = tmp_path / "m.safetensors"
    process = start(scales, path, number=number, when=when)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL, stderr
    assert bool(list(tmp_path.glob(".m.*.tmp"))) == (when == "before")
    open_all(path)
    train_on(scales, path, **SETTINGS, resume=True)
    assert path.read_bytes() == undisturbed
    assert not list(tmp_path.glob(".*"))


@posix
def test_ctrl_c(scales, undisturbed, tmp_path):
    path = tmp_path / "m.safetensors"
    process = start(scales, path, "--json")
    while "epoch   3" not in process.stderr.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    assert "Interrupted; all is saved. Go on with --resume." in stderr
    said = json.loads(stdout)
    assert said["interrupted"]
    assert said["model"] == str(path)
    assert path.with_suffix(".png").exists()
    assert open_all(path) == said["batches"]
    assert Model.load(path).facts["validation"] == pytest.approx(said["validation"])
    train_on(scales, path, **SETTINGS, resume=True)
    assert path.read_bytes() == undisturbed


def stopped(corpus, path, batches, **settings):
    """Train for some batches."""
    count = 0

    def stop():
        nonlocal count
        count += 1
        return count >= batches

    return train_on(corpus, path, **(SETTINGS | settings), stop=stop)


def test_stopped_before_the_first_validation(scales, undisturbed, tmp_path):
    path = tmp_path / "m.safetensors"
    result = stopped(scales, path, 1)
    assert result.interrupted
    assert result.last.batches == 1
    assert Model.load(path).facts["validation"] == result.validation > 0
    train_on(scales, path, **SETTINGS, resume=True)
    assert path.read_bytes() == undisturbed


def test_nothing_kept_yet(scales, undisturbed, tmp_path):
    path = tmp_path / "m.safetensors"
    train_on(scales, path, **SETTINGS, resume=True)
    assert path.read_bytes() == undisturbed
    train_on(scales, path, **SETTINGS, resume=True)
    assert path.read_bytes() == undisturbed


def test_a_plan_may_be_made_longer(scales, tmp_path):
    path = tmp_path / "m.safetensors"
    short = SETTINGS | {"epochs": 2, "hidden_size": 4}
    first = train_on(scales, path, **short)
    second = train_on(scales, path, **(short | {"epochs": 5}), resume=True)
    assert (first.last.epoch, second.last.epoch) == (2, 5)
    history = [json.loads(line) for line in second.history.read_text().splitlines()]
    assert [line["epoch"] for line in history] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hidden_size": 5}, "hidden_size 4, not 5"),
        ({"cell": "gru"}, "cell lstm, not gru"),
        ({"seed": 6}, "seed 5, not 6"),
        ({"learning_rate": 0.5}, "learning_rate the default, not 0.5"),
        ({"dropout": 0.2}, "dropout 0.3, not 0.2"),
        ({"encoding": "characters"}, "encoding tokens, not characters"),
        (
            {"encoding_options": {"common_key": False}},
            "encoding tokens, not tokens, common_key False",
        ),
        ({"transpose": range(-1, 2)}, "transpose the default, not"),
        ({"init_from": "events"}, "--resume or --init-from, not both"),
    ],
)
def test_other_settings_are_refused_by_name(change, message, scales, tmp_path):
    path = tmp_path / "m.safetensors"
    small = SETTINGS | {"hidden_size": 4, "epochs": 1}
    train_on(scales, path, **small)
    files = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    with pytest.raises(MusicgenError, match=message):
        train_on(scales, path, **(small | change), resume=True)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == files


def test_another_corpus_is_refused(scales, corpora, tmp_path):
    path = tmp_path / "m.safetensors"
    train_on(scales, path, **(SETTINGS | {"epochs": 1}))
    with pytest.raises(MusicgenError, match=r"was begun with (name|pieces|sha256|size) "):
        train_on(corpora["abc"], path, **(SETTINGS | {"epochs": 1}), resume=True)


def test_a_run_that_started_from_a_model_goes_on_with_its_encoding(scales, models, tmp_path):
    whole, parts = tmp_path / "whole.safetensors", tmp_path / "parts.safetensors"
    settings = SETTINGS | {"epochs": 4, "hidden_size": None, "num_layers": None}
    train_on(scales, whole, **settings, init_from=models("tokens"))
    stopped(scales, parts, 3, **settings, init_from=models("tokens"))
    train_on(scales, parts, **settings, resume=True, init_from=models("tokens"))
    assert parts.read_bytes() == whole.read_bytes()
    stopped(scales, parts, 3, **settings, init_from=models("tokens"))
    train_on(scales, parts, **settings, resume=True)
    assert parts.read_bytes() == whole.read_bytes()
    assert Model.load(parts).facts["init_from"] == "tokens"
