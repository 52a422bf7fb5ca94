"""Which files these are, told by their content."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from itertools import chain
from pathlib import Path

import musicgen
from musicgen.files import write_atomically
from musicgen.parallel import parallel_map

__all__ = ["content_hashes", "program_hash"]

# Nanoseconds: a file that was changed a moment ago may change again and keep its time.
MOMENT = 2 * 10**9
ROOMS = ("notation", "formats", "convert", "encodings", "training")
LIBRARIES = ("mido", "music21", "numpy", "scipy", "soundfile")


def content_hashes(
    root: Path, files: Sequence[Path], memory: Path | None = None, jobs: int | None = None
) -> dict[str, str]:
    """Return the SHA-256 of each file as hexadecimal text, by its name under `root`.

    Where a file cannot be read, the reason stands instead.

    Parameters
    ----------
    root
        A folder, or the only file.
    files
        The files in it.
    memory
        A file that remembers them: those whose size and time of change are still the same are not
        read again. It is written where it can be.
    jobs
        Processes side by side.
    """
    known = _recalled(memory) if memory else {}
    now = time.time_ns()
    names = {
        file.relative_to(root).as_posix() if file != root else file.name: file for file in files
    }
    stamps: dict[str, tuple[int, int]] = {}
    for name, file in names.items():
        with suppress(OSError):
            status = file.stat()
            stamps[name] = status.st_size, status.st_mtime_ns
    hashes = {
        name: known[name][2]
        for name, stamp in stamps.items()
        if name in known and known[name][:2] == stamp
    }
    strange = [name for name in names if name not in hashes]
    results = parallel_map(_content_hash, [names[name] for name in strange], jobs)
    for name, (result, read) in zip(strange, results, strict=True):
        hashes[name] = result
        if not read or now - stamps[name][1] < MOMENT:
            stamps.pop(name, None)
    if memory and (strange or len(known) > len(names)):
        lines = {name: [*stamp, hashes[name]] for name, stamp in stamps.items()}
        with suppress(OSError):  # it only saves time
            memory.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(memory, json.dumps(lines).encode())
    return {name: hashes[name] for name in names}


@cache
def program_hash() -> str:
    """Return the SHA-256 of what makes arrays from files: a part of this package, and libraries.

    The version alone would not tell of a change that somebody makes.
    """
    versions = [f"{library} {version(library)}" for library in LIBRARIES]
    whole = hashlib.sha256("\n".join([musicgen.__version__, *versions]).encode())
    folder = Path(musicgen.__file__).parent
    rooms = [sorted((folder / room).rglob("*.py")) for room in ROOMS]
    for file in (folder / "music.py", *chain.from_iterable(rooms)):
        text = file.read_bytes()
        whole.update(f"{file.relative_to(folder).as_posix()} {len(text)}\n".encode() + text)
    return whole.hexdigest()


def _content_hash(file: Path) -> tuple[str, bool]:
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest(), True
    except OSError as error:
        return error.strerror or str(error), False


def _recalled(memory: Path) -> dict[str, tuple[int, int, str]]:
    try:
        return {
            name: (int(size), int(changed), str(result))
            for name, (size, changed, result) in json.loads(memory.read_bytes()).items()
        }
    except (OSError, ValueError, TypeError, AttributeError):
        return {}  # it is missing or broken
