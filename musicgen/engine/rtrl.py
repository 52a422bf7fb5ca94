"""Real-time recurrent learning."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from musicgen.engine.graph import Graph
from musicgen.engine.node import Array, Parameter, Value
from musicgen.errors import GraphError

__all__ = ["RTRL"]


class RTRL:
    """Gradients of a recurrent network carried forward with the sequence, step by step.

    Beside the states s it keeps how they depend on every weight, ``P(t) = ∂s(t)/∂w``, and at each
    step carries it through the graph of that step by forward mode::

        P(t) = ∂s(t)/∂s(t−1) · P(t−1) + ∂s(t)/∂w        P(0) = ∂s(0)/∂w
        ∂E(t)/∂w = ∂E(t)/∂s(t−1) · P(t−1) + ∂E(t)/∂w

    That is the report's equation 5.4, for any cell instead of fully connected networks only. The
    gradient of a whole sequence, summed over its steps, is that of untruncated back-propagation
    through time; unlike there, it is known at every step, and memory does not grow with the length.
    For H units, time is O(H⁴) a step and memory O(H³).

    Parameters
    ----------
    graph
        One step, with delayed edges; its first output is the cost of the step, a number.
    chunk
        Weights whose derivatives are carried at once: a limit on memory.

    Attributes
    ----------
    gradients
        ∂E/∂w by parameter name, summed over the steps since the last `clear`.

    References
    ----------
    Williams & Zipser, "A learning algorithm for continually running fully recurrent neural
    networks", Neural Computation 1, 1989. Report, section 5.4.

    Examples
    --------
    ``h ← w h + x`` with the cost h: after two steps ``E = x₁ + (w x₁ + x₂)`` and ``∂E/∂w = x₁``.

    >>> from musicgen.engine import Add, Constant, Delay, Input, Multiply
    >>> w, x = Parameter("w", np.array(0.5)), Input("x", (), float)
    >>> h = Delay(Constant(np.array(0.0)))
    >>> new = Add(Multiply(w, h), x)
    >>> h.connect(new)
    >>> rtrl = RTRL(Graph(new))
    >>> rtrl.step({"x": 3.0}), rtrl.step({"x": 1.0})
    (3.0, 2.5)
    >>> rtrl.gradients["w"].item()
    3.0
    """

    def __init__(self, graph: Graph, chunk: int = 128) -> None:
        self._cost = graph.outputs[0]
        if self._cost.shape != ():
            raise GraphError(
                f"the first output, {self._cost.node.name}, has shape {self._cost.shape}; "
                "expected the cost of a step, a number"
            )
        self.graph = graph
        self._chunk = chunk
        self._parameters = [p for p in graph.parameters.values() if not p.frozen]
        self.gradients = {p.name: np.zeros(p.value.shape, p.value.dtype) for p in self._parameters}
        # For each weight array, how each state depends on its elements: (elements, *state).
        self._sensitivities = {
            (parameter, delay.output): np.zeros(
                (parameter.size, *delay.output.shape), delay.output.dtype
            )
            for parameter in self._parameters
            for delay in graph.delays
        }
        self.reset()

    def reset(self) -> None:
        """Go back to the first step: initial states, which depend on no weight but themselves."""
        self.graph.reset()
        for (parameter, state), sensitivity in self._sensitivities.items():
            sensitivity[...] = 0
            for delay in self.graph.delays:
                if delay.output is state and delay.initial is parameter.output:
                    np.einsum("ii->i", sensitivity.reshape(parameter.size, -1))[...] = 1

    def clear(self) -> None:
        """Set the gradients to zero, as after an update; the states go on."""
        for gradient in self.gradients.values():
            gradient[...] = 0

    def step(self, feeds: Mapping[str, Any] | None = None) -> float:
        """Take one step, and add its part to the gradients.

        To learn at every step, update the weights and `clear` after each; to accumulate over a
        sequence, call this for all its steps first.

        Parameters
        ----------
        feeds
            Arrays by input name.

        Returns
        -------
        float
            The cost of the step.
        """
        self.graph.forward(feeds)
        for parameter in self._parameters:
            for rows in self._chunks(parameter):
                self._carry(parameter, rows)
        self.graph.advance()
        return float(self._cost.data)

    def _chunks(self, parameter: Parameter) -> Iterator[slice]:
        for start in range(0, parameter.size, self._chunk):
            yield slice(start, min(start + self._chunk, parameter.size))

    def _carry(self, parameter: Parameter, rows: slice) -> None:
        """Carry the derivatives with respect to some elements of a weight over one step."""
        K = rows.stop - rows.start
        unit = np.zeros((K, parameter.size), parameter.value.dtype)
        unit[np.arange(K), np.arange(rows.start, rows.stop)] = 1
        directions: dict[Value, Array] = {parameter.output: unit.reshape(K, *parameter.value.shape)}
        states = [delay.output for delay in self.graph.delays]
        directions.update((state, self._sensitivities[parameter, state][rows]) for state in states)
        found = self.graph.push(directions)
        if self._cost in found:
            self.gradients[parameter.name].reshape(-1)[rows] += found[self._cost]
        # Copied first: a delay may delay another one.
        fresh = [np.array(found.get(delay.source, 0.0)) for delay in self.graph.delays]
        for state, sensitivity in zip(states, fresh, strict=True):
            self._sensitivities[parameter, state][rows] = sensitivity
