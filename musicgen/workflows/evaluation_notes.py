"""What must be known to read an evaluation, in plain sentences."""

from __future__ import annotations

from pathlib import Path

from musicgen.music import Audio
from musicgen.networks import Model
from musicgen.training import Corpus
from musicgen.workflows.evaluation_result import NearCopies

__all__ = [
    "describe_left_out",
    "describe_near_copies",
    "describe_pieces",
    "describe_units",
    "describe_unread",
]

MOST_NAMED = 3


def describe_pieces(model: Model, corpus: Corpus, training: int, held_out: int) -> list[str]:
    """Say which pieces are held out.

    Parameters
    ----------
    model, corpus
        What is evaluated, and by which pieces.
    training
        Number of pieces of the corpus that the model learned from.
    held_out
        Number of the others that fit its encoding.
    """
    pieces, learned = len(corpus.pieces), len(model.learned)
    heard = corpus.kind is Audio
    fit = f"{held_out} of {pieces - training} fit the encoding"
    if not training:
        name = model.facts["corpus"]["name"]
        compared = (
            "; samples are compared with these, since what the model learned from is not at hand"
        )
        return [
            f"The model learned from none of these {pieces} pieces, but from {learned} others "
            f"({name}): all here are held out, {fit}{'' if heard else compared}."
        ]
    notes = [
        f"The model learned from {training} of these {pieces} pieces. The others are held out, "
        f"{fit}: it never learned from them, though its training may have kept the weights that "
        "predict them best."
    ]
    if training < learned and not heard:
        notes.append(
            f"It learned from {learned - training} more, which are not at hand: copies of these "
            "are not found."
        )
    return notes


def describe_left_out(corpus: Corpus) -> list[str]:
    """Name what could not be read of a folder, and count what was there twice."""
    count, notes = corpus.duplicates, []
    if count:
        notes.append(f"Left out of {corpus.path}: {count} repeated piece{'s' * (count != 1)}.")
    for file, reason in corpus.left_out[:MOST_NAMED]:
        notes.append(f"Left out: {reason if str(file) in reason else f'{file}: {reason}'}")
    if more := len(corpus.left_out[MOST_NAMED:]):
        notes.append(f"… and {more} more left out.")
    return notes


def describe_unread(samples: list[tuple[Path, str]]) -> list[str]:
    """Name the samples that could not be read, each with the reason."""
    notes = [
        "A sample that cannot be read counts as not valid: "
        + (reason if str(file) in reason else f"{file}: {reason}")
        for file, reason in samples[:MOST_NAMED]
    ]
    if more := len(samples[MOST_NAMED:]):
        notes.append(f"… and {more} more samples that cannot be read.")
    return notes


def describe_units(model: Model) -> list[str]:
    """Say what the figures count."""
    encoding, notes = model.encoding, []
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


def describe_near_copies(found: NearCopies, unit: str) -> str:
    """Say how many held-out pieces are nearly training pieces, and what the others cost."""
    note = (
        f"Held-out pieces that share more than half of their melody, in one run, with a training "
        f"piece: {found.pieces}."
    )
    if found.pieces and found.others:
        cost, error = found.others.bits_a_step, found.others.squared_error_a_step
        shown = f"{error:.3f} squared error" if cost is None else f"{cost:.3f} bits"
        article = "an" if unit[0] in "aeiou" else "a"
        note += f" The {found.others.pieces} others cost {shown} {article} {unit}."
    return note
