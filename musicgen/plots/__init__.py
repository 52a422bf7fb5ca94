"""Pictures: charts, piano rolls, scores and sound. The only package that imports matplotlib."""

from musicgen.plots.charts import draw, learning_curve
from musicgen.plots.rolls import piano_roll
from musicgen.plots.scores import engraved_score
from musicgen.plots.sounds import spectrograms, waveform_and_spectrogram
from musicgen.plots.surprisal import PricedBar, surprisal_roll

__all__ = [
    "PricedBar",
    "draw",
    "engraved_score",
    "learning_curve",
    "piano_roll",
    "spectrograms",
    "surprisal_roll",
    "waveform_and_spectrogram",
]
