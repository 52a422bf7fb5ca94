"""A bar of a tune denoised: wrong notes put right by a network that knows what bars sound like.

The bars of reels are spoilt: a note is changed, dropped or added here and there. A network with a
narrow middle reads the spoilt bar and has to return the clean one; it is judged by bars of tunes
that it did not learn from.

>>> TASK.title
'a bar of a tune denoised'
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from musicgen.charts import Heatmap, Lines
from musicgen.engine import Array
from musicgen.networks import Sequential
from musicgen.networks.layers import (
    BatchNormalization,
    Conv1D,
    Dense,
    Dropout,
    Flatten,
    Layer,
    Reshape,
)
from musicgen.optim import Adam, schedules
from musicgen.tasks.base import Check, Progress, Reached, Study, Table, Task, part
from musicgen.tasks.melodies import LOWEST, STEPS, SYMBOLS, note_names, reels
from musicgen.training import split

__all__ = ["TASK", "autoencoder", "nearest_bars", "spoil"]

TEST_SHARE = 0.1
NOISE = 0.2
CODE, FILTERS = 128, 64
EPOCHS, BATCH_SIZE, LEARNING_RATE = 16, 128, 3e-3

NOISES = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5)
CODES = (4, 8, 16, 32, 64, 128)


def spoil(bars: Array, noise: float, rng: np.random.Generator) -> Array:
    """Replace steps by another symbol, each as likely as any other.

    A pitch that becomes another is a changed note, one that becomes `HELD` a dropped one, and
    `HELD` that becomes a pitch an added one.

    Parameters
    ----------
    bars
        Symbols, any shape.
    noise
        Share of the steps, 0 to 1.
    rng
        Random generator.
    """
    hit = rng.random(bars.shape) < noise
    return np.where(hit, (bars + rng.integers(1, SYMBOLS, bars.shape)) % SYMBOLS, bars)


def autoencoder(code: int = CODE) -> list[Layer]:
    """Describe the network ``(STEPS, SYMBOLS)`` → code ``(code,)`` → ``(STEPS, SYMBOLS)``.

    Parameters
    ----------
    code
        Numbers in the middle, through which all that is known of a bar has to pass.
    """
    return [
        Conv1D(FILTERS, 3, padding="same", activation="relu"),
        BatchNormalization(momentum=0.9),
        Flatten(),
        Dropout(0.1),
        Dense(code, "relu"),
        Dense(STEPS * FILTERS, "relu"),
        Reshape((STEPS, FILTERS)),
        Dense(SYMBOLS, "softmax"),
    ]


def nearest_bars(spoilt: Array, known: Array) -> Array:
    """Find for each spoilt bar ``(N, STEPS)`` the known one with which most steps agree."""
    agreeing = _one_hot(spoilt).reshape(len(spoilt), -1) @ _one_hot(known).reshape(len(known), -1).T
    return known[agreeing.argmax(axis=1)]


def _one_hot(bars: Array) -> Array:
    return np.eye(SYMBOLS, dtype=np.float32)[bars]


class _Trained(NamedTuple):
    """A network, the bars that it learned from, and bars of other tunes ``(N, STEPS)``."""

    network: Sequential
    known: Array
    clean: Array
    spoilt: Array

    def denoise(self, spoilt: Array) -> Array:
        """Return the likeliest symbol of each step."""
        return self.network.predict(_one_hot(spoilt), batch_size=len(spoilt)).argmax(axis=-1)


def _train(seed: int, progress: Progress, code: int = CODE) -> _Trained:
    """Learn from bars that are spoilt anew in every epoch."""
    rng = np.random.default_rng(seed)
    learned, set_aside = split(reels(), TEST_SHARE, rng)
    known, clean = np.concatenate(learned), np.concatenate(set_aside)
    spoilt = spoil(clean, NOISE, rng)
    network = Sequential((STEPS, SYMBOLS), autoencoder(code), seed=rng)
    adam = Adam()
    for epoch in range(EPOCHS):
        network.fit(
            _one_hot(spoil(known, NOISE, rng)),
            known,
            optimiser=adam,
            learning_rate=LEARNING_RATE * schedules.cosine(epoch / EPOCHS),
            epochs=1,
            batch_size=BATCH_SIZE,
        )
        progress((epoch + 1) / EPOCHS)
    return _Trained(network, known, clean, spoilt)


def _check(seed: int, progress: Progress) -> Reached:
    """Return how many of the wrong steps are gone, those newly made wrong counted against it."""
    trained = _train(seed, progress)
    clean, spoilt = trained.clean, trained.spoilt
    denoised, nearest = trained.denoise(spoilt), nearest_bars(spoilt, trained.known)
    wrong = spoilt != clean
    heard = set(map(bytes, trained.known))
    new = np.array([bytes(bar) not in heard for bar in clean])
    return Reached(
        _gone(clean, spoilt, denoised),
        {
            "steps right before": float(np.mean(~wrong)),
            "steps right after": float(np.mean(denoised == clean)),
            "steps right in the nearest known bar": float(np.mean(nearest == clean)),
            "wrong steps put right": float(np.mean((denoised == clean)[wrong])),
            "right steps kept": float(np.mean((denoised == clean)[~wrong])),
            "score of bars that are in no known tune": _gone(
                clean[new], spoilt[new], denoised[new]
            ),
        },
    )


def _gone(clean: Array, spoilt: Array, denoised: Array) -> float:
    return 1 - float(np.sum(denoised != clean) / np.sum(spoilt != clean))


def _study_bars(seed: int, progress: Progress) -> Study:
    """Show the bar that gained most by denoising, and the one that lost most."""
    trained = _train(seed, progress)
    clean, spoilt, denoised = trained.clean, trained.spoilt, trained.denoise(trained.spoilt)
    gain = np.sum(spoilt != clean, axis=1) - np.sum(denoised != clean, axis=1)
    charts, rows = [], []
    for what, place in (("mended", gain.argmax()), ("made worse", gain.argmin())):
        probabilities = trained.network.predict(_one_hot(spoilt[place : place + 1]))[0]
        charts += [
            _picture(f"{what}: as played", _one_hot(clean[place])),
            _picture(f"{what}: spoilt", _one_hot(spoilt[place])),
            _picture(f"{what}: probabilities", probabilities),
        ]
        bars = {"as played": clean, "spoilt": spoilt, "denoised": denoised}
        rows += [[f"{what}: {name}", *note_names(bar[place])] for name, bar in bars.items()]
    header = ["eighth", *map(str, range(1, STEPS + 1))]
    return Study("What does a bar look like before and after?", charts, Table(header, rows))


def _picture(title: str, bar: Array) -> Heatmap:
    """Draw ``(STEPS, SYMBOLS)`` without the column of `HELD`."""
    extent = (0.5, STEPS + 0.5, LOWEST - 0.5, LOWEST + SYMBOLS - 1.5)
    return Heatmap(title, "eighth of the bar", "pitch", bar[:, 1:].T, extent)


def _study_noise(seed: int, progress: Progress) -> Study:
    """Spoil the bars less, and more, than those that were learned from."""
    trained = _train(seed, progress)
    rng = np.random.default_rng(seed)
    right: dict[str, list[float]] = {
        "left as they are": [],
        "nearest known bar": [],
        "denoised": [],
    }
    for noise in NOISES:
        spoilt = spoil(trained.clean, noise, rng)
        answers = spoilt, nearest_bars(spoilt, trained.known), trained.denoise(spoilt)
        for shares, answer in zip(right.values(), answers, strict=True):
            shares.append(float(np.mean(answer == trained.clean)))
    chart = Lines(
        f"learned with {NOISE:.0%} of the steps spoilt",
        "share of steps spoilt",
        "share of steps right",
        {name: (NOISES, shares) for name, shares in right.items()},
        y_log=False,
    )
    rows = [[f"{share:.1%}" for share in row] for row in zip(NOISES, *right.values(), strict=True)]
    return Study("How much noise does it bear?", [chart], Table(["spoilt", *right], rows))


def _study_code(seed: int, progress: Progress) -> Study:
    """Narrow the middle, and see what becomes of spoilt bars and of clean ones."""
    right: dict[str, list[float]] = {"left as they are": [], "denoised": [], "clean bars": []}
    for number, code in enumerate(CODES):
        trained = _train(seed, part(progress, number, len(CODES)), code)
        answers = trained.spoilt, trained.denoise(trained.spoilt), trained.denoise(trained.clean)
        for shares, answer in zip(right.values(), answers, strict=True):
            shares.append(float(np.mean(answer == trained.clean)))
    chart = Lines(
        "",
        "numbers in the code",
        "share of steps right",
        {name: (CODES, shares) for name, shares in right.items()},
        x_log=True,
        y_log=False,
    )
    rows = [
        [str(code), *(f"{share:.1%}" for share in row)]
        for code, *row in zip(CODES, *right.values(), strict=True)
    ]
    return Study("How narrow may the middle be?", [chart], Table(["code", *right], rows))


TASK = Task(
    "autoencoder",
    "a bar of a tune denoised",
    [Check("bars", "share of the wrong steps gone", 0.2, _check)],
    {"before and after": _study_bars, "noise": _study_noise, "bottleneck": _study_code},
)
