"""The contract that every file format fulfils."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from musicgen.music import Piece

__all__ = ["Format"]


class Format(Protocol):
    """Files ↔ pieces of one kind.

    Any object with these attributes is a format: a module with functions, as the built-in ones,
    or an instance of a class. A third party announces its own under the entry-point group
    ``musicgen.formats``.
    """

    @property
    def name(self) -> str:
        """Short name, as in ``--format``."""

    @property
    def extensions(self) -> Sequence[str]:
        """File name endings with their dot, the usual one first."""

    @property
    def kind(self) -> type[Piece]:
        """`Tune`, `Music` or `Audio`."""

    @property
    def losses(self) -> Sequence[str]:
        """What a piece loses when it is written and read again, in plain words."""

    def sniff(self, head: bytes) -> bool:
        """Whether a file that starts with `head` (up to 4,096 bytes) is of this format."""

    def read(self, path: Path) -> list[Any]:
        """Read every piece of the file.

        Raises
        ------
        FormatError
            When the content is not of this format.
        OSError
            When the file cannot be read.
        """

    def write(self, piece: Any, path: Path) -> None:
        """Write one piece, replacing the file in one step."""
