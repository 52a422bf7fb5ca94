"""What a model drew, made a piece that is sound, says where it is from, and can be written."""

from __future__ import annotations

import dataclasses
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from musicgen import __version__
from musicgen.convert import tune_to_music
from musicgen.encodings.abc_tokens import AbcTokens
from musicgen.errors import FormatError
from musicgen.formats import abc
from musicgen.music import Audio, Music, Piece, Tune
from musicgen.networks import Model
from musicgen.workflows.drawing import Drawn
from musicgen.workflows.primers import continuation

__all__ = ["Sample", "finished"]

# A sample must not claim a composer, a book or a transcriber: it has none.
_KEPT_FIELDS = frozenset("TRMLQPVKIUm")


@dataclass(frozen=True, slots=True)
class Sample:
    """One new piece.

    Attributes
    ----------
    piece
        A `Tune`, `Music` or `Audio`.
    music
        Its notes; None of sound.
    title, key, metre
        What it says of itself; may be empty.
    bars
        Written bars, an upbeat not counted; 0 of sound.
    seconds
        Length.
    bits
        Mean information of a drawn symbol or frame under the model, in bits; NaN where the model
        says no probabilities.
    draws
        Draws that it took until one was sound.
    files
        What was written.
    """

    piece: Piece
    music: Music | None
    title: str
    key: str
    metre: str
    bars: int
    seconds: float
    bits: float
    draws: int
    files: tuple[Path, ...] = ()


def finished(
    name: str,
    model: Model,
    drawn: Drawn,
    *,
    number: int,
    draws: int,
    seed: int,
    start: Any = None,
    title: str | None = None,
    key: str = "",
) -> Sample:
    """Make the piece of what was drawn, as it is written.

    Parameters
    ----------
    name
        Of the model.
    model
        Which drew it.
    drawn
        Symbols or frames.
    number, draws, seed
        Which piece it is, and of how many draws the last.
    start
        The primer, where it is to be left out.
    title, key
        As for `sample_from`; empty ones are the model's.

    Raises
    ------
    EncodingError, FormatError
        When it is not sound.
    """
    encoding = model.encoding
    if encoding.kind is Tune and not drawn.ended:
        raise FormatError(
            f"no end within {len(drawn.array)} {encoding.unit}s", hint="raise --length"
        )
    if start is None:
        piece: Piece = encoding.decode(drawn.array)
    else:
        piece = continuation(encoding, drawn.array, start)
    if isinstance(piece, Audio):
        seconds = len(piece.samples) / piece.rate
        return Sample(piece, None, title or "", "", "", 0, seconds, drawn.bits, draws)
    if isinstance(piece, Tune):
        origin = f"written by musicgen {__version__}, model {name}, seed {seed}, piece {number}"
        abc.parse(piece, strict=True)
        if isinstance(encoding, AbcTokens) and encoding.common_key:
            rng = np.random.default_rng([seed, number])
            piece = encoding.in_key(piece, key or encoding.draw_tonic(piece, rng))
        score = _signed(abc.parse(piece, strict=True), number, origin, title)
        piece = Tune(abc.print_score(score))
        music, written = tune_to_music(piece), tune_to_music(piece, repeats=False)
        shown = score.first("T"), score.first("K"), score.first("M")
    else:
        music = written = piece
        if not any(track.notes for track in music.tracks):
            raise FormatError("a piece without notes")
        music.title = title or music.title
        keys = music.key_signatures
        shown = music.title, keys[0].name if keys else "", _metre(music)
    return Sample(piece, music, *shown, _bars(written), music.seconds, drawn.bits, draws)


def _metre(music: Music) -> str:
    """Return the metre that holds longest: an upbeat may be written as a metre of its own."""
    changes, held = music.time_signatures, Counter[str]()
    starts = [*(change.time for change in changes), max(music.end, 1)]
    for change, (start, end) in zip(changes, pairwise(starts), strict=True):
        held[f"{change.numerator}/{change.denominator}"] += end - start
    return held.most_common(1)[0][0] if held else ""


def _signed(score: abc.Score, number: int, origin: str, title: str | None) -> abc.Score:
    """Replace the fields that tell where a tune is from by where this one is from."""
    # abc2midi dots the rhythm of hornpipes by itself, and stumbles over all but even eighths.
    kept = [
        entry
        for entry in score.header
        if entry.key in _KEPT_FIELDS and (entry.key, entry.value.lower()) != ("R", "hornpipe")
    ]
    if title:
        kept = [entry for entry in kept if entry.key != "T"]
        kept.insert(0, dataclasses.replace(kept[0], key="T", value=title))
    reference = dataclasses.replace(kept[0], key="X", value=str(number))
    signature = dataclasses.replace(kept[0], key="Z", value=origin)
    return dataclasses.replace(score, header=[reference, *kept[:-1], signature, kept[-1]])


def _bars(music: Music) -> int:
    changes = music.time_signatures
    starts = [min(change.time, music.end) for change in changes] + [music.end]
    bars = [
        (until - since) * change.denominator / (4 * change.numerator * music.resolution)
        for change, (since, until) in zip(changes, pairwise(starts), strict=True)
    ]
    # An upbeat is written as a bar of its own.
    lengths = [change.numerator / change.denominator for change in changes]
    if len(bars) > 1 and bars[0] <= 1 and lengths[0] < lengths[1]:
        del bars[0]
    return round(sum(bars))
