"""The likelihood of a frame on four collections of piano rolls, beside the published figures.

    python benchmarks/polyphonic.py jsb --model chords
    python benchmarks/polyphonic.py nottingham --model bernoulli --seed 2 --data FOLDER

Trains a network on the standard training pieces, keeps the weights that are best on the validation
pieces, and prints one line of the table: nats a frame on the test pieces, from their second frames
on (the convention of Bai et al.) and with their first frames, and the seconds that training took.
The test pieces are looked at once, at the end.

bernoulli
    An LSTM, and yes or no for each of 88 keys, independent of each other given the past.
chords
    An LSTM, and the notes of a frame one after the other from below: an exact joint likelihood.
marginal
    The frequency of each key in the training pieces.

--transpose moves training pieces by up to six semitones, another number each time they are seen:
all of them at first, none at the end, since the pieces to be judged are all in C.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from musicgen.datasets import load_polyphonic
from musicgen.datasets.polyphonic import KEYS, POLYPHONIC
from musicgen.evaluation import MarginalBernoulli, NetworkFrames, frame_likelihood
from musicgen.evaluation.frame_likelihood import frames_of
from musicgen.networks import Architecture, ChordNetwork, Network, SequenceNetwork
from musicgen.training import Trainer

Frames = npt.NDArray[np.uint8]

# Nats a frame: Bai et al. 2018 (LSTM and TCN of JSB and Nottingham), Chung et al. 2014 (LSTM of the
# others), Boulanger-Lewandowski et al. 2012 (RNN-NADE).
PUBLISHED = {
    ("jsb", "bernoulli"): "LSTM 8.45, TCN 8.10",
    ("nottingham", "bernoulli"): "LSTM 3.29, TCN 3.07",
    ("piano-midi", "bernoulli"): "LSTM 9.03",
    ("musedata", "bernoulli"): "LSTM 6.23",
    ("jsb", "chords"): "RNN-NADE 5.56",
    ("nottingham", "chords"): "RNN-NADE 2.31",
    ("piano-midi", "chords"): "RNN-NADE 7.05",
    ("musedata", "chords"): "RNN-NADE 5.60",
}
SEMITONES = 6


class Settings(NamedTuple):
    """How a network is trained; H units in each of L layers, W between the notes of a frame."""

    H: int
    L: int = 1
    W: int = 0
    dropout: float = 0.4
    weight_dropout: float = 0.0
    decay: float = 0.0
    learning_rate: float = 4e-3
    epochs: int = 60
    T: int = 24
    B: int = 16


# LSTMs of about as many weights as those of Bai et al.: 0.3 million, and a million for Nottingham.
SETTINGS = {
    ("jsb", "bernoulli"): Settings(
        H=224, dropout=0.5, weight_dropout=0.3, decay=0.02, learning_rate=6e-3, epochs=200, T=48
    ),
    ("jsb", "chords"): Settings(H=256, W=256, weight_dropout=0.3, decay=0.02, epochs=100, T=48),
    ("nottingham", "bernoulli"): Settings(
        H=448, dropout=0.2, weight_dropout=0.3, decay=0.01, learning_rate=5e-3, epochs=18, T=32
    ),
    ("nottingham", "chords"): Settings(H=256, W=256, dropout=0.2, epochs=12, T=64),
    ("piano-midi", "bernoulli"): Settings(
        H=224, dropout=0.5, weight_dropout=0.3, decay=0.02, epochs=40, T=48
    ),
    ("piano-midi", "chords"): Settings(
        H=256, W=256, dropout=0.5, weight_dropout=0.3, decay=0.02, epochs=24, T=48
    ),
    ("musedata", "bernoulli"): Settings(
        H=224, dropout=0.3, weight_dropout=0.3, decay=0.02, epochs=24, T=48
    ),
    ("musedata", "chords"): Settings(
        H=256, W=256, dropout=0.4, weight_dropout=0.3, decay=0.02, epochs=12, T=48
    ),
}


class Transposed(Sequence[Frames]):
    """Pieces of which a share, chosen anew each time, is transposed by up to `SEMITONES`."""

    def __init__(self, pieces: Sequence[Frames], rng: np.random.Generator) -> None:
        self._pieces, self._rng = pieces, rng
        self.share = 1.0

    def __len__(self) -> int:
        return len(self._pieces)

    def __getitem__(self, index: int) -> Frames:
        piece = self._pieces[index]
        if self._rng.random() >= self.share:
            return piece
        sounding = np.flatnonzero(piece[:, 1:].any(axis=0))
        down, up = min(sounding, default=0), KEYS - 1 - max(sounding, default=0)
        semitones = self._rng.integers(-min(SEMITONES, down), min(SEMITONES, up) + 1)
        moved = piece.copy()
        moved[:, 1:] = np.roll(piece[:, 1:], semitones, axis=1)
        return moved


def train(
    network: SequenceNetwork,
    training: Sequence[Frames],
    validation: Sequence[Frames],
    settings: Settings,
    rng: np.random.Generator,
) -> Iterator[tuple[int, float]]:
    """Train; give the epoch and the validation cost at each new best, whose weights stay."""
    trainer = Trainer(
        network,
        training,
        validation,
        rng,
        learning_rate=settings.learning_rate,
        batch_size=settings.B,
        seq_length=settings.T,
        dropout=settings.dropout,
        weight_dropout=settings.weight_dropout,
        decay=settings.decay,
        epochs=settings.epochs,
        patience=settings.epochs,
    )
    best = network.weights()
    for progress in trainer.run():
        if isinstance(training, Transposed):
            training.share = 1 - progress.done
        if progress.best:
            best = network.weights()
            yield progress.epoch, progress.validation * math.log(2)
    network.load_weights(best)


def main() -> None:
    """Train one network, and print its line of the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("collection", choices=POLYPHONIC)
    parser.add_argument("--model", choices=("marginal", "bernoulli", "chords"), default="chords")
    parser.add_argument("--transpose", action="store_true", help="augment the training pieces")
    parser.add_argument("--epochs", type=int, help="other than in SETTINGS")
    parser.add_argument("--weight-dropout", type=float, help="other than in SETTINGS")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data", type=Path, help="file or folder; downloaded by default")
    options = parser.parse_args()
    collection, model = options.collection, options.model
    training, validation, test = load_polyphonic(collection, options.data)
    if model == "marginal":
        found = frame_likelihood(MarginalBernoulli.fit(training), test)
        print(f"| {collection} | marginal | {found.nats:.2f} | {found.nats_with_first:.2f} |")
        return
    settings = SETTINGS[collection, model]
    settings = settings._replace(epochs=options.epochs or settings.epochs)
    if options.weight_dropout is not None:
        settings = settings._replace(weight_dropout=options.weight_dropout)
    rng = np.random.default_rng(options.seed)
    architecture = Architecture(1 + KEYS, "bernoulli", settings.H, settings.L)
    network: SequenceNetwork = (
        ChordNetwork.initialise(architecture, rng, settings.W)
        if model == "chords"
        else Network.initialise(architecture, rng)
    )
    pieces: Sequence[Frames] = frames_of(training)
    if options.transpose:
        pieces = Transposed(pieces, np.random.default_rng(options.seed))
    start = time.perf_counter()
    for epoch, nats in train(network, pieces, frames_of(validation), settings, rng):
        seconds = time.perf_counter() - start
        print(f"{seconds:6.0f} s, epoch {epoch}: validation with first {nats:.3f}", flush=True)
    seconds = time.perf_counter() - start
    judged = NetworkFrames(network)
    found, held_out = (frame_likelihood(judged, rolls) for rolls in (test, validation))
    row = (
        collection,
        f"{model}{' transposed' if options.transpose else ''}",
        f"{network.size:,}",
        f"seed {options.seed}",
        f"{held_out.nats:.3f}",
        f"**{found.nats:.3f}**",
        f"{found.nats_with_first:.3f}",
        f"{seconds:.0f}",
        PUBLISHED[collection, model],
    )
    print(
        "| collection | model | weights | | validation | test | with first | seconds | published |"
    )
    print(f"| {' | '.join(row)} |")


if __name__ == "__main__":
    main()
