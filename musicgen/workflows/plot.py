"""A file in, a picture out."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from musicgen.convert import convert
from musicgen.errors import FormatError
from musicgen.files import check_writable
from musicgen.formats import abc, detect, get, musicxml
from musicgen.music import Audio, Music, Piece, Tune

__all__ = ["PICTURES", "plot_file"]

PICTURES = ("roll", "score", "sound")


def plot_file(
    source: str | Path,
    target: str | Path,
    *,
    picture: str | None = None,
    format: str | None = None,
    piece: int = 1,
) -> str:
    """Draw a piece of a file: as a piano roll, as a score, or as sound.

    Parameters
    ----------
    source
        The file.
    target
        The picture to write; its name ends in ``.png`` or ``.svg``.
    picture
        ``"roll"``, ``"score"`` or ``"sound"`` (waveform and spectrogram). Without it sound is
        drawn for a file of sound, a score for ABC and MusicXML where verovio is installed, and a
        piano roll for everything else.
    format
        Name of the file's format, instead of the one found.
    piece
        Which piece of the file, counted from 1.

    Returns
    -------
    str
        Which picture it became.

    Raises
    ------
    FormatError
        When the file cannot be read, holds fewer pieces, or cannot be drawn in this way.
    OSError
        When a file cannot be read or written.
    """
    from musicgen import plots  # matplotlib takes half a second to load

    source, target = Path(source), Path(target)
    form = get(format) if format else detect(source)
    if form is None:
        raise FormatError("not a file of a known format", path=source)
    pieces = form.read(source)
    if not 1 <= piece <= len(pieces):
        raise FormatError(f"there is no piece {piece}; the file holds {len(pieces)}", path=source)
    chosen: Piece = pieces[piece - 1]
    written = isinstance(chosen, Tune) or form is musicxml
    if picture is None:
        picture = "sound" if isinstance(chosen, Audio) else "roll"
        if written and find_spec("verovio") and find_spec("resvg_py"):
            picture = "score"
    check_writable(target.parent)
    if picture == "sound":
        plots.waveform_and_spectrogram(convert(chosen, Audio), target, source.name)
    elif picture == "roll":
        plots.piano_roll(convert(chosen, Music), target)
    elif picture == "score":
        plots.engraved_score(_notation(chosen, source if form is musicxml else None), target)
    else:
        raise FormatError(f"no picture is called {picture!r}; there are: {', '.join(PICTURES)}")
    return picture


def _notation(piece: Piece, score: Path | None) -> str:
    """Return the piece as MEI or MusicXML; a score as it stands in its file."""
    if score is not None:
        return musicxml.read_text(score)
    if isinstance(piece, Tune):
        return abc.to_mei(abc.parse(piece))
    return musicxml.to_text(convert(piece, Music))
