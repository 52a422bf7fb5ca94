"""Which kernels compute, and on how many threads."""

from __future__ import annotations

import os
from importlib import import_module
from types import ModuleType
from typing import NamedTuple

from musicgen.errors import MusicgenError

__all__ = ["KernelChoice", "choose", "chosen", "native", "usable_cores"]

_compiled: ModuleType | None = None
_missing = ""
try:
    _compiled = import_module("musicgen.kernels._native")
except ImportError as error:
    _missing = str(error)

_active: ModuleType | None = None


class KernelChoice(NamedTuple):
    """What computes.

    Attributes
    ----------
    name
        An instruction set, or ``"numpy"``.
    threads
        Threads of the kernels; numpy's are its own affair.
    reason
        Why this one, in words.
    possible
        All that could be chosen on this machine.
    """

    name: str
    threads: int
    reason: str
    possible: tuple[str, ...]


def usable_cores() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def choose(name: str | None = None, threads: int | None = None) -> KernelChoice:
    """Choose what computes from now on, in this process.

    Parameters
    ----------
    name
        An instruction set or ``"numpy"``; by default ``MUSICGEN_KERNELS``, or else the best.
    threads
        By default ``MUSICGEN_THREADS``, or else one for each processor that may be used.

    Raises
    ------
    MusicgenError
        When this machine does not have it.
    """
    global _active, _choice
    possible = (*(_compiled.supported() if _compiled else ()), "numpy")
    reason = "chosen"
    if name is None and (name := os.environ.get("MUSICGEN_KERNELS")):
        reason = f"MUSICGEN_KERNELS is {name}"
    if not name:
        name = possible[0]
        reason = (
            "the best of this machine" if _compiled else f"no kernels were compiled: {_missing}"
        )
    if name not in possible:
        without = "" if _compiled else f" (no kernels were compiled: {_missing})"
        raise MusicgenError(
            f"there are no kernels called {name!r} on this machine{without}; choose "
            f"{', '.join(possible)} with MUSICGEN_KERNELS"
        )
    if threads is None:
        threads = _threads_wanted()
    if threads < 1:
        raise MusicgenError(f"found {threads} threads; expected 1 or more")
    _active = None
    if name != "numpy":
        assert _compiled is not None
        _compiled.choose(name, threads)
        _active = _compiled
    _choice = KernelChoice(name, threads, reason, possible)
    return _choice


def chosen() -> KernelChoice:
    """Return what was chosen."""
    return _choice


def native() -> ModuleType | None:
    """Return the compiled kernels; None where numpy was chosen, or there are none."""
    return _active


def _threads_wanted() -> int:
    wanted = os.environ.get("MUSICGEN_THREADS")
    if not wanted:
        return usable_cores()
    if not wanted.isascii() or not wanted.isdigit() or int(wanted) < 1:
        raise MusicgenError(f"MUSICGEN_THREADS is {wanted!r}; expected a number, 1 or more")
    return int(wanted)


_choice = choose()
