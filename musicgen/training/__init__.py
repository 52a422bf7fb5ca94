"""From a folder of pieces to a trained network."""

from musicgen.training.calibration import calibrate_decoding
from musicgen.training.corpus import Corpus, read_corpus
from musicgen.training.encoded import EncodedCorpus
from musicgen.training.history import entry, write_history
from musicgen.training.inventory import Inventory, Tally
from musicgen.training.loop import LEARNING_RATES, Progress, Trainer
from musicgen.training.preparation import encode_corpus
from musicgen.training.reading import digest
from musicgen.training.sequences import Sequences
from musicgen.training.split import split
from musicgen.training.validation import COST_UNITS, evaluate, predict

__all__ = [
    "COST_UNITS",
    "LEARNING_RATES",
    "Corpus",
    "EncodedCorpus",
    "Inventory",
    "Progress",
    "Sequences",
    "Tally",
    "Trainer",
    "calibrate_decoding",
    "digest",
    "encode_corpus",
    "entry",
    "evaluate",
    "predict",
    "read_corpus",
    "split",
    "write_history",
]
