"""Which kernels compute, on how many threads, and who may say so."""

import json
import os
import subprocess
import sys

import pytest

from musicgen import kernels
from musicgen.errors import MusicgenError
from musicgen.kernels import choice

WRONG = [
    ({"MUSICGEN_KERNELS": "mmx"}, "there are no kernels called 'mmx' on this machine"),
    ({"MUSICGEN_THREADS": "many"}, "MUSICGEN_THREADS is 'many'; expected a number from 1 to 64"),
    ({"MUSICGEN_THREADS": "0"}, "MUSICGEN_THREADS is '0'; expected a number from 1 to 64"),
    ({"MUSICGEN_THREADS": "65"}, "MUSICGEN_THREADS is '65'; expected a number from 1 to 64"),
]
COMPUTING = [
    ("train", "corpus"),
    ("sample",),
    ("evaluate", "irish", "corpus"),
    ("score", "tune.abc"),
    ("task", "xor"),
]


@pytest.fixture(autouse=True)
def _as_before(monkeypatch):
    former = kernels.chosen()
    for variable in ("MUSICGEN_KERNELS", "MUSICGEN_THREADS"):
        monkeypatch.delenv(variable, raising=False)
    yield
    monkeypatch.undo()
    kernels.choose(former.name, former.threads)


@pytest.fixture
def unchosen(monkeypatch):
    """As in a new process."""
    monkeypatch.setattr(choice, "_choice", None)


@pytest.fixture(params=WRONG, ids=str)
def wrong(request, unchosen, monkeypatch):
    """A wrong environment; what is said of it."""
    variables, message = request.param
    for key, value in variables.items():
        monkeypatch.setenv(key, value)
    return message


def test_a_wrong_choice_is_named_at_the_first_use(wrong):
    for use in (kernels.choose, kernels.chosen, kernels.native):
        with pytest.raises(MusicgenError, match=wrong):
            use()


@pytest.mark.parametrize("command", COMPUTING, ids=lambda words: words[0])
def test_commands_that_compute_refuse_a_wrong_choice(command, wrong, refused, tmp_path):
    assert wrong in refused(*command, cwd=tmp_path)


def test_help_and_doctor_answer_in_a_wrong_environment(wrong, musicgen):
    assert "--threads" in musicgen("train", "--help").stdout
    assert f"kernels:     none: {wrong}" in musicgen("doctor").stdout
    found = json.loads(musicgen("doctor", "--json").stdout)
    assert found["kernels"] is None
    assert wrong in found["problem"]


@pytest.mark.parametrize("command", COMPUTING, ids=lambda words: words[0])
@pytest.mark.parametrize("threads", [0, -1, 65, 10**12])
def test_an_impossible_number_of_threads(command, threads, refused, tmp_path):
    said = refused(*command, "--threads", threads, cwd=tmp_path)
    assert said == f"musicgen: found {threads} threads; expected 1 to 64\n"


def test_the_option_goes_before_the_environment(musicgen, monkeypatch):
    monkeypatch.setenv("MUSICGEN_THREADS", "many")
    musicgen("task", "--threads", 3)
    assert kernels.chosen().threads == 3


def test_the_option_reaches_numpy_before_it_is_loaded():
    code = (
        "import os; from musicgen.cli.threads import compute_on; compute_on(3);"
        "from musicgen import kernels; "
        "print(os.environ['OPENBLAS_NUM_THREADS'], kernels.chosen().threads)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "3 3\n"


def test_the_environment_chooses(unchosen, monkeypatch):
    monkeypatch.setenv("MUSICGEN_KERNELS", "numpy")
    monkeypatch.setenv("MUSICGEN_THREADS", "3")
    assert kernels.native() is None
    assert kernels.chosen()[:3] == ("numpy", 3, "MUSICGEN_KERNELS is numpy")
    monkeypatch.delenv("MUSICGEN_KERNELS")
    best, threads, reason, possible = kernels.choose()
    assert (best, threads) == (possible[0], 3)
    assert reason == "the best of this machine" or best == "numpy"


def test_without_a_compiler_numpy_computes(unchosen, monkeypatch):
    monkeypatch.setattr(choice, "_compiled", None)
    monkeypatch.setattr(choice, "_missing", "no module of that name")
    found = kernels.chosen()
    assert (found.name, found.possible) == ("numpy", ("numpy",))
    assert found.reason == (
        "no kernels were compiled: no module of that name; with a C compiler at hand, install again"
    )
    with pytest.raises(MusicgenError, match="no kernels were compiled: no module of that"):
        kernels.choose("avx2")


@pytest.mark.parametrize(
    ("quota", "cores"),
    [
        ("max 100000\n", 8),
        ("400000 100000\n", 4),
        ("250000 100000\n", 2),
        ("50000 100000\n", 1),
        ("1600000 100000\n", 8),
        ("", 8),
        (None, 8),
    ],
)
def test_a_quota_counts(quota, cores, monkeypatch, tmp_path):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    monkeypatch.setattr(choice, "QUOTA", tmp_path / "cpu.max")
    if quota is not None:
        (tmp_path / "cpu.max").write_text(quota)
    assert kernels.usable_cores() == cores


def test_more_processors_than_threads(unchosen, monkeypatch):
    monkeypatch.setattr(choice, "usable_cores", lambda: 200)
    assert kernels.chosen().threads == 64
