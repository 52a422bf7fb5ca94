"""Which kernels compute, and on how many threads."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
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
# Made at the first use: what does not compute, such as help, answers in a wrong environment too.
_choice: KernelChoice | None = None

MOST_THREADS = 64  # as in pool.h

# What a container, a control group of Linux (version 2), may use of the processors.
QUOTA = Path("/sys/fs/cgroup/cpu.max")


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
    """Return how many processors this process may use; a container may have fewer than it sees."""
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    try:
        quota, period = QUOTA.read_text(encoding="ascii").split()
        # Rounded down: threads that wait for each other lose more by a pause of one than by one.
        return min(cores, max(1, int(quota) // int(period)))
    except (OSError, ValueError):  # another system, or no limit: "max 100000"
        return cores


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
        When this machine does not have it, or the number is below 1 or above 64.
    """
    global _active, _choice
    possible = (*(_compiled.supported() if _compiled else ()), "numpy")
    reason = "chosen"
    if name is None and (name := os.environ.get("MUSICGEN_KERNELS")):
        reason = f"MUSICGEN_KERNELS is {name}"
    if not name:
        name = possible[0]
        reason = "the best of this machine"
        if not _compiled:
            reason = (
                f"no kernels were compiled: {_missing}; with a C compiler at hand, install again"
            )
    if name not in possible:
        without = "" if _compiled else f" (no kernels were compiled: {_missing})"
        raise MusicgenError(
            f"there are no kernels called {name!r} on this machine{without}; choose "
            f"{', '.join(possible)} with MUSICGEN_KERNELS"
        )
    if threads is None:
        threads = _threads_wanted()
    if not 1 <= threads <= MOST_THREADS:
        raise MusicgenError(f"found {threads} threads; expected 1 to {MOST_THREADS}")
    if name != "numpy":
        assert _compiled is not None
        _compiled.choose(name, threads)
    _active = None if name == "numpy" else _compiled
    _choice = KernelChoice(name, threads, reason, possible)
    return _choice


def chosen() -> KernelChoice:
    """Return what was chosen.

    Raises
    ------
    MusicgenError
        When the environment wants what this machine does not have.
    """
    return _choice or choose()


def native() -> ModuleType | None:
    """Return the compiled kernels; None where numpy was chosen, or there are none."""
    if _choice is None:
        choose()
    return _active


def _threads_wanted() -> int:
    wanted = os.environ.get("MUSICGEN_THREADS")
    if not wanted:
        return min(usable_cores(), MOST_THREADS)
    if wanted not in map(str, range(1, MOST_THREADS + 1)):
        raise MusicgenError(
            f"MUSICGEN_THREADS is {wanted!r}; expected a number from 1 to {MOST_THREADS}"
        )
    return int(wanted)
