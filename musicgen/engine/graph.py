"""A computational graph: what is computed in which order, forwards and backwards."""

from __future__ import annotations

import math
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from musicgen.engine.drawing import draw
from musicgen.engine.node import (
    Array,
    Delay,
    Input,
    Node,
    Parameter,
    Value,
    describe_nonfinite,
)
from musicgen.errors import GraphError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = ["Graph", "replicate"]


class Graph:
    """The nodes that lie upstream of some outputs, each computed once a pass.

    Time and memory are ``O(nodes + edges)``; the order is found by a loop, not by recursion, so a
    graph may be as deep as memory allows (report, chapter 3).

    Parameters
    ----------
    *outputs
        The values wanted; the first is the cost that `backward` starts from.
    debug
        Look at every array of every pass, and stop at the first NaN or infinity. Slow; may be
        switched between passes.

    Attributes
    ----------
    nodes
        All nodes, every one after its inputs.
    inputs
        The `Input` leaves by name.
    parameters
        The `Parameter` leaves by name, in order of first use.
    delays
        The `Delay` leaves; what they delay and start from belongs to the graph.

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

    def __init__(self, *outputs: Value | Node, debug: bool = False) -> None:
        self.outputs = tuple(o.output if isinstance(o, Node) else o for o in outputs)
        self.debug = debug
        self.nodes = _order(value.node for value in self.outputs)
        self.inputs: dict[str, Input] = {}
        self.parameters: dict[str, Parameter] = {}
        for node in self.nodes:
            if isinstance(node, Input):
                self._name(self.inputs, node)
            elif isinstance(node, Parameter):
                self._name(self.parameters, node)
        self.delays = [node for node in self.nodes if isinstance(node, Delay)]
        self._leaves = [node.output for node in self.nodes if not node.inputs]
        self._steps = [node for node in self.nodes if node.inputs]
        self._sums: dict[Value, Array] = {}
        self._zeros: dict[Value, Array] = {}
        self._tried = {"forward": False, "backward": False}
        self._started = False

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
            For a name that is no input, an array of another shape, a node that does not keep the
            shape it promised, or, with `debug`, the first NaN or infinity.
        """
        for name, array in (feeds or {}).items():
            if name not in self.inputs:
                raise GraphError(
                    f"no input is called {name!r}; there are: {', '.join(self.inputs) or 'none'}"
                )
            self.inputs[name].feed(array)
        if not self._started:
            self.reset()  # a delay may start from an input
        self.compute()
        if len(self.outputs) == 1:
            return self.outputs[0].data
        return tuple(value.data for value in self.outputs)

    def compute(self) -> None:
        """Run every node once on the arrays that the leaves hold."""
        if self.debug:
            for value in self._leaves:
                self._inspect(value.node)
        node = None
        try:
            for node in self._steps:
                result = node.forward(*(value.data for value in node.inputs))
                if isinstance(result, tuple):
                    for value, array in zip(node.outputs, result, strict=True):
                        value.data = array
                else:
                    node.outputs[0].data = result
                if self.debug or not self._tried["forward"]:
                    self._inspect(node)
        except GraphError:
            raise
        except Exception as error:
            assert node is not None
            error.add_note(f"in the forward pass of {node.description}")
            raise
        self._tried["forward"] = True

    def _inspect(self, node: Node) -> None:
        for value in node.outputs:
            if np.shape(value.data) != value.shape:
                node.fail(f"promised {value.shape}, computed {np.shape(value.data)}")
        if self.debug and (found := node.find_nonfinite()):
            raise GraphError(found)

    def find_nonfinite(self) -> str | None:
        """Say which node of the last pass is the first that made NaN or infinity, and where.

        Returns
        -------
        str or None
            The node's path, what it holds and what its inputs are; None when all is finite.
        """
        return next(filter(None, (node.find_nonfinite() for node in self.nodes)), None)

    def backward(self, seed: Array | None = None, *, accumulate: bool = False) -> None:
        """Compute ∂E/∂value for every differentiable value, E being the first output.

        Parameters
        ----------
        seed
            ∂E/∂output; ones by default, which for a scalar cost is the usual meaning.
        accumulate
            Add to the parameters' gradients instead of replacing them (several batches a step).

        Raises
        ------
        GraphError
            When the cost is NaN or infinite, with the first node that made it so.
        """
        cost = self.outputs[0]
        if cost.data.size == 1 and not math.isfinite(cost.data.item()):
            raise GraphError(f"the cost is {cost.data.item()}: {self.find_nonfinite()}")
        gradients = self.pull([(cost, np.ones_like(cost.data) if seed is None else seed)])
        for node in self.nodes:
            for value in node.outputs:
                value.gradient = gradients.get(value)
        for parameter in self.parameters.values():
            gradient = parameter.output.gradient
            if gradient is None:
                if not accumulate:
                    parameter.gradient[...] = 0
            elif accumulate:
                np.add(parameter.gradient, gradient, out=parameter.gradient)
            else:
                np.copyto(parameter.gradient, gradient)

    def pull(self, seeds: Iterable[tuple[Value, Array]]) -> dict[Value, Array]:
        """Carry gradients from some values back to all before them (reverse mode).

        Parameters
        ----------
        seeds
            Values with ∂E/∂value.

        Returns
        -------
        dict
            ∂E/∂value for every differentiable value that E depends on, after `forward`. The
            arrays belong to the nodes and are overwritten by the next pass.
        """
        if not self._tried["forward"]:
            raise GraphError("a backward pass needs a forward pass before it")
        back = self._differentiable()
        gradients: dict[Value, Array] = {}
        for value, gradient in seeds:
            if np.shape(gradient) != value.shape:
                raise GraphError(
                    f"the gradient given for {value.node.name} has shape {np.shape(gradient)}; "
                    f"expected {value.shape}"
                )
            self._add(gradients, value, np.asarray(gradient))
        for node in back:
            arriving = [gradients.get(value) for value in node.outputs]
            if all(gradient is None for gradient in arriving):
                continue
            given = [
                node.buffer(f"no gradient {i}", node.outputs[i].shape) if dy is None else dy
                for i, dy in enumerate(arriving)
            ]
            with _naming("backward pass", node):
                leaving = node.backward(*given)
            if not isinstance(leaving, tuple):
                leaving = (leaving,)
            if self.debug or not self._tried["backward"]:
                self._inspect_gradients(node, leaving)
            for value, part in zip(node.inputs, leaving, strict=True):
                if part is not None and value.differentiable:
                    self._add(gradients, value, part)
        self._tried["backward"] = True
        return gradients

    def _differentiable(self) -> list[Node]:
        """Follow the parameters that are not frozen, and the inputs that asked, downstream.

        Anew at every pass: another graph may share these nodes, and a weight may be frozen.
        """
        for node in self._steps:
            differentiable = any(value.differentiable for value in node.inputs)
            for value in node.outputs:
                value.differentiable = differentiable
        return [node for node in reversed(self._steps) if node.outputs[0].differentiable]

    def _add(self, gradients: dict[Value, Array], value: Value, gradient: Array) -> None:
        if value not in gradients:
            gradients[value] = gradient
            return
        # The first gradient may be another node's buffer: the sum gets one of its own.
        total = self._sums.get(value)
        if total is None:
            total = self._sums[value] = np.empty(value.shape, value.dtype)
        gradients[value] = np.add(gradients[value], gradient, out=total)

    def _inspect_gradients(self, node: Node, leaving: tuple[Array | None, ...]) -> None:
        if len(leaving) != len(node.inputs):
            node.fail(f"has {len(node.inputs)} inputs, its backward returned {len(leaving)}")
        for value, gradient in zip(node.inputs, leaving, strict=True):
            if gradient is None:
                continue
            if np.shape(gradient) != value.shape:
                node.fail(
                    f"the gradient of {value.node.name} has shape {np.shape(gradient)}; "
                    f"expected {value.shape}"
                )
            if self.debug and (found := describe_nonfinite(gradient)):
                node.fail(f"the gradient of {value.node.name} holds {found}")

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

        Raises
        ------
        GraphError
            For a name that is neither, or a direction of another shape.
        """
        leaves: dict[str, Node] = {**self.parameters, **self.inputs}
        given = {}
        for name, direction in directions.items():
            if name not in leaves:
                raise GraphError(f"no leaf is called {name!r}; there are: {', '.join(leaves)}")
            value = leaves[name].output
            if np.shape(direction) != value.shape:
                leaves[name].fail(f"the direction has shape {np.shape(direction)}; "
                                  f"expected {value.shape}")  # fmt: skip
            given[value] = np.asarray(direction)[None]
        tangents = self.push(given)
        found = tuple(
            tangents[value][0] if value in tangents else np.zeros(value.shape, value.dtype)
            for value in self.outputs
        )
        return found[0] if len(found) == 1 else found

    def push(self, directions: Mapping[Value, Array]) -> dict[Value, Array]:
        """Carry directions from some values forward to all after them (forward mode).

        Parameters
        ----------
        directions
            For some leaves, K directions each: ``(K, *shape)``.

        Returns
        -------
        dict
            The K directional derivatives, ``(K, *shape)``, of every value that depends on those
            leaves, after `forward`.
        """
        tangents = dict(directions)
        for node in self._steps:
            if not any(value in tangents for value in node.inputs):
                continue
            with _naming("forward-mode pass", node):
                result = node.tangent(
                    *(tangents[v] if v in tangents else self._zero(v) for v in node.inputs)
                )
            results = result if isinstance(result, tuple) else (result,)
            tangents.update(zip(node.outputs, results, strict=True))
        return tangents

    def _zero(self, value: Value) -> Array:
        if value not in self._zeros:
            self._zeros[value] = np.zeros((1, *value.shape), value.dtype)
        return self._zeros[value]

    def advance(self) -> None:
        """Let every delay hold what its source was in the last pass: go on to the next step."""
        for delay in self.delays:
            np.copyto(delay.buffer("next", delay.source.shape), delay.source.data)
        for delay in self.delays:
            np.copyto(delay.output.data, delay.buffer("next", delay.source.shape))
        self._started = True

    def reset(self) -> None:
        """Go back to the first step, at which every delay holds its initial value."""
        for delay in self.delays:
            np.copyto(delay.output.data, delay.initial.data)
        self._started = False

    def to_dot(self) -> str:
        """Return a picture of the graph in the DOT language of Graphviz.

        Parameters are boxes, inputs ellipses, operations rounded boxes with the shape that comes
        out; nodes of one scope lie in one frame, delayed edges are dashed.
        """
        return draw(self.nodes, self.outputs)


@contextmanager
def _naming(what: str, node: Node) -> Iterator[None]:
    """Add the node's path to an exception that it did not expect."""
    try:
        yield
    except GraphError:
        raise
    except Exception as error:
        error.add_note(f"in the {what} of {node.description}")
        raise


def replicate(values: Iterable[Value], substitutes: Mapping[Value, Value]) -> list[Value]:
    """Copy the nodes upstream of some values; leaves are shared, so copies share their weights.

    Parameters
    ----------
    values
        What is wanted of the copy.
    substitutes
        For some leaves' values, what the copy reads in their place.

    Returns
    -------
    list of Value
        The copies of `values`.
    """
    wanted = list(values)
    twins = dict(substitutes)
    for node in _order(value.node for value in wanted):
        if node.inputs:
            twin = node.clone(*(twins.get(value, value) for value in node.inputs))
            twins.update(zip(node.outputs, twin.outputs, strict=True))
    return [twins.get(value, value) for value in wanted]


def _order(ends: Iterable[Node]) -> list[Node]:
    """Sort topologically, depth first, with a stack of our own."""
    order: list[Node] = []
    done: set[Node] = set()
    ends = list(ends)
    while ends:
        stack = [(node, False) for node in reversed(ends)]
        ends = []
        while stack:
            node, expanded = stack.pop()
            if node in done:
                continue
            if expanded or not node.inputs:
                done.add(node)
                order.append(node)
                if isinstance(node, Delay):
                    ends += (node.initial.node, node.source.node)
            else:
                stack.append((node, True))
                stack.extend((value.node, False) for value in reversed(node.inputs))
    return order
