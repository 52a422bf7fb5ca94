"""The option ``--threads``, the same for every command that computes."""

from __future__ import annotations

import os
import sys
from typing import Annotated

from typer import Option

__all__ = ["Threads", "compute_on"]

Threads = Annotated[int | None, Option(help="Threads that compute.  [default: one a processor]")]

# The libraries behind numpy's products read these once, when numpy is loaded.
LIBRARIES = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def compute_on(threads: int | None) -> None:
    """Have the kernels, and numpy's own products, use so many threads.

    A command calls this first: a wrong number, or a wrong ``MUSICGEN_KERNELS``, is then found
    before its work, and numpy is not loaded yet.

    Raises
    ------
    MusicgenError
        When there cannot be so many threads, or there are no such kernels as the environment wants.
    """
    if threads is not None and "numpy" not in sys.modules:
        for variable in LIBRARIES:
            os.environ[variable] = str(threads)
    from musicgen import kernels

    kernels.choose(threads=threads)
