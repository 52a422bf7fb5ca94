"""Writing files so that nothing is lost: a file is either the old one or the new one, whole."""

from __future__ import annotations

import errno
import glob
import os
import stat
import threading
from contextlib import suppress
from pathlib import Path

__all__ = ["cache_folder", "check_writable", "files_in", "remove_leftovers", "write_atomically"]


def write_atomically(path: str | os.PathLike[str], data: bytes) -> None:
    r"""Replace the content of `path` in one step.

    The bytes go to a temporary file in the same folder, reach the disk, and take the name and the
    permissions of the old file last. A full disk, a kill or a power cut leaves it as it was.

    Parameters
    ----------
    path
        The file to write; a symbolic link is followed.
    data
        Its new content.

    Raises
    ------
    OSError
        When the folder cannot be written or the disk is full.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "a.abc"
    ...     write_atomically(file, b"X:1\n")
    ...     file.read_bytes(), len(list(Path(folder).iterdir()))
    (b'X:1\n', 1)
    """
    target = Path(os.path.realpath(path))
    # Neither another process nor another thread may write to the same one.
    temporary = target.with_name(f"{_hidden(target)}{os.getpid()}-{threading.get_ident()}.tmp")
    try:
        with temporary.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        with suppress(FileNotFoundError):
            temporary.chmod(stat.S_IMODE(target.stat().st_mode))
        temporary.replace(target)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno:
            # The system names the temporary file, or none at all.
            error.filename, error.filename2 = str(path), None
        raise


def remove_leftovers(path: Path) -> None:
    """Remove what a process that was killed while it wrote this file has left of it.

    Nobody else must be writing it.
    """
    for file in path.parent.glob(f"{glob.escape(_hidden(path))}*.tmp"):
        file.unlink(missing_ok=True)


def _hidden(path: Path) -> str:
    return f".{path.name[:50]}."  # names have a greatest length


def files_in(path: Path) -> list[Path]:
    """List the files of a folder and of the folders in it by name.

    Hidden ones are passed over, and so is what is no file, such as a socket. A link to nothing
    counts, so that it can be told of.

    Parameters
    ----------
    path
        A folder; or a file, which is then the only one.

    Raises
    ------
    OSError
        When a folder cannot be listed.
    """

    def fail(error: OSError) -> None:
        raise error

    if not path.is_dir():
        return [path]
    found = []
    for parent, folders, names in os.walk(path, onerror=fail):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(parent, name) for name in names if not name.startswith(".")]
    return sorted(file for file in found if file.is_file() or not file.exists())


def check_writable(folder: Path) -> None:
    """Make a folder if need be, and make sure that files can be written there.

    Raises
    ------
    OSError
        When they cannot: better now than after hours of work.
    """
    trial = folder / f".{os.getpid()}-{threading.get_ident()}.tmp"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        trial.touch()
    except FileExistsError as error:
        message = "is a file; expected a folder"
        raise NotADirectoryError(errno.ENOTDIR, message, error.filename) from None
    except OSError as error:
        error.filename = str(folder)
        raise
    finally:
        with suppress(OSError):
            trial.unlink(missing_ok=True)


def cache_folder() -> Path:
    """Return the folder for what can be computed or fetched again; it need not be there yet.

    The environment variable ``MUSICGEN_CACHE`` says it, and else the system: ``~/.cache/musicgen``
    on Linux.
    """
    if named := os.environ.get("MUSICGEN_CACHE"):
        return Path(named)
    from platformdirs import user_cache_path

    return user_cache_path("musicgen")
