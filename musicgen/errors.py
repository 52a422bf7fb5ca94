"""The errors that users meet: each says what was found, where, and what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from os import PathLike

__all__ = [
    "CorpusError",
    "EncodingError",
    "FormatError",
    "FormatWarning",
    "GraphError",
    "ModelError",
    "MusicgenError",
]


class MusicgenError(Exception):
    """Base of all errors that this package raises on purpose; its text is one clear line."""


class FormatError(MusicgenError):
    """A file or text that cannot be read or written in a format.

    Parameters
    ----------
    message
        What was found and what was expected.
    path
        The file, where there is one.
    line, column
        Place in a text, counted from 1.
    offset
        Place in a binary file: byte offset, counted from 0.
    hint
        What to do next.

    Examples
    --------
    >>> str(FormatError("found ']' without '['", path="a.abc", line=3, column=14))
    "a.abc:3:14: found ']' without '['"
    """

    def __init__(
        self,
        message: str,
        *,
        path: str | PathLike[str] | None = None,
        line: int | None = None,
        column: int | None = None,
        offset: int | None = None,
        hint: str | None = None,
    ) -> None:
        self.message = message
        self.path = path
        self.line = line
        self.column = column
        self.offset = offset
        self.hint = hint
        super().__init__(message)

    def __str__(self) -> str:
        place = "" if self.path is None else f"{self.path}:"
        if self.line is not None:
            place += f"{self.line}:" + ("" if self.column is None else f"{self.column}:")
        elif self.offset is not None:
            place += f" byte {self.offset}:"
        text = f"{place} {self.message}".strip()
        return text if self.hint is None else f"{text} ({self.hint})"


class FormatWarning(UserWarning):
    """Something in a file was repaired or left out while it was read or written."""


class EncodingError(MusicgenError):
    """A piece that an encoding cannot represent."""


class ModelError(MusicgenError):
    """A model file that cannot be used."""


class CorpusError(MusicgenError):
    """A collection of files that cannot be trained on."""


class GraphError(MusicgenError, ValueError):
    """A computational graph whose parts do not fit: the text names the node and the shapes."""
