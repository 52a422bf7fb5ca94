"""A folder of music in, a model file out."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np

from musicgen import __version__, encodings
from musicgen.encodings import Encoding
from musicgen.errors import EncodingError, ModelError
from musicgen.music import Audio, Tune
from musicgen.networks import CELLS, Architecture, Model, Network
from musicgen.optim import OPTIMISERS, SCHEDULES
from musicgen.sampling import generate
from musicgen.training import (
    COST_UNITS,
    Inventory,
    Progress,
    Trainer,
    calibrate_decoding,
    encode_corpus,
    entry,
    evaluate,
    read_corpus,
)
from musicgen.workflows.checkpoints import Checkpoints, check_same
from musicgen.workflows.models import MODELS, SUFFIX, find_model
from musicgen.workflows.wording import with_article

__all__ = ["CorpusRead", "Preview", "Training", "cost_unit", "train_on"]

# What a run without an end gets: epochs, but no fewer batches than a small corpus needs.
EPOCHS, BATCHES = 30, 1500
BATCH_SIZE = 32
HIDDEN_SIZE, NUM_LAYERS, CELL = 256, 2, "lstm"
KEEP_SECONDS = 60  # what a power cut may cost
# Spectra that are predicted from perfect ones alone end in a hum (docs/audio.md).
INPUT_NOISE = 0.3
PREVIEW_LENGTH = 600


@dataclass(frozen=True, slots=True)
class CorpusRead:
    """The corpus is read, split and encoded; training starts.

    Attributes
    ----------
    inventory
        What the corpus held, and what was left out.
    training, validation
        Number of sequences of each part.
    steps
        Number of training symbols or frames.
    encoding
        What they are.
    weights
        Size of the network.
    path
        The model file to be written.
    resumed
        Batches of the run that goes on; 0 for a new one, although another was to be resumed; None
        for a new one.
    replaces
        Whether a model of that name is going to be replaced.
    """

    inventory: Inventory
    training: int
    validation: int
    steps: int
    encoding: Encoding
    weights: int
    path: Path
    resumed: int | None
    replaces: bool


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
    path, last_path, history, picture
        The model with the best validation cost, the last one with all that a run needs to go on,
        its record, and its learning curve.
    validation, unit
        The best cost, and what it is counted in.
    first
        The first validation cost.
    read
        What it learned from.
    last
        Where the training ended.
    interrupted
        Whether `stop` ended it.
    """

    path: Path
    last_path: Path
    history: Path
    picture: Path
    validation: float
    unit: str
    first: float
    read: CorpusRead
    last: Progress
    interrupted: bool


Event = CorpusRead | Progress | Preview


def train_on(
    corpus: str | Path,
    out: str | Path | None = None,
    *,
    format: str | None = None,
    encoding: str | None = None,
    encoding_options: Mapping[str, Any] | None = None,
    transpose: range | None = None,
    hidden_size: int | None = None,
    num_layers: int | None = None,
    cell: str | None = None,
    optimizer: str = "adam",
    learning_rate: float | None = None,
    schedule: str = "cosine",
    warmup: float = 0.0,
    batch_size: int | None = None,
    seq_length: int = 64,
    dropout: float = 0.2,
    weight_dropout: float = 0.0,
    input_noise: float | None = None,
    decay: float = 0.0,
    grad_clip: float = 1.0,
    epochs: int | None = None,
    minutes: float | None = None,
    val_fraction: float = 0.1,
    patience: int = 10,
    seed: int = 0,
    resume: bool = False,
    init_from: str | Path | None = None,
    jobs: int | None = None,
    cache: bool = True,
    report: Callable[[Event], object] = lambda event: None,
    reading: Callable[[int, int], object] | None = None,
    encoded: Callable[[int, int], object] | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Training:
    """Learn from every file of a folder, and write the best model.

    The model file is written anew at each new best validation cost. Beside it lie the last model
    (``NAME.last.safetensors``) with all that the run needs to go on, the history
    (``NAME.history.jsonl``) and the learning curve (``NAME.png``). The same corpus, settings and
    seed give the same bytes, however often the run was broken off and resumed, unless `minutes` is
    set.

    Parameters
    ----------
    corpus
        A folder, or a file of tunes.
    out
        The model file; ``models/NAME.safetensors`` after the corpus's name by default.
    format
        Name of the corpus's format, instead of the one found.
    encoding, encoding_options
        A name of `musicgen.encodings.NAMES`, by default what suits the corpus's format, and
        settings of its ``fit``.
    transpose
        Semitones by which the training pieces are transposed, each shift a copy; none by default.
    hidden_size, num_layers, cell
        The network: see `musicgen.networks.Architecture`.
    optimizer, learning_rate, schedule, warmup, batch_size, seq_length, dropout, weight_dropout, \
input_noise, decay, grad_clip, epochs, minutes, patience
        The training: see `musicgen.training.Trainer`. Sound gets an input noise of 0.3 by default.
        When no end is given: 30 epochs, and more where 30 are less than about 1,500 batches. A
        batch has 32 rows where the corpus has them.
    val_fraction
        Share of the pieces set aside for validation, before anything else.
    seed
        Of everything random.
    resume
        Go on where a run with the same settings was broken off; it starts from the beginning where
        nothing was kept yet. Only epochs, minutes and patience may differ.
    init_from
        A model whose weights, network and encoding the training starts from.
    jobs
        Processes that read the corpus.
    cache
        Whether the encoded corpus is kept for the next run.
    report
        Called with each event.
    reading, encoded
        Called with the number of files read and to read, and of pieces encoded and to encode.
    stop
        Asked after each batch; when true, the training ends there.

    Returns
    -------
    Training
        The files, and the best validation cost.

    Raises
    ------
    CorpusError
        When there is nothing that can be learned from.
    EncodingError
        When the encoding does not fit the corpus.
    ModelError
        For an impossible network, a cost that is no longer a number, or a resumption with other
        settings.
    OSError
        When the model cannot be written.
    """
    source = Path(corpus)
    name = Path(os.path.abspath(source)).stem  # noqa: PTH100 - a link keeps its own name
    _check("cell", cell or CELL, CELLS)
    _check("optimizer", optimizer, OPTIMISERS)
    _check("schedule", schedule, SCHEDULES)
    positive = {"learning_rate": learning_rate, "grad_clip": grad_clip, "minutes": minutes}
    for setting, value in positive.items():
        if value is not None and not value > 0:
            raise ModelError(f"{setting} is {value}; expected more than 0")
    files = Checkpoints(Path(out) if out else MODELS / f"{name}{SUFFIX}")
    kept = Model.load(files.last) if resume and files.last.is_file() else None
    given = Model.load(find_model(init_from)) if init_from else None
    origin = Path(init_from).stem if init_from else None
    options = dict(encoding_options or {})
    if kept and kept.facts["init_from"]:
        if origin not in (None, kept.facts["init_from"]):
            raise ModelError(f"{files.last} was begun from {kept.facts['init_from']}, not {origin}")
        given, origin = kept, kept.facts["init_from"]
    elif kept and init_from:
        raise ModelError("a resumed run has its weights: give --resume or --init-from, not both")
    if given and (encoding or options or hidden_size or num_layers or cell):
        raise ModelError(
            f"{origin} brings its encoding, {given.encoding.name}, and its network: leave the "
            "settings of both out, or --init-from"
        )
    found = read_corpus(source, format, _kind(encoding, given), jobs=jobs, progress=reading)
    wanted = encodings.get(encoding) if encoding else encodings.default(found.kind)
    for option in options.keys() - signature(wanted.fit).parameters.keys():
        raise EncodingError(f"{option} is no setting of the encoding {wanted.name}: leave it out")
    order, initial, drops = np.random.default_rng(seed).spawn(3)
    data = encode_corpus(
        found, given.encoding if given else wanted, order, options=options,
        val_fraction=val_fraction, transpose=transpose or (0,), jobs=jobs, cache=cache,
        progress=encoded,
    )  # fmt: skip
    batch_size = min(BATCH_SIZE, len(data.training)) if batch_size is None else batch_size
    data.check_batch(batch_size)
    if epochs is None and minutes is None:
        batches = int(np.sum(-(-data.training.lengths // seq_length)))
        epochs = max(EPOCHS, BATCHES * batch_size // batches)
    if input_noise is None:
        input_noise = INPUT_NOISE if found.kind is Audio else 0.0
    settings: dict[str, Any] = {
        "optimizer": optimizer, "learning_rate": learning_rate, "schedule": schedule,
        "warmup": warmup, "batch_size": batch_size, "seq_length": seq_length,
        "dropout": dropout, "weight_dropout": weight_dropout, "input_noise": input_noise,
        "decay": decay, "grad_clip": grad_clip, "epochs": epochs, "minutes": minutes,
        "patience": patience,
    }  # fmt: skip
    facts: dict[str, Any] = {
        "musicgen": __version__,
        "corpus": {
            "name": name,
            "pieces": data.inventory.pieces,
            "sha256": data.inventory.fingerprint,
            "val_fraction": val_fraction,
            "transpose": [transpose.start, transpose.stop] if transpose else None,
        },
        "encoding_options": options,
        "init_from": origin,
        "settings": settings,
        "seed": seed,
        "unit": cost_unit(data.encoding),
    }
    shape = Architecture(
        data.encoding.size, data.encoding.head, hidden_size or HIDDEN_SIZE,
        num_layers or NUM_LAYERS, cell or CELL,
    )  # fmt: skip
    network = given.network if given else Network.initialise(shape, initial)
    learned = np.union1d(given.learned, data.learned) if given else data.learned
    model = Model(network, data.encoding, facts, learned=learned)
    trainer = Trainer(network, data.training, data.validation, drops, **settings)
    history: list[dict[str, Any]] = []
    if kept:
        check_same(kept, model, files.last)
        network.load_weights(kept.network.weights())
        trainer.restore(kept.training)
        history = kept.facts["history"]
    read = CorpusRead(
        data.inventory, len(data.training), len(data.validation),
        int(data.training.lengths.sum()), data.encoding, network.size, files.best,
        trainer.progress.batches if resume else None, not kept and files.best.is_file(),
    )  # fmt: skip
    report(read)
    kept_at = time.monotonic()
    for progress in trainer.run(stop):
        if progress.validation is not None:
            history.append(entry(progress))
            if progress.best:
                files.keep_best(model, history, progress.validation)
        if progress.validation is not None or time.monotonic() - kept_at > KEEP_SECONDS:
            files.keep_last(model, history, trainer)
            kept_at = time.monotonic()
        # Previews come rarer and rarer.
        if progress.validation and found.kind is Tune and len(history).bit_count() == 1:
            report(Preview(_preview(model, seed)))
        report(progress)
    if not history or not files.best.is_file():
        files.keep_best(model, history, evaluate(network, data.validation))
    files.keep_last(model, history, trainer)
    best = Model.load(files.best)
    best.facts["decoding"] = calibrate_decoding(best.network, best.encoding, data.validation)
    best.save(files.best)
    from musicgen import plots  # matplotlib takes half a second to load

    plots.learning_curve(history, files.picture, title=files.best.stem, unit=facts["unit"])
    cost = best.facts["validation"]
    return Training(
        files.best, files.last, files.history, files.picture, cost, facts["unit"],
        history[0]["validation"] if history else cost, read, trainer.progress, interrupted=stop(),
    )  # fmt: skip


def cost_unit(encoding: Encoding) -> str:
    """Return what a cost is counted in: ``"bits a token"``."""
    return f"{COST_UNITS[encoding.head]} {with_article(encoding.unit)}"


def _check(setting: str, value: str, known: Mapping[str, Any]) -> None:
    if value not in known:
        raise ModelError(f"no {setting} is called {value!r}; there are: {', '.join(known)}")


def _kind(encoding: str | None, given: Model | None) -> type[Any] | None:
    if given:
        return given.encoding.kind
    return encodings.get(encoding).kind if encoding else None


def _preview(model: Model, seed: int) -> str:
    (drawn,) = generate(
        model.network.stepper(), [np.random.default_rng(seed)], length=PREVIEW_LENGTH,
        never=model.encoding.never, temperature=0.7,
    )  # fmt: skip
    text: str = model.encoding.decode(drawn.symbols).text
    return text
