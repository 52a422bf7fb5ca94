"""Running tasks: marks decide, studies are drawn, and the command line tells."""

import json
import math
import signal
import subprocess
import sys

import numpy as np
import pytest

from musicgen.charts import Heatmap, Lines
from musicgen.errors import ModelError
from musicgen.tasks import NAMES, Check, Reached, Study, Table, Task, find_task
from musicgen.workflows import run_checks, run_studies


def guess(seed, progress):
    progress(1.0)
    return Reached(np.random.default_rng(seed).random(), {"tries": seed + 1})


def drawn(seed, progress):
    lines = Lines("cost", "updates", "nats", {"sgd": ([0, 1], [2.0, 1.0])})
    surface = Heatmap("plane", "x", "y", np.eye(3), extent=(0, 1, 0, 1))
    return Study("Two pictures", [lines, surface], Table(("name", "cost"), [("sgd", "1.0")]))


def written(seed, progress):
    return Study("Words", text="to be\nor not")


GUESS = Task(
    "disc",
    "guessing",
    (
        Check("always", "a number", 0.0, guess),
        Check("never", "a number", 1.0, guess),
        Check("slow", "a number", 0.0, guess, optional=True),
    ),
    {"two words": drawn, "text": written},
)
ALWAYS = Task("disc", "guessing", GUESS.checks[:1], GUESS.studies)


@pytest.fixture
def guessing(monkeypatch):
    """Let the task disc be one that guesses."""
    from musicgen.tasks import disc

    return lambda task: monkeypatch.setattr(disc, "TASK", task)


def test_the_worst_of_several_seeds_decides():
    scores = [np.random.default_rng(seed).random() for seed in (3, 4, 5)]
    check = Check("near", "a number", sorted(scores)[1], guess)
    (report,) = run_checks(Task("t", "", (check,)), seed=3, seeds=3)
    assert report.scores == scores
    assert (report.median, report.worst) == (sorted(scores)[1], min(scores))
    assert not report.passed
    (report,) = run_checks(Task("t", "", (check,)), seed=3 + int(np.argmax(scores)))
    assert report.passed


def test_a_cost_has_to_be_low():
    check = Check("cost", "nats", 0.5, guess, lowest=True)
    assert check.passes(0.5)
    assert not check.passes(0.51)
    (report,) = run_checks(Task("t", "", (check,)), seeds=4)
    assert report.worst == max(report.scores)


@pytest.mark.parametrize("lowest", [True, False])
def test_what_is_not_a_number_passes_no_mark(lowest):
    assert not Check("c", "u", 0.5, guess, lowest).passes(math.nan)


def test_optional_checks_run_only_by_name():
    assert [report.check.name for report in run_checks(GUESS)] == ["always", "never"]
    assert [report.check.name for report in run_checks(GUESS, checks=["slow"])] == ["slow"]
    with pytest.raises(ModelError, match="no check 'quick'; there are: always, never, slow"):
        run_checks(GUESS, checks=["quick"])
    with pytest.raises(ModelError, match="0 runs are asked for"):
        run_checks(GUESS, seeds=0)


def test_studies_are_drawn(tmp_path):
    told = []
    pictured, text = run_studies(
        GUESS, tmp_path / "new", kind="svg", progress=lambda *done: told.append(done)
    )
    assert pictured.picture == tmp_path / "new" / "disc-two-words.svg"
    drawing = pictured.picture.read_text()
    assert "<!-- cost -->" in drawing
    assert "<!-- plane -->" in drawing
    assert text.picture is None


def test_a_folder_that_cannot_be_written_is_found_before_any_work(guessing, refused, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError):
        run_studies(GUESS, tmp_path / "file")
    ran = []
    check = Check("c", "u", 0.0, lambda seed, progress: ran.append(seed) or Reached(1.0))
    guessing(Task("disc", "t", (check,), {"a": drawn}))
    assert "is a file; expected a folder" in refused("task", "disc", "--plot", tmp_path / "file")
    assert not ran


def test_progress_names_the_run():
    told = []
    list(run_checks(ALWAYS, seeds=2, progress=lambda *done: told.append(done)))
    assert told == [("disc, always, seed 0", 1.0), ("disc, always, seed 1", 1.0)]


@pytest.mark.parametrize("name", NAMES)
def test_every_task_is_described(name):
    task = find_task(name)
    assert task.name == name
    assert task.title
    assert task.checks
    assert len({check.name for check in task.checks}) == len(task.checks)
    assert task.studies
    assert any(not check.optional for check in task.checks)
    for check in task.checks:
        assert check.unit
        assert math.isfinite(check.mark)


def test_unknown_tasks_and_needless_data(tmp_path):
    with pytest.raises(ModelError, match="no task is called 'chess'; there are: xor, disc"):
        find_task("chess")
    with pytest.raises(ModelError, match="needs no data; leave --data out"):
        find_task("disc", tmp_path)


def test_the_list(musicgen):
    lines = musicgen("task").stdout.splitlines()
    assert [line.split()[0] for line in lines if not line.startswith(" ")] == list(NAMES)
    listed = json.loads(musicgen("task", "--json").stdout)
    assert [entry["name"] for entry in listed] == list(NAMES)
    assert listed[0]["checks"][0]["mark"] == find_task("xor").checks[0].mark


def test_a_task_that_passes(guessing, musicgen, tmp_path):
    guessing(ALWAYS)
    done = musicgen("task", "disc", "--seeds", 3, "--plot", tmp_path)
    assert "passed: a number (2 tries)" in done.stdout
    assert "| or not" in done.stdout
    assert (tmp_path / "disc-two-words.png").read_bytes().startswith(b"\x89PNG")


def test_a_task_that_misses(guessing, musicgen):
    guessing(GUESS)
    done = musicgen("task", "disc", code=1)
    assert "MISSED" in done.stdout
    record = json.loads(musicgen("task", "disc", "--json", "--seeds", 2, code=1).stdout)
    always, never = record["checks"]
    assert (always["passed"], never["passed"], record["passed"]) == (True, False, False)
    assert len(never["scores"]) == len(never["seconds"]) == 2
    assert never["facts"] == [{"tries": 1}, {"tries": 2}]


def test_json_has_the_studies(guessing, musicgen, tmp_path):
    guessing(ALWAYS)
    record = json.loads(musicgen("task", "disc", "--json", "--plot", tmp_path).stdout)
    pictured, text = record["studies"]
    assert pictured["table"] == [["name", "cost"], ["sgd", "1.0"]]
    assert pictured["picture"] == str(tmp_path / "disc-two-words.png")
    assert text["text"] == "to be\nor not"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["chess"], "no task is called 'chess'"),
        (["xor", "--data", "a"], "needs no data"),
        (["xor", "--check", "a"], "xor has no check 'a'"),
        (["shakespeare", "--data", "nowhere.txt"], "nowhere.txt: No such file"),
    ],
)
def test_bad_input_gets_one_line(arguments, message, refused, tmp_path):
    assert message in refused("task", *arguments, cwd=tmp_path)


def test_ctrl_c_keeps_what_was_printed(tmp_path):
    """The first check is done, the second one waits to be interrupted."""
    script = tmp_path / "run.py"
    script.write_text(
        "import signal, sys, time\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # ignored in background jobs
        "from musicgen.cli import main\n"
        "from musicgen.tasks import Check, Reached, Task, disc\n"
        "quick = Check('quick', 'a number', 0.0, lambda seed, progress: Reached(0.25))\n"
        "endless = Check('endless', 'a number', 0.0, lambda seed, progress: time.sleep(20))\n"
        "disc.TASK = Task('disc', 'two', (quick, endless))\n"
        "sys.argv = ['musicgen', 'task', 'disc']\n"
        "main()\n"
    )
    with subprocess.Popen(
        [sys.executable, script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        lines = [process.stdout.readline() for _ in range(3)]
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate()
    assert "0.25" in lines[-1]
    assert process.returncode == 130
    assert stderr == "stopped; what was finished stands above\n"


def test_tasks_load_only_what_they_need():
    code = (
        "import sys; from musicgen.tasks import find_task; find_task('reber'); print(*sys.modules)"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert {"scipy", "music21", "matplotlib", "pooch"}.isdisjoint(loaded)
