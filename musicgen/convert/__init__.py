"""The bridges between the kinds of piece."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

from musicgen.convert.playing import tune_to_music
from musicgen.errors import FormatError
from musicgen.music import Audio, Music, Piece, Tune
from musicgen.notation.quantisation import quantise

if TYPE_CHECKING:
    from musicgen.convert.notation import music_to_tune
    from musicgen.convert.synthesis import music_to_audio
    from musicgen.convert.transposition import transpose

__all__ = ["convert", "music_to_audio", "music_to_tune", "quantise", "transpose", "tune_to_music"]

P = TypeVar("P", bound=Piece)

# Resolved on first use: from a kind, to a kind, where the function stands.
_BRIDGES: dict[tuple[type, type], str] = {
    (Tune, Music): "musicgen.convert.playing:tune_to_music",
    (Music, Tune): "musicgen.convert.notation:music_to_tune",
    (Music, Audio): "musicgen.convert.synthesis:music_to_audio",
}

_LATER = (*_BRIDGES.values(), "musicgen.convert.transposition:transpose")

_WORDS: dict[type, str] = {Tune: "text", Music: "notes", Audio: "sound"}


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
    if place is None and {(type(piece), Music), (Music, kind)} <= _BRIDGES.keys():
        return convert(convert(piece, Music), kind)
    if place is None:
        raise FormatError(
            f"{_WORDS[type(piece)]} cannot be turned into {_WORDS[kind]}",
            hint="Tune (abc) and Music (midi) turn into each other; both into Audio (wav)",
        )
    module, _, name = place.partition(":")
    result: P = getattr(import_module(module), name)(piece)
    return result


def __getattr__(name: str) -> Any:
    # Who only plays tunes needs no numpy.
    for place in _LATER:
        module, _, function = place.partition(":")
        if name == function:
            return getattr(import_module(module), function)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
