"""Training on some tunes, and how many notes of others are then found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from musicgen.engine import Array
from musicgen.optim import Adam, clip_global_norm, schedules
from musicgen.tasks.base import Progress, Reached, part
from musicgen.tasks.bidirectional.counting import most_frequent_between, neighbours
from musicgen.tasks.bidirectional.network import SIDES, feeds, initial_weights, missing_note
from musicgen.tasks.melodies import HELD, STEPS, Melody, reels
from musicgen.training import split

__all__ = [
    "EPOCHS",
    "Learned",
    "compare_sides",
    "find_from_both_sides",
    "learn",
    "learn_each",
    "phrases",
]

BARS = 4
TEST_SHARE = 0.1
EPOCHS, BATCH_SIZE = 8, 32
LEARNING_RATE, GRAD_CLIP = 0.01, 1.0


class Learned(NamedTuple):
    """What came of a training.

    Attributes
    ----------
    known, asked
        Phrases ``(N, T)`` that were trained on, and those of other tunes.
    probabilities
        Of the latter, ``(N, T, SYMBOLS)``.
    curve
        Share of their notes that was found after each epoch.
    size
        Number of weights.
    """

    known: Array
    asked: Array
    probabilities: Array
    curve: list[float]
    size: int

    @property
    def found(self) -> Array:
        """Whether the likeliest answer is right, for each note of the phrases asked, in order."""
        return _found(self.probabilities, self.asked)


def _found(probabilities: Array, asked: Array) -> Array:
    return (probabilities.argmax(axis=-1) == asked)[asked != HELD]


def phrases(melodies: Sequence[Melody]) -> Array:
    """Cut melodies into phrases of four bars, ``(N, T)``; bars that are left over are dropped."""
    return np.concatenate(
        [bars[: len(bars) // BARS * BARS].reshape(-1, BARS * STEPS) for bars in melodies]
    )


def learn(side: str, seed: int, progress: Progress) -> Learned:
    """Train a network.

    Parameters
    ----------
    side
        A key of `SIDES`.
    seed
        Of all random numbers; it alone decides which tunes are learned from.
    progress
        Told the share that is done.
    """
    rng = np.random.default_rng(seed)
    learned, set_aside = split(reels(), TEST_SHARE, rng)
    known, asked = phrases(learned), phrases(set_aside)
    weights = initial_weights(SIDES[side], rng)
    values = {name: weight.value for name, weight in weights.items()}
    gradients = {name: weight.gradient for name, weight in weights.items()}
    graph = missing_note(SIDES[side], weights, known.shape[1], BATCH_SIZE)
    test = missing_note(SIDES[side], weights, known.shape[1], len(asked))
    adam, curve, probabilities = Adam(), [], np.empty(0)
    batches = len(known) // BATCH_SIZE
    for epoch in range(EPOCHS):
        order = rng.permutation(len(known))
        for batch in range(batches):
            graph.forward(feeds(known[order[batch * BATCH_SIZE :][:BATCH_SIZE]]))
            graph.backward()
            clip_global_norm(gradients.values(), GRAD_CLIP)
            done = (epoch + batch / batches) / EPOCHS
            adam.update(values, gradients, LEARNING_RATE * schedules.cosine(done))
            progress(done)
        probabilities = test.forward(feeds(asked))[1].transpose(1, 0, 2)
        curve.append(float(_found(probabilities, asked).mean()))
    progress(1.0)
    size = sum(value.size for value in values.values())
    return Learned(known, asked, probabilities, curve, size)


def learn_each(seed: int, progress: Progress) -> dict[str, Learned]:
    """Train a network for each of `SIDES`, all on the same tunes."""
    return {
        side: learn(side, seed, part(progress, number, len(SIDES)))
        for number, side in enumerate(SIDES)
    }


def find_from_both_sides(seed: int, progress: Progress) -> Reached:
    """Return the share of notes found, beside what counting finds."""
    both = learn("both", seed, progress)
    _, known, _ = neighbours(both.known)
    _, asked, _ = neighbours(both.asked)
    between = most_frequent_between(both.known, both.asked)
    return Reached(
        both.curve[-1],
        {
            "found as the most frequent of all": float(
                np.mean(asked == np.bincount(known).argmax())
            ),
            "found as the most frequent between its neighbours": float(np.mean(asked == between)),
        },
    )


def compare_sides(seed: int, progress: Progress) -> Reached:
    """Return by how much both sides together find more than the better one alone."""
    shares = {side: learned.curve[-1] for side, learned in learn_each(seed, progress).items()}
    return Reached(shares["both"] - max(shares["left"], shares["right"]), shares)
