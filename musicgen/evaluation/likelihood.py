"""How likely a model finds pieces that it has not learned."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from musicgen.encodings import Encoding
from musicgen.encodings.chords import Chords
from musicgen.encodings.score_grid import ScoreGrid
from musicgen.errors import CorpusError
from musicgen.networks import Model
from musicgen.training import evaluate

__all__ = ["Likelihood", "count_frames", "likelihood"]

Array = npt.NDArray[Any]

T, B = 50, 50


class Likelihood(NamedTuple):
    """What predicting pieces costs a model; the mean over all their steps, not one of means.

    Attributes
    ----------
    pieces, steps
        How many; a step is a symbol or a frame, and the boundary that ends a piece is one too.
    frames
        Steps of the grid in which the notes lie, see `count_frames`; None where there is none.
    nats_a_step, bits_a_step, nats_a_piece, nats_a_frame
        Mean of −ln P; None where the model says no probabilities.
    squared_error_a_step
        Mean of the sum over the channels, where the model predicts values; else None.
    """

    pieces: int
    steps: int
    frames: int | None
    nats_a_step: float | None
    bits_a_step: float | None
    nats_a_piece: float | None
    nats_a_frame: float | None
    squared_error_a_step: float | None


def likelihood(
    model: Model, pieces: Sequence[Array], progress: Callable[[int, int], object] | None = None
) -> Likelihood:
    """Compute what it costs a model to predict every step of the pieces from those before it.

    Parameters
    ----------
    model
        With any head.
    pieces
        Arrays ``(n,)`` or ``(n, D)`` as its encoding makes them, each ended by the boundary.
    progress
        Called with the number of pieces done and to do.

    Raises
    ------
    CorpusError
        When there is no piece.
    """
    if not pieces:
        raise CorpusError("there is no piece to judge by; expected one at least")
    unrolled = model.network.unroll(T, B)
    # Side by side with its likes, no piece waits for a longer one.
    order = sorted(range(len(pieces)), key=lambda number: len(pieces[number]))
    total = 0.0
    for start in range(0, len(order), B):
        part = [pieces[number] for number in order[start : start + B]]
        total += evaluate(model.network, part, T, B, unrolled) * sum(map(len, part))
        if progress:
            progress(start + len(part), len(order))
    steps = sum(map(len, pieces))
    counts = [count_frames(model.encoding, piece) for piece in pieces]
    frames = None if None in counts else sum(count or 0 for count in counts)
    if model.encoding.head == "gaussian":
        return Likelihood(len(pieces), steps, frames, None, None, None, None, total / steps)
    nats = total * math.log(2)
    return Likelihood(
        len(pieces), steps, frames, nats / steps, total / steps, nats / len(pieces),
        nats / frames if frames else None, None,
    )  # fmt: skip


def count_frames(encoding: Encoding, array: Array) -> int | None:
    """Return how many frames there are in a piece: steps of the grid, and its end as one more.

    A piano roll has one in each row. `Chords` and `ScoreGrid` spell each step with several symbols:
    the probability of a frame is then the product of theirs, marks included. None for encodings
    without a grid: texts, events and sound.

    Examples
    --------
    >>> from musicgen.music import Music, Note, Track
    >>> music = Music(4, tracks=[Track(notes=[Note(0, 60, 8), Note(0, 64, 4)])])
    >>> encoding = Chords.fit([music], steps_per_quarter=1)
    >>> array = encoding.encode(music)
    >>> count_frames(encoding, array), len(array)
    (5, 12)
    """
    if isinstance(encoding, Chords):
        return int(np.count_nonzero(array == encoding.next)) + 1
    if isinstance(encoding, ScoreGrid):
        return int(np.count_nonzero(array >= encoding.rest)) // len(encoding.voices) + 1
    return len(array) if encoding.head == "bernoulli" else None
