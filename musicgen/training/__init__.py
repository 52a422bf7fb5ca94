"""From a folder of pieces to a trained network."""

from musicgen.training.corpus import Corpus, digest, read_corpus, split
from musicgen.training.history import entry, write_history
from musicgen.training.loop import LEARNING_RATES, Progress, Trainer
from musicgen.training.validation import COST_UNITS, evaluate, predict

__all__ = [
    "COST_UNITS",
    "LEARNING_RATES",
    "Corpus",
    "Progress",
    "Trainer",
    "digest",
    "entry",
    "evaluate",
    "predict",
    "read_corpus",
    "split",
    "write_history",
]
