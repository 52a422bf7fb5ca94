"""Whole jobs: what the command line and Python users both call.

Train on a folder and write a tune::

    from musicgen.workflows import sample_from, train_on

    training = train_on("corpora/ryans", minutes=5)
    sampling = sample_from(training.path, formats=["abc", "midi"], seed=1)
"""

from musicgen.workflows.convert import convert_file
from musicgen.workflows.sample import Sample, Sampling, find_model, sample_from
from musicgen.workflows.train import CorpusRead, Preview, Training, train_on

__all__ = [
    "CorpusRead",
    "Preview",
    "Sample",
    "Sampling",
    "Training",
    "convert_file",
    "find_model",
    "sample_from",
    "train_on",
]
