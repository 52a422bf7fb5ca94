"""The samples that an evaluation judges: drawn, or read from a folder."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from musicgen.encodings import Encoding
from musicgen.errors import CorpusError, EncodingError, FormatError, FormatWarning
from musicgen.evaluation import Validity, check_music, check_tune
from musicgen.files import files_in
from musicgen.formats import Format, detect, for_extension
from musicgen.music import Music, Piece, Tune
from musicgen.networks import Model
from musicgen.parallel import parallel_map
from musicgen.training.reading import obstacle, read_file
from musicgen.training.spool import unpack
from musicgen.workflows.corpus_pieces import notes_of, shown_path
from musicgen.workflows.drawing import Drawn, draw_pieces, usual_temperature
from musicgen.workflows.finishing import finished
from musicgen.workflows.primers import read_primer

__all__ = ["Report", "check", "counted", "draw_samples", "read_samples"]

NOT_VALID: dict[type[Any], Validity] = {
    Tune: Validity(parses=False, bars_add_up=False), Music: Validity(reads_back=False)
}  # fmt: skip
"""What is known of a piece that could not be read."""

Report = Callable[[str, int, int], object]
"""Called with the name of what goes on, and with what of it is done and to do."""


def draw_samples(
    model: Model, name: str, count: int, seed: int, form: Format, report: Report
) -> tuple[dict[str, Piece], list[Validity]]:
    """Draw samples; return the sound ones by name, and a check of each that was drawn."""
    encoding = model.encoding
    length, numbers = encoding.usual_length, range(1, count + 1)
    try:
        encoding.constraint()
        conditions: dict[str, Any] | None = {}
    except EncodingError:  # the symbols learned are too few for the grammar
        conditions = None
    # The first draws of `sample_from` with the same seed.
    drawn = draw_pieces(
        model, [np.random.default_rng([seed, number, 1]) for number in numbers],
        read_primer(None, encoding, length).array, length=length,
        temperature=usual_temperature(encoding), conditions=conditions, top_p=0.95,
    )  # fmt: skip
    pieces: dict[str, Piece] = {}
    checks = []
    for number, one in zip(numbers, counted(drawn, "drawing", report, count), strict=True):
        try:
            piece = finished(name, model, one, number=number, draws=1, seed=seed).piece
            pieces[f"sample {number}"] = piece
        except (EncodingError, FormatError):
            piece = _as_drawn(encoding, one)
        checks.append(check(piece, form, ended=one.ended))
    return pieces, checks


def _as_drawn(encoding: Encoding, drawn: Drawn) -> Piece:
    """Return what is not sound as it is, and nothing where it makes no piece."""
    try:
        piece: Piece = encoding.decode(drawn.array)
    except (EncodingError, FormatError):
        return Tune("") if encoding.kind is Tune else Music()
    return piece


def read_samples(
    folder: Path, encoding: Encoding, form: Format, jobs: int | None, report: Report
) -> tuple[list[tuple[Path, str]], dict[str, Piece], list[Validity]]:
    """Read samples, also those that are alike; what cannot be read is a sample that is not valid.

    Of files whose names differ in the extension alone, such as those that ``--format`` asks for
    twice, one counts: in a format of the model's kind, where there is one.

    Returns
    -------
    The files of what could not be read, each with the reason; the samples by name; a check of each,
    those that could not be read included.

    Raises
    ------
    CorpusError
        When there is no music file.
    """
    files = _sample_files(folder, encoding)
    results = parallel_map(partial(read_file, kind=encoding.kind), files, jobs)
    unread: list[tuple[Path, str]] = []
    pieces: dict[str, Piece] = {}
    checks: list[Validity] = []
    results = counted(results, "reading", report, len(files))
    for (file, _), found in zip(files, results, strict=True):
        left_out = list(found.left_out)
        for number, (_, record) in enumerate(found.pieces, 1):
            piece: Piece = unpack(record)
            checks.append(check(piece, form))
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", FormatWarning)
                    notes_of(piece, repeats=True)
            except FormatError as error:
                left_out.append(str(error))
                continue
            which = f", piece {number}" if number > 1 else ""
            pieces[f"{shown_path(file, folder)}{which}"] = piece
        checks += [NOT_VALID[encoding.kind]] * len(found.left_out)
        unread += [(file, reason) for reason in left_out]
    return unread, pieces, checks


def _sample_files(folder: Path, encoding: Encoding) -> list[tuple[Path, str]]:
    """Return the files that hold notes, each with the name of its format."""
    if not folder.exists():
        raise CorpusError(f"{folder} does not exist; expected a folder of samples")
    formats = {file: detect(file) for file in files_in(folder)}
    # Pictures and sound of samples lie beside them.
    fit = {
        file: found
        for file, found in formats.items()
        if found is not None and not obstacle(found, encoding.kind)
    }
    own_first = sorted(fit, key=lambda file: fit[file].kind is not encoding.kind)
    chosen = {
        file.with_suffix("") if for_extension(file) else file: file for file in reversed(own_first)
    }
    if not chosen:
        raise CorpusError(f"{folder} holds no samples; expected music files in it")
    return [(file, fit[file].name) for file in sorted(chosen.values())]


def check(piece: Piece, form: Format, ended: bool | None = None) -> Validity:
    """Check a text, or notes by the file that is written of them."""
    if isinstance(piece, Tune):
        return check_tune(piece, ended=ended)
    assert isinstance(piece, Music)
    return check_music(piece, form, ended=ended)


def counted(
    items: Iterable[Any], stage: str, report: Report, total: int | None = None
) -> Iterator[Any]:
    """Give things on, and report each."""
    total = len(items) if isinstance(items, Sequence) else total or 0
    for done, item in enumerate(items, 1):
        yield item
        report(stage, done, total)
