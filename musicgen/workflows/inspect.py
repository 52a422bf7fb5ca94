"""What is in a file, a folder or a model."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TypeVar

import numpy as np

from musicgen import encodings
from musicgen.convert import convert
from musicgen.errors import CorpusError, FormatError, FormatWarning
from musicgen.files import files_in
from musicgen.formats import detect, get
from musicgen.music import Audio, Music, Piece, Tune
from musicgen.networks import Architecture, Network
from musicgen.parallel import parallel_map
from musicgen.training import Trainer, digest, encode_corpus, read_corpus
from musicgen.workflows.train import BATCH_SIZE, train_on

__all__ = ["FileReport", "FolderReport", "Needs", "PieceReport", "inspect_files", "needs"]

T = TypeVar("T")

TIMED_BATCHES = 4


@dataclass(slots=True)
class PieceReport:
    """What was found in a piece.

    Attributes
    ----------
    title
        Its name; empty when it has none.
    line
        For a tune, the line of the file on which it starts.
    seconds
        How long it plays.
    notes
        Number of notes played, repeats unfolded.
    lowest, highest
        MIDI note numbers; None without notes. Drums do not count.
    tracks, metres, keys, tempos
        Names of the tracks; metres as ``"6/8"``; keys as ``"D dorian"``; quarter notes a minute.
    rate, channels, peak
        For sound: samples a second, channels, and the largest sample in decibels of full scale.
    """

    title: str = ""
    line: int | None = None
    seconds: float = 0.0
    notes: int = 0
    lowest: int | None = None
    highest: int | None = None
    tracks: list[str] = field(default_factory=list)
    metres: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    tempos: list[float] = field(default_factory=list)
    rate: int | None = None
    channels: int | None = None
    peak: float | None = None


@dataclass(slots=True)
class FileReport:
    """What was found in a file.

    Attributes
    ----------
    path
        The file.
    format
        Name of its format; empty when it is of none that is known, and was left out.
    pieces
        A report for each piece that could be read.
    repaired
        What was repaired on reading.
    refused
        Why it, or pieces of it, could not be read.
    """

    path: Path
    format: str = ""
    pieces: list[PieceReport] = field(default_factory=list)
    repaired: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


@dataclass(slots=True)
class FolderReport:
    """What was found in a folder.

    Attributes
    ----------
    files
        A report for each file.
    duplicates
        Places of pieces with the same music, the first of them first.
    """

    files: list[FileReport]
    duplicates: list[list[str]]

    @property
    def pieces(self) -> list[PieceReport]:
        """The reports of all pieces."""
        return [piece for file in self.files for piece in file.pieces]


@dataclass(frozen=True, slots=True)
class Needs:
    """What `train_on` with its own settings would need for this music.

    Attributes
    ----------
    encoding, unit
        Name of the encoding, and what its steps are called.
    size
        Different symbols, or channels of a frame.
    steps
        Symbols or frames to learn from.
    weights
        Numbers to learn.
    seconds
        Time for one epoch on this machine, as a few batches tell.
    """

    encoding: str
    unit: str
    size: int
    steps: int
    weights: int
    seconds: float


def inspect_files(
    path: str | Path,
    *,
    format: str | None = None,
    jobs: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> FolderReport:
    """Read a file, or every file of a folder, and tell what is in it.

    Parameters
    ----------
    path
        A file, or a folder with the folders in it; hidden files are passed over.
    format
        Name of a format, instead of the one found.
    jobs
        Processes side by side; as many as there are processors by default.
    progress
        Called with the number of files read and to read.

    Raises
    ------
    CorpusError
        When there is nothing.
    FormatError
        When the format is not known.
    OSError
        When a folder cannot be listed.
    """
    path = Path(path)
    if not path.exists():
        raise CorpusError(f"{path} does not exist; expected music, a folder of it, or a model")
    files = files_in(path)
    if not files:
        raise CorpusError(f"{path} is empty; expected music files in it")
    if format:
        get(format)
    reports = []
    places: dict[bytes, list[str]] = {}
    work = partial(_inspect_file, format=format)
    for number, (report, found) in enumerate(parallel_map(work, files, jobs), 1):
        reports.append(report)
        for place, music in found:
            places.setdefault(music, []).append(place)
        if progress:
            progress(number, len(files))
    if not path.is_dir() and not reports[0].format and not reports[0].refused:
        reports[0].refused.append("not a file of a known format")
    duplicates = [same for same in places.values() if len(same) > 1]
    return FolderReport(reports, duplicates)


def needs(path: str | Path, *, format: str | None = None, jobs: int | None = None) -> Needs:
    """Tell what training on a corpus would need, by training on a few batches of it.

    Parameters
    ----------
    path, format, jobs
        As for `train_on`.

    Raises
    ------
    CorpusError
        When there is too little to learn from.
    """
    usual = train_on.__kwdefaults__ or {}
    order, initial, drops = np.random.default_rng(usual["seed"]).spawn(3)
    corpus = read_corpus(Path(path), format, jobs=jobs)
    data = encode_corpus(corpus, encodings.default(corpus.kind), order, jobs=jobs)
    encoding = data.encoding
    network = Network.initialise(Architecture(encoding.size, encoding.head), initial)
    settings = {name: usual[name] for name in ("seq_length", "dropout", "optimizer")}
    trainer = Trainer(
        network, data.training, data.validation[:1], drops, batch_size=BATCH_SIZE, epochs=1,
        **settings,
    )  # fmt: skip
    seen = list(islice(trainer.run(), TIMED_BATCHES))
    # The first batch also pays for what is only done once.
    first = seen[0] if len(seen) > 1 else None
    steps = seen[-1].steps - (first.steps if first else 0)
    seconds = seen[-1].seconds - (first.seconds if first else 0)
    total = int(data.training.lengths.sum())
    return Needs(
        encoding.name, encoding.unit, encoding.size, total, network.size, seconds / steps * total
    )


Found = tuple[str, bytes]
"""The place of a piece, and the digest of its music."""


def _inspect_file(path: Path, *, format: str | None) -> tuple[FileReport, list[Found]]:
    report = FileReport(path)
    found: list[Found] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", FormatWarning)
        try:
            form = get(format) if format else detect(path)
            if form is None:
                return report, found
            report.format = form.name
            pieces = form.read(path)
        except FormatError as error:
            report.refused.append(str(error))
            pieces = []
        except OSError as error:
            report.refused.append(error.strerror or str(error))
            pieces = []
        for piece in pieces:
            try:
                report.pieces.append(_describe(piece))
            except FormatError as error:
                report.refused.append(str(error))
                continue
            place = f"{path}:{piece.line}" if isinstance(piece, Tune) else str(path)
            found.append((place, digest(piece)))
    report.repaired = list(dict.fromkeys(str(warning.message) for warning in caught))
    return report, found


def _describe(piece: Piece) -> PieceReport:
    if isinstance(piece, Audio):
        peak = float(np.abs(piece.samples).max(initial=0.0))
        return PieceReport(
            seconds=len(piece.samples) / piece.rate,
            rate=piece.rate,
            channels=piece.samples.shape[1],
            peak=20 * float(np.log10(peak)) if peak else None,
        )
    music = convert(piece, Music)
    notes = [note for track in music.tracks for note in track.notes]
    pitches = [note.pitch for track in music.tracks if not track.is_drum for note in track.notes]
    return PieceReport(
        title=music.title,
        line=piece.line if isinstance(piece, Tune) else None,
        seconds=music.seconds,
        notes=len(notes),
        lowest=min(pitches, default=None),
        highest=max(pitches, default=None),
        tracks=[track.name for track in music.tracks],
        metres=_each(f"{metre.numerator}/{metre.denominator}" for metre in music.time_signatures),
        keys=_each(key.name for key in music.key_signatures),
        tempos=_each(round(tempo.qpm, 3) for tempo in music.tempos),
    )


def _each(values: Iterable[T]) -> list[T]:
    """Return each value once, in order."""
    return list(dict.fromkeys(values))
