"""A folder of files as pieces to learn from."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from musicgen.errors import CorpusError, FormatError
from musicgen.files import files_in
from musicgen.formats import Format, detect, get
from musicgen.music import Audio, Music, Tune
from musicgen.parallel import parallel_map
from musicgen.training.inventory import Inventory, Tally
from musicgen.training.reading import obstacle, read_file
from musicgen.training.spool import Spool

__all__ = ["Contents", "Corpus", "read_corpus"]

NO_FORMAT = "unknown"
MARK = 8  # bytes of a digest that tell the pieces of any collection apart

_WORDS: dict[type[Any], str] = {Tune: "tune", Music: "piece of notes", Audio: "sound"}


class Corpus:
    """The pieces of a folder, which are read when they are first asked for.

    See `read_corpus`, which makes it.

    Attributes
    ----------
    path
        The folder, or file.
    paths
        The files in it.
    format
        The format that was asked for, or that most files have.
    kind
        `Tune`, `Music` or `Audio`: what every piece is.
    given
        Whether the format was asked for.
    render
        Whether notes are played to sound.
    """

    def __init__(
        self,
        path: Path,
        formats: dict[Path, Format | str],
        format: Format,
        kind: type[Any],
        *,
        given: bool,
        render: bool,
        jobs: int | None,
        progress: Callable[[int, int], object] | None,
    ) -> None:
        self.path, self.paths = path, list(formats)
        self.format, self.kind = format, kind
        self.given, self.render = given, render
        self._formats, self._jobs, self._progress = formats, jobs, progress

    @property
    def pieces(self) -> Sequence[Any]:
        """The different pieces in the order of their files' names; one at a time is in memory.

        Raises
        ------
        CorpusError
            When there is none.
        """
        return self.contents.pieces

    @property
    def inventory(self) -> Inventory:
        """What was found."""
        return self.contents.inventory

    @property
    def files(self) -> int:
        """Number of files that the pieces came from."""
        return self.inventory.files

    @property
    def left_out(self) -> list[tuple[Path, str]]:
        """Files and pieces that were left out, each with the reason."""
        return self.inventory.left_out

    @property
    def duplicates(self) -> int:
        """Pieces left out because the same music was there already."""
        return self.inventory.duplicates

    @property
    def fingerprint(self) -> str:
        """SHA-256 of all pieces, as hexadecimal text."""
        return self.inventory.fingerprint

    @cached_property
    def contents(self) -> Contents:
        """The pieces, where they are from, and what was found."""
        pieces, sources, marks = Spool(), [], []
        inventory, music = Inventory(), hashlib.sha256()
        seen: set[bytes] = set()
        jobs = []
        for file, form in self._formats.items():
            name = form if isinstance(form, str) else form.name
            reason = form if isinstance(form, str) else obstacle(form, self.kind, self.render)
            if reason:
                inventory.left_out.append((file, reason))
                known = NO_FORMAT if isinstance(form, str) else name
                inventory.tallies.setdefault(known, Tally()).left_out += 1
            else:
                jobs.append((file, name))
        work = partial(read_file, kind=self.kind)
        results = parallel_map(work, jobs, self._jobs)
        for number, ((file, name), found) in enumerate(zip(jobs, results, strict=True), 1):
            tally = inventory.tallies.setdefault(name, Tally())
            if not found.pieces:
                tally.left_out += 1
            elif get(name).kind is self.kind:
                tally.read += 1
            else:
                tally.converted += 1
            inventory.left_out += [(file, reason) for reason in found.left_out]
            inventory.repaired += [(file, what) for what in found.repaired]
            for digest, record in found.pieces:
                if digest in seen:
                    inventory.duplicates += 1
                    continue
                seen.add(digest)
                music.update(digest)
                pieces.append(record)
                sources.append(file)
                marks.append(int.from_bytes(digest[:MARK], "little"))
            if self._progress:
                self._progress(number, len(jobs))
        inventory.left_out.sort(key=lambda pair: pair[0])
        inventory.pieces, inventory.fingerprint = len(pieces), music.hexdigest()
        if not pieces:
            tried = {file for file, _ in jobs} or set(self.paths)
            reason = next((why for file, why in inventory.left_out if file in tried), "it is empty")
            raise CorpusError(
                f"{self.path} holds no readable {_WORDS[self.kind]}; the first file says: {reason}"
            )
        return Contents(pieces, sources, np.array(marks, np.uint64), inventory)


@dataclass(frozen=True, slots=True)
class Contents:
    """The pieces of a corpus.

    Attributes
    ----------
    pieces
        The different ones.
    sources
        The file of each.
    marks
        ``(n,)``: a number for each that its music alone determines, by which it is known again in
        another folder or file: the first eight bytes of its `musicgen.training.digest`.
    inventory
        What was found.
    """

    pieces: Spool
    sources: list[Path]
    marks: npt.NDArray[np.uint64]
    inventory: Inventory


def read_corpus(
    path: Path,
    format: str | None = None,
    kind: type[Any] | None = None,
    *,
    render: bool = False,
    jobs: int | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> Corpus:
    """Find the music files of a folder and of the folders in it, or take one file.

    All pieces are of one kind: the one asked for, or that of the format that most files have. Files
    of another kind are converted where that can be done, and left out where it cannot. Files that
    cannot be read and repeated pieces are left out as well; hidden files are passed over. What
    became of each is in the corpus's inventory.

    Parameters
    ----------
    path
        A folder, or a file.
    format
        Name of a format in which every file is to be read, instead of the one found.
    kind
        `Tune`, `Music` or `Audio`.
    render
        Whether notes are played to sound where `kind` is `Audio`; they are left out otherwise.
    jobs
        Processes that read side by side; as many as there are processors by default.
    progress
        Called with the number of files read and to read, when they are.

    Raises
    ------
    CorpusError
        When there is nothing to read.
    FormatError
        When the format is not known.
    OSError
        When the folder cannot be listed.
    """
    if not path.exists():
        raise CorpusError(f"{path} does not exist; expected a folder of music files")
    files = files_in(path)
    if not files:
        raise CorpusError(f"{path} is empty; expected music files in it")
    wanted = get(format) if format else None
    formats = {file: wanted or _format(file) for file in files}
    counts = Counter(form.name for form in formats.values() if not isinstance(form, str))
    if not counts:
        raise CorpusError(f"{path} holds no music file ({_count(files, 'file')}, none readable)")
    most = get(counts.most_common(1)[0][0])
    return Corpus(
        path, formats, most, kind or most.kind,
        given=wanted is not None, render=render, jobs=jobs, progress=progress,
    )  # fmt: skip


def _format(file: Path) -> Format | str:
    """Return the format of a file, or why there is none."""
    try:
        return detect(file) or "not a music file of a known format"
    except OSError as error:
        return error.strerror or str(error)
    except FormatError as error:
        return str(error)


def _count(things: Sequence[object], word: str) -> str:
    return f"{len(things)} {word}" + ("" if len(things) == 1 else "s")
