"""What was computed from a corpus, kept until the next start."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from musicgen.files import cache_folder

__all__ = ["LIMIT", "Cache"]

# Bytes; beyond it the entries go that were not used for longest.
LIMIT = 8 * 10**9
# Seconds without a change after which a folder that is being built is taken for abandoned.
ABANDONED = 3600.0
# Corpora whose files' hashes are remembered.
REMEMBERED = 100

BUILDING = ".building-"


class Cache:
    """Folders of computed files, each under the key of what it was computed from.

    An entry is there whole or not at all: it is built beside, and moved to its place in one step.

    Parameters
    ----------
    root
        Where they are kept: `musicgen.files.cache_folder` by default.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as root:
    ...     cache = Cache(Path(root))
    ...     cache.find("5eed") is None
    ...     with cache.building("5eed") as folder:
    ...         _ = (folder / "notes").write_text("CDE")
    ...     (cache.find("5eed") / "notes").read_text()
    True
    'CDE'
    """

    def __init__(self, root: Path | None = None) -> None:
        self.root = root = cache_folder() if root is None else root
        self._entries, self._memories = root / "corpora", root / "files"

    def find(self, key: str) -> Path | None:
        """Return the folder of an entry; None when there is none."""
        entry = self._entries / key
        if not entry.is_dir():
            return None
        with suppress(OSError):
            os.utime(entry)  # the time of last use
        return entry

    @contextmanager
    def building(self, key: str) -> Iterator[Path]:
        """Give a new folder to be filled, which then becomes an entry.

        Where there is one already, that one stays. When an error is raised meanwhile, nothing is
        kept.

        Raises
        ------
        OSError
            When the place cannot be written.
        """
        self._entries.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=BUILDING, dir=self._entries))
        try:
            yield folder
            try:
                folder.rename(self._entries / key)
            except OSError:
                # Another process may have built the same meanwhile.
                if not (self._entries / key).is_dir():
                    raise
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        self._clean(key)

    def memory(self, path: Path) -> Path:
        """Name the file that remembers the hashes of a corpus's files."""
        name = hashlib.sha256(os.fsencode(path.absolute())).hexdigest()
        return self._memories / f"{name}.json"

    def remove(self, key: str) -> None:
        """Remove an entry, if it is there."""
        shutil.rmtree(self._entries / key, ignore_errors=True)

    def _clean(self, newest: str) -> None:
        """Remove what killed runs left, and the entries that are too many."""
        found = []
        for folder in self._entries.iterdir():
            with suppress(OSError):  # another process may clean as well
                used, size = _used(folder), _size(folder)
                if not folder.name.startswith(BUILDING):
                    found.append((folder.name == newest, used, size, folder))
                elif time.time() - used > ABANDONED:
                    shutil.rmtree(folder, ignore_errors=True)
        total = 0
        for _, _, size, folder in sorted(found, reverse=True):
            total += size
            if total > LIMIT and folder.name != newest:
                shutil.rmtree(folder, ignore_errors=True)
        with suppress(OSError):
            for file in sorted(self._memories.iterdir(), key=_changed, reverse=True)[REMEMBERED:]:
                file.unlink()


def _changed(path: Path) -> float:
    return path.stat().st_mtime


def _used(folder: Path) -> float:
    return max(map(_changed, (folder, *folder.iterdir())))


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())
