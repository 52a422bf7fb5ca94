"""Pieces ↔ arrays."""

from __future__ import annotations

from importlib import import_module

from musicgen.encodings.base import BOUNDARY, Encoding, Frames, Symbols, boundary_frame
from musicgen.errors import EncodingError

__all__ = ["BOUNDARY", "NAMES", "Encoding", "Frames", "Symbols", "boundary_frame", "get"]

# Resolved on first use. The first of a kind of piece is that kind's default.
_PLACES = {
    "tokens": "musicgen.encodings.abc_tokens:AbcTokens",
    "characters": "musicgen.encodings.characters:Characters",
    "events": "musicgen.encodings.midi_events:MidiEvents",
    "piano-roll": "musicgen.encodings.piano_roll:PianoRoll",
    "velocity-roll": "musicgen.encodings.velocity_roll:VelocityRoll",
    "score-grid": "musicgen.encodings.score_grid:ScoreGrid",
    "chords": "musicgen.encodings.chords:Chords",
    "spectrum": "musicgen.encodings.spectrum:Spectrum",
    "fourier": "musicgen.encodings.fourier:Fourier",
}
NAMES = tuple(_PLACES)


def get(name: str) -> type[Encoding]:
    """Return the encoding of a name.

    Raises
    ------
    EncodingError
        When there is none.
    """
    if name not in _PLACES:
        raise EncodingError(f"no encoding is called {name!r}; there are: {', '.join(NAMES)}")
    module, _, attribute = _PLACES[name].partition(":")
    found: type[Encoding] = getattr(import_module(module), attribute)
    return found
