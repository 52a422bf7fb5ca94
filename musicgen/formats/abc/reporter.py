"""What to do about a text that is not as it should be: stop, or note it and go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from musicgen.errors import FormatError
from musicgen.formats.abc.score import MAX_PROBLEMS, Problem

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Reporter"]


class Reporter:
    """Collects problems.

    Parameters
    ----------
    path
        The file, for error messages.
    strict
        Whether the first problem that is not mild is raised as a `FormatError`.
    """

    def __init__(self, path: Path | None, strict: bool) -> None:
        self.path = path
        self.strict = strict
        self.problems: list[Problem] = []

    def __call__(
        self, line: int, column: int, message: str, hint: str = "", *, mild: bool = False
    ) -> None:
        """Note a problem, or raise it."""
        if self.strict and not mild:
            raise FormatError(message, path=self.path, line=line, column=column, hint=hint or None)
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(Problem(line, column, message, hint, mild))
