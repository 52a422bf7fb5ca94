"""A computational graph: what is computed in which order, forwards and backwards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from musicgen.engine.node import Array, Input, Node, Parameter, Value
from musicgen.errors import GraphError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Graph"]


class Graph:
    """The nodes that lie upstream of some outputs, each computed once a pass.

    Time and memory are ``O(nodes + edges)``; the order is found by a loop, not by recursion, so a
    graph may be as deep as memory allows (report, chapter 3).

    Parameters
    ----------
    *outputs
        The values wanted; the first is the cost that `backward` starts from.

    Attributes
    ----------
    nodes
        All nodes, every one after its inputs.
    inputs
        The `Input` leaves by name.
    parameters
        The `Parameter` leaves by name, in order of first use.

    Examples
    --------
    >>> import numpy as np
    >>> from musicgen.engine import Dense, Graph, Input, Parameter
    >>> x = Input("x", (1, 2), float)
    >>> W = Parameter("W", np.array([[1.0], [2.0]]))
    >>> b = Parameter("b", np.array([0.5]))
    >>> graph = Graph(Dense(x, W, b))
    >>> graph.forward({"x": [[3.0, 4.0]]})
    array([[11.5]])
    >>> graph.backward()
    >>> W.gradient.ravel()
    array([3., 4.])
    """

    def __init__(self, *outputs: Value | Node) -> None:
        self.outputs = tuple(o.output if isinstance(o, Node) else o for o in outputs)
        self.nodes = _order(value.node for value in self.outputs)
        self.inputs: dict[str, Input] = {}
        self.parameters: dict[str, Parameter] = {}
        for node in self.nodes:
            if isinstance(node, Input):
                self._name(self.inputs, node)
            elif isinstance(node, Parameter):
                self._name(self.parameters, node)
        self._steps = [node for node in self.nodes if node.inputs]
        self._back = [
            node
            for node in reversed(self._steps)
            if any(value.differentiable for value in node.outputs)
        ]

    @staticmethod
    def _name(leaves: dict[str, Any], node: Node) -> None:
        if node.name in leaves:
            raise GraphError(f"two leaves are called {node.name!r}; names must differ")
        leaves[node.name] = node

    def forward(self, feeds: Mapping[str, Any] | None = None) -> Array | tuple[Array, ...]:
        """Compute the outputs.

        Parameters
        ----------
        feeds
            Arrays by input name. An input that is not fed keeps its array.

        Returns
        -------
        ndarray or tuple of ndarray
            The outputs' arrays, overwritten by the next pass.

        Raises
        ------
        GraphError
            For a name that is no input, or an array of another shape.
        """
        for name, array in (feeds or {}).items():
            if name not in self.inputs:
                raise GraphError(
                    f"no input is called {name!r}; there are: {', '.join(self.inputs) or 'none'}"
                )
            self.inputs[name].feed(array)
        for node in self._steps:
            result = node.forward(*(value.data for value in node.inputs))
            if isinstance(result, tuple):
                for value, array in zip(node.outputs, result, strict=True):
                    value.data = array
            else:
                node.outputs[0].data = result
        if len(self.outputs) == 1:
            return self.outputs[0].data
        return tuple(value.data for value in self.outputs)

    def backward(self, seed: Array | None = None, *, accumulate: bool = False) -> None:
        """Compute ∂E/∂value for every differentiable value, E being the first output.

        Parameters
        ----------
        seed
            ∂E/∂output; ones by default, which for a scalar cost is the usual meaning.
        accumulate
            Add to the parameters' gradients instead of replacing them (several batches a step).
        """
        pending = set() if accumulate else set(self.parameters.values())
        for node in self.nodes:
            if not isinstance(node, Parameter):
                for value in node.outputs:
                    value.gradient = None
        cost = self.outputs[0]
        self._add(cost, np.ones_like(cost.data) if seed is None else seed, pending)
        for node in self._back:
            if all(value.gradient is None for value in node.outputs):
                continue
            gradients = node.backward(
                *(
                    node.buffer(f"no gradient {i}", value.shape)
                    if value.gradient is None
                    else value.gradient
                    for i, value in enumerate(node.outputs)
                )
            )
            if not isinstance(gradients, tuple):
                gradients = (gradients,)
            for value, gradient in zip(node.inputs, gradients, strict=True):
                if gradient is not None and value.differentiable:
                    self._add(value, gradient, pending)
        for parameter in pending:
            parameter.gradient[...] = 0

    @staticmethod
    def _add(value: Value, gradient: Array, pending: set[Parameter]) -> None:
        node = value.node
        if isinstance(node, Parameter):
            if node in pending:
                pending.remove(node)
                np.copyto(node.gradient, gradient)
            else:
                np.add(node.gradient, gradient, out=node.gradient)
        elif value.gradient is None:
            value.gradient = gradient
        else:
            # The first gradient may be another node's buffer: the sum gets one of its own.
            index = node.outputs.index(value)
            total = node.buffer(f"gradient {index}", value.shape)
            value.gradient = np.add(value.gradient, gradient, out=total)

    def tangent(self, directions: Mapping[str, Array]) -> Array | tuple[Array, ...]:
        """Compute the outputs' directional derivatives (forward mode), after `forward`.

        Parameters
        ----------
        directions
            A direction by name of a parameter or input; zero where none is given.

        Returns
        -------
        ndarray or tuple of ndarray
            ``Σ ∂output/∂leaf · direction`` for every output.
        """
        for node in self.nodes:
            if node.inputs:
                result = node.tangent(*(_tangent(value) for value in node.inputs))
                results = result if isinstance(result, tuple) else (result,)
                for value, direction in zip(node.outputs, results, strict=True):
                    value.tangent = direction
            else:
                node.output.tangent = directions.get(node.name)
        found = tuple(_tangent(value) for value in self.outputs)
        return found[0] if len(found) == 1 else found


def _tangent(value: Value) -> Array:
    return np.zeros(value.shape, value.dtype) if value.tangent is None else value.tangent


def _order(ends: Iterable[Node]) -> list[Node]:
    """Sort topologically, depth first, with a stack of our own."""
    order: list[Node] = []
    done: set[Node] = set()
    stack = [(node, False) for node in reversed(list(ends))]
    while stack:
        node, expanded = stack.pop()
        if node in done:
            continue
        if expanded:
            done.add(node)
            order.append(node)
        else:
            stack.append((node, True))
            stack.extend((value.node, False) for value in reversed(node.inputs))
    return order
