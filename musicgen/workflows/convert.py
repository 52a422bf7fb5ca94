"""Files of one format in, files of another out."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from musicgen.convert import convert, quantise, tune_to_music
from musicgen.errors import FormatError, FormatWarning
from musicgen.files import check_writable, files_in
from musicgen.formats import Format, detect, for_extension, get, names
from musicgen.music import Music, Piece, Tune
from musicgen.parallel import parallel_map

__all__ = ["Conversion", "convert_file", "convert_folder"]


@dataclass(slots=True)
class Conversion:
    """What came of a folder.

    Attributes
    ----------
    files
        The files written.
    repaired
        Files that were read with repairs, each with what was repaired.
    refused
        Files that could not be converted, each with the reason.
    left_out
        Files that were not to be converted: of no known format, or of another than wanted.
    """

    files: list[Path] = field(default_factory=list)
    repaired: list[tuple[Path, str]] = field(default_factory=list)
    refused: list[tuple[Path, str]] = field(default_factory=list)
    left_out: list[tuple[Path, str]] = field(default_factory=list)


def convert_file(
    source: str | Path,
    target: str | Path,
    *,
    from_format: str | None = None,
    to_format: str | None = None,
    grid: str | None = None,
    repeats: bool = True,
    accompaniment: bool = False,
) -> list[Path]:
    """Read every piece of a file and write each in another format.

    Parameters
    ----------
    source
        The file to read.
    target
        The file to write, or a folder, which is what a name without the ending of a format means.
        Several pieces are written to several files, numbered after the name: ``tunes-1.mid``,
        ``tunes-2.mid``, …
    from_format, to_format
        Names of formats, instead of those that the content of `source` and the name of `target`
        tell. A folder as target needs `to_format`.
    grid
        Notes move to its nearest points: see `musicgen.convert.quantise`.
    repeats, accompaniment
        Of tunes that are played: whether repeats are played out, and chord symbols played too.

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
    # A dot does not make a file: "Op. 27" is a folder.
    if target.is_dir() or for_extension(target) is None:
        target = target / f"{_stem(source)}{writer.extensions[0]}"
    change = partial(
        _convert, kind=writer.kind, grid=grid, repeats=repeats, accompaniment=accompaniment
    )
    try:
        pieces = [change(piece) for piece in reader.read(source)]
    except FormatError as error:
        error.path = error.path or source
        raise
    check_writable(target.parent)
    width = len(str(len(pieces)))
    files = []
    for number, piece in enumerate(pieces, 1):
        name = f"{target.stem}-{number:0{width}}{target.suffix}" if len(pieces) > 1 else target.name
        files.append(target.with_name(name))
        writer.write(piece, files[-1])
    return files


def convert_folder(
    source: str | Path,
    target: str | Path,
    *,
    to_format: str,
    from_format: str | None = None,
    grid: str | None = None,
    repeats: bool = True,
    accompaniment: bool = False,
    jobs: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Conversion:
    """Convert every file of a folder and of the folders in it.

    The folders in it are kept. A file that cannot be converted stops none of the others, and no
    file of the source is written over.

    Parameters
    ----------
    source
        The folder to read.
    target
        The folder to write; made where it does not exist.
    to_format
        Name of the format to write.
    from_format
        Name of a format: files of others are left out. Without it every known format is read, but
        the one that is written.
    grid, repeats, accompaniment
        As for `convert_file`.
    jobs
        Processes side by side; as many as there are processors by default.
    progress
        Called with the number of files done and to do.

    Raises
    ------
    FormatError
        When a format is not known, or the folder is empty.
    OSError
        When the folders cannot be read or written.
    """
    source, target = Path(source), Path(target)
    writer = get(to_format)
    wanted = get(from_format).name if from_format else None
    check_writable(target)
    done = Conversion()
    chosen: list[Path] = []
    kept: list[Path] = []
    earlier = target.resolve() if source.resolve() in target.resolve().parents else None
    for file in files_in(source):
        place = file.resolve()
        if earlier in place.parents:
            continue  # an earlier run wrote it
        if target.resolve() in place.parents:
            kept.append(place.relative_to(target.resolve()))
        try:
            found = detect(file)
        except OSError as error:
            done.refused.append((file, error.strerror or str(error)))
            continue
        if found is None:
            done.left_out.append((file, "not a file of a known format"))
        elif wanted and found.name != wanted:
            done.left_out.append((file, f"{found.name}, not {wanted}"))
        elif not wanted and found.name == writer.name:
            done.left_out.append((file, f"{found.name} already"))
        else:
            chosen.append(file)
    if not (chosen or done.refused or done.left_out):
        raise FormatError("the folder holds no file", path=source)
    targets = _targets([file.relative_to(source) for file in chosen], kept, writer.extensions[0])
    pairs = [(file, target / name) for file, name in zip(chosen, targets, strict=True)]
    work = partial(
        _convert_one, from_format=from_format, to_format=to_format, grid=grid, repeats=repeats,
        accompaniment=accompaniment,
    )  # fmt: skip
    for number, (file, files, repairs, reason) in enumerate(parallel_map(work, pairs, jobs), 1):
        done.files += files
        done.repaired += [(file, repair) for repair in repairs]
        if reason:
            done.refused.append((file, reason))
        if progress:
            progress(number, len(pairs))
    return done


def _convert(
    piece: Piece, kind: type[Piece], grid: str | None, repeats: bool, accompaniment: bool
) -> Piece:
    if isinstance(piece, Tune) and (kind is not Tune or grid is not None):
        piece = tune_to_music(piece, repeats=repeats, accompaniment=accompaniment)
    if isinstance(piece, Music) and grid is not None:
        piece = quantise(piece, grid)
    return convert(piece, kind)


Outcome = tuple[Path, list[Path], list[str], str]


def _convert_one(pair: tuple[Path, Path], **settings: Any) -> Outcome:
    source, target = pair
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", FormatWarning)
        try:
            files = convert_file(source, target, **settings)
        except FormatError as error:
            return source, [], [], str(error)
        except OSError as error:
            return source, [], [], error.strerror or str(error)
    return source, files, [str(warning.message) for warning in caught], ""


def _targets(files: Sequence[Path], kept: Sequence[Path], extension: str) -> list[Path]:
    """Name what is written after what is read, no two alike, and none like a file that is kept.

    ``a.mid`` beside ``a.abc`` becomes ``a-mid.wav``; so does ``a-1.mid``, as ``a-1.wav`` may be
    the first piece of ``a.abc``.
    """
    taken = {_plain(file.with_suffix("")) for file in kept if file.suffix.lower() == extension}
    firsts = {_numbered(name) for name in taken}
    targets = []
    for file in files:
        stem = file.with_name(_stem(file))
        while _plain(stem) in taken or _plain(stem) in firsts or _numbered(_plain(stem)) in taken:
            stem = stem.with_name(f"{stem.name}-{file.suffix[1:] or 'x'}")
        taken.add(_plain(stem))
        firsts.add(_numbered(_plain(stem)))
        targets.append(stem.with_name(stem.name + extension))
    return targets


def _plain(path: Path) -> str:
    # Some systems take names for the same that differ in case.
    return str(path).casefold()


def _numbered(name: str) -> str:
    """Return the name whose pieces would be numbered so: ``"a"`` for ``"a-1"``."""
    return re.sub(r"-\d+$", "", name) if re.search(r"-\d+$", name) else ""


def _stem(path: Path) -> str:
    return path.stem if for_extension(path) else path.name


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
