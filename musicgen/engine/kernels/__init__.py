"""Matrix products and recurrent layers in C, where they can be had, and in numpy otherwise.

The kernels take contiguous float32 arrays; everything else is numpy's. They use threads of their
own, which must not meet those of numpy's products: two pools that wait for work with open eyes
take the machine from each other. So all products of a training step come through here.

Two environment variables choose: ``MUSICGEN_KERNELS`` is the name of an instruction set
(``avx512``, ``avx2``, ``neon``, ``plain``) or ``numpy``, ``MUSICGEN_THREADS`` a number of threads.
By default these are the best instruction set and as many threads as the process may use processors.
The results do not depend on the number of threads.
"""

from __future__ import annotations

import os
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from musicgen.errors import MusicgenError

__all__ = ["KernelChoice", "choice", "choose", "lstm_backward", "lstm_forward", "product", "usable_cores"]

Array = npt.NDArray[Any]

try:
    from musicgen.engine.kernels import _native
except ImportError as error:
    _compiled: ModuleType | None = None
    _missing = str(error)
else:
    _compiled = _native
    _missing = ""

_active: ModuleType | None = None
_FLOAT = np.dtype(np.float32)


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
        reason = "the best of this machine" if _compiled else f"no kernels here: {_missing}"
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


def choice() -> KernelChoice:
    """Return what was chosen."""
    return _choice


def _threads_wanted() -> int:
    wanted = os.environ.get("MUSICGEN_THREADS")
    if not wanted:
        return usable_cores()
    if not wanted.isascii() or not wanted.isdigit() or int(wanted) < 1:
        raise MusicgenError(f"MUSICGEN_THREADS is {wanted!r}; expected a number, 1 or more")
    return int(wanted)


def product(a: Array, b: Array, out: Array, bias: Array | None = None) -> Array:
    """Compute ``a b + bias`` of two matrices, as `numpy.matmul` would.

    Parameters
    ----------
    a, b
        Matrices ``(n, k)`` and ``(k, m)``; transposed ones are as fast.
    out
        Where the result goes, ``(n, m)``.
    bias
        Added to each row, ``(m,)``.
    """
    if _active is not None and _fits(out) and out.size and a.dtype == b.dtype == _FLOAT:
        A, a_turned = _straight(a)
        B, b_turned = _straight(b)
        if A is not None and B is not None and a.shape[1] and (bias is None or _fits(bias)):
            _active.multiply(A, B, out, bias, *out.shape, a.shape[1], a_turned, b_turned)
            return out
    np.matmul(a, b, out=out)
    return out if bias is None else np.add(out, bias, out=out)


def lstm_forward(
    a: Array, W_h: Array, h: Array, c: Array, tanh_c: Array, lengths: Array | None
) -> bool:
    """Run an LSTM layer over a sequence, where there is a kernel for it; return whether.

    Parameters
    ----------
    a
        ``(T, B, 4H)``: x W_x + b; becomes the gates.
    W_h
        Weights ``(H, 4H)``.
    h, c
        Histories ``(T + 1, B, H)``, of which the first states are given.
    tanh_c
        ``(T, B, H)``.
    lengths
        Of the sequences ``(B,)``, where they differ.
    """
    if _active is None or not (tanh_c.size and all(map(_fits, (a, W_h, h, c, tanh_c)))):
        return False
    _active.lstm_forward(a, W_h, h, c, tanh_c, _integers(lengths), *tanh_c.shape)
    return True


def lstm_backward(
    a: Array, W_h: Array, c: Array, tanh_c: Array, lengths: Array | None,
    dy: Array, da: Array, dh: Array, dc: Array, db: Array,
) -> bool:  # fmt: skip
    """Run the backward pass of an LSTM layer, where there is a kernel for it; return whether.

    Parameters
    ----------
    a, W_h, c, tanh_c, lengths
        As `lstm_forward` left them.
    dy
        ∂E/∂y ``(T, B, H)``.
    da, db
        Where ∂E/∂a ``(T, B, 4H)`` and ∂E/∂b ``(4H,)`` go.
    dh, dc
        ∂E/∂(final states) ``(B, H)``; become those of the initial states.
    """
    arrays = (a, W_h, c, tanh_c, dy, da, dh, dc, db)
    if _active is None or not (tanh_c.size and all(map(_fits, arrays))):
        return False
    lengths = _integers(lengths)
    _active.lstm_backward(a, W_h, c, tanh_c, lengths, dy, da, dh, dc, db, *tanh_c.shape)
    return True


def _fits(array: Array) -> bool:
    """Whether the kernels can take an array: float32, in one piece, in numpy's own memory."""
    return type(array) is np.ndarray and array.dtype == _FLOAT and array.flags.c_contiguous


def _straight(array: Array) -> tuple[Array | None, bool]:
    """Return a matrix or its transpose, whichever lies row by row, and whether it was turned."""
    if _fits(array):
        return array, False
    turned = array.T
    return (turned, True) if _fits(turned) else (None, False)


def _integers(lengths: Array | None) -> Array | None:
    return None if lengths is None else np.ascontiguousarray(lengths, np.int64)


_choice = choose()
