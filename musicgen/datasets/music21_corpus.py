"""The collections that come inside the music21 package: nothing is downloaded."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from musicgen.datasets.chorales import read_chorale, titles
from musicgen.errors import CorpusError, FormatError, FormatWarning
from musicgen.files import write_atomically
from musicgen.formats import musicxml

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["COLLECTIONS", "Collection", "export"]


@dataclass(frozen=True, slots=True)
class Collection:
    """A known collection of music.

    Attributes
    ----------
    name
        Short name, as on the command line.
    title
        What it is.
    licence
        What its makers allow, in a line; music21 itself promises nothing for its corpus.
    format
        Name of the format that `export` writes.
    folder
        Where it lies in music21's corpus.
    """

    name: str
    title: str
    licence: str
    format: str
    folder: str


COLLECTIONS = {
    collection.name: collection
    for collection in (
        Collection(
            "ryans",
            "Ryan's Mammoth Collection of Fiddle Tunes (Boston, 1883)",
            "old tunes in the public domain; transcribed by Ray Davies, Bob Puckette and others, "
            "whose files state no licence",
            "abc",
            "ryansMammoth",
        ),
        Collection(
            "oneills",
            "O'Neill's Music of Ireland, 1,850 melodies (Chicago, 1903)",
            "old tunes in the public domain; transcribed by volunteers named in the Z: fields, "
            "whose files state no licence",
            "abc",
            "oneills1850",
        ),
        Collection(
            "airds",
            "Aird's Scotch, English, Irish and Foreign Airs, six books (Glasgow, from 1778)",
            "old tunes in the public domain; transcribed by Jack Campin, whose files state no "
            "licence",
            "abc",
            "airdsAirs",
        ),
        Collection(
            "essen",
            "The Essen folk song collection, in Seymour Shlien's ABC",
            "for non-commercial use only, by permission of Ewa Dahlig-Turek; music21 calls its "
            "legal status unclear",
            "abc",
            "essenFolksong",
        ),
        Collection(
            "chorales",
            "Chorales of Johann Sebastian Bach, in four voices",
            "old music in the public domain; the scores state no licence, music21 believes them "
            "licensed for use, perhaps not commercial",
            "musicxml",
            "bach",
        ),
    )
}


def export(
    name: str, folder: Path, progress: Callable[[int, int], object] | None = None
) -> list[Path]:
    """Put a collection into a folder, with a ``SOURCE.txt`` that says where it is from.

    ABC files are copied byte for byte; the four voices of the chorales become scores of their
    own, packed MusicXML. Files of the same name are replaced, others in the folder stay.

    Parameters
    ----------
    name
        A name in `COLLECTIONS`.
    folder
        Where to; made if need be.
    progress
        Called after each file with the number of files done and the number of all.

    Returns
    -------
    list of Path
        The music files written, without ``SOURCE.txt``.

    Raises
    ------
    CorpusError
        When the name is unknown, or music21 is not installed or came without its corpus.
    OSError
        When the folder cannot be written.

    Warns
    -----
    FormatWarning
        For each file that cannot be read and is left out.
    """
    if name not in COLLECTIONS:
        raise CorpusError(f"no collection is called {name!r} (there are: {', '.join(COLLECTIONS)})")
    collection = COLLECTIONS[name]
    source = _corpus() / collection.folder
    plan = _conversions(source) if collection.format == "musicxml" else _copies(source)
    if not plan:
        raise CorpusError(f"{source} holds no music (install music21 again, with its corpus)")
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for done, (target, write) in enumerate(plan.items(), 1):
        try:
            write(folder / target)
            written.append(folder / target)
        except FormatError as error:
            warnings.warn(f"left out: {error}", FormatWarning, stacklevel=2)
        if progress is not None:
            progress(done, len(plan))
    note = (
        f"{collection.title}\n"
        f"Source: the corpus of music21, {collection.folder} (https://www.music21.org)\n"
        f"Licence: {collection.licence}\n"
    )
    write_atomically(folder / "SOURCE.txt", note.encode())
    return written


def _corpus() -> Path:
    spec = find_spec("music21")  # does not import it, which is slow
    if spec is None or spec.origin is None:
        raise CorpusError("music21 is not installed (pip install music21)")
    return Path(spec.origin).parent / "corpus"


def _copies(source: Path) -> dict[str, Callable[[Path], None]]:
    return {file.name: partial(_copy, file) for file in sorted(source.glob("*.abc"))}


def _copy(source: Path, target: Path) -> None:
    write_atomically(target, source.read_bytes())


def _conversions(source: Path) -> dict[str, Callable[[Path], None]]:
    scores = {source / f"bwv{number}.mxl": title for number, title in sorted(titles().items())}
    return {
        f"{score.stem}.mxl": partial(_convert, score, title)
        for score, title in scores.items()
        if score.exists()  # music21 lists a few chorales that it does not carry
    }


def _convert(source: Path, title: str, target: Path) -> None:
    musicxml.write(read_chorale(source, title), target)
