"""The samples that an evaluation judges: drawn, or read from a folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from musicgen.encodings import Encoding
from musicgen.errors import EncodingError, FormatError
from musicgen.evaluation import Validity, check_music, check_tune
from musicgen.formats import Format
from musicgen.music import Music, Piece, Tune
from musicgen.networks import Model
from musicgen.training import read_corpus
from musicgen.workflows.corpus_pieces import shown_path
from musicgen.workflows.drawing import Drawn, draw_pieces, usual_temperature
from musicgen.workflows.finishing import finished
from musicgen.workflows.primers import read_primer

__all__ = ["Report", "check", "counted", "draw_samples", "read_samples"]

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
) -> tuple[dict[str, Piece], list[Validity]]:
    """Read samples; return them by name, and a check of each."""
    found = read_corpus(folder, None, encoding.kind, jobs=jobs, progress=partial(report, "reading"))
    pieces: dict[str, Piece] = {}
    counts: Counter[Path] = Counter()
    for piece, file in zip(found.pieces, found.contents.sources, strict=True):
        counts[file] += 1
        number = f", piece {counts[file]}" if counts[file] > 1 else ""
        pieces[f"{shown_path(file, folder)}{number}"] = piece
    return pieces, [check(piece, form) for piece in pieces.values()]


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
