"""How good a model is, and whether it just copies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from musicgen.errors import CorpusError, ModelError
from musicgen.evaluation import (
    Likelihood,
    likelihood,
)
from musicgen.formats import get
from musicgen.music import Audio, Tune
from musicgen.networks import Model
from musicgen.training import read_corpus
from musicgen.workflows.corpus_pieces import encode, part, play, prepare
from musicgen.workflows.evaluation_notes import (
    describe_left_out,
    describe_near_copies,
    describe_pieces,
    describe_units,
    describe_unread,
)
from musicgen.workflows.evaluation_pieces import (
    Report,
    draw_samples,
    read_samples,
)
from musicgen.workflows.evaluation_result import (
    HELD_OUT,
    TRAINING,
    Evaluation,
)
from musicgen.workflows.evaluation_sets import Parts, compare_notes, find_near_copies
from musicgen.workflows.models import find_model
from musicgen.workflows.sample import own_format

__all__ = ["evaluate_model"]

Array = npt.NDArray[Any]

MOST_COMPARED = 500  # held-out pieces beside the samples: more change the figures little


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

    Held out are the pieces of the corpus that the model has not learned from, which its file tells
    by their marks: of the corpus of its training those set aside, of another corpus all. Pieces of
    notes are judged as the model's encoding keeps them, tunes as they are written, and for
    copies with repeats played. Nothing is written, nothing kept.

    Parameters
    ----------
    model
        As for `musicgen.workflows.find_model`.
    corpus
        A folder, or a file.
    format
        Name of the corpus's format, instead of the one found.
    samples
        A folder of pieces that the model has written before; by default new ones are drawn. Not
        for sound.
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
        When there is no such model, its training has not ended yet, or samples of sound were to be
        judged.
    CorpusError
        When the corpus holds nothing that the model can be judged by, or nothing that it has not
        learned from.
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
    if samples is not None and encoding.kind is Audio:
        raise ModelError(
            f"{path} is a model of sound: samples of it cannot be judged, only its likelihood; "
            "leave --samples out"
        )
    reading = partial(report, "reading")
    found = read_corpus(source, format, encoding.kind, jobs=jobs, progress=reading)
    training, aside = part(found, loaded)
    if not aside:
        raise CorpusError(
            f"the model learned from all pieces of {source} ({len(training)}): expected some that "
            "it has not learned from; add music, or name another corpus"
        )
    rng = np.random.default_rng(seed)
    # As many of each: the fewer pieces there are, the less two sets of them agree.
    beside = _some(training, max(len(aside), count), rng)
    costs: dict[str, Likelihood] = {}
    arrays: dict[str, dict[int, Array]] = {}
    for name, numbers in ((HELD_OUT, aside), (TRAINING, beside[: len(aside)])):
        read = partial(report, f"{name} read")
        arrays[name] = prepare(encode, found, numbers, encoding, jobs, read)
        if arrays[name]:
            shown = partial(report, f"{name} likelihood")
            costs[name] = likelihood(loaded, list(arrays[name].values()), shown)
    held_out = list(arrays[HELD_OUT])
    if not held_out:
        raise CorpusError(f"no piece of {source} that is held out fits the model's encoding")
    notes = [
        *describe_pieces(loaded, found, len(training), len(held_out)),
        *describe_left_out(found), *describe_units(loaded),
    ]  # fmt: skip
    evaluation = Evaluation(
        path, source, encoding.name, encoding.unit, bool(training), seed,
        {TRAINING: len(training), HELD_OUT: len(held_out)}, list(found.left_out), found.duplicates,
        notes, costs,
    )  # fmt: skip
    if encoding.kind is Audio:
        return evaluation
    form = get(own_format(encoding))
    if samples is None:
        written, checks = draw_samples(loaded, path.stem, count, seed, form, report)
        evaluation = replace(evaluation, drawn=count)
    else:
        evaluation = replace(evaluation, samples_folder=Path(samples))
        unread, written, checks = read_samples(Path(samples), encoding, form, jobs, report)
        evaluation.left_out.extend(unread)
        notes += describe_unread(unread)
    sounding, numbers = partial(play, repeats=True), [*training, *held_out]
    played = prepare(sounding, found, numbers, encoding, jobs, partial(report, "notes"))
    once, numbers = played, [*beside, *held_out]
    if encoding.kind is Tune:
        once = prepare(play, found, numbers, encoding, jobs, partial(report, "notes, repeats once"))
    fit = [number for number in held_out if number in played]
    yardstick = _some(fit, MOST_COMPARED, rng)
    if len(yardstick) < len(fit):
        notes.append(f"Validity and copying look at {len(yardstick)} of the held-out pieces.")
    parts = Parts(training, beside, held_out, yardstick, once, played)
    evaluation = compare_notes(evaluation, found, parts, written, checks, form, report)
    if not training:
        return evaluation
    copying = evaluation.copying["melody"][HELD_OUT]
    near = find_near_copies(loaded, copying, parts, arrays[HELD_OUT])
    notes.append(describe_near_copies(near, encoding.unit))
    return replace(evaluation, near_copies=near)


def _some(numbers: Sequence[int], count: int, rng: np.random.Generator) -> list[int]:
    return [numbers[at] for at in rng.permutation(len(numbers))[:count]]
