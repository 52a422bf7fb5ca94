"""Figures → files."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from matplotlib import rc_context

from musicgen.errors import FormatError
from musicgen.files import write_atomically

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.figure import Figure

__all__ = ["picture_kind", "save"]


def picture_kind(path: Path) -> str:
    """Return ``"png"`` or ``"svg"``, as the name of a picture says.

    Raises
    ------
    FormatError
        When it says neither.
    """
    kind = path.suffix.lower().lstrip(".")
    if kind not in ("png", "svg"):
        raise FormatError(f"cannot draw {path}; expected a name that ends in .png or .svg")
    return kind


def save(figure: Figure, path: Path) -> None:
    """Write a figure, replacing the file in one step; equal figures give equal bytes.

    Raises
    ------
    FormatError
        When the name ends in neither ``.png`` nor ``.svg``.
    OSError
        When the file cannot be written.
    """
    kind = picture_kind(path)
    stream = io.BytesIO()
    # Without the date, the program's version and random names equal pictures are equal files.
    metadata = {"Date": None} if kind == "svg" else {"Software": None}
    with rc_context({"svg.hashsalt": "musicgen"}):
        figure.savefig(stream, format=kind, dpi=110, metadata=metadata)
    write_atomically(path, stream.getvalue())
