"""The bridges between the kinds of piece."""

from __future__ import annotations

from importlib import import_module
from typing import TypeVar

from musicgen.convert.playing import tune_to_music
from musicgen.errors import FormatError
from musicgen.music import Music, Piece, Tune

__all__ = ["convert", "tune_to_music"]

P = TypeVar("P", bound=Piece)

# Resolved on first use: from a kind, to a kind, where the function stands.
_BRIDGES: dict[tuple[type, type], str] = {
    (Tune, Music): "musicgen.convert.playing:tune_to_music",
}


def convert(piece: Piece, kind: type[P]) -> P:
    r"""Turn a piece into one of another kind.

    Parameters
    ----------
    piece
        What there is.
    kind
        `Tune`, `Music` or `Audio`; the piece itself comes back when it is of that kind.

    Raises
    ------
    FormatError
        When no bridge leads there, or the piece cannot be read.

    Examples
    --------
    >>> convert(Tune("X:1\nL:1/4\nK:C\nCE|\n"), Music).tracks[0].notes[1]
    Note(time=480, pitch=64, duration=480, velocity=80)
    """
    if isinstance(piece, kind):
        return piece
    place = _BRIDGES.get((type(piece), kind))
    if place is None:
        raise FormatError(
            f"a piece of kind {type(piece).__name__} cannot be turned into {kind.__name__} yet",
            hint="this version turns Tune (abc) into Music (midi)",
        )
    module, _, name = place.partition(":")
    result: P = getattr(import_module(module), name)(piece)
    return result
