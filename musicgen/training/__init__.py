"""From a folder of pieces to a trained network."""

from musicgen.training.corpus import Corpus, digest, read_corpus, split
from musicgen.training.history import entry, write_history
from musicgen.training.loop import LEARNING_RATES, Progress, evaluate, train

__all__ = [
    "LEARNING_RATES",
    "Corpus",
    "Progress",
    "digest",
    "entry",
    "evaluate",
    "read_corpus",
    "split",
    "train",
    "write_history",
]
