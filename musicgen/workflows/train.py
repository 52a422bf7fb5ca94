"""A folder of music in, a model file out."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from musicgen import __version__
from musicgen.encodings import ENCODINGS
from musicgen.errors import CorpusError, ModelError
from musicgen.files import check_writable
from musicgen.networks import CELLS, Architecture, Model, Network
from musicgen.optim import OPTIMISERS
from musicgen.sampling import generate
from musicgen.training import (
    Corpus,
    Progress,
    entry,
    read_corpus,
    split,
    train,
    write_history,
)

__all__ = ["CorpusRead", "Preview", "Training", "train_on"]

MODELS = Path("models")
# What a run without an end gets: epochs, but no fewer batches than a small corpus needs.
EPOCHS, BATCHES = 30, 1500
PREVIEW_LENGTH = 600


@dataclass(frozen=True, slots=True)
class CorpusRead:
    """The corpus is read and split; training starts.

    Attributes
    ----------
    corpus
        The pieces, and what was left out.
    training, validation
        Number of pieces of each part.
    symbols
        Number of training symbols.
    vocabulary
        Size of the encoding.
    weights
        Size of the network.
    path
        The model file to be written.
    """

    corpus: Corpus
    training: int
    validation: int
    symbols: int
    vocabulary: int
    weights: int
    path: Path


@dataclass(frozen=True, slots=True)
class Preview:
    """What the network writes at this moment.

    Attributes
    ----------
    text
        The start of a sample, whether it parses or not.
    """

    text: str


@dataclass(frozen=True, slots=True)
class Training:
    """What a training run left behind.

    Attributes
    ----------
    path, history, picture
        The model with the best validation cost, its record, and its learning curve.
    validation
        That cost, in bits a symbol.
    last
        Where the training ended.
    interrupted
        Whether `stop` ended it.
    """

    path: Path
    history: Path
    picture: Path
    validation: float
    last: Progress
    interrupted: bool


Event = CorpusRead | Progress | Preview


def train_on(
    corpus: str | Path,
    out: str | Path | None = None,
    *,
    format: str | None = None,
    hidden_size: int = 256,
    num_layers: int = 2,
    cell: str = "lstm",
    optimizer: str = "adam",
    learning_rate: float | None = None,
    batch_size: int = 32,
    seq_length: int = 64,
    dropout: float = 0.2,
    grad_clip: float = 1.0,
    epochs: int | None = None,
    minutes: float | None = None,
    val_fraction: float = 0.1,
    patience: int = 10,
    seed: int = 0,
    report: Callable[[Event], object] = lambda event: None,
    stop: Callable[[], bool] = lambda: False,
) -> Training:
    """Learn from every file of a folder, and write the best model.

    The model file is written anew at each new best validation cost; beside it lie the history
    (``NAME.history.jsonl``) and the learning curve (``NAME.png``). The same corpus, settings and
    seed give the same bytes, unless `minutes` is set or `stop` was used.

    Parameters
    ----------
    corpus
        A folder, or a file of tunes.
    out
        The model file; ``models/NAME.safetensors`` after the corpus's name by default.
    format
        Name of the corpus's format, instead of the one found.
    hidden_size, num_layers, cell
        The network: see `musicgen.networks.Architecture`.
    optimizer, learning_rate, batch_size, seq_length, dropout, grad_clip, epochs, minutes, patience
        The training: see `musicgen.training.train`. When no end is given: 30 epochs, and more
        where 30 are less than about 1,500 batches.
    val_fraction
        Share of the pieces set aside for validation, before anything else.
    seed
        Of everything random.
    report
        Called with each event.
    stop
        Asked after each batch; when true, the training ends with a last validation.

    Returns
    -------
    Training
        The files, and the best validation cost.

    Raises
    ------
    CorpusError
        When there is nothing that can be learned from.
    ModelError
        For an impossible network, or a cost that is no longer a number.
    OSError
        When the model cannot be written; found out before the training.
    """
    source = Path(corpus)
    name = Path(os.path.abspath(source)).stem  # noqa: PTH100 - a link keeps its own name
    path = Path(out) if out else MODELS / f"{name}.safetensors"
    if path.suffix != ".safetensors":
        raise ModelError(f"{path} cannot be the model file; expected a name in .safetensors")
    if cell not in CELLS:
        raise ModelError(f"no cell is called {cell!r}; there are: {', '.join(CELLS)}")
    if optimizer not in OPTIMISERS:
        raise ModelError(
            f"no optimiser is called {optimizer!r}; there are: {', '.join(OPTIMISERS)}"
        )
    positive = {"learning_rate": learning_rate, "grad_clip": grad_clip, "minutes": minutes}
    for setting, value in positive.items():
        if value is not None and not value > 0:
            raise ModelError(f"{setting} is {value}; expected more than 0")
    found = read_corpus(source, format)
    encoder = next((e for e in ENCODINGS.values() if e.kind is found.format.kind), None)
    if encoder is None:
        raise CorpusError(
            f"{source} is a corpus of {found.format.name} files; this version learns from abc only"
        )
    check_writable(path.parent)
    order, initial, drops, draws = np.random.default_rng(seed).spawn(4)
    parts = split(found.pieces, val_fraction, order)
    encoding = encoder.fit(parts[0])
    training, validation = ([encoding.encode(piece) for piece in part] for part in parts)
    if epochs is None and minutes is None:
        steps = sum(-(-len(piece) // seq_length) for piece in training)
        epochs = max(EPOCHS, BATCHES * min(batch_size, len(training)) // steps)
    architecture = Architecture(encoding.size, hidden_size, num_layers, cell)
    network = Network.initialise(architecture, initial)
    report(
        CorpusRead(
            found, len(training), len(validation), sum(map(len, training)), encoding.size,
            network.size, path,
        )
    )  # fmt: skip
    settings: dict[str, Any] = {
        "optimizer": optimizer, "learning_rate": learning_rate, "batch_size": batch_size,
        "seq_length": seq_length, "dropout": dropout, "grad_clip": grad_clip, "epochs": epochs,
        "minutes": minutes, "patience": patience,
    }  # fmt: skip
    facts: dict[str, Any] = {
        "musicgen": __version__,
        "corpus": {
            "name": name,
            "pieces": len(found.pieces),
            "sha256": found.fingerprint,
            "val_fraction": val_fraction,
        },
        "settings": settings,
        "seed": seed,
    }
    history: list[dict[str, Any]] = []
    seconds: list[float] = []
    for progress in train(network, training, validation, drops, **settings, stop=stop):
        if progress.validation is not None:
            history.append(entry(progress))
            seconds.append(round(progress.seconds, 2))
            if progress.best:
                facts |= {"validation": progress.validation, "history": history}
                Model(network, encoding, facts).save(path)
            write_history(
                path.with_suffix(".history.jsonl"),
                ({**line, "seconds": at} for line, at in zip(history, seconds, strict=True)),
            )
            # Previews come rarer and rarer, and by count, so that a run can be repeated.
            if len(history).bit_count() == 1:
                report(Preview(_preview(network, encoding, draws)))
        report(progress)
    from musicgen import plots  # matplotlib takes half a second to load

    picture = path.with_suffix(".png")
    plots.learning_curve(history, picture, title=path.stem)
    return Training(
        path, path.with_suffix(".history.jsonl"), picture, facts["validation"], progress,
        interrupted=stop(),
    )  # fmt: skip


def _preview(network: Network, encoding: Any, rng: np.random.Generator) -> str:
    drawn = generate(
        network.stepper(), rng, length=PREVIEW_LENGTH, never=encoding.never, temperature=0.7
    )
    text: str = encoding.decode(drawn.symbols).text
    return text
