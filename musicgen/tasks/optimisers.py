"""The optimisers that the report compares."""

from __future__ import annotations

from collections.abc import Callable

from musicgen.optim import SGD, Adadelta, Adagrad, Adam, Optimiser, RMSProp

__all__ = ["OPTIMISERS"]

OPTIMISERS: dict[str, Callable[[], Optimiser]] = {
    "SGD": lambda: SGD(momentum=0),
    "momentum": lambda: SGD(momentum=0.9),
    "Adagrad": Adagrad,
    "RMSProp": RMSProp,
    "centred RMSProp, momentum": lambda: RMSProp(centred=True, momentum=0.9),
    "Adadelta": Adadelta,
    "Adam": Adam,
}
"""Fresh ones by name: chapter 7 of the report, in its order."""
