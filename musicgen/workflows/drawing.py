"""Drawing from a model: symbols under a constraint, or frames by a decision."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from musicgen.encodings import Encoding, boundary_frame
from musicgen.encodings.roll import Roll
from musicgen.encodings.velocity_roll import VelocityRoll
from musicgen.errors import EncodingError
from musicgen.music import Audio
from musicgen.networks import Model
from musicgen.sampling import (
    beam_search,
    decide_switches,
    decide_values,
    decide_velocities,
    generate,
    generate_frames,
)
from musicgen.training import evaluate
from musicgen.workflows.calibrated import find_residual, find_threshold

__all__ = ["Drawn", "draw_frames", "draw_pieces", "draw_symbols", "usual_temperature"]

MOST_AT_ONCE = 64

Array = npt.NDArray[Any]


class Drawn(NamedTuple):
    """What a model drew.

    Attributes
    ----------
    array
        Symbols ``(T,)`` or frames ``(T, D)``, the primer's first, without the boundary.
    bits
        Mean information of a drawn step under the model, in bits; NaN where the model says no
        probabilities.
    ended
        Whether the model ended it.
    """

    array: Array
    bits: float
    ended: bool


def draw_pieces(
    model: Model,
    rngs: Sequence[np.random.Generator],
    start: Any,
    *,
    length: int,
    temperature: float,
    conditions: dict[str, Any] | None,
    threshold: float | str | None = None,
    top_notes: int | None = None,
    most_notes: int | None = None,
    **settings: Any,
) -> Iterator[Drawn]:
    """Draw sequences, some side by side, one for each generator; nothing is drawn again.

    Parameters
    ----------
    model
        With any head.
    rngs
        Sources of the draws.
    start
        Symbols or frames that each starts with, see `musicgen.workflows.primers.read_primer`.
    length, temperature, threshold, top_notes, most_notes
        As for `draw_symbols` and `draw_frames`.
    conditions
        Of symbols, as `draw_symbols` takes them.
    **settings
        For symbols: those of `draw_symbols`.

    Raises
    ------
    EncodingError
        For a condition that cannot be kept, or a primer that breaks it.
    ModelError
        When a threshold is not known.
    """
    if model.encoding.head != "categorical" and conditions and any(conditions.values()):
        model.encoding.constraint(**conditions)
    for first in range(0, len(rngs), MOST_AT_ONCE):
        several = rngs[first : first + MOST_AT_ONCE]
        if model.encoding.head == "categorical":
            yield from draw_symbols(
                model, several, start, length=length, temperature=temperature,
                conditions=conditions, **settings,
            )  # fmt: skip
        else:
            yield from draw_frames(
                model, several, start, length=length, temperature=temperature, threshold=threshold,
                top_notes=top_notes, most_notes=most_notes,
            )  # fmt: skip


def draw_symbols(
    model: Model,
    rngs: Sequence[np.random.Generator],
    primer: Array,
    *,
    length: int,
    conditions: dict[str, Any] | None,
    beam: int | None = None,
    **settings: Any,
) -> list[Drawn]:
    """Draw sequences of symbols side by side, one for each generator.

    Parameters
    ----------
    model
        With a categorical head.
    rngs
        Sources of the draws.
    primer
        Symbols that each starts with.
    length
        Most symbols of a sequence, the primer's among them.
    conditions
        Keyword arguments of the encoding's ``constraint``; None for no constraint at all.
    beam
        Width of a beam search, which draws nothing: all sequences are the likeliest ones.
    **settings
        Of `musicgen.sampling.generate`.

    Raises
    ------
    EncodingError
        For a condition that cannot be kept, or a primer that breaks it.
    """
    encoding, network, B = model.encoding, model.network, len(rngs)
    constraints = None
    if conditions is not None:
        try:
            made = [encoding.constraint(**conditions) for _ in rngs]
        except EncodingError as error:
            if any(conditions.values()):
                raise
            raise EncodingError(f"{error}; it can be sampled with --no-constraints") from None
        constraints = None if made[0] is None else made
    if beam is None:
        drawn = generate(
            network.stepper(B), list(rngs), length=length - len(primer), primers=[primer] * B,
            never=encoding.never, constraints=constraints, **settings,
        )  # fmt: skip
    else:
        drawn = beam_search(
            network.stepper(beam), width=beam, length=length - len(primer), count=B,
            primer=primer, never=encoding.never, constraint=constraints[0] if constraints else None,
        )  # fmt: skip
    return [
        Drawn(
            np.array(one.symbols, np.int32),
            -one.log_likelihood / max(one.drawn, 1) / math.log(2),
            one.ended,
        )
        for one in drawn
    ]


def draw_frames(
    model: Model,
    rngs: Sequence[np.random.Generator],
    primer: Array,
    *,
    length: int,
    temperature: float,
    threshold: float | str | None,
    top_notes: int | None,
    most_notes: int | None,
) -> list[Drawn]:
    """Draw sequences of frames side by side, one for each generator.

    Parameters
    ----------
    model
        With a Bernoulli or Gaussian head.
    rngs, primer, length
        As for `draw_symbols`.
    temperature
        Divides the logits of switches; a factor of the noise about spectra.
    threshold
        From which a note sounds; or the name of a calibrated one, see `find_threshold`.
    top_notes
        So many of the likeliest notes sound at every step.
    most_notes
        So many sound at once at most.
    """
    encoding, network = model.encoding, model.network
    step = network.stepper(len(rngs))
    said: list[Array] = []

    def recorded(frames: Array) -> Array:
        said.append(step(frames).copy())
        return said[-1]

    if isinstance(encoding, Roll):
        ways = {
            "notes": encoding.notes, "thermometers": encoding.thermometers,
            "threshold": find_threshold(model, threshold), "top": top_notes, "most": most_notes,
        }  # fmt: skip
        if isinstance(encoding, VelocityRoll):
            if threshold is None and top_notes is None:
                ways["loudness"] = encoding.loudness
            decide = partial(decide_velocities, **ways)
        else:
            decide = partial(
                decide_switches, layers=encoding.layers, temperature=temperature, **ways
            )
    else:
        residual = find_residual(model)
        decide = partial(decide_values, deviation=temperature * residual)
    is_roll = isinstance(encoding, Roll)
    drawn = generate_frames(
        step if is_roll else recorded, rngs, length=length - len(primer),
        boundary=boundary_frame(encoding.size), decide=decide, primer=primer,
    )  # fmt: skip
    if not is_roll:
        # The noise keeps the network moving; what it then says is without noise.
        values = np.array(said)
        drawn = [
            np.concatenate([primer, values[len(primer) : len(frames), row]])
            for row, frames in enumerate(drawn)
        ]
    return [
        Drawn(
            frames,
            _bits(model, frames, primer) if encoding.head == "bernoulli" else math.nan,
            len(frames) < length,
        )
        for frames in drawn
    ]


def usual_temperature(encoding: Encoding) -> float:
    """Return the temperature of a sample where none is asked for."""
    if encoding.head == "categorical":
        return 0.8
    return 1.7 if encoding.kind is Audio else 1.0


def _bits(model: Model, frames: Array, primer: Array) -> float:
    """Return the mean information of the frames after the primer."""

    def total(part: Array) -> float:
        return evaluate(model.network, [part], B=1) * len(part) if len(part) else 0.0

    return (total(frames) - total(primer)) / max(len(frames) - len(primer), 1)
