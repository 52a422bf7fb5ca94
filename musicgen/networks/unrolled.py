"""A graph over some steps, whose end can be the beginning of the next steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from musicgen.encodings import BOUNDARY
from musicgen.engine import Array, Graph, Input, Value

__all__ = ["Unrolled"]


class Unrolled:
    """A graph over T steps whose final states can become its initial states.

    Attributes
    ----------
    graph
        Its first output is the cost, or the logits.
    """

    def __init__(self, graph: Graph, states: Mapping[Input, Value]) -> None:
        self.graph = graph
        self._states = states

    def forward(self, feeds: Mapping[str, Any]) -> Array:
        """Run the graph and return its first output."""
        return self.graph.forward(feeds)[0]

    def carry(self) -> None:
        """Let the next pass start in the states in which the last one ended."""
        for initial, final in self._states.items():
            np.copyto(initial.output.data, final.data)

    def reset(self, rows: npt.NDArray[np.bool_] | slice = slice(None)) -> None:
        """Let these sequences, or all, start from zero in the next pass.

        Parameters
        ----------
        rows
            ``(B,)``.
        """
        for initial in self._states:
            initial.output.data[rows] = 0

    def select(self, rows: npt.NDArray[np.intp]) -> None:
        """Let sequence i of the next pass go on from where sequence ``rows[i]`` would have.

        Parameters
        ----------
        rows
            ``(B,)``; a row may occur several times.
        """
        for initial in self._states:
            initial.output.data[...] = initial.output.data[rows]

    def frame_costs(self) -> Array:
        """Return −ln P of each frame of switches of the last pass, ``(T, B)``.

        The boundary's channel does not count.
        """
        logits = self.graph.outputs[1].data.astype(np.float64)
        targets = self.graph.inputs["targets"].output.data
        costs = np.logaddexp(0, np.where(targets, -1, 1) * logits)
        return np.delete(costs, BOUNDARY, axis=-1).sum(axis=-1)

    def states(self) -> dict[str, Array]:
        """Return the arrays ``(B, H)`` in which the next pass starts, by name; not copied."""
        return {initial.name: initial.output.data for initial in self._states}
