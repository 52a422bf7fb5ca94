"""Networks made of engine layers, and the file in which a model is kept."""

from musicgen.networks.model import Model
from musicgen.networks.recurrent import CELLS, Architecture, Network, Unrolled

__all__ = ["CELLS", "Architecture", "Model", "Network", "Unrolled"]
