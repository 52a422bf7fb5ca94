"""Networks made of engine layers, and the file in which a model is kept."""

from musicgen.networks import layers
from musicgen.networks.losses import LOSSES
from musicgen.networks.model import Model
from musicgen.networks.recurrent import (
    CELLS,
    HEADS,
    Architecture,
    Network,
    Unrolled,
)
from musicgen.networks.sequential import Sequential
from musicgen.networks.stepper import Stepper

__all__ = [
    "CELLS",
    "HEADS",
    "LOSSES",
    "Architecture",
    "Model",
    "Network",
    "Sequential",
    "Stepper",
    "Unrolled",
    "layers",
]
