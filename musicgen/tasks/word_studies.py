"""The studies that both Reber grammars share: outputs, cells, lengths."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from musicgen.charts import Heatmap, Lines
from musicgen.tasks.base import Progress, Study, Table, part
from musicgen.tasks.grammar import LETTERS, Automaton
from musicgen.tasks.word_network import CELLS, WordNetwork
from musicgen.tasks.word_training import Course, Look

__all__ = ["Score", "Trainer", "compare_cells", "compare_lengths", "outputs_along"]

SEEDS = 3
VALIDATION_WORDS = 128
TEST_WORDS = 200
LENGTHS = (10, 20, 40, 80, 160, 320)

Score = Callable[[WordNetwork, Sequence[str]], float]


class Trainer(Protocol):
    """How a task trains a network."""

    def __call__(
        self,
        cell: str,
        rng: np.random.Generator,
        progress: Progress,
        *,
        look: Look | None = None,
        longest: int | None = None,
    ) -> tuple[WordNetwork, Course]:
        """Train a network of such cells on words of up to so many letters."""
        ...


def outputs_along(network: WordNetwork, word: str, grammar: Automaton) -> Study:
    """Show the seven outputs after each letter of a word."""
    [outputs] = network.predict([word])
    read = word[:-1]
    # The first row of a heat map is its lowest; a word is read from above.
    chart = Heatmap(
        f"outputs along {word}",
        "may follow",
        "letter read",
        outputs[::-1],
        columns=tuple(LETTERS),
        rows=tuple(reversed(read)),
    )
    rows = [
        [letter, *(f"{output:.2f}" for output in row), " ".join(sorted(ways))]
        for letter, row, ways in zip(read, outputs, grammar.following(word), strict=True)
    ]
    title = "What does the network expect after each letter of a word?"
    return Study(title, [chart], Table(["read", *LETTERS, "may follow"], rows))


def compare_cells(
    train: Trainer, score: Score, grammar: Automaton, seed: int, progress: Progress
) -> Study:
    """Show the score of each cell while it learns; each is trained from several seeds."""
    lines: dict[str, tuple[Sequence[float], Sequence[float]]] = {}
    rows = []
    for i, cell in enumerate(CELLS):
        courses = []
        for n in range(SEEDS):
            rng = np.random.default_rng([seed, n])
            look = _fresh_look(score, grammar, rng)
            done = part(progress, i * SEEDS + n, len(CELLS) * SEEDS)
            courses.append(train(cell, rng, done, look=look)[1])
        curve = np.median([course.scores for course in courses], axis=0)
        lines[cell] = courses[0].words, curve.tolist()
        needed = [str(course.words_needed or "not reached") for course in courses]
        seconds = np.median([course.seconds for course in courses])
        rows.append([cell, f"{curve[-1]:.3f}", *needed, f"{seconds:.1f}"])
    chart = Lines(f"median of {SEEDS} runs", "training words", "score", lines, y_log=False)
    runs = [f"words to 100 %, run {n + 1}" for n in range(SEEDS)]
    header = ["cell", "score at the end", *runs, "seconds a run"]
    return Study("How many words does each cell need?", [chart], Table(header, rows))


def _fresh_look(score: Score, grammar: Automaton, rng: np.random.Generator) -> Look:
    return lambda network: score(network, grammar.words(rng, VALIDATION_WORDS))


def compare_lengths(
    train: Trainer,
    score: Score,
    grammar: Automaton,
    bounds: Sequence[int],
    seed: int,
    progress: Progress,
) -> Study:
    """Show how cells that were trained on words of up to so many letters do on longer ones."""
    charts, rows = [], []
    for i, bound in enumerate(bounds):
        lines: dict[str, tuple[Sequence[float], Sequence[float]]] = {}
        for k, cell in enumerate(CELLS):
            rng = np.random.default_rng(seed)
            done = part(part(progress, i, len(bounds)), k, len(CELLS))
            network, _ = train(cell, rng, done, longest=bound)
            tests = [grammar.words(rng, TEST_WORDS, length=length) for length in LENGTHS]
            scores = [score(network, words) for words in tests]
            lines[cell] = LENGTHS, scores
            rows.append([cell, str(bound), *(f"{share:.3f}" for share in scores)])
        title = f"trained on words of up to {bound} letters"
        charts.append(
            Lines(title, "letters of a test word", "score", lines, x_log=True, y_log=False)
        )
    header = ["cell", "longest training word", *(f"score at {length}" for length in LENGTHS)]
    title = "Does what was learned on short words hold on long ones?"
    return Study(title, charts, Table(header, rows))
