"""Networks made of engine layers, and the file in which a model is kept."""

from musicgen.networks import layers
from musicgen.networks.architecture import CELLS, HEADS, Architecture
from musicgen.networks.chords import ChordNetwork
from musicgen.networks.losses import LOSSES
from musicgen.networks.model import Model
from musicgen.networks.recurrent import Network
from musicgen.networks.sequence import SequenceNetwork
from musicgen.networks.sequential import Sequential
from musicgen.networks.stepper import Stepper
from musicgen.networks.unrolled import Unrolled

__all__ = [
    "CELLS",
    "HEADS",
    "LOSSES",
    "Architecture",
    "ChordNetwork",
    "Model",
    "Network",
    "SequenceNetwork",
    "Sequential",
    "Stepper",
    "Unrolled",
    "layers",
]
