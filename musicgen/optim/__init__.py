"""Optimisers, clipping and schedules: they see names, weights and gradients, and no graph."""

from musicgen.optim.adaptive import Adam, RMSProp
from musicgen.optim.base import Optimiser
from musicgen.optim.clipping import clip_global_norm
from musicgen.optim.gradient_descent import SGD
from musicgen.optim.schedules import cosine

__all__ = ["OPTIMISERS", "SGD", "Adam", "Optimiser", "RMSProp", "clip_global_norm", "cosine"]

OPTIMISERS: dict[str, type[Optimiser]] = {"adam": Adam, "rmsprop": RMSProp, "sgd": SGD}
