"""The files of a training run: the best model, the last one, the history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from musicgen.errors import ModelError
from musicgen.files import check_writable, remove_leftovers
from musicgen.networks import Model
from musicgen.training import Trainer, write_history
from musicgen.workflows.models import SUFFIX

__all__ = ["Checkpoints", "check_same"]

# What may be changed when a run goes on: where it ends.
PLAN = ("epochs", "minutes", "patience")

History = Sequence[dict[str, Any]]


class Checkpoints:
    """What a run keeps on the disk; each file is replaced in one step.

    Parameters
    ----------
    path
        The model file. What a killed run has left half-written beside it is removed.

    Attributes
    ----------
    best, last, history, picture
        Files: the model with the best validation; the last one, with all that the run needs to go
        on; the record; the learning curve.

    Raises
    ------
    ModelError
        When it has not the ending of a model file.
    OSError
        When its folder cannot be written: better now than after hours of work.
    """

    def __init__(self, path: Path) -> None:
        if path.suffix != SUFFIX:
            raise ModelError(f"{path} cannot be the model file; expected a name in {SUFFIX}")
        self.best = path
        self.last = path.with_suffix(f".last{SUFFIX}")
        self.history = path.with_suffix(".history.jsonl")
        self.picture = path.with_suffix(".png")
        check_writable(path.parent)
        for file in (self.best, self.last, self.history):
            remove_leftovers(file)

    def keep_best(self, model: Model, history: History, validation: float) -> None:
        """Write the model with its validation cost, and without the clock.

        So a run that is repeated, or was broken off and resumed, gives the same bytes.
        """
        timeless = [{key: v for key, v in line.items() if key != "seconds"} for line in history]
        facts = model.facts | {"history": timeless, "validation": validation}
        replace(model, facts=facts).save(self.best)

    def keep_last(self, model: Model, history: History, trainer: Trainer) -> None:
        """Write the model with the state of its training, and the history."""
        facts = model.facts | {"history": history}
        replace(model, facts=facts, training=trainer.state()).save(self.last)
        write_history(self.history, history)


def check_same(kept: Model, model: Model, path: Path) -> None:
    """Make sure that a run that goes on is the one that was begun.

    Parameters
    ----------
    kept, model
        What was kept of it, and what it would be now.
    path
        Where `kept` is from.

    Raises
    ------
    ModelError
        When corpus, encoding, network or settings differ; it names the first that does.
    """
    former, now = _begun(kept), _begun(model)
    for name, value in now.items():
        before = former.get(name)
        if before != value:
            before, value = ("the default" if v is None else v for v in (before, value))
            raise ModelError(
                f"{path} was begun with {name} {before}, not {value}: give the same settings to go "
                "on with it, or leave --resume out to start anew"
            )


def _begun(model: Model) -> dict[str, Any]:
    facts = model.facts
    settings = {name: value for name, value in facts["settings"].items() if name not in PLAN}
    options = sorted(facts.get("encoding_options", {}).items())
    encoding = ", ".join([model.encoding.name, *(f"{name} {value}" for name, value in options)])
    architecture = asdict(model.network.architecture)
    return {
        "encoding": encoding, "seed": facts["seed"], **facts["corpus"], **settings, **architecture
    }  # fmt: skip
