"""The record of a training run, as JSON lines."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from musicgen.files import write_atomically
from musicgen.training.loop import Progress

__all__ = ["entry", "write_history"]


def entry(progress: Progress) -> dict[str, Any]:
    """Return what is kept of a validation; costs are in bits or squares a step."""
    return {
        "batches": progress.batches,
        "epoch": progress.epoch,
        "steps": progress.steps,
        "loss": round(progress.loss, 5),
        "validation": None if progress.validation is None else round(progress.validation, 5),
        "best": progress.best,
        "learning_rate": round(progress.learning_rate, 8),
        "seconds": round(progress.seconds, 2),
    }


def write_history(path: Path, entries: Iterable[dict[str, Any]]) -> None:
    """Write one JSON object a line, replacing the file in one step."""
    text = "".join(json.dumps(line, sort_keys=True) + "\n" for line in entries)
    write_atomically(path, text.encode())
