"""One step of each recurrent network, written from elementary nodes.

The equations stand here once, in the order in which a book writes them; the layers in `recurrent`
run whole sequences faster and must equal them. Packing of weights as in the layers.
"""

from __future__ import annotations

from musicgen.engine.node import Node, Value
from musicgen.engine.ops import Add, MatMul, Multiply, Sigmoid, Slice, Subtract, Tanh

__all__ = ["elman_cell", "gru_cell", "lstm_cell"]

Edge = Node | Value


def _affine(x: Edge, h: Edge, W_x: Edge, W_h: Edge, b: Edge) -> Node:
    return Add(Add(MatMul(x, W_x), MatMul(h, W_h)), b)


def _blocks(a: Edge, H: int, count: int) -> list[Slice]:
    return [Slice(a, k * H, (k + 1) * H) for k in range(count)]


def elman_cell(x: Edge, h: Edge, W_x: Edge, W_h: Edge, b: Edge) -> tuple[Node]:
    """Compute ``h' = tanh(x W_x + h W_h + b)``.

    Parameters
    ----------
    x, h
        Input ``(B, D)`` and hidden state ``(B, H)``.
    W_x, W_h, b
        Weights ``(D, H)``, ``(H, H)``, ``(H,)``.

    Returns
    -------
    tuple of Node
        The new state.
    """
    return (Tanh(_affine(x, h, W_x, W_h, b)),)


def lstm_cell(x: Edge, h: Edge, c: Edge, W_x: Edge, W_h: Edge, b: Edge) -> tuple[Node, Node]:
    """Compute ``c' = f ⊙ c + i ⊙ g`` and ``h' = o ⊙ tanh c'``, with a forget gate.

    Parameters
    ----------
    x, h, c
        Input ``(B, D)``, hidden state and memory ``(B, H)``.
    W_x, W_h, b
        Weights ``(D, 4H)``, ``(H, 4H)``, ``(4H,)``, packed (i, f, o, g).

    Returns
    -------
    tuple of Node
        ``h'`` and ``c'``.
    """
    a = _affine(x, h, W_x, W_h, b)
    a_i, a_f, a_o, a_g = _blocks(a, a.output.shape[1] // 4, 4)
    new_c = Add(Multiply(Sigmoid(a_f), c), Multiply(Sigmoid(a_i), Tanh(a_g)))
    return Multiply(Sigmoid(a_o), Tanh(new_c)), new_c


def gru_cell(x: Edge, h: Edge, W_x: Edge, W_h: Edge, b: Edge) -> tuple[Node]:
    """Compute ``h' = h + z ⊙ (g − h)`` with ``g = tanh(x W_xg + b_g + r ⊙ (h W_hg + b_d))``.

    Parameters
    ----------
    x, h
        Input ``(B, D)`` and hidden state ``(B, H)``.
    W_x, W_h, b
        Weights ``(D, 3H)``, ``(H, 3H)``, ``(4H,)``, packed (r, z, g) and (r, z, g, d).

    Returns
    -------
    tuple of Node
        The new state.
    """
    from_x, from_h = MatMul(x, W_x), MatMul(h, W_h)
    H = from_x.output.shape[1] // 3
    x_r, x_z, x_g = _blocks(from_x, H, 3)
    h_r, h_z, h_g = _blocks(from_h, H, 3)
    b_r, b_z, b_g, b_d = _blocks(b, H, 4)
    r = Sigmoid(Add(Add(x_r, h_r), b_r))
    z = Sigmoid(Add(Add(x_z, h_z), b_z))
    g = Tanh(Add(Add(x_g, b_g), Multiply(r, Add(h_g, b_d))))
    return (Add(h, Multiply(z, Subtract(g, h))),)
