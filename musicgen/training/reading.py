"""One file of a corpus as pieces of one kind."""

from __future__ import annotations

import hashlib
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from musicgen.convert import convert
from musicgen.errors import FormatError, FormatWarning
from musicgen.formats import Format, abc, get
from musicgen.music import Audio, Piece, Tune
from musicgen.training.spool import InFile, pack

__all__ = ["Found", "digest", "obstacle", "read_file"]


@dataclass(slots=True)
class Found:
    """What was found in a file.

    Attributes
    ----------
    pieces
        The `digest` of each, and its bytes as `musicgen.training.spool.pack` makes them.
    left_out
        Why the file, or one of its pieces, was left out.
    repaired
        What was repaired while it was read or converted.
    """

    pieces: list[tuple[bytes, bytes]] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    repaired: list[str] = field(default_factory=list)


def obstacle(form: Format, kind: type[Any], render: bool = False) -> str:
    """Tell why files of a format are left out of a corpus of a kind; empty when they are not.

    Parameters
    ----------
    form
        The files' format.
    kind
        `Tune`, `Music` or `Audio`: what the corpus is of.
    render
        Whether notes may be played to sound, which takes long.
    """
    if form.kind is kind:
        return ""
    if form.kind is Audio:
        return f"{form.name} file: sound cannot be turned into notes"
    if kind is Audio and not render:
        return (
            f"{form.name} file among sound files: playing it to sound takes long; "
            "to learn from it too, convert it first (musicgen convert)"
        )
    return ""


def read_file(job: tuple[Path, str], kind: type[Any]) -> Found:
    """Read the pieces of a file and turn them into pieces of one kind.

    Parameters
    ----------
    job
        The file, and the name of its format.
    kind
        `Tune`, `Music` or `Audio`.
    """
    file, name = job
    found = Found()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", FormatWarning)
        try:
            pieces = get(name).read(file)
        except FormatError as error:
            pieces = []
            found.left_out.append(str(error))
        except OSError as error:
            pieces = []
            found.left_out.append(error.strerror or str(error))
        for number, piece in enumerate(pieces):
            try:
                wanted = convert(piece, kind)
            except FormatError as error:
                found.left_out.append(str(error))
                continue
            # Sound is large, and read faster than copied.
            at_hand = isinstance(piece, Audio)
            record = pack(InFile(file, name, number) if at_hand else wanted)
            found.pieces.append((digest(wanted), record))
    found.repaired = [str(warning.message) for warning in caught]
    return found


def digest(piece: Piece) -> bytes:
    """Return 32 bytes that tell the music of a piece from other music.

    The names of a tune, and where it stood, do not count.
    """
    if isinstance(piece, Tune):
        return hashlib.sha256(repr(abc.music_lines(piece)).encode()).digest()
    if isinstance(piece, Audio):
        head = f"{piece.rate} {piece.samples.shape}".encode()
        return hashlib.sha256(head + piece.samples.tobytes()).digest()
    return hashlib.sha256(repr(piece).encode()).digest()
