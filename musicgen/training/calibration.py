"""What a sampler has to know of a trained network, found on the validation pieces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from musicgen.encodings import Encoding
from musicgen.encodings.roll import Roll
from musicgen.networks import Network
from musicgen.sampling import CRITERIA, calibrate
from musicgen.training.validation import predict

__all__ = ["calibrate_decoding"]

Array = npt.NDArray[Any]

# Some hundred thousand frames say all that there is to say.
MOST_FRAMES = 200_000


def calibrate_decoding(
    network: Network, encoding: Encoding, validation: Sequence[Array]
) -> dict[str, Any]:
    """Measure how frames are to be decided from what the network says of them.

    Parameters
    ----------
    network, encoding
        Trained, and what it speaks.
    validation
        Frames ``(n, D)`` of each validation piece.

    Returns
    -------
    dict
        JSON-able. For piano rolls ``"thresholds"``: by criterion of `musicgen.sampling.CRITERIA`,
        ``"all"`` pitches' one and the list of those ``"per pitch"``. For other values
        ``"residual"``: the standard deviation of each channel about what was predicted. Nothing
        for symbols.
    """
    if encoding.head == "categorical":
        return {}
    parts, count = [], 0
    for part in predict(network, validation):
        parts.append([np.array(array) for array in part])
        count += len(part[0])
        if count >= MOST_FRAMES:
            break
    logits, targets = (np.concatenate(side) for side in zip(*parts, strict=True))
    if not isinstance(encoding, Roll):
        return {"residual": np.sqrt(np.mean((logits - targets) ** 2, axis=0)).round(5).tolist()}
    values = logits if encoding.head == "gaussian" else np.exp(-np.logaddexp(0, -logits))
    shape = len(values), encoding.layers, -1
    sounding = values[:, encoding.notes].reshape(shape).sum(axis=1)
    truth = targets[:, encoding.notes].reshape(shape).max(axis=1) > 0
    return {
        "thresholds": {
            criterion: {
                "all": _number(calibrate(sounding, truth, criterion=criterion)),
                "per pitch": _number(
                    calibrate(sounding, truth, criterion=criterion, per_pitch=True)
                ),
            }
            for criterion in CRITERIA
        }
    }


def _number(value: float | Array) -> Any:
    return np.asarray(value, np.float64).round(6).tolist()
