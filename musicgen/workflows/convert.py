"""Files of one format in, files of another out."""

from __future__ import annotations

from pathlib import Path

from musicgen.convert import convert
from musicgen.errors import FormatError
from musicgen.files import check_writable
from musicgen.formats import Format, detect, for_extension, get, names

__all__ = ["convert_file"]


def convert_file(
    source: str | Path,
    target: str | Path,
    *,
    from_format: str | None = None,
    to_format: str | None = None,
) -> list[Path]:
    """Read every piece of a file and write each in another format.

    Parameters
    ----------
    source
        The file to read.
    target
        The file to write, or a folder. Several pieces are written to several files, numbered
        after the name: ``tunes-1.mid``, ``tunes-2.mid``, …
    from_format, to_format
        Names of formats, instead of those that the content of `source` and the name of `target`
        tell. A folder as target needs `to_format`.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    FormatError
        When a format is not known, the source cannot be read in it, or its pieces cannot be
        turned into pieces of the target's kind.
    OSError
        When a file cannot be read or written.
    """
    source, target = Path(source), Path(target)
    reader = get(from_format) if from_format else detect(source)
    if reader is None:
        raise FormatError("is of no known format", path=source, hint=_known("--from"))
    writer = _writer(target, to_format)
    if target.is_dir() or not target.suffix:
        target = target / f"{source.stem}{writer.extensions[0]}"
    pieces = [convert(piece, writer.kind) for piece in reader.read(source)]
    check_writable(target.parent)
    width = len(str(len(pieces)))
    files = []
    for number, piece in enumerate(pieces, 1):
        name = f"{target.stem}-{number:0{width}}{target.suffix}" if len(pieces) > 1 else target.name
        files.append(target.with_name(name))
        writer.write(piece, files[-1])
    return files


def _writer(target: Path, to_format: str | None) -> Format:
    if to_format:
        return get(to_format)
    writer = None if target.is_dir() else for_extension(target)
    if writer is None:
        raise FormatError(
            "the name does not tell which format to write", path=target, hint=_known("--to")
        )
    return writer


def _known(option: str) -> str:
    return f"give {option} with one of: {', '.join(names())}"
