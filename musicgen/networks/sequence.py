"""What networks share that read a sequence with recurrent layers and predict its next step."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from musicgen.engine import Array, Input, Node, Shape, Value, initial_stack, stack
from musicgen.networks.architecture import CELLS, Architecture
from musicgen.networks.unrolled import Unrolled
from musicgen.networks.weights import Weighted

__all__ = ["SequenceNetwork", "initial_recurrent", "recurrent_shapes"]

PREFIX = "recurrent."


class SequenceNetwork(Weighted):
    """A network that can be trained on sequences: see `musicgen.training.Trainer`.

    Attributes
    ----------
    architecture
        Its shape.
    dtype
        Type of the weights.
    """

    architecture: Architecture
    dtype: np.dtype

    def unroll(
        self,
        T: int,
        B: int,
        *,
        dropout: float = 0.0,
        weight_dropout: float = 0.0,
        rng: np.random.Generator | None = None,
    ) -> Unrolled:
        """Build the graph of T steps of B sequences, with the cost of predicting each step.

        Its inputs are ``inputs`` and ``targets``, symbols ``(T, B)`` or frames ``(T, B, D)``, and
        ``weights`` ``(T, B)``, by which the cost of each step is multiplied; its outputs the cost
        and the logits.

        Parameters
        ----------
        T, B
            Steps and sequences.
        dropout
            Share of each recurrent layer's outputs that is dropped; for training only.
        weight_dropout
            Share of the weights between hidden states that is dropped, anew at every pass; for
            training only.
        rng
            Source of the dropout masks.
        """
        raise NotImplementedError(f"{type(self).__name__}.unroll")

    def read(
        self,
        x: Node,
        dropout: float,
        weight_dropout: float,
        rng: np.random.Generator | None,
    ) -> tuple[Value, dict[Input, Value]]:
        """Put the recurrent layers on inputs.

        Parameters
        ----------
        x
            ``(T, B, D)``.
        dropout, weight_dropout, rng
            As for `unroll`; what the last layer says is left whole.

        Returns
        -------
        y
            ``(T, B, H)``.
        states
            The final state ``(B, H)`` of each initial one.
        """
        a, B = self.architecture, x.output.shape[1]
        layer = CELLS[a.cell]
        initial = {
            f"{i}.{state}": Input(f"{PREFIX}{i}.{state}_0", (B, a.hidden_size), self.dtype)
            for i in range(a.num_layers)
            for state in layer.cell.states
        }
        own = {
            name.removeprefix(PREFIX): parameter
            for name, parameter in self.parameters.items()
            if name.startswith(PREFIX)
        }
        y, finals = stack(
            layer, x, initial, own, dropout=dropout, weight_dropout=weight_dropout, rng=rng
        )
        return y, {initial[name]: final for name, final in finals.items()}


def recurrent_shapes(a: Architecture) -> dict[str, Shape]:
    """Return the shapes of the recurrent layers' weights by name."""
    cell, H = CELLS[a.cell].cell, a.hidden_size
    return {
        f"{PREFIX}{i}.{name}": shape
        for i in range(a.num_layers)
        for name, shape in cell.weight_shapes(H if i else a.input_size, H).items()
    }


def initial_recurrent(
    a: Architecture, rng: np.random.Generator, dtype: npt.DTypeLike
) -> dict[str, Array]:
    """Draw the recurrent layers' weights, as their cell has them."""
    layers = initial_stack(
        CELLS[a.cell], rng, a.input_size, a.hidden_size, a.num_layers, dtype=dtype
    )
    return {PREFIX + name: array for name, array in layers.items()}
