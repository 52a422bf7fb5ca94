"""Work in several processes."""

import math
import operator
import os
import subprocess
import sys
from itertools import count, islice

import pytest

from musicgen import parallel
from musicgen.parallel import parallel_map


@pytest.fixture(params=["here", "elsewhere"])
def jobs(request, monkeypatch):
    if request.param == "here":
        return 1
    monkeypatch.setattr(parallel, "HEAD_START", 0.0)
    return 2


def test_results_come_in_order(jobs):
    assert list(parallel_map(operator.neg, range(2000), jobs)) == [-i for i in range(2000)]
    assert list(parallel_map(operator.neg, [], jobs)) == []
    assert list(parallel_map(operator.neg, [7], jobs)) == [-7]


def test_few_items_wait_at_a_time(jobs, monkeypatch):
    monkeypatch.setattr(parallel, "LARGEST", 3)
    taken = []
    items = (taken.append(i) or i for i in count())
    results = parallel_map(operator.neg, items, jobs)
    assert list(islice(results, 100)) == [-i for i in range(100)]
    assert len(taken) <= 100 + 2 * 2 * 3
    results.close()


def test_errors_come_back(jobs):
    with pytest.raises(ValueError, match=r"math domain error|nonnegative"):
        list(parallel_map(math.sqrt, [4.0, 1.0, 9.0, -1.0, 4.0], jobs))


def ends(item):
    return item or os._exit(3)


def test_a_process_that_dies_is_an_error(monkeypatch):
    monkeypatch.setattr(parallel, "HEAD_START", 0.0)
    with pytest.raises(ChildProcessError, match="without a word"):
        list(parallel_map(ends, [1, 0, 1], 2))


def test_other_processes_work(monkeypatch):
    monkeypatch.setattr(parallel, "HEAD_START", 0.0)
    own, *others = parallel_map(process, range(50), 2)
    assert own == os.getpid()
    assert own not in others


def process(item):
    return os.getpid()


def test_a_script_is_not_run_again(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import operator\nfrom musicgen import parallel\nparallel.HEAD_START = 0.0\n"
        "print(sum(parallel.parallel_map(operator.neg, range(9), 2)))\n"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("-36\n", "")
