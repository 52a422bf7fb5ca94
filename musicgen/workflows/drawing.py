"""Drawing from a model: symbols under a constraint, or frames by a decision."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from musicgen.encodings import boundary_frame
from musicgen.encodings.roll import Roll
from musicgen.encodings.velocity_roll import VelocityRoll
from musicgen.errors import EncodingError, ModelError
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

__all__ = ["Drawn", "draw_frames", "draw_symbols"]

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
        residual = np.array(_calibrated(model, "residual"))
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


def _bits(model: Model, frames: Array, primer: Array) -> float:
    """Return the mean information of the frames after the primer."""

    def total(part: Array) -> float:
        return evaluate(model.network, [part], B=1) * len(part) if len(part) else 0.0

    return (total(frames) - total(primer)) / max(len(frames) - len(primer), 1)


def find_threshold(model: Model, threshold: float | str | None) -> Any:
    """Return a threshold, looked up by name where it is one.

    Parameters
    ----------
    model
        What it is for.
    threshold
        A number, None, or what the calibration on the validation pieces is to keep: ``"f1"``, as
        many right notes as possible, or ``"polyphony"``, as many notes at once as there are, which
        is also ``"auto"``. With ``"/pitch"`` added each pitch has its own.

    Raises
    ------
    ModelError
        For an unknown name, or a model whose training has not ended yet.
    """
    if not isinstance(threshold, str):
        return threshold
    known = _calibrated(model, "thresholds")
    criterion, _, way = threshold.partition("/")
    criterion = "polyphony" if criterion == "auto" else criterion
    if criterion not in known or way not in ("", "pitch"):
        raise ModelError(
            f"--threshold is {threshold!r}; expected a number, auto, {', '.join(known)}, or one of "
            "these with /pitch added"
        )
    return np.array(known[criterion]["per pitch" if way else "all"])


def _calibrated(model: Model, name: str) -> Any:
    found = model.facts.get("decoding", {}).get(name)
    if found is None:
        raise ModelError(
            "the model was not calibrated, which is done when a training ends: go on with "
            "musicgen train --resume"
        )
    return found
