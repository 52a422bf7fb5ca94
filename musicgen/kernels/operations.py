"""What the kernels can do; where they cannot, numpy does it or the caller is told."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from musicgen.errors import GraphError
from musicgen.kernels.choice import native

__all__ = [
    "adam",
    "add_rows",
    "draw",
    "lay_out",
    "lstm_backward",
    "lstm_forward",
    "product",
    "rmsprop",
    "scale",
    "softmax",
    "softmax_slope",
    "squared_norm",
    "step",
]

Array = npt.NDArray[Any]

MOST_LAYERS = 16  # as in _native.c

FEW = 4  # rows for which it is not worth while to lay out the other factor

_FLOAT, _INTEGER = np.dtype(np.float32), np.dtype(np.int32)


def product(a: Array, b: Array, out: Array, bias: Array | None = None) -> Array:
    """Compute ``a b + bias`` of two matrices.

    Parameters
    ----------
    a, b
        Matrices ``(n, k)`` and ``(k, m)``; transposed ones are as fast.
    out
        Where the result goes, ``(n, m)``.
    bias
        Added to each row, ``(m,)``.
    """
    kernels = native() if len(a) > FEW else None
    if kernels and _fits(out) and out.size and a.dtype == b.dtype == _FLOAT and a.shape[1]:
        A, a_turned = _straight(a)
        B, b_turned = _straight(b)
        if A is not None and B is not None and (bias is None or _fits(bias)):
            kernels.multiply(A, B, out, bias, *out.shape, a.shape[1], a_turned, b_turned)
            return out
    np.matmul(a, b, out=out)
    return out if bias is None else np.add(out, bias, out=out)


def lstm_forward(
    x: Array, W_x: Array, b: Array, W_h: Array, a: Array, h: Array, c: Array, tanh_c: Array,
    lengths: Array | None,
) -> bool:  # fmt: skip
    """Run an LSTM layer over a sequence, where there is a kernel for it; return whether.

    Parameters
    ----------
    x
        Inputs ``(T, B, D)``.
    W_x, b, W_h
        Weights ``(D, 4H)``, ``(4H,)`` and ``(H, 4H)``.
    a
        Where the gates go, ``(T, B, 4H)``.
    h, c
        Histories ``(T + 1, B, H)``, of which the first states are given.
    tanh_c
        Where tanh c goes, ``(T, B, H)``.
    lengths
        Of the sequences ``(B,)``, where they differ.
    """
    kernels = native()
    if not (kernels and a.size and x.size and _fits(x, W_x, b, W_h, a, h, c, tanh_c)):
        return False
    lengths, (T, B, H), D = _integers(lengths), tanh_c.shape, x.shape[2]
    if T > 1 and _narrow(D, H):
        kernels.lstm_forward(a, W_h, h, c, tanh_c, lengths, x, W_x, b, T, B, H, D)
    else:
        kernels.multiply(x, W_x, a, b, T * B, 4 * H, D, False, False)
        kernels.lstm_forward(a, W_h, h, c, tanh_c, lengths, None, None, None, T, B, H, 0)
    return True


def lstm_backward(
    W_x: Array, W_h: Array, a: Array, c: Array, tanh_c: Array, lengths: Array | None,
    dy: Array, da: Array, dx: Array | None, dh: Array, dc: Array, db: Array,
) -> bool:  # fmt: skip
    """Run the backward pass of an LSTM layer, where there is a kernel for it; return whether.

    Parameters
    ----------
    W_x, W_h, a, c, tanh_c, lengths
        As `lstm_forward` left them.
    dy
        ∂E/∂y ``(T, B, H)``.
    da, dx, db
        Where ∂E/∂a ``(T, B, 4H)``, where it is wanted ∂E/∂x ``(T, B, D)``, and ∂E/∂b ``(4H,)`` go.
    dh, dc
        ∂E/∂(final states) ``(B, H)``; become those of the initial states.
    """
    kernels = native()
    if not (kernels and a.size and W_x.size):
        return False
    if not _fits(W_x, W_h, a, c, tanh_c, dy, da, dh, dc, db, *(() if dx is None else (dx,))):
        return False
    given = a, W_h, c, tanh_c, _integers(lengths), dy, da, dh, dc, db
    (T, B, H), D = tanh_c.shape, len(W_x)
    if dx is None or not _narrow(D, H):
        kernels.lstm_backward(*given, None, None, T, B, H, 0)
        if dx is not None:
            kernels.multiply(da, W_x, dx, None, T * B, D, 4 * H, False, True)
    else:
        kernels.lstm_backward(*given, W_x, dx, T, B, H, D)
    return True


def softmax(z: Array, targets: Array, p: Array, costs: Array) -> bool:
    """Compute probabilities, and what the targets cost, in one pass; return whether.

    Parameters
    ----------
    z
        Logits ``(…, V)``.
    targets
        Symbols ``(…)``, from 0 to V − 1.
    p
        Where the probabilities go, ``(…, V)``.
    costs
        Where ``−ln p_target`` goes, ``(…)``.
    """
    kernels = native()
    if not (kernels and z.size and _fits(z, p, costs) and _numbers(targets)):
        return False
    kernels.softmax(z, targets, p, costs, targets.size, z.shape[-1])
    return True


def softmax_slope(p: Array, targets: Array, w: Array | None, factor: float, dz: Array) -> bool:
    """Compute ``w (p − onehot(target))`` times a factor in one pass; return whether.

    Parameters
    ----------
    p, targets
        As for `softmax`.
    w
        Weights ``(…)``; ones when None.
    factor
        The factor.
    dz
        Where the result goes, ``(…, V)``.
    """
    kernels = native()
    if not (kernels and p.size and _fits(p, dz) and _numbers(targets)):
        return False
    if w is not None and not _fits(w):
        return False
    kernels.softmax_slope(p, targets, w, factor, dz, targets.size, p.shape[-1])
    return True


def add_rows(numbers: Array, rows: Array, out: Array) -> bool:
    """Compute ``out[v] = Σ rows`` over the places where the number is v; return whether.

    Parameters
    ----------
    numbers
        ``(…)``, from 0 to V − 1.
    rows
        ``(…, D)``.
    out
        ``(V, D)``.
    """
    kernels = native()
    if not (kernels and rows.size and _fits(rows, out) and _numbers(numbers)):
        return False
    kernels.scatter(numbers, rows, out, numbers.size, *out.shape)
    return True


def lay_out(layers: int, weights: tuple[Array, ...], D: int) -> bytearray | None:
    """Lay out the weights of a network of LSTM layers for `step`.

    Parameters
    ----------
    layers
        LSTM layers.
    weights
        W_x, W_h and b of each, then W ``(H, N)`` and b ``(N,)`` of the last product.
    D
        Inputs of the first layer.

    Returns
    -------
    bytearray or None
        A copy, which only the kernels that made it can read; None where there are no kernels for
        the network.
    """
    kernels = native()
    if not (kernels and layers <= MOST_LAYERS and _fits(*weights)):
        return None
    laid: bytearray = kernels.lay_out(weights, D, *weights[-2].shape)
    return laid


def step(
    numbers: Array | None, embedding: Array | None, x: Array, laid: bytearray,
    states: tuple[Array, ...], logits: Array,
) -> None:  # fmt: skip
    """Run one step of a whole network of LSTM layers.

    Parameters
    ----------
    numbers, embedding
        Symbols ``(B,)`` and their vectors ``(V, D)``; None for frames, which lie in `x`.
    x
        Inputs of the first layer, ``(B, D)``.
    laid
        From `lay_out`.
    states
        Of each layer h and c ``(2, B, H)``, of which the first half is the state.
    logits
        Where the result goes, ``(B, N)``.

    Raises
    ------
    GraphError
        When other kernels were chosen since.
    """
    kernels = native()
    if kernels is None:
        raise GraphError("the kernels were given up while they were in use; make a new stepper")
    H, V = states[0].shape[2], 0 if embedding is None else len(embedding)
    kernels.step(numbers, embedding, x, laid, states, logits, *x.shape, H, V, logits.shape[1])


def draw(
    logits: Array, allowed: Array | None, uniform: Array, temperature: float, least: float
) -> tuple[Array, Array] | None:
    """Draw a symbol for each row.

    Parameters
    ----------
    logits
        ``(N, V)``.
    allowed
        What may be drawn, ``(V,)`` or ``(N, V)``; everything when None.
    uniform
        A number for each row, from 0 to below 1.
    temperature, least
        `temperature` and `min_p` of `musicgen.sampling.probabilities`.

    Returns
    -------
    tuple of ndarray or None
        The symbols ``(N,)`` and their log probabilities at temperature 1; None where there is no
        kernel, logits are no numbers or nothing is allowed.
    """
    kernels = native()
    if not (kernels and _fits(logits)):
        return None
    N, V = logits.shape
    chosen, ln_p = np.empty(N, np.int32), np.empty(N)
    done = kernels.draw(logits, allowed, uniform, temperature, least, chosen, ln_p, N, V)
    return (chosen, ln_p) if done else None


def squared_norm(array: Array) -> float:
    """Return the sum of the squares of all elements."""
    kernels = native()
    if kernels and array.size and _fits(array):
        return float(kernels.squares(array, array.size))
    return float(np.vdot(array, array))


def scale(array: Array, factor: float) -> None:
    """Multiply an array in place."""
    kernels = native()
    if kernels and array.size and _fits(array):
        kernels.scale(array, factor, array.size)
    else:
        np.multiply(array, factor, out=array)


def rmsprop(
    value: Array, gradient: Array, g: Array, decay: float, epsilon: float, learning_rate: float
) -> bool:
    """Take a step of `musicgen.optim.RMSProp` in one pass; return whether."""
    kernels = native()
    if not (kernels and value.size and _fits(value, gradient, g)):
        return False
    kernels.rmsprop(value, gradient, g, value.size, decay, epsilon, learning_rate)
    return True


def adam(
    value: Array, gradient: Array, m: Array, v: Array,
    beta1: float, beta2: float, factor: float, epsilon: float, learning_rate: float,
) -> bool:  # fmt: skip
    """Take a step of `musicgen.optim.Adam` in one pass; return whether.

    Parameters
    ----------
    value, gradient, m, v, beta1, beta2, epsilon
        As there.
    factor
        Of √v, which corrects its start at zero.
    learning_rate
        η, corrected for the start of m.
    """
    kernels = native()
    if not (kernels and value.size and _fits(value, gradient, m, v)):
        return False
    kernels.adam(value, gradient, m, v, value.size, beta1, beta2, factor, epsilon, learning_rate)
    return True


def _fits(*arrays: Array) -> bool:
    """Whether the kernels can take arrays: float32, in one piece, in numpy's own memory."""
    return all(
        type(array) is np.ndarray and array.dtype == _FLOAT and array.flags.c_contiguous
        for array in arrays
    )


def _narrow(D: int, H: int) -> bool:
    """Whether inputs are so few that a product of their own would wait for memory."""
    return 2 * D <= H


def _numbers(array: Array) -> bool:
    return type(array) is np.ndarray and array.dtype == _INTEGER and array.flags.c_contiguous


def _straight(array: Array) -> tuple[Array | None, bool]:
    """Return a matrix or its transpose, whichever lies row by row, and whether it was turned."""
    if _fits(array):
        return array, False
    turned = array.T
    return (turned, True) if _fits(turned) else (None, False)


def _integers(lengths: Array | None) -> Array | None:
    return None if lengths is None else np.ascontiguousarray(lengths, np.int64)
