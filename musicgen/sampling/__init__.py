"""Samplers: they see logits and a `step`, and no network."""

from musicgen.sampling.choice import check_settings, draw, probabilities
from musicgen.sampling.sequence import Sequence, generate

__all__ = ["Sequence", "check_settings", "draw", "generate", "probabilities"]
