"""Files of one format in, files of another out."""

from __future__ import annotations

import re
import warnings
from collections import Counter
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
from musicgen.workflows.parallel import parallel_map

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
        The file to write, or a folder. Several pieces are written to several files, numbered
        after the name: ``tunes-1.mid``, ``tunes-2.mid``, …
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
    if target.is_dir() or not target.suffix:
        target = target / f"{source.stem}{writer.extensions[0]}"
    change = partial(
        _convert, kind=writer.kind, grid=grid, repeats=repeats, accompaniment=accompaniment
    )
    pieces = [change(piece) for piece in reader.read(source)]
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

    The folders in it are kept. A file that cannot be converted stops none of the others.

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
        When a format is not known.
    OSError
        When the folders cannot be read or written.
    """
    source, target = Path(source), Path(target)
    writer = get(to_format)
    wanted = get(from_format).name if from_format else None
    check_writable(target)
    done = Conversion()
    chosen: list[Path] = []
    inside = target.resolve()
    for file in files_in(source):
        if inside != source.resolve() and inside in file.resolve().parents:
            continue  # an earlier run wrote it
        found = detect(file)
        if found is None:
            done.left_out.append((file, "not a file of a known format"))
        elif wanted and found.name != wanted:
            done.left_out.append((file, f"{found.name}, not {wanted}"))
        elif not wanted and found.name == writer.name:
            done.left_out.append((file, f"{found.name} already"))
        else:
            chosen.append(file)
    targets = _targets([file.relative_to(source) for file in chosen], writer.extensions[0])
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
    if isinstance(piece, Tune) and (kind is not Tune or grid):
        piece = tune_to_music(piece, repeats=repeats, accompaniment=accompaniment)
    if isinstance(piece, Music) and grid:
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


def _targets(files: Sequence[Path], extension: str) -> list[Path]:
    """Name what is written after what is read, and no two of them alike.

    ``a.abc`` and ``a.mid`` become ``a-abc.wav`` and ``a-mid.wav``; so does ``a.abc`` where there
    is an ``a-1.mid``, which may be the name of its first piece.
    """
    plain = [file.with_suffix("") for file in files]
    taken = Counter(plain)
    first = {
        Path(re.sub(r"-\d+$", "", str(stem))) for stem in plain if re.search(r"-\d+$", str(stem))
    }
    return [
        stem.with_name(f"{stem.name}-{file.suffix[1:]}{extension}")
        if taken[stem] > 1 or stem in first
        else stem.with_name(stem.name + extension)
        for file, stem in zip(files, plain, strict=True)
    ]


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
