"""The music that a sample starts from."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from musicgen.convert import convert
from musicgen.encodings import Encoding
from musicgen.errors import CorpusError, EncodingError
from musicgen.formats import abc, detect
from musicgen.formats.abc.transposing import tonic
from musicgen.music import Audio, Music, Piece, Track, Tune

__all__ = ["Primer", "continuation", "read_primer"]

Array = npt.NDArray[Any]


class Primer(NamedTuple):
    """What a sample continues.

    Attributes
    ----------
    array
        Symbols ``(T,)`` or frames ``(T, D)``.
    key
        Of a tune, what it says of its key, where that names a tonic; empty otherwise.
    """

    array: Array
    key: str = ""


def read_primer(path: Path | None, encoding: Encoding, length: int) -> Primer:
    """Encode the first piece of a file, converted where it is of another kind.

    Parameters
    ----------
    path
        Any music file; of ABC also the mere start of a tune. None gives no symbols or frames.
    encoding
        Of the model.
    length
        Most symbols or frames.

    Raises
    ------
    EncodingError
        When it is too long, or holds what the model never saw.
    FormatError, CorpusError, OSError
        When it cannot be read or converted.
    """
    if path is None:
        shape = (0,) if encoding.head == "categorical" else (0, encoding.size)
        kind = np.int32 if encoding.head == "categorical" else np.float32
        return Primer(np.zeros(shape, kind))
    form = detect(path)
    if form is None:
        raise CorpusError(f"{path} is not a music file of a known format, and no primer")
    piece = _opening(path) if form.kind is Tune else form.read(path)[0]
    wanted = convert(piece, encoding.kind)
    found = encoding.encode_primer(wanted)
    if len(found) >= length:
        raise EncodingError(
            f"the primer {path} is {len(found)} {encoding.unit}s long, and a piece {length} at "
            "most: give a shorter primer, or a greater --length"
        )
    key = re.search(r"^K:(.*)$", wanted.text, re.MULTILINE) if isinstance(wanted, Tune) else None
    return Primer(found, key[1].strip() if key and tonic(key[1]) is not None else "")


def continuation(encoding: Encoding, array: Array, primer: Array) -> Piece:
    """Decode what follows the primer alone.

    A tune keeps the primer's header, notes the metre, key and tempo that hold where they start.

    Parameters
    ----------
    encoding
        Of both.
    array, primer
        Symbols or frames, the first beginning with the second.
    """
    rest = array[len(primer) :]
    if encoding.kind is Tune:
        head = _header(encoding, primer)
        tune: Tune = encoding.decode(np.concatenate([head, rest]))
        return tune
    if encoding.kind is Audio or encoding.head != "categorical":
        sound: Piece = encoding.decode(rest)
        return sound
    return _after(encoding.decode(array), encoding.decode(primer).end)


def _opening(path: Path) -> Tune:
    """Read the first tune of an ABC file: it may be a header alone, or a tune without an end.

    Editors end a file with a line feed; a line of music is to be gone on with all the same.
    """
    text = abc.decode(path.read_bytes(), path)
    second = list(re.finditer(r"^X:", text, re.MULTILINE))[1:2]
    text = text[: second[0].start() if second else None].strip("\n")
    last = text.rpartition("\n")[2]
    return Tune(text + "\n" if re.match(r"[A-Za-z]:", last) else text, path)


def _header(encoding: Any, primer: Array) -> Array:
    """Return the symbols up to the end of the line ``K:``."""
    text = ""
    for count, symbol in enumerate(primer, 1):
        text += encoding.texts[symbol]
        if re.search(r"^K:.*\n", text, re.MULTILINE):
            return primer[:count]
    return primer


def _after(music: Music, time: int) -> Music:
    """Return what starts from a tick on, which becomes the first."""

    def since(changes: list[Any]) -> list[Any]:
        before = [change._replace(time=0) for change in changes if change.time <= time][-1:]
        return before + [c._replace(time=c.time - time) for c in changes if c.time > time]

    tracks = [
        Track(
            track.program, track.is_drum, track.name,
            [note._replace(time=note.time - time) for note in track.notes if note.time >= time],
        )
        for track in music.tracks
    ]  # fmt: skip
    return Music(
        music.resolution, since(music.tempos), since(music.time_signatures),
        since(music.key_signatures), tracks, music.title,
        [held - time for held in music.fermatas if held >= time],
    )  # fmt: skip
