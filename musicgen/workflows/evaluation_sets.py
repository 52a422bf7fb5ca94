"""Training pieces, held-out pieces and samples side by side, as their notes tell."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy.typing as npt

from musicgen.evaluation import (
    Copying,
    NoveltyIndex,
    Validity,
    describe_set,
    likelihood,
    mean_validity,
    measure_copying,
)
from musicgen.evaluation.figures import track_melodies
from musicgen.formats import Format
from musicgen.music import Music, Piece, Tune
from musicgen.networks import Model
from musicgen.training import Corpus
from musicgen.training.spool import unpack
from musicgen.workflows.copied_run import copied_example
from musicgen.workflows.corpus_pieces import notes_of, shown_path
from musicgen.workflows.evaluation_pieces import Report, check, counted
from musicgen.workflows.evaluation_result import (
    HELD_OUT,
    SAMPLES,
    TRAINING,
    WAYS,
    Evaluation,
    Example,
    NearCopies,
)

__all__ = ["Parts", "compare_notes", "find_near_copies"]

Array = npt.NDArray[Any]

EXAMPLES = 3


class Parts(NamedTuple):
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
        Of these, those that samples are compared with: all, unless they are very many.
    once
        By number, the notes of all but the other training pieces as they are written, packed.
    played
        The notes of all of them, repeats played.
    """

    training: list[int]
    beside: list[int]
    held_out: list[int]
    yardstick: list[int]
    once: dict[int, bytes]
    played: dict[int, bytes]

    def music(self, numbers: Iterable[int], *, repeats: bool = False) -> Iterator[Music]:
        """Give the notes of pieces, one at a time, as they are written or with repeats played."""
        notes = self.played if repeats else self.once
        return (unpack(notes[number]) for number in numbers if number in notes)


def compare_notes(
    evaluation: Evaluation,
    corpus: Corpus,
    parts: Parts,
    written: dict[str, Piece],
    checks: list[Validity],
    form: Format,
    report: Report,
) -> Evaluation:
    """Add what the notes tell: statistics, validity, copying, examples.

    Parameters
    ----------
    evaluation
        What is known already.
    corpus, parts
        The pieces.
    written, checks
        The samples by name, and a check of each that was drawn.
    form
        The format in which both are written.
    report
        Called with the name of what goes on, and with what of it is done and to do.
    """
    samples = [notes_of(piece) for piece in written.values()]
    # What runs through a repeat is a run too.
    played = [notes_of(piece, repeats=True) for piece in written.values()]

    def original(number: int) -> Piece:
        tunes = corpus.kind is Tune
        piece: Piece = corpus.pieces[number] if tunes else unpack(parts.played[number])
        return piece

    def music(numbers: Sequence[int], stage: str, *, repeats: bool = False) -> Iterator[Music]:
        return counted(parts.music(numbers, repeats=repeats), stage, report, len(numbers))

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
        index = NoveltyIndex(music(reference, f"index of {way}", repeats=True), rhythm=rhythm)
        stage = f"copies of {way}"
        copying[way] = {SAMPLES: measure_copying(index, counted(played, stage, report))}
        if parts.training:
            held = music(parts.yardstick, stage, repeats=True)
            copying[way][HELD_OUT] = measure_copying(index, held)
    files = corpus.contents.sources
    sources, names = [files[number] for number in reference], list(written)
    shown, copied = {name: name for name in names[:EXAMPLES]}, None
    for number, match in copying["melody"][SAMPLES].most(1):
        shown |= {names[number]: f"{names[number]}, which copies most"}
        source = unpack(parts.played[reference[match.piece]])
        file = shown_path(sources[match.piece], evaluation.corpus)
        copied = copied_example(names[number], file, played[number], source, match)
    examples = [Example(label, written[name], form.name) for name, label in shown.items()]
    examples += [
        Example(f"held-out, of {files[number].name}", original(number), form.name)
        for number in parts.yardstick[:1]
    ]
    return replace(
        evaluation, pieces=evaluation.pieces | {SAMPLES: len(written)}, statistics=statistics,
        validity={HELD_OUT: mean_validity(held_out), SAMPLES: mean_validity(checks)},
        copying=copying, sources=sources, names=names, examples=examples, copied=copied,
    )  # fmt: skip


def find_near_copies(
    model: Model, copying: Copying, parts: Parts, arrays: Mapping[int, Array]
) -> NearCopies:
    """Find the held-out pieces that are nearly training pieces, and what the others cost.

    Parameters
    ----------
    model
        What is evaluated.
    copying
        Of the melodies of the pieces that samples are compared with.
    parts
        Which these are.
    arrays
        By number, the symbols or frames of all held-out pieces.
    """
    others = []
    played = parts.music(parts.yardstick, repeats=True)
    pieces = zip(parts.yardstick, played, copying.lengths, strict=True)
    for number, piece, length in pieces:
        longest = max((len(melody.onsets) for melody in track_melodies(piece)), default=0)
        if 2 * length <= longest:
            others.append(number)
    cost = likelihood(model, [arrays[number] for number in others]) if others else None
    return NearCopies(len(parts.yardstick) - len(others), cost)
