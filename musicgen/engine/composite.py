"""Nodes made of nodes."""

from __future__ import annotations

import copy
from typing import Any, Self

import numpy as np

from musicgen.engine.graph import Graph, replicate
from musicgen.engine.node import SERIAL, Array, Delay, Input, Node, Shape, Value, scope

__all__ = ["Composite"]


class Composite(Node):
    """A node made of nodes, with as many inputs and outputs as wanted (report, section 6.4).

    A subclass says in `build` how its outputs come out of its inputs; derivatives follow from
    those of the nodes inside, which may be composite themselves. A `Parameter` that `build` makes
    or reads, and an `Input` from outside, become further inputs, so that clones share them and
    the graph outside sees them under their dotted names. What is computed outside, and a `Delay`,
    must come in as an input.

    Parameters
    ----------
    *inputs
        Values, or nodes with one output.
    name
        Path of the nodes inside.

    Attributes
    ----------
    graph
        The graph inside.
    leaves
        Its leaves, one for each of the node's `inputs`.

    Examples
    --------
    >>> import numpy as np
    >>> from musicgen.engine import Add, Graph, Multiply, Parameter, Sigmoid, Subtract
    >>> class Blend(Composite):
    ...     '''y = s ⊙ a + (1 − s) ⊙ b = b + s ⊙ (a − b), with s = σ(w).'''
    ...
    ...     def build(self, a, b):
    ...         s = Sigmoid(Parameter("w", np.zeros(1)))
    ...         return Add(b, Multiply(s, Subtract(a, b)))
    >>> a, b = Parameter("a", np.array([2.0])), Parameter("b", np.array([4.0]))
    >>> graph = Graph(Blend(a, b))
    >>> graph.forward()
    array([3.])
    >>> graph.backward()
    >>> {name: parameter.gradient.item() for name, parameter in graph.parameters.items()}
    {'a': 0.5, 'b': 0.5, 'Blend.w': -0.5}
    """

    def __init__(self, *inputs: Value | Node, name: str = "") -> None:
        values = [item.output if isinstance(item, Node) else item for item in inputs]
        name = name or type(self).__name__
        first = next(SERIAL)
        with scope(name):
            leaves = [
                Input(f"input {i}", value.shape, value.dtype) for i, value in enumerate(values)
            ]
            built = self.build(*leaves)
        results = built if isinstance(built, tuple) else (built,)
        self._wire(name, values, leaves, [r.output if isinstance(r, Node) else r for r in results])
        for node in self.graph.nodes:
            # Its arrays would be written by two graphs.
            if (node.inputs and node.serial < first) or isinstance(node, Delay):
                self.fail(f"build reads {node.name}, which it must be given as an input")

    def _wire(
        self, name: str, values: list[Value], leaves: list[Input], results: list[Value]
    ) -> None:
        self.graph = Graph(*results)
        self._fed = leaves
        seen = [*self.graph.parameters.values(), *self.graph.inputs.values()]
        captured = [leaf.output for leaf in seen if leaf not in leaves]
        self.leaves = (*(leaf.output for leaf in leaves), *captured)
        super().__init__(*values, *captured, name=name)

    def build(self, *inputs: Node) -> Node | Value | tuple[Node | Value, ...]:
        """Return the output, or a tuple of outputs, as nodes that read `inputs`."""
        raise NotImplementedError(f"{type(self).__name__}.build")

    def clone(self, *inputs: Value | Node) -> Self:
        """Return a copy that reads other inputs and has the same weights.

        Parameters
        ----------
        *inputs
            In place of those that the constructor was given; behind them, if others are wanted
            than it has, the weights.
        """
        values = [item.output if isinstance(item, Node) else item for item in inputs]
        n = len(self._fed)
        if len(values) not in (n, len(self.inputs)):
            self.fail(f"has {n} inputs and {len(self.inputs) - n} weights; given {len(values)}")
        if all(new is old for new, old in zip(values[n:], self.inputs[n:], strict=False)):
            values = values[:n]
        read = self.leaves[: len(values)]
        leaves = [
            Input(old.node.name, value.shape, value.dtype)
            for old, value in zip(read, values, strict=True)
        ]
        substitutes = {old: new.output for old, new in zip(read, leaves, strict=True)}
        twin = copy.copy(self)
        twin._wire(self.name, values, leaves, replicate(self.graph.outputs, substitutes))
        return twin

    def infer(self, *shapes: Shape) -> Shape | tuple[Shape, ...]:
        """Return the shapes of the outputs of the graph inside."""
        found = tuple(value.shape for value in self.graph.outputs)
        return found if len(found) > 1 else found[0]

    def infer_dtype(self, *dtypes: np.dtype[Any]) -> np.dtype[Any]:
        """Return the type of what the graph inside computes."""
        return np.result_type(*(value.dtype for value in self.graph.outputs))

    def forward(self, *arrays: Array) -> Array | tuple[Array, ...]:
        """Run the graph inside."""
        for leaf, array in zip(self._fed, arrays, strict=False):
            leaf.output.data = array
        self.graph.compute()
        found = tuple(value.data for value in self.graph.outputs)
        return found if len(found) > 1 else found[0]

    def backward(self, *gradients: Array) -> tuple[Array | None, ...]:
        """Carry the gradients back through the graph inside."""
        for inner, outer in zip(self.leaves, self.inputs, strict=True):
            inner.differentiable = outer.differentiable
        found = self.graph.pull(zip(self.graph.outputs, gradients, strict=True))
        return tuple(found.get(value) for value in self.leaves)

    def tangent(self, *directions: Array) -> tuple[Array, ...]:
        """Carry the directions forward through the graph inside."""
        found = self.graph.push(dict(zip(self.leaves, directions, strict=True)))
        return tuple(
            found[value] if value in found else np.zeros((1, *value.shape), value.dtype)
            for value in self.graph.outputs
        )

    def find_nonfinite(self) -> str | None:
        """Say which node inside is the first that made NaN or infinity."""
        return self.graph.find_nonfinite() or super().find_nonfinite()
