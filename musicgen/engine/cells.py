"""One step of each recurrent network, written from elementary nodes.

The equations stand here once, in the order in which a book writes them; the layers in `recurrent`
run whole sequences faster and must equal them. A cell's inputs are the input x ``(B, D)``, its
states ``(B, H)``, and its weights as `Cell.weight_shapes` names them; its outputs the new states,
of which the first is what the cell shows to the next layer.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from musicgen.engine.composite import Composite
from musicgen.engine.initialisers import glorot_uniform, orthogonal
from musicgen.engine.node import Array, Node, Shape
from musicgen.engine.ops import (
    Add,
    Concatenate,
    MatMul,
    Multiply,
    PrependOne,
    Sigmoid,
    Slice,
    Subtract,
    Tanh,
)

__all__ = [
    "Cell",
    "ElmanCell",
    "FullyConnectedCell",
    "GRUCell",
    "LSTMCell",
    "LSTMWithoutForgetGateCell",
    "PeepholeLSTMCell",
]


class Cell(Composite):
    """A node made of nodes that computes one step of a recurrent network."""

    states: ClassVar[tuple[str, ...]] = ("h",)

    @classmethod
    def weight_shapes(cls, D: int, H: int) -> dict[str, Shape]:
        """Return the shape of each weight, in the order of the inputs, for D inputs, H units."""
        raise NotImplementedError(f"{cls.__name__}.weight_shapes")

    @classmethod
    def initial_weights(
        cls, rng: np.random.Generator, D: int, H: int, dtype: npt.DTypeLike = np.float32
    ) -> dict[str, Array]:
        """Draw fresh weights.

        Products with inputs are drawn as Glorot and Bengio have it, products with the hidden
        state are orthogonal block by block, all else is 0 but the bias of a forget gate, which
        starts at 1.
        """
        weights = {}
        for name, shape in cls.weight_shapes(D, H).items():
            if name == "W_h":
                blocks = [orthogonal(rng, (H, H), dtype) for _ in range(shape[1] // H)]
                weights[name] = np.concatenate(blocks, axis=1)
            elif name.startswith("W"):
                weights[name] = glorot_uniform(rng, shape, dtype)
            else:
                weights[name] = np.zeros(shape, dtype)
        return weights


def _gates(a: Node, *names: str) -> list[Slice]:
    """Cut ``(B, G·H)`` into blocks of width H."""
    H = a.output.shape[1] // len(names)
    return [Slice(a, k * H, (k + 1) * H, name=f"a_{name}") for k, name in enumerate(names)]


def _sum(x: Node, h: Node, W_x: Node, W_h: Node, b: Node) -> Node:
    return Add(Add(MatMul(x, W_x, name="x W_x"), MatMul(h, W_h, name="h W_h")), b, name="a")


class ElmanCell(Cell):
    """``h' = tanh(x W_x + h W_h + b)``.

    Weights: W_x ``(D, H)``, W_h ``(H, H)``, b ``(H,)``.

    References
    ----------
    Elman, "Finding structure in time", Cognitive Science 14, 1990. Report, section 5.1.
    """

    @classmethod
    def weight_shapes(cls, D: int, H: int) -> dict[str, Shape]:
        """Return the shapes of W_x, W_h and b."""
        return {"W_x": (D, H), "W_h": (H, H), "b": (H,)}

    def build(self, *inputs: Node) -> Node:
        """Return h'."""
        x, h, W_x, W_h, b = inputs
        return Tanh(_sum(x, h, W_x, W_h, b), name="h'")


class FullyConnectedCell(Cell):
    """``h' = σ((1 x h) W)``: every unit reads every input and every unit.

    Weights: W ``(1 + D + H, H)``, the bias in its first row.

    References
    ----------
    Williams & Zipser, "A learning algorithm for continually running fully recurrent neural
    networks", Neural Computation 1, 1989. Report, section 5.4.
    """

    @classmethod
    def weight_shapes(cls, D: int, H: int) -> dict[str, Shape]:
        """Return the shape of W."""
        return {"W": (1 + D + H, H)}

    def build(self, *inputs: Node) -> Node:
        """Return h'."""
        x, h, W = inputs
        return Sigmoid(MatMul(PrependOne(Concatenate(x, h), name="z"), W, name="s"), name="h'")


class LSTMCell(Cell):
    """Long short-term memory with a forget gate.

    With ``a = x W_x + h W_h + b`` packed as (i, f, o, g), each of width H::

        i = σ(a_i)   f = σ(a_f)   o = σ(a_o)   g = tanh(a_g)
        c' = f ⊙ c + i ⊙ g
        h' = o ⊙ tanh(c')

    Weights: W_x ``(D, 4H)``, W_h ``(H, 4H)``, b ``(4H,)``. States h and c.

    References
    ----------
    Gers, Schmidhuber & Cummins, "Learning to forget", Neural Computation 12, 2000. Report,
    chapter 6.
    """

    states = ("h", "c")

    @classmethod
    def weight_shapes(cls, D: int, H: int) -> dict[str, Shape]:
        """Return the shapes of W_x, W_h and b."""
        return {"W_x": (D, 4 * H), "W_h": (H, 4 * H), "b": (4 * H,)}

    @classmethod
    def initial_weights(
        cls, rng: np.random.Generator, D: int, H: int, dtype: npt.DTypeLike = np.float32
    ) -> dict[str, Array]:
        """Draw fresh weights; the forget gate's bias is 1."""
        weights = super().initial_weights(rng, D, H, dtype)
        weights["b"][H : 2 * H] = 1
        return weights

    def build(self, *inputs: Node) -> tuple[Node, ...]:
        """Return h' and c'."""
        x, h, c, W_x, W_h, b = inputs
        a_i, a_f, a_o, a_g = _gates(_sum(x, h, W_x, W_h, b), "i", "f", "o", "g")
        i, f, o = Sigmoid(a_i, name="i"), Sigmoid(a_f, name="f"), Sigmoid(a_o, name="o")
        g = Tanh(a_g, name="g")
        new_c = Add(Multiply(f, c, name="f c"), Multiply(i, g, name="i g"), name="c'")
        return Multiply(o, Tanh(new_c, name="tanh c'"), name="h'"), new_c


class LSTMWithoutForgetGateCell(Cell):
    """Long short-term memory as first published, without a forget gate: f = 1.

    With ``a = x W_x + h W_h + b`` packed as (i, o, g), each of width H::

        i = σ(a_i)   o = σ(a_o)   g = tanh(a_g)
        c' = c + i ⊙ g
        h' = o ⊙ tanh(c')

    Weights: W_x ``(D, 3H)``, W_h ``(H, 3H)``, b ``(3H,)``. States h and c.

    References
    ----------
    Hochreiter & Schmidhuber, "Long short-term memory", Neural Computation 9, 1997. Report,
    section 6.2.
    """

    states = ("h", "c")

    @classmethod
    def weight_shapes(cls, D: int, H: int) -> dict[str, Shape]:
        """Return the shapes of W_x, W_h and b."""
        return {"W_x": (D, 3 * H), "W_h": (H, 3 * H), "b": (3 * H,)}

    def build(self, *inputs: Node) -> tuple[Node, ...]:
        """Return h' and c'."""
        x, h, c, W_x, W_h, b = inputs
        a_i, a_o, a_g = _gates(_sum(x, h, W_x, W_h, b), "i", "o", "g")
        i, o, g = Sigmoid(a_i, name="i"), Sigmoid(a_o, name="o"), Tanh(a_g, name="g")
        new_c = Add(c, Multiply(i, g, name="i g"), name="c'")
        return Multiply(o, Tanh(new_c, name="tanh c'"), name="h'"), new_c


class PeepholeLSTMCell(LSTMCell):
    """Long short-term memory whose gates see the memory.

    As `LSTMCell`, with peephole weights p packed as (i, f, o)::

        i = σ(a_i + p_i ⊙ c)   f = σ(a_f + p_f ⊙ c)   g = tanh(a_g)
        c' = f ⊙ c + i ⊙ g
        o = σ(a_o + p_o ⊙ c')
        h' = o ⊙ tanh(c')

    Weights: W_x ``(D, 4H)``, W_h ``(H, 4H)``, b ``(4H,)``, p ``(3H,)``. States h and c.

    References
    ----------
    Gers & Schmidhuber, "Recurrent nets that time and count", IJCNN 2000.
    """

    @classmethod
    def weight_shapes(cls, D: int, H: int) -> dict[str, Shape]:
        """Return the shapes of W_x, W_h, b and p."""
        return {**super().weight_shapes(D, H), "p": (3 * H,)}

    def build(self, *inputs: Node) -> tuple[Node, ...]:
        """Return h' and c'."""
        x, h, c, W_x, W_h, b, p = inputs
        a_i, a_f, a_o, a_g = _gates(_sum(x, h, W_x, W_h, b), "i", "f", "o", "g")
        H = a_i.output.shape[1]
        p_i, p_f, p_o = (Slice(p, k * H, (k + 1) * H, name=f"p_{g}") for k, g in enumerate("ifo"))
        i = Sigmoid(Add(a_i, Multiply(p_i, c)), name="i")
        f = Sigmoid(Add(a_f, Multiply(p_f, c)), name="f")
        new_c = Add(Multiply(f, c, name="f c"), Multiply(i, Tanh(a_g, name="g"), name="i g"))
        o = Sigmoid(Add(a_o, Multiply(p_o, new_c)), name="o")
        return Multiply(o, Tanh(new_c, name="tanh c'"), name="h'"), new_c


class GRUCell(Cell):
    """Gated recurrent unit.

    With products packed as (r, z, g) and the bias as (r, z, g, d)::

        r = σ(x W_xr + h W_hr + b_r)
        z = σ(x W_xz + h W_hz + b_z)
        g = tanh(x W_xg + b_g + r ⊙ (h W_hg + b_d))
        h' = z ⊙ g + (1 − z) ⊙ h = h + z ⊙ (g − h)

    The reset gate is applied after the product, which leaves one matrix product a step; the
    other common form, ``(r ⊙ h) W_hg``, needs two.

    Weights: W_x ``(D, 3H)``, W_h ``(H, 3H)``, b ``(4H,)``.

    References
    ----------
    Cho et al., "Learning phrase representations using RNN encoder–decoder", EMNLP 2014.
    """

    @classmethod
    def weight_shapes(cls, D: int, H: int) -> dict[str, Shape]:
        """Return the shapes of W_x, W_h and b."""
        return {"W_x": (D, 3 * H), "W_h": (H, 3 * H), "b": (4 * H,)}

    def build(self, *inputs: Node) -> Node:
        """Return h'."""
        x, h, W_x, W_h, b = inputs
        x_r, x_z, x_g = _gates(MatMul(x, W_x, name="x W_x"), "xr", "xz", "xg")
        h_r, h_z, h_g = _gates(MatMul(h, W_h, name="h W_h"), "hr", "hz", "hg")
        H = x_r.output.shape[1]
        b_r, b_z, b_g, b_d = (Slice(b, k * H, (k + 1) * H) for k in range(4))
        r = Sigmoid(Add(Add(x_r, h_r), b_r), name="r")
        z = Sigmoid(Add(Add(x_z, h_z), b_z), name="z")
        g = Tanh(Add(Add(x_g, b_g), Multiply(r, Add(h_g, b_d))), name="g")
        return Add(h, Multiply(z, Subtract(g, h)), name="h'")
