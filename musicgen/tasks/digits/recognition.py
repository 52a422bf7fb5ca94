"""Three networks that learn to read digits, with the settings of their training."""

from __future__ import annotations

import itertools
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from musicgen.datasets import Digits, load_digits
from musicgen.engine import Array
from musicgen.networks import Sequential
from musicgen.networks.layers import Conv2D, Dense, Flatten, Layer, MaxPool2D, Reshape
from musicgen.optim import Adam, cosine
from musicgen.tasks.base import Progress, Reached

__all__ = [
    "ALL_DIGITS",
    "FEW_DIGITS",
    "SMALL_DIGITS",
    "Recogniser",
    "digits_of",
    "recognise",
    "share_recognised",
    "shifted",
]

NO_HIDDEN_LAYER = (Flatten(), Dense(10, "softmax"))
TANH = (Flatten(), Dense(400, "tanh"), Dense(10, "softmax"))
# LeCun et al., "Gradient-based learning applied to document recognition", Proc. IEEE 86, 1998, with
# ReLU and maxima, and every map of one convolution connected to every one of the next.
LE_NET = (
    Reshape((32, 32, 1)),
    Conv2D(6, 5, activation="relu"),
    MaxPool2D(2),
    Conv2D(16, 5, activation="relu"),
    MaxPool2D(2),
    Flatten(),
    Dense(120, "relu"),
    Dense(84, "relu"),
    Dense(10, "softmax"),
)


class Recogniser(NamedTuple):
    """A network, how it is trained, and what it has to reach.

    It is trained by Adam on the softmax cross-entropy; η falls along half a cosine.

    Attributes
    ----------
    mark
        Share of the test digits.
    layers
        From images of values from 0, paper, to 1, ink.
    passes
        Over the training digits.
    learning_rate
        η of the first pass.
    batch_size
        Digits in an update.
    margin
        Pixels of paper that are put around each image.
    shift
        In each pass an image stands up to so many pixels off its place, at random.
    """

    mark: float
    layers: tuple[Layer, ...]
    passes: int
    learning_rate: float
    batch_size: int
    margin: int = 0
    shift: int = 0


ALL_DIGITS = {
    "no hidden layer": Recogniser(0.92, NO_HIDDEN_LAYER, 20, 1e-3, 64),
    "400 tanh": Recogniser(0.98, TANH, 15, 1e-3, 64, shift=1),
    "LeNet": Recogniser(0.99, LE_NET, 10, 2e-3, 32, margin=2, shift=1),
}
FEW_DIGITS = {
    "no hidden layer": Recogniser(0.88, NO_HIDDEN_LAYER, 20, 5e-4, 32),
    "400 tanh": Recogniser(0.94, TANH, 30, 1e-3, 64, shift=1),
    "LeNet": Recogniser(0.97, LE_NET, 12, 2e-3, 32, margin=2, shift=2),
}
SMALL_DIGITS = {
    "no hidden layer": Recogniser(0.88, NO_HIDDEN_LAYER, 50, 3e-3, 32),
    "400 tanh": Recogniser(0.91, TANH, 30, 1e-3, 32),
}


@lru_cache(maxsize=1)
def digits_of(source: Path | None) -> Digits:
    """Load digits, as `load_digits` does; the last ones are kept."""
    return load_digits(source)


def recognise(
    recogniser: Recogniser, source: Path | None, seed: int, progress: Progress
) -> Reached:
    """Train a network, and count the test digits that it recognises.

    Parameters
    ----------
    recogniser
        The network and its settings.
    source
        Of the digits, as `load_digits` takes it.
    seed
        Of the weights, the order and the shifts.
    progress
        Told the share of the training that is done, after each pass.

    Returns
    -------
    Reached
        The share, with the numbers of weights and of training digits.
    """
    digits, rng = digits_of(source), np.random.default_rng(seed)
    around = ((0, 0), (recogniser.margin,) * 2, (recogniser.margin,) * 2)
    x, test = (np.pad(a, around) for a in (digits.training_images, digits.test_images))
    network = Sequential(x.shape[1:], recogniser.layers, seed=rng)
    optimiser, passes = Adam(), recogniser.passes
    for number in range(passes):
        network.fit(
            shifted(x, recogniser.shift, rng),
            digits.training_labels,
            optimiser=optimiser,
            learning_rate=recogniser.learning_rate * cosine(number / passes),
            epochs=1,
            batch_size=recogniser.batch_size,
        )
        progress((number + 1) / passes)
    facts = {"weights": network.size, "training digits": len(x)}
    return Reached(share_recognised(network, test, digits.test_labels), facts)


def share_recognised(network: Sequential, images: Array, labels: Array) -> float:
    """Return the share of images whose greatest output is that of their label."""
    return float(np.mean(network.predict(images).argmax(axis=-1) == labels))


def shifted(images: Array, most: int, rng: np.random.Generator) -> Array:
    """Move each image at random, by up to so many pixels along each axis.

    Parameters
    ----------
    images
        ``(N, Y, X)``, with a margin of `most` pixels of paper at the least: what is moved out on
        one side comes in on the other.
    most
        Greatest distance.
    rng
        Random generator.

    Examples
    --------
    >>> one = np.zeros((1, 3, 3))
    >>> one[0, 1, 1] = 1
    >>> shifted(one, 1, np.random.default_rng(0))[0].astype(int)
    array([[0, 0, 0],
           [0, 0, 0],
           [0, 1, 0]])
    """
    if not most:
        return images
    moves = rng.integers(-most, most + 1, (len(images), 2))
    moved = np.empty_like(images)
    for move in itertools.product(range(-most, most + 1), repeat=2):
        rows = (moves == move).all(axis=1)
        moved[rows] = np.roll(images[rows], move, axis=(1, 2))
    return moved
