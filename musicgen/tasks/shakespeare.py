"""Characters of Shakespeare: how well the next one is foretold (report, section 7.4.2)."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from musicgen.charts import Lines
from musicgen.datasets import load_shakespeare
from musicgen.networks import Architecture, Network
from musicgen.optim import constant
from musicgen.sampling import draw, probabilities
from musicgen.tasks.base import Check, Progress, Reached, Study, Table, Task, part
from musicgen.tasks.optimisers import OPTIMISERS
from musicgen.tasks.text_stream import nats_a_character, train

__all__ = ["task"]

UNIT = "nats a character, the last tenth of the text"
HELD_OUT = 0.1  # share of the text, its end

# In ten minutes one layer reads the text some eight times, where two layers read it three times.
TEN_MINUTES: dict[str, Any] = {
    "hidden_size": 512, "num_layers": 1, "T": 64, "B": 32, "learning_rate": 3e-3, "dropout": 0.4,
}  # fmt: skip
FORTY_MINUTES: dict[str, Any] = {
    "hidden_size": 512, "num_layers": 2, "T": 64, "B": 64, "learning_rate": 3e-3, "dropout": 0.5,
}  # fmt: skip

# The network of the studies, small enough to be trained many times, and what it reads.
SMALL: dict[str, Any] = {
    "cell": "lstm", "hidden_size": 128, "num_layers": 1, "embedding_size": 64,
    "T": 50, "B": 20, "learning_rate": 5e-3, "dropout": 0.0,
}  # fmt: skip
SMALL_CHARACTERS, SMALL_VALIDATION = 400_000, 20_000
CURVE_INTERVAL = 10  # updates

# Each optimiser runs with the best of three learning rates.
RATES = {
    "SGD": (0.5, 2.0, 8.0),
    "momentum": (0.1, 0.4, 1.6),
    "Adagrad": (0.01, 0.03, 0.1),
    "RMSProp": (0.001, 0.003, 0.01),
    "centred RMSProp, momentum": (0.0003, 0.001, 0.003),
    "Adadelta": (1.0, 3.0, 10.0),
    "Adam": (0.002, 0.005, 0.015),
}

# What exercise 004 asks for: the effect of each setting, the others being those of `SMALL`.
SETTINGS: dict[str, tuple[Any, ...]] = {
    "cell": ("elman", "gru", "lstm"),
    "hidden_size": (32, 64, 128, 256),
    "num_layers": (1, 2, 3),
    "embedding_size": (4, 16, 64, 256),
    "T": (5, 15, 50, 150),
    "B": (5, 20, 80),
    "learning_rate": (5e-4, 1.6e-3, 5e-3, 1.6e-2, 5e-2),
    "dropout": (0.0, 0.2, 0.5),
}

# The network that writes.
WRITER: dict[str, Any] = {
    "hidden_size": 256, "num_layers": 1, "T": 64, "B": 32, "learning_rate": 5e-3, "dropout": 0.1,
    "epochs": 3,
}  # fmt: skip
WRITTEN, TEMPERATURE = 600, 0.7


class Text(NamedTuple):
    """A text in numbers.

    Attributes
    ----------
    characters
        The different ones, sorted: number → character.
    training, validation
        ``(N,)`` numbers each.
    """

    characters: str
    training: npt.NDArray[np.int32]
    validation: npt.NDArray[np.int32]

    @classmethod
    def of(cls, text: str) -> Text:
        """Turn a text into numbers, and keep its end for validation."""
        characters = "".join(sorted(set(text)))
        numbers = {character: number for number, character in enumerate(characters)}
        symbols = np.array([numbers[character] for character in text], np.int32)
        start = round(len(symbols) * (1 - HELD_OUT))
        return cls(characters, symbols[:start], symbols[start:])


def task(source: Path | None = None) -> Task:
    """Return the task for tiny Shakespeare, or for another text file."""
    text = functools.cache(lambda: Text.of(load_shakespeare(source)))

    def check(minutes: float, mark: float, settings: dict[str, Any], optional: bool) -> Check:
        def run(seed: int, progress: Progress) -> Reached:
            network, updates = learn(text(), seed, progress, minutes=minutes, **settings)
            score = nats_a_character(network, text().validation)
            return Reached(score, {"updates": updates, "weights": network.size})

        return Check(f"{minutes:g} minutes", UNIT, mark, run, lowest=True, optional=optional)

    def bound(study: Callable[[Text, int, Progress], Study]) -> Callable[[int, Progress], Study]:
        return lambda seed, progress: study(text(), seed, progress)

    studies = {"optimisers": optimisers, "settings": settings, "sample": sample}
    return Task(
        "shakespeare",
        "tiny Shakespeare, character by character",
        (check(10, 1.50, TEN_MINUTES, False), check(40, 1.45, FORTY_MINUTES, True)),
        {name: bound(study) for name, study in studies.items()},
    )


def learn(
    text: Text,
    seed: int,
    progress: Progress,
    *,
    hidden_size: int,
    num_layers: int,
    embedding_size: int = 64,
    cell: str = "lstm",
    curve: list[tuple[int, float]] | None = None,
    **settings: Any,
) -> tuple[Network, int]:
    """Train a fresh network, and return it with the number of updates.

    Parameters
    ----------
    text
        Its training part is learned.
    seed
        Of the weights, dropout and order.
    progress
        Told the share of the plan that is done.
    hidden_size, num_layers, embedding_size, cell
        As `musicgen.networks.Architecture` has them.
    curve
        Takes the updates, and the mean training cost of the last ones, now and again.
    **settings
        Of `musicgen.tasks.text_stream.train`.
    """
    rng = np.random.default_rng(seed)
    shape = Architecture(
        len(text.characters),
        hidden_size=hidden_size,
        num_layers=num_layers,
        embedding_size=embedding_size,
        cell=cell,
    )
    network, costs = Network.initialise(shape, rng), []
    for step in train(network, text.training, rng, **settings):
        costs.append(step.cost)
        progress(step.done)
        if curve is not None and step.updates % CURVE_INTERVAL == 0:
            curve.append((step.updates, float(np.mean(costs[-CURVE_INTERVAL:]))))
    return network, len(costs)


def optimisers(text: Text, seed: int, progress: Progress) -> Study:
    """Draw the training cost with each optimiser (report, figure 7.2)."""
    lines, rows, runs = {}, [], 0
    for name, make in OPTIMISERS.items():
        found = []
        for rate in RATES[name]:
            curve: list[tuple[int, float]] = []
            done = part(progress, runs, 3 * len(OPTIMISERS))
            changed = {"learning_rate": rate, "optimiser": make(), "schedule": constant}
            cost, seconds = _learn_a_little(text, seed, done, curve=curve, **changed)
            found.append((cost, rate, curve, seconds))
            runs += 1
        cost, rate, curve, seconds = min(found, key=lambda run: run[0])
        updates, costs = zip(*curve, strict=True)
        lines[name] = (updates, costs)
        others = ", ".join(f"{run[0]:.3f} at {run[1]:g}" for run in found if run[1] != rate)
        rows.append((name, f"{rate:g}", f"{cost:.3f}", others, f"{seconds:.1f}"))
    title = f"Optimisers, each at the best of three learning rates, {SMALL_CHARACTERS:,} characters"
    chart = Lines("training cost", "updates", "nats a character", lines, y_log=False)
    header = ("optimiser", "η", "validation, nats", "with another η", "seconds")
    return Study(title, [chart], Table(header, rows))


def settings(text: Text, seed: int, progress: Progress) -> Study:
    """Change one setting at a time (exercise 004)."""
    charts, rows, runs = [], [], 0
    usual, seconds = _learn_a_little(text, seed, lambda done: None)
    rows.append(("as they are", "", f"{usual:.3f}", f"{seconds:.1f}"))
    total = sum(map(len, SETTINGS.values()))
    for name, values in SETTINGS.items():
        costs = []
        for value in values:
            done, cost = part(progress, runs, total), usual
            if value != SMALL[name]:
                cost, seconds = _learn_a_little(text, seed, done, **{name: value})
                rows.append((name, str(value), f"{cost:.3f}", f"{seconds:.1f}"))
            costs.append(cost)
            runs += 1
        if name == "cell":
            continue  # no abscissa
        lines = {"validation": (values, costs)}
        log = values[0] > 0
        charts.append(Lines(name, name, "nats a character", lines, x_log=log, y_log=False))
    title = f"One setting changed at a time, {SMALL_CHARACTERS:,} characters"
    header = ("setting", "value", "validation, nats", "seconds")
    return Study(title, charts, Table(header, rows))


def sample(text: Text, seed: int, progress: Progress) -> Study:
    """Write in the manner of Shakespeare."""
    network, _ = learn(text, seed, progress, **WRITER)
    rng, step = np.random.default_rng(seed), network.stepper()
    written = [int(text.training[0])]
    while len(written) <= WRITTEN:
        p = probabilities(step(written[-1:]), temperature=TEMPERATURE)
        written += draw(p, [rng]).tolist()
    cost = nats_a_character(network, text.validation)
    title = (
        f"Written after {WRITER['epochs']} epochs of a 1 × {WRITER['hidden_size']} LSTM "
        f"({cost:.3f} nats a character), temperature {TEMPERATURE}"
    )
    return Study(title, text="".join(text.characters[number] for number in written[1:]))


def _learn_a_little(
    text: Text, seed: int, progress: Progress, **changed: Any
) -> tuple[float, float]:
    """Return the validation cost and the seconds of training, with some settings changed."""
    start = time.perf_counter()
    epochs = SMALL_CHARACTERS / len(text.training)
    network, _ = learn(text, seed, progress, **{**SMALL, **changed}, epochs=epochs)
    seconds = time.perf_counter() - start
    return nats_a_character(network, text.validation[:SMALL_VALIDATION]), seconds
