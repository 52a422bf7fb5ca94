"""The embedded Reber grammar: a network learns to remember the second letter.

Report, section 5.6; Hochreiter & Schmidhuber, "Long short-term memory", Neural Computation 9, 1997,
experiment 1, whose LSTM needed 8,440 sequences.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from musicgen.charts import Lines
from musicgen.tasks.base import Check, Progress, Reached, Study, Table, Task, part
from musicgen.tasks.grammar import EMBEDDED_REBER as GRAMMAR
from musicgen.tasks.word_network import CELLS, WordNetwork
from musicgen.tasks.word_studies import compare_cells, compare_lengths, outputs_along
from musicgen.tasks.word_training import Course, Look, share_of_memory, share_of_transitions, train

__all__ = ["TASK"]

UNITS, UPDATES, BATCH = 64, 400, 16
TEST_WORDS, VALIDATION_WORDS = 500, 256

WORD = "BPBTXXVVEPE"
LONGEST = 16, 24

GAPS = (5, 10, 20, 40, 80, 160, 320)
GAP_BATCH, GAP_SEEDS = 8, 3
FAILED = 0.75  # half-way between chance and never wrong


def _train(
    cell: str,
    rng: np.random.Generator,
    progress: Progress,
    *,
    look: Look | None = None,
    longest: int | None = None,
) -> tuple[WordNetwork, Course]:
    network = WordNetwork(CELLS[cell], UNITS, rng)
    draw = partial(GRAMMAR.words, rng, longest=longest)
    return network, train(network, draw, UPDATES, BATCH, progress, look=look)


def _check(cell: str) -> Check:
    def run(seed: int, progress: Progress) -> Reached:
        rng = np.random.default_rng(seed)

        # As Hochreiter & Schmidhuber count: until every transition of every word is right.
        def look(network: WordNetwork) -> float:
            return share_of_transitions(network, GRAMMAR.words(rng, VALIDATION_WORDS), GRAMMAR)

        network, course = _train(cell, rng, progress, look=look)
        words = GRAMMAR.words(rng, TEST_WORDS)
        facts = {"every transition": share_of_transitions(network, words, GRAMMAR)}
        if course.words_needed is not None:
            facts["words"] = course.words_needed
        return Reached(share_of_memory(network, words), facts)

    return Check(cell, "share of test words whose second letter is remembered", 1.0, run)


def _outputs(seed: int, progress: Progress) -> Study:
    network, _ = _train("LSTM", np.random.default_rng(seed), progress)
    return outputs_along(network, WORD, GRAMMAR)


def _score_gap(cell: str, gap: int, seed: int, progress: Progress) -> float:
    """Return the median score of some runs on words with so many letters in between."""
    scores = []
    for n in range(GAP_SEEDS):
        rng = np.random.default_rng([seed, n])
        network = WordNetwork(CELLS[cell], UNITS, rng)
        draw = partial(GRAMMAR.words, rng, length=gap + 4)
        train(network, draw, UPDATES, GAP_BATCH, part(progress, n, GAP_SEEDS))
        scores.append(share_of_memory(network, draw(VALIDATION_WORDS)))
    return float(np.median(scores))


def _lengthen_gap(seed: int, progress: Progress) -> Study:
    """Train each cell on longer and longer inner words, until it fails."""
    lines: dict[str, tuple[Sequence[float], Sequence[float]]] = {}
    for i, cell in enumerate(CELLS):
        scores: list[float] = []
        for k, gap in enumerate(GAPS):
            done = part(part(progress, i, len(CELLS)), k, len(GAPS))
            scores.append(_score_gap(cell, gap, seed, done))
            if scores[-1] < FAILED:
                break
        lines[cell] = GAPS[: len(scores)], scores
    title = f"{UPDATES * GAP_BATCH} training words, median of {GAP_SEEDS} runs"
    chart = Lines(title, "letters in between", "score", lines, x_log=True, y_log=False)
    reached = GAPS[: max(len(scores) for _, scores in lines.values())]
    rows = [
        [cell, *(f"{score:.2f}" for score in scores), *[""] * (len(reached) - len(scores))]
        for cell, (_, scores) in lines.items()
    ]
    header = ["score by letters in between", *map(str, reached)]
    return Study("Over how many letters does each cell remember?", [chart], Table(header, rows))


TASK = Task(
    "embedded-reber",
    "the embedded Reber grammar: what was the second letter",
    [_check(cell) for cell in CELLS if cell != "Elman"],
    {
        "outputs": _outputs,
        "cells": partial(compare_cells, _train, share_of_memory, GRAMMAR),
        "gap": _lengthen_gap,
        "lengths": partial(compare_lengths, _train, share_of_memory, GRAMMAR, LONGEST),
    },
)
