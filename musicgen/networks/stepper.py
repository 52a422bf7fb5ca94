"""A network step by step, as samplers use it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from musicgen import kernels
from musicgen.engine import Array

if TYPE_CHECKING:
    from musicgen.networks.recurrent import Network
    from musicgen.networks.unrolled import Unrolled

__all__ = ["GraphStepper", "KernelStepper", "Stepper"]


class Stepper(Protocol):
    """One step of B sequences in, the logits of the next one out, the states kept."""

    def __call__(self, symbols: npt.ArrayLike) -> Array:
        """Take symbols ``(B,)`` or frames ``(B, D)`` and return logits ``(B, V)`` or ``(B, D)``.

        The array is reused at the next step.
        """

    def reset(self) -> None:
        """Forget all steps."""

    def select(self, rows: npt.NDArray[np.intp]) -> None:
        """Let sequence i go on from where sequence ``rows[i]`` stands."""


class GraphStepper:
    """Runs the graph of one step."""

    def __init__(self, unrolled: Unrolled) -> None:
        self._unrolled = unrolled

    def __call__(self, symbols: npt.ArrayLike) -> Array:
        """Run the graph and carry its states over."""
        logits = self._unrolled.forward({"inputs": np.asarray(symbols)[None]})[0]
        self._unrolled.carry()
        return logits

    def reset(self) -> None:
        """Forget all steps."""
        self._unrolled.reset()

    def select(self, rows: npt.NDArray[np.intp]) -> None:
        """Let sequence i go on from where sequence ``rows[i]`` stands."""
        self._unrolled.select(rows)


class KernelStepper:
    """Has a kernel do the whole step, which gives what the graph gives, up to rounding.

    It steps with a copy of the weights, in the order in which the kernel reads them.

    Parameters
    ----------
    network
        A network of LSTM layers.
    B
        Sequences.
    laid
        Its weights, from `lay_out`.
    """

    def __init__(self, network: Network, B: int, laid: bytearray) -> None:
        a = network.architecture
        H, dtype, V = a.hidden_size, network.dtype, network.parameters.get("embedding.W")
        self._laid = laid
        self._embedding = None if V is None else V.value.copy()
        self._x = np.zeros((B, a.input_size), dtype)
        self._states = tuple(np.zeros((2, B, H), dtype) for _ in range(2 * a.num_layers))
        self._logits = np.zeros((B, a.size), dtype)

    @staticmethod
    def lay_out(network: Network) -> bytearray | None:
        """Lay out a network's weights for its kernel; None where it has none."""
        a = network.architecture
        if a.cell != "lstm":
            return None
        weights = {name: parameter.value for name, parameter in network.parameters.items()}
        weights.pop("embedding.W", None)
        return kernels.lay_out(a.num_layers, tuple(weights.values()), a.input_size)

    def __call__(self, symbols: npt.ArrayLike) -> Array:
        """Run the kernel."""
        numbers = None
        if self._embedding is None:
            np.copyto(self._x, symbols)
        else:
            numbers = np.ascontiguousarray(symbols, np.int32)
        kernels.step(numbers, self._embedding, self._x, self._laid, self._states, self._logits)
        return self._logits

    def reset(self) -> None:
        """Forget all steps."""
        for state in self._states:
            state[...] = 0

    def select(self, rows: npt.NDArray[np.intp]) -> None:
        """Let sequence i go on from where sequence ``rows[i]`` stands."""
        for state in self._states:
            state[0] = state[0, rows]
