"""How good a model is, and whether it just copies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from musicgen.errors import CorpusError
from musicgen.evaluation import (
    Copying,
    Likelihood,
    NoveltyIndex,
    SetStatistics,
    Validity,
    describe_set,
    likelihood,
    mean_validity,
    measure_copying,
)
from musicgen.formats import Format, get
from musicgen.music import Audio, Music, Piece, Tune
from musicgen.networks import Model
from musicgen.training import Corpus, read_corpus
from musicgen.training.spool import unpack
from musicgen.workflows.corpus_pieces import encode, notes_of, part, play, prepare
from musicgen.workflows.evaluation_pieces import (
    Report,
    check,
    counted,
    draw_samples,
    read_samples,
)
from musicgen.workflows.models import find_model
from musicgen.workflows.sample import own_format

__all__ = ["HELD_OUT", "SAMPLES", "TRAINING", "Evaluation", "Example", "evaluate_model"]

EXAMPLES = 3

TRAINING, HELD_OUT, SAMPLES = "training", "held-out", "samples"
WAYS = {"melody": False, "melody and rhythm": True}


class Example(NamedTuple):
    """A piece to look at and to listen to.

    Attributes
    ----------
    label
        Which it is.
    piece
        A `Tune` or `Music`.
    format
        The name of the format in which it is written.
    """

    label: str
    piece: Piece
    format: str


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What was found of a model.

    Attributes
    ----------
    model, corpus
        The file, and the folder.
    encoding, unit
        Name of the model's encoding, and of a step of it.
    of_training
        Whether it is the corpus that the model learned from: then the held-out pieces are those of
        its validation, and otherwise all.
    seed
        Of the samples.
    pieces
        How many there are of each set: ``"training"``, ``"held-out"``, ``"samples"``.
    notes
        What was not judged, or must be known to read the figures: plain sentences.
    likelihood
        What held-out pieces cost, and as many training pieces.
    statistics
        Of the held-out pieces, about as many training pieces, and the samples.
    validity
        Of samples, all that were drawn, and of as many held-out pieces.
    copying
        ``"melody"``, and ``"melody and rhythm"``: of samples, and of as many held-out pieces,
        against the training pieces; where these are not known, of samples against the corpus.
    sources
        The file of each piece that was compared against.
    names
        What each sample of `statistics` and `copying` is called.
    examples
        The first samples, and a held-out piece.
    """

    model: Path
    corpus: Path
    encoding: str
    unit: str
    of_training: bool
    seed: int
    pieces: dict[str, int]
    notes: list[str]
    likelihood: dict[str, Likelihood]
    statistics: dict[str, SetStatistics] = field(default_factory=dict)
    validity: dict[str, Validity] = field(default_factory=dict)
    copying: dict[str, dict[str, Copying]] = field(default_factory=dict)
    sources: list[Path] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    examples: list[Example] = field(default_factory=list)


def evaluate_model(
    model: str | Path | None,
    corpus: str | Path,
    *,
    format: str | None = None,
    samples: str | Path | None = None,
    count: int = 100,
    seed: int = 1,
    jobs: int | None = None,
    report: Report = lambda stage, done, total: None,
) -> Evaluation:
    """Judge a model by pieces that it has not learned, and by what it writes.

    Where the corpus is the one that the model learned from, its pieces are parted as in training.
    Pieces of notes are judged as the model's encoding keeps them, tunes as they are written,
    repeats not played. Nothing is written, nothing kept.

    Parameters
    ----------
    model
        As for `musicgen.workflows.find_model`.
    corpus
        A folder, or a file.
    format
        Name of the corpus's format, instead of the one found.
    samples
        A folder of pieces that the model has written before; by default new ones are drawn.
    count
        Number of samples to draw, with the model's defaults; none is drawn again. Sound is not
        sampled.
    seed
        Of the samples, and of the choice of pieces where not all are looked at.
    jobs
        Processes that read and prepare the corpus.
    report
        Called with the name of what goes on, and with what of it is done and to do.

    Raises
    ------
    ModelError
        When there is no such model, or its training has not ended yet.
    CorpusError
        When the corpus holds nothing that the model can be judged by.
    OSError
        When a folder cannot be read.
    ValueError
        When `count` is not above 0.
    """
    if count < 1:
        raise ValueError(f"count is {count}; expected 1 or more")
    path, source = find_model(model), Path(corpus)
    loaded = Model.load(path)
    encoding = loaded.encoding
    reading = partial(report, "reading")
    found = read_corpus(source, format, encoding.kind, jobs=jobs, progress=reading)
    training, aside = part(found, loaded)
    rng = np.random.default_rng(seed)
    # As many of each: the fewer pieces there are, the less two sets of them agree.
    beside = _some(training, max(len(aside), count), rng)
    costs: dict[str, Likelihood] = {}
    held_out: list[int] = []
    for name, numbers in ((HELD_OUT, aside), (TRAINING, beside[: len(aside)])):
        arrays = prepare(encode, found, numbers, encoding, jobs, partial(report, f"{name} read"))
        if name == HELD_OUT:
            held_out = list(arrays)
        if arrays:
            shown = partial(report, f"{name} likelihood")
            costs[name] = likelihood(loaded, list(arrays.values()), shown)
    if not held_out:
        raise CorpusError(f"no piece of {source} that is held out fits the model's encoding")
    evaluation = Evaluation(
        path, source, encoding.name, encoding.unit, bool(training), seed,
        {TRAINING: len(training), HELD_OUT: len(held_out)}, _notes(loaded, found, held_out), costs,
    )  # fmt: skip
    if encoding.kind is Audio:
        return evaluation
    form = get(own_format(encoding))
    if samples is None:
        written, checks = draw_samples(loaded, path.stem, count, seed, form, report)
    else:
        written, checks = read_samples(Path(samples), encoding, form, jobs, report)
    numbers = [*training, *held_out]
    played = prepare(play, found, numbers, encoding, jobs, partial(report, "notes"))
    fit = [number for number in held_out if number in played]
    yardstick = _some(fit, len(written) or count, rng)
    parts = _Parts(training, beside, held_out, yardstick, played)
    return _with_notes(evaluation, found, parts, written, checks, form, report)


class _Parts(NamedTuple):
    """Numbers of pieces of the corpus.

    Attributes
    ----------
    training
        What the model learned from.
    beside
        Some of these, about as many as there are of the others.
    held_out
        The others.
    yardstick
        Some of these, as many as samples.
    played
        By number, the notes of all of them, packed.
    """

    training: list[int]
    beside: list[int]
    held_out: list[int]
    yardstick: list[int]
    played: dict[int, bytes]

    def music(self, numbers: Iterable[int]) -> Iterator[Music]:
        """Give the notes of pieces, one at a time."""
        return (unpack(self.played[number]) for number in numbers if number in self.played)


def _with_notes(
    evaluation: Evaluation,
    corpus: Corpus,
    parts: _Parts,
    written: dict[str, Piece],
    checks: list[Validity],
    form: Format,
    report: Report,
) -> Evaluation:
    """Add what the notes tell: statistics, validity, copying, examples."""
    samples = [notes_of(piece) for piece in written.values()]

    def original(number: int) -> Piece:
        tunes = corpus.kind is Tune
        piece: Piece = corpus.pieces[number] if tunes else unpack(parts.played[number])
        return piece

    def music(numbers: Sequence[int], stage: str) -> Iterator[Music]:
        return counted(parts.music(numbers), stage, report, len(numbers))

    held_out = [
        check(original(number), form)
        for number in counted(parts.yardstick, "held-out validity", report)
    ]
    sets = {TRAINING: parts.beside} if parts.training else {}
    statistics = {
        name: describe_set(music(numbers, f"{name} statistics"))
        for name, numbers in (sets | {HELD_OUT: parts.held_out}).items()
    }
    statistics[SAMPLES] = describe_set(counted(samples, "samples statistics", report))
    reference = [number for number in parts.training or parts.held_out if number in parts.played]
    copying: dict[str, dict[str, Copying]] = {}
    for way, rhythm in WAYS.items():
        index = NoveltyIndex(music(reference, f"index of {way}"), rhythm=rhythm)
        stage = f"copies of {way}"
        copying[way] = {SAMPLES: measure_copying(index, counted(samples, stage, report))}
        if parts.training:
            copying[way][HELD_OUT] = measure_copying(index, music(parts.yardstick, stage))
    files = corpus.contents.sources
    examples = [Example(name, piece, form.name) for name, piece in list(written.items())[:EXAMPLES]]
    examples += [
        Example(f"held-out, of {files[number].name}", original(number), form.name)
        for number in parts.yardstick[:1]
    ]
    return replace(
        evaluation, pieces=evaluation.pieces | {SAMPLES: len(written)}, statistics=statistics,
        validity={HELD_OUT: mean_validity(held_out), SAMPLES: mean_validity(checks)},
        copying=copying, sources=[files[number] for number in reference], names=list(written),
        examples=examples,
    )  # fmt: skip


def _some(numbers: Sequence[int], count: int, rng: np.random.Generator) -> list[int]:
    return [numbers[at] for at in rng.permutation(len(numbers))[:count]]


def _notes(model: Model, corpus: Corpus, held_out: Sequence[int]) -> list[str]:
    """Say what must be known to read the figures."""
    facts, encoding = model.facts, model.encoding
    pieces, all_pieces = len(held_out), len(corpus.pieces)
    if corpus.fingerprint == facts["corpus"]["sha256"]:
        notes = [
            f"This is the corpus that the model learned from. The held-out pieces are the {pieces} "
            "that training set aside: it never learned from them, and only kept the weights that "
            "predict them best."
        ]
        if facts.get("init_from"):
            notes.append(
                f"Its training began from {facts['init_from']}, which may have known them."
            )
    else:
        notes = [
            f"This is not the corpus that the model learned from ({facts['corpus']['name']}). All "
            f"of its pieces count as held out, {pieces} of {all_pieces} fit the encoding; samples "
            "are compared with these, since what the model learned from is not at hand."
        ]
    if encoding.head == "gaussian":
        notes.append("The model predicts values without probabilities: the cost is their squared "
                     "error.")  # fmt: skip
    if encoding.kind is Audio:
        notes.append("Of sound nothing else is judged: it has no notes to compare.")
    elif encoding.name in ("piano-roll", "chords", "score-grid"):
        notes.append(
            "A frame is a step of the model's own grid, with metre, tempo and onsets, and a "
            "piece's end is one more: not the frames of the published tables."
        )
    elif encoding.head != "gaussian":
        notes.append(f"Nats a frame are not defined for {encoding.name}: there are no frames.")
    return notes
