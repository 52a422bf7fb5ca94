"""Finding the format of a file, and the formats that are installed."""

from __future__ import annotations

import importlib
import warnings
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, cast

from musicgen.errors import FormatError, FormatWarning

if TYPE_CHECKING:
    from pathlib import Path

    from musicgen.formats.base import Format

__all__ = ["detect", "for_extension", "get", "names"]

GROUP = "musicgen.formats"
SNIFFED_BYTES = 4096

BUILT_IN = {
    "abc": "musicgen.formats.abc",
    "midi": "musicgen.formats.midi",
    "musicxml": "musicgen.formats.musicxml",
    "wav": "musicgen.formats.wav",
}


@cache
def _third_party() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP) if point.name not in BUILT_IN}


def names() -> list[str]:
    """List the names of all formats, the built-in ones first.

    Examples
    --------
    >>> names()[:2]
    ['abc', 'midi']
    """
    return [*BUILT_IN, *sorted(_third_party())]


@cache
def get(name: str) -> Format:
    """Load a format by name.

    Raises
    ------
    FormatError
        When no such format is installed, or a plug-in cannot be loaded.

    Examples
    --------
    >>> get("midi").extensions
    ('.mid', '.midi')
    """
    if name in BUILT_IN:
        return cast("Format", importlib.import_module(BUILT_IN[name]))
    point = _third_party().get(name)
    if point is None:
        raise FormatError(f"no format is called {name!r}", hint=f"there are: {', '.join(names())}")
    try:
        return cast("Format", point.load())
    except Exception as error:  # a plug-in may fail in any way, and must not stop the others
        raise FormatError(
            f"the format {name!r} of {point.value!r} cannot be loaded: {error}",
            hint="update or uninstall that plug-in",
        ) from error


def _loadable() -> list[Format]:
    formats = []
    for name in names():
        try:
            formats.append(get(name))
        except FormatError as error:
            warnings.warn(str(error), FormatWarning, stacklevel=3)
    return formats


def for_extension(path: Path) -> Format | None:
    """Find the format by the ending of the file name alone; None when no format claims it."""
    suffix = path.suffix.lower()
    return next((form for form in _loadable() if suffix and suffix in form.extensions), None)


def detect(path: Path) -> Format | None:
    """Find the format of an existing file: its content first, then the ending of its name.

    Returns
    -------
    Format or None
        None when neither tells.

    Raises
    ------
    FormatError
        When it is a pipe or the like: what tells its format could not be read again.
    OSError
        When the file cannot be opened.
    """
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise FormatError("is no file on a disk", path=path, hint="save it as a file first")
    with path.open("rb") as stream:
        head = stream.read(SNIFFED_BYTES)
    by_content = next((form for form in _loadable() if _knows(form, head)), None)
    return by_content or for_extension(path)


def _knows(form: Format, head: bytes) -> bool:
    try:
        return form.sniff(head)
    except Exception as error:  # as above: a plug-in must not stop the others
        warnings.warn(f"the format {form.name!r} fails: {error!r}", FormatWarning, stacklevel=4)
        return False
