r"""Surprisal: how many bits a model needs for every note of a piece.

A note that a model finds unlikely costs many bits, :math:`-\log_2 p`; so does a slip of the pen.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from musicgen.encodings.alignment import NO_BAR, Alignable, AlignedBar, AlignedNote, Alignment
from musicgen.errors import EncodingError, ModelError
from musicgen.training import predict

if TYPE_CHECKING:
    from musicgen.networks import Model, Network

__all__ = ["BarSurprisal", "Choice", "NoteSurprisal", "PieceSurprisal", "piece_surprisal"]

UNUSUAL = 2.0
"""A bar is unusual whose bits lie more standard deviations than this above those of the others."""

LEAST_SPREAD = 0.25
"""The standard deviation of the other bars counts as no less than this share of their mean.

Where all of them cost much the same, an unusual bar costs half as much again at least.
"""

ALTERNATIVES = 3
STEPS_AT_ONCE = 200

Array = npt.NDArray[Any]


class Choice(NamedTuple):
    """What a model might write, and how likely it finds that."""

    text: str
    probability: float


class NoteSurprisal(NamedTuple):
    """What a note costs.

    Attributes
    ----------
    note
        The note, and where it stands.
    bits
        The cost of all that tells it.
    found
        What costs most of that: its pitch, its length, …
    expected
        What the model found likeliest in its place, likeliest first.
    """

    note: AlignedNote
    bits: float
    found: Choice
    expected: tuple[Choice, ...]


class BarSurprisal(NamedTuple):
    r"""What a bar costs.

    Attributes
    ----------
    bar
        The bar, and where it stands.
    bits
        The cost of all that stands in it, bar lines and rests included.
    notes
        Number of its notes.
    note_bits
        Mean bits of its notes; NaN without notes.
    z
        Standard deviations by which its bits lie above the mean of the other bars,
        :math:`(x - \mu) / \max(\sigma, \mu / 4)`, where mean :math:`\mu` and deviation
        :math:`\sigma` are those of the bars but this one; 0 for an only bar. With the bar itself
        among them no z could exceed :math:`(n - 1) / \sqrt n`, so that among five bars or fewer
        none would stand out.
    """

    bar: AlignedBar
    bits: float
    notes: int
    note_bits: float
    z: float

    @property
    def is_unusual(self) -> bool:
        """Whether the bar stands out from its piece."""
        return self.z > UNUSUAL


class PieceSurprisal(NamedTuple):
    """What a piece costs.

    Attributes
    ----------
    bits
        The cost of all, in bits.
    header_bits, end_bits
        Of that, the cost of what stands before the first bar, and of the end.
    steps
        Number of the symbols or frames.
    bars
        In the order of the piece; their bits, those of header and end are the whole.
    notes
        In the order in which they are told.
    """

    bits: float
    header_bits: float
    end_bits: float
    steps: int
    bars: list[BarSurprisal]
    notes: list[NoteSurprisal]

    def most_surprising(self, count: int) -> list[NoteSurprisal]:
        """Return so many notes of the most bits, the most surprising first."""
        return sorted(self.notes, key=lambda one: -one.bits)[:count]


def piece_surprisal(model: Model, piece: Any) -> PieceSurprisal:
    r"""Compute the surprisal of every note and bar of a piece.

    A step costs :math:`-\log_2 p(x_t \mid x_1, …, x_{t-1})` bits; of frames of switches each
    channel is a step of its own. The steps that tell a note are those that
    `musicgen.encodings.alignment` finds.

    Parameters
    ----------
    model
        Whose encoding can align, and whose head says probabilities.
    piece
        Of the encoding's kind.

    Raises
    ------
    ModelError
        When the model cannot say what a note costs.
    EncodingError, FormatError
        When the piece cannot be encoded, or holds no notes.
    """
    encoding = model.encoding
    if not isinstance(encoding, Alignable) or encoding.head == "gaussian":
        raise ModelError(
            f"a model of {encoding.name} says no probabilities of notes; those of tokens, "
            "characters, events, piano-roll, score-grid and chords do"
        )
    aligned = encoding.align(piece)
    if not aligned.notes:
        raise EncodingError("the piece holds no notes")
    costs, logits = _costs(model.network, aligned.array)
    steps = costs if costs.ndim == 1 else costs.sum(axis=1)
    notes = [_note(aligned, costs, logits, note) for note in aligned.notes]
    header = aligned.step_bars[:-1] == NO_BAR
    return PieceSurprisal(
        float(steps.sum()), float(steps[:-1][header].sum()), float(steps[-1]), len(steps),
        list(_bars(aligned, steps, notes)), notes,
    )  # fmt: skip


def _costs(network: Network, array: Array) -> tuple[Array, Array]:
    """Return bits ``(T,)`` or ``(T, D)``, and logits ``(T, V)`` or ``(T, D)``."""
    T = min(len(array), STEPS_AT_ONCE)
    logits = np.concatenate(
        [part.astype(np.float64) for part, _ in predict(network, [array], T, 1)]
    )
    if array.ndim > 1:
        nats = np.logaddexp(0, np.where(array > 0, -1, 1) * logits)
    else:
        there = np.take_along_axis(logits, array[:, np.newaxis].astype(np.intp), axis=1)[:, 0]
        nats = np.logaddexp.reduce(logits, axis=1) - there
    return nats / math.log(2), logits


def _note(aligned: Alignment, costs: Array, logits: Array, note: AlignedNote) -> NoteSurprisal:
    steps, labels = list(note.steps), aligned.labels
    own = costs[steps, list(note.channels)] if note.channels else costs[steps]
    worst = int(own.argmax())
    step = steps[worst]
    there = aligned.array[step]
    if note.channels:
        channel = note.channels[worst]
        text = labels[channel] if there[channel] else f"no {labels[channel]}"
        likely = np.where(there > 0, 0, 1 / (1 + np.exp(-logits[step])))
    else:
        text = labels[there]
        likely = np.exp(logits[step] - np.logaddexp.reduce(logits[step]))
        likely[there] = 0
    order = [at for at in np.argsort(-likely, kind="stable").tolist() if labels[at]]
    expected = tuple(Choice(labels[at], float(likely[at])) for at in order[:ALTERNATIVES])
    return NoteSurprisal(note, float(own.sum()), Choice(text, 2.0 ** -own[worst]), expected)


def _bars(
    aligned: Alignment, steps: Array, notes: Sequence[NoteSurprisal]
) -> Iterator[BarSurprisal]:
    count = len(aligned.bars)
    places = [one.note.bar for one in notes]
    totals = np.bincount(aligned.step_bars + 1, steps, count + 1)[1:]
    numbers = np.bincount(places, minlength=count)
    sums = np.bincount(places, [one.bits for one in notes], count)
    means = np.divide(sums, numbers, out=np.full(count, np.nan), where=numbers > 0)
    for at, bar in enumerate(aligned.bars):
        z = _deviation(totals[at], np.delete(totals, at))
        yield BarSurprisal(bar, float(totals[at]), int(numbers[at]), float(means[at]), z)


def _deviation(bits: float, others: Array) -> float:
    if not others.any():
        return 0.0
    mean = others.mean()
    return float((bits - mean) / max(others.std(), LEAST_SPREAD * mean))
