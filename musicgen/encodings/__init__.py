"""Pieces ↔ arrays."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from musicgen.encodings.base import BOUNDARY, Encoding, Frames, Symbols, boundary_frame
from musicgen.errors import EncodingError
from musicgen.music import Audio, Music, Tune

__all__ = ["BOUNDARY", "NAMES", "Encoding", "Frames", "Symbols", "boundary_frame", "default", "get"]

# Resolved on first use.
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
_DEFAULTS: dict[type[Any], str] = {Tune: "tokens", Music: "events", Audio: "spectrum"}


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


def default(kind: type[Any]) -> type[Encoding]:
    """Return the encoding that pieces of a kind get where none is asked for.

    Examples
    --------
    >>> from musicgen.music import Audio
    >>> default(Audio).name
    'spectrum'
    """
    return get(_DEFAULTS[kind])
