"""Samplers: they see logits and a `step`, and no network."""

from musicgen.sampling.beam import Stepper, beam_search
from musicgen.sampling.choice import check_settings, draw, probabilities, repetitions
from musicgen.sampling.constraint import Constraint
from musicgen.sampling.frames import (
    decide_switches,
    decide_values,
    decide_velocities,
    generate_frames,
)
from musicgen.sampling.sequence import Sequence, generate
from musicgen.sampling.thresholds import CRITERIA, calibrate

__all__ = [
    "CRITERIA",
    "Constraint",
    "Sequence",
    "Stepper",
    "beam_search",
    "calibrate",
    "check_settings",
    "decide_switches",
    "decide_values",
    "decide_velocities",
    "draw",
    "generate",
    "generate_frames",
    "probabilities",
    "repetitions",
]
