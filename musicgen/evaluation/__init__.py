"""How good is it, and did it just copy: judging models and what they write."""

from musicgen.evaluation.comparison import (
    SetStatistics,
    Summary,
    compare,
    compare_histograms,
    describe_set,
)
from musicgen.evaluation.copying import Copying, measure_copying
from musicgen.evaluation.frame_likelihood import (
    FrameLikelihood,
    FrameModel,
    MarginalBernoulli,
    NetworkFrames,
    frame_likelihood,
)
from musicgen.evaluation.likelihood import Likelihood, count_frames, likelihood
from musicgen.evaluation.novelty import (
    NGRAM_LENGTHS,
    LookUp,
    Match,
    Ngrams,
    NoveltyIndex,
    Place,
)
from musicgen.evaluation.overlap import histogram_overlap, overlapping_area
from musicgen.evaluation.statistics import (
    HISTOGRAMS,
    STATISTICS,
    Histogram,
    Statistic,
    describe,
    histograms,
)
from musicgen.evaluation.surprisal import (
    BarSurprisal,
    Choice,
    NoteSurprisal,
    PieceSurprisal,
    piece_surprisal,
)
from musicgen.evaluation.validity import Validity, check_music, check_tune, mean_validity

__all__ = [
    "HISTOGRAMS",
    "NGRAM_LENGTHS",
    "STATISTICS",
    "BarSurprisal",
    "Choice",
    "Copying",
    "FrameLikelihood",
    "FrameModel",
    "Histogram",
    "Likelihood",
    "LookUp",
    "MarginalBernoulli",
    "Match",
    "NetworkFrames",
    "Ngrams",
    "NoteSurprisal",
    "NoveltyIndex",
    "PieceSurprisal",
    "Place",
    "SetStatistics",
    "Statistic",
    "Summary",
    "Validity",
    "check_music",
    "check_tune",
    "compare",
    "compare_histograms",
    "count_frames",
    "describe",
    "describe_set",
    "frame_likelihood",
    "histogram_overlap",
    "histograms",
    "likelihood",
    "mean_validity",
    "measure_copying",
    "overlapping_area",
    "piece_surprisal",
]
