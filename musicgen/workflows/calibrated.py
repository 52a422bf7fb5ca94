"""What the calibration at the end of a training found: thresholds, and how far values scatter."""

from __future__ import annotations

from typing import Any

import numpy as np

from musicgen.errors import ModelError
from musicgen.networks import Model

__all__ = ["find_residual", "find_threshold"]


def find_residual(model: Model) -> Any:
    """Return the standard deviation ``(D,)`` of what a Gaussian head says.

    Raises
    ------
    ModelError
        For a model whose training has not ended yet.
    """
    return np.array(_calibrated(model, "residual"))


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
