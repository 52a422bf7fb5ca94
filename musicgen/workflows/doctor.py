"""What this installation is, and what it computes with."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np

from musicgen import __version__, kernels
from musicgen.errors import MusicgenError
from musicgen.kernels import KernelChoice

__all__ = ["Diagnosis", "diagnose"]

# What each optional part, or part that needs a library of the system, is good for.
PARTS = {
    "soundfile": "sound: WAV, FLAC, OGG, MP3",
    "verovio": "engraved scores: pip install 'musicgen-lstm[score]'",
    "resvg_py": "engraved scores as PNG: pip install 'musicgen-lstm[score]'",
    "sklearn": "the task of the digits: pip install 'musicgen-lstm[digits]'",
}


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What was found.

    Attributes
    ----------
    musicgen, python, numpy, blas
        Versions; of the library that numpy's products come from also the name.
    machine
        Processor and system.
    cores, usable
        Processors of the machine, and those that this process may use.
    kernels
        What computes the recurrent layers and the products around them; None where the
        environment wants what is not there.
    problem
        What is wrong then, and what to do; empty when all is well.
    parts
        By the name of a library: whether it is there.
    """

    musicgen: str
    python: str
    numpy: str
    blas: str
    machine: str
    cores: int
    usable: int
    kernels: KernelChoice | None
    problem: str
    parts: dict[str, bool]


def diagnose() -> Diagnosis:
    """Look at this installation."""
    choice, problem = None, ""
    try:
        choice = kernels.chosen()
    except MusicgenError as error:
        problem = str(error)
    return Diagnosis(
        __version__,
        f"{platform.python_implementation()} {platform.python_version()}",
        np.__version__,
        _blas(),
        f"{platform.machine()}, {platform.system()} {platform.release()}",
        os.cpu_count() or 1,
        kernels.usable_cores(),
        choice,
        problem,
        {name: _loads(name) for name in PARTS},
    )


def _blas() -> str:
    """Return the name and version of the library behind numpy's products."""
    config = np.show_config(mode="dicts") or {}
    blas = config.get("Build Dependencies", {}).get("blas", {})
    return f"{blas.get('name', 'unknown')} {blas.get('version', '')}".strip()


def _loads(name: str) -> bool:
    """Whether a library is there; soundfile also needs one of the system."""
    if name != "soundfile":
        return find_spec(name) is not None
    try:
        import soundfile  # noqa: F401
    except (ImportError, OSError):
        return False
    return True
