"""Optimisers, penalties, clipping and schedules: they see names, weights and gradients, no graph.

>>> sorted(OPTIMISERS), sorted(SCHEDULES)
(['adadelta', 'adagrad', 'adam', 'rmsprop', 'sgd'], ['constant', 'cosine', 'exponential', 'step'])
"""

from musicgen.optim.adaptive import Adadelta, Adagrad, Adam, RMSProp
from musicgen.optim.base import Optimiser
from musicgen.optim.clipping import clip_elements, clip_global_norm
from musicgen.optim.gradient_descent import SGD
from musicgen.optim.regularisation import l2_penalty, weight_decay
from musicgen.optim.schedules import (
    SCHEDULES,
    Schedule,
    constant,
    cosine,
    exponential,
    step,
    warm_up,
)
from musicgen.optim.second_order import METHODS, Minimum, minimise

__all__ = [
    "METHODS",
    "OPTIMISERS",
    "SCHEDULES",
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "Minimum",
    "Optimiser",
    "RMSProp",
    "Schedule",
    "clip_elements",
    "clip_global_norm",
    "constant",
    "cosine",
    "exponential",
    "l2_penalty",
    "minimise",
    "step",
    "warm_up",
    "weight_decay",
]

OPTIMISERS: dict[str, type[Optimiser]] = {
    "adadelta": Adadelta,
    "adagrad": Adagrad,
    "adam": Adam,
    "rmsprop": RMSProp,
    "sgd": SGD,
}
