"""How a network of words is trained and judged."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from musicgen.optim import cosine
from musicgen.tasks.base import Progress
from musicgen.tasks.grammar import LETTERS, Automaton
from musicgen.tasks.word_network import WordNetwork

__all__ = ["THRESHOLD", "Course", "Look", "share_of_memory", "share_of_transitions", "train"]

THRESHOLD = 0.3  # an output above it says that the letter may follow
LOOK_EVERY = 10  # updates

Look = Callable[[WordNetwork], float]


class Course(NamedTuple):
    """The course of a training.

    Attributes
    ----------
    costs
        Mean cost of a letter in every batch, before its update, in nats.
    words
        Words presented before each look, every presentation counted.
    scores
        What each look found.
    seconds
        Time without the looks.
    """

    costs: list[float]
    words: list[int]
    scores: list[float]
    seconds: float

    @property
    def words_needed(self) -> int | None:
        """Words presented before the first look from which on all were perfect; None for none."""
        needed = None
        for words, score in zip(reversed(self.words), reversed(self.scores), strict=True):
            if score < 1:
                break
            needed = words
        return needed


def train(
    network: WordNetwork,
    draw: Callable[[int], Sequence[str]],
    updates: int,
    batch_size: int,
    progress: Progress,
    *,
    learning_rate: float = 0.02,
    forwards: bool = False,
    look: Look | None = None,
) -> Course:
    """Train on fresh words, at a rate that falls along a cosine: the outputs' noise averages out.

    Parameters
    ----------
    network
        What learns.
    draw
        Makes so many words.
    updates, batch_size
        Number of updates, and words of each.
    progress
        Told the share that is done.
    learning_rate
        η at the start.
    forwards
        As in `WordNetwork.learn`.
    look
        Scores the network now and then, and at the end.
    """
    course = Course([], [], [], 0.0)
    seconds = 0.0
    for update in range(1, updates + 1):
        start = time.perf_counter()
        rate = learning_rate * cosine(update / updates)
        course.costs.append(network.learn(draw(batch_size), rate, forwards=forwards))
        seconds += time.perf_counter() - start
        if look is not None and (update % LOOK_EVERY == 0 or update == updates):
            course.words.append(update * batch_size)
            course.scores.append(look(network))
        progress(update / updates)
    return course._replace(seconds=seconds)


def share_of_transitions(network: WordNetwork, words: Sequence[str], grammar: Automaton) -> float:
    """Return the share of words of which every transition is right.

    A transition is right when the outputs above 0.3 are those of the letters that may follow, and
    no others (report, section 5.6).
    """
    right = 0
    for word, outputs in zip(words, network.predict(words), strict=True):
        wanted = [[letter in ways for letter in LETTERS] for ways in grammar.following(word)]
        right += np.array_equal(outputs > THRESHOLD, wanted)
    return right / len(words)


def share_of_memory(network: WordNetwork, words: Sequence[str]) -> float:
    """Return the share of words whose last letter but one is predicted to be the second.

    Of T and P, the right one has the higher output. A network that has forgotten the second letter
    is right by chance in half of the words.
    """
    t, p = LETTERS.index("T"), LETTERS.index("P")
    right = 0
    for word, outputs in zip(words, network.predict(words), strict=True):
        predicted = "T" if outputs[-2, t] > outputs[-2, p] else "P"
        right += predicted == word[1]
    return right / len(words)
