"""The Reber grammar: a network learns which letters may follow.

Report, sections 5.5 and 5.6.
"""

from __future__ import annotations

import statistics
import time
from functools import partial

import numpy as np

from musicgen.charts import Lines
from musicgen.tasks.base import Check, Progress, Reached, Study, Table, Task, part
from musicgen.tasks.grammar import REBER
from musicgen.tasks.word_network import CELLS, WordNetwork
from musicgen.tasks.word_studies import compare_cells, compare_lengths, outputs_along
from musicgen.tasks.word_training import Course, Look, share_of_transitions, train

__all__ = ["TASK"]

UNITS, UPDATES, BATCH = 32, 300, 32
# Real-time recurrent learning takes O(H⁴) a step.
FORWARDS_UNITS, FORWARDS_UPDATES, FORWARDS_BATCH = 16, 300, 8
TEST_WORDS = 500

WORD = "BTXXVVE"  # the report's
LONGEST = 12, 20
TIMED_UNITS = (4, 8, 16, 32)

_score = partial(share_of_transitions, grammar=REBER)


def _train(
    cell: str,
    rng: np.random.Generator,
    progress: Progress,
    *,
    look: Look | None = None,
    longest: int | None = None,
) -> tuple[WordNetwork, Course]:
    network = WordNetwork(CELLS[cell], UNITS, rng)
    draw = partial(REBER.words, rng, longest=longest)
    return network, train(network, draw, UPDATES, BATCH, progress, look=look)


def _train_small(
    rng: np.random.Generator, progress: Progress, *, forwards: bool
) -> tuple[WordNetwork, Course]:
    network, draw = WordNetwork(CELLS["Elman"], FORWARDS_UNITS, rng), partial(REBER.words, rng)
    return network, train(
        network, draw, FORWARDS_UPDATES, FORWARDS_BATCH, progress, forwards=forwards
    )


def _check(cell: str) -> Check:
    def run(seed: int, progress: Progress) -> Reached:
        rng = np.random.default_rng(seed)
        network, _ = _train(cell, rng, progress)
        return Reached(_score(network, REBER.words(rng, TEST_WORDS)), {"words": UPDATES * BATCH})

    # What is never forgotten piles up: without forget gate, after a letter that is repeated six
    # times or more, a word goes wrong now and then.
    mark = 0.95 if cell == "LSTM without forget gate" else 1.0
    return Check(cell, "share of test words with every transition right", mark, run)


def _check_rtrl() -> Check:
    def run(seed: int, progress: Progress) -> Reached:
        rng = np.random.default_rng(seed)
        network, _ = _train_small(rng, progress, forwards=True)
        score = _score(network, REBER.words(rng, TEST_WORDS))
        return Reached(score, {"words": FORWARDS_UPDATES * FORWARDS_BATCH})

    return Check("Elman by RTRL", "share of test words with every transition right", 1.0, run)


def _outputs(seed: int, progress: Progress) -> Study:
    network, _ = _train("LSTM", np.random.default_rng(seed), progress)
    return outputs_along(network, WORD, REBER)


def _seconds_a_word(network: WordNetwork, words: list[str], *, forwards: bool) -> float:
    times = []
    for _ in range(5):
        start = time.perf_counter()
        network.gradients(words, forwards=forwards)
        times.append(time.perf_counter() - start)
    return statistics.median(times) / len(words)


def _compare_gradients(cell: str, units: int, seed: int) -> tuple[list[float], list[str]]:
    """Return the seconds a word of BPTT and RTRL, and a row that tells how their results differ."""
    rng = np.random.default_rng(seed)
    words = REBER.words(rng, FORWARDS_BATCH)
    network = WordNetwork(CELLS[cell], units, rng, np.float64)
    _, backward = network.gradients(words)
    _, forward = network.gradients(words, forwards=True)
    largest = max(np.abs(gradient).max() for gradient in backward.values())
    worst = max(np.abs(forward[name] - backward[name]).max() for name in backward)
    seconds = [_seconds_a_word(network, words, forwards=forwards) for forwards in (False, True)]
    times = (f"{1000 * value:.2f}" for value in seconds)
    return seconds, [cell, str(units), f"{largest:.3f}", f"{worst:.0e}", *times]


def _compare_learners(seed: int, progress: Progress) -> Study:
    """Show that both learners find the same gradients, and what they take."""
    names = "BPTT", "RTRL"
    costs = {}
    for i, name in enumerate(names):
        rng = np.random.default_rng(seed)
        _, course = _train_small(rng, part(progress, i, len(names)), forwards=name == "RTRL")
        costs[name] = range(1, FORWARDS_UPDATES + 1), course.costs
    elman = [_compare_gradients("Elman", units, seed) for units in TIMED_UNITS]
    others = [_compare_gradients(cell, 8, seed) for cell in CELLS if cell != "Elman"]
    times = {name: (TIMED_UNITS, [s[i] for s, _ in elman]) for i, name in enumerate(names)}
    charts = [
        Lines(f"Elman, {FORWARDS_UNITS} units", "updates", "nats a letter", costs, y_log=False),
        Lines("Elman", "hidden units", "seconds a word", times, x_log=True),
    ]
    header = ["cell", "units", "largest gradient", "largest difference", "BPTT, ms a word"]
    table = Table([*header, "RTRL, ms a word"], [row for _, row in elman + others])
    return Study("Do BPTT and RTRL learn the same?", charts, table)


TASK = Task(
    "reber",
    "the Reber grammar: which letters may follow",
    [*(_check(cell) for cell in CELLS), _check_rtrl()],
    {
        "outputs": _outputs,
        "cells": partial(compare_cells, _train, _score, REBER),
        "rtrl": _compare_learners,
        "lengths": partial(compare_lengths, _train, _score, REBER, LONGEST),
    },
)
