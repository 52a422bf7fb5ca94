"""The parts of a computational graph: values, and the nodes that compute them."""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NoReturn, Self

import numpy as np
import numpy.typing as npt

from musicgen.errors import GraphError

__all__ = ["Array", "Constant", "Delay", "Input", "Node", "Parameter", "Shape", "Value", "scope"]

Array = npt.NDArray[Any]
Shape = tuple[int, ...]

SERIAL = itertools.count()
"""Numbers the nodes in the order in which they are made."""

_PATH: ContextVar[str] = ContextVar("path", default="")


@contextmanager
def scope(name: str) -> Iterator[None]:
    """Put ``name.`` in front of the names of all nodes made inside: their path in the graph.

    Examples
    --------
    >>> with scope("encoder"), scope("0"):
    ...     W = Parameter("W", np.zeros((2, 3)))
    >>> W.name
    'encoder.0.W'
    """
    token = _PATH.set(f"{_PATH.get()}{name}.")
    try:
        yield
    finally:
        _PATH.reset(token)


class Value:
    """An array that one node produces and others read.

    Attributes
    ----------
    node
        The producer.
    shape, dtype
        Known when the graph is built.
    data
        The array; empty until the first forward pass.
    gradient
        ∂E/∂data of the last backward pass; None where nothing flowed back.
    differentiable
        Whether a parameter, or an input that asked for it, lies upstream.
    """

    __slots__ = ("data", "differentiable", "dtype", "gradient", "node", "shape")

    def __init__(self, node: Node, shape: Shape, dtype: npt.DTypeLike) -> None:
        self.node = node
        self.shape = shape
        self.dtype = np.dtype(dtype)
        self.data: Array = np.empty(0, self.dtype)
        self.gradient: Array | None = None
        self.differentiable = False

    def __repr__(self) -> str:
        return f"<value of {self.node.name}: {self.dtype} {self.shape}>"


def _zeros(shape: Shape, dtype: np.dtype) -> Array:
    """Make zeros that begin at a cache line: a vector across two lines costs twice as much."""
    size = math.prod(shape) * dtype.itemsize
    memory = np.zeros(size + 64, np.uint8)
    start = -memory.ctypes.data % 64
    return memory[start : start + size].view(dtype).reshape(shape)


class Node:
    """One operation. An own operation needs one small class and no registration.

    A subclass says what shape comes out (`infer`), what is computed (`forward`), how gradients
    flow back (`backward`) and how a small change of the inputs moves the output (`tangent`).
    Arrays come from `buffer`, so that the second pass allocates nothing. What a subclass needs
    beside its inputs it keeps before it calls ``super().__init__(*inputs)``.

    Parameters
    ----------
    *inputs
        Values, or nodes with one output.
    name
        Shown in messages, behind the names of the scopes; the class name when none is given.

    Examples
    --------
    >>> class Square(Node):
    ...     '''y = x ⊙ x.'''
    ...
    ...     def infer(self, x):
    ...         return x
    ...
    ...     def forward(self, x):
    ...         return np.multiply(x, x, out=self.buffer("y", x.shape))
    ...
    ...     def backward(self, dy):
    ...         (x,) = self.data
    ...         dx = np.multiply(x, dy, out=self.buffer("dx", x.shape))
    ...         return np.multiply(dx, 2, out=dx)
    ...
    ...     def tangent(self, dx):
    ...         (x,) = self.data
    ...         return 2 * x * dx
    >>> from musicgen.engine import Graph
    >>> x = Parameter("x", np.array([1.0, -3.0]))
    >>> graph = Graph(Square(x))
    >>> graph.forward()
    array([1., 9.])
    >>> graph.backward()
    >>> x.gradient
    array([ 2., -6.])
    """

    inputs: tuple[Value, ...] = ()
    outputs: tuple[Value, ...] = ()

    def __init__(self, *inputs: Value | Node, name: str = "") -> None:
        self.name = _PATH.get() + (name or type(self).__name__)
        self.serial = next(SERIAL)
        for item in inputs:
            if not isinstance(item, (Node, Value)):
                raise GraphError(
                    f"node {self.name} ({type(self).__name__}): found {type(item).__name__} as an "
                    "input; expected a node or a value, for example Constant(array)"
                )
        self.inputs = tuple(item.output if isinstance(item, Node) else item for item in inputs)
        if not inputs and type(self).forward is not Node.forward:
            raise GraphError(f"node {self.name} has no inputs, and would never be computed")
        self._buffers: dict[str, Array] = {}
        shapes: Any = self._infer()
        several = bool(shapes) and isinstance(shapes[0], tuple)
        dtype = self.infer_dtype(*(value.dtype for value in self.inputs))
        self.outputs = tuple(Value(self, s, dtype) for s in (shapes if several else (shapes,)))
        for value in self.outputs:
            value.differentiable = any(value.differentiable for value in self.inputs)

    def _infer(self) -> Shape | tuple[Shape, ...]:
        shapes = [value.shape for value in self.inputs]
        try:
            return self.infer(*shapes)
        except (IndexError, TypeError, ValueError) as error:
            if isinstance(error, GraphError):
                raise
            found = ", ".join(map(str, shapes)) or "none"
            raise GraphError(
                f"node {self.description}: cannot work on inputs of these shapes: {found} ({error})"
            ) from error

    def infer(self, *shapes: Shape) -> Shape | tuple[Shape, ...]:
        """Return the shape of the output, or a tuple of shapes for several outputs.

        Raises
        ------
        GraphError
            When the inputs do not fit; use `fail`.
        """
        raise NotImplementedError(f"{type(self).__name__}.infer")

    def infer_dtype(self, *dtypes: np.dtype[Any]) -> np.dtype[Any]:
        """Return the type of the outputs: the widest floating type among the inputs, if any."""
        return np.result_type(*([dtype for dtype in dtypes if dtype.kind == "f"] or dtypes))

    def forward(self, *arrays: Array) -> Array | tuple[Array, ...]:
        """Compute the output, or a tuple of outputs, from the inputs' arrays."""
        raise NotImplementedError(f"{type(self).__name__}.forward")

    def backward(self, *gradients: Array) -> Array | tuple[Array | None, ...]:
        """Return ∂E/∂input for every input, given ∂E/∂output for every output.

        Called after `forward`. None stands for an input that has no gradient. The graph adds up
        what several readers of a value return, and may keep a returned array until the next
        backward pass. Others may read the gradients given: leave them as they are.
        """
        raise NotImplementedError(f"{type(self).__name__}.backward")

    def tangent(self, *directions: Array) -> Array | tuple[Array, ...]:
        """Return the directional derivatives of every output, for K directions at once.

        Forward mode: ``dy = Σ_i ∂y/∂x_i · dx_i``. Called after `forward`. A direction has the
        shape of its input behind a leading axis of K, or of 1 where all K are zero; so have
        the results, with K.
        """
        self.fail("has no tangent, which forward mode needs")

    def clone(self, *inputs: Value | Node) -> Self:
        """Return a node that does the same to other inputs.

        Parameters
        ----------
        *inputs
            As many as this node has. Weights are inputs: give the same to share them.
        """
        twin = copy.copy(self)
        Node.__init__(twin, *inputs, name=self.name)
        return twin

    @property
    def output(self) -> Value:
        """The only output.

        Raises
        ------
        GraphError
            When there are several: say which, as in ``node.outputs[0]``.
        """
        if len(self.outputs) != 1:
            self.fail(f"has {len(self.outputs)} outputs; name one, as in node.outputs[0]")
        return self.outputs[0]

    @property
    def data(self) -> tuple[Array, ...]:
        """The inputs' arrays, as the last forward pass saw them."""
        return tuple(value.data for value in self.inputs)

    def buffer(self, key: str, shape: Shape) -> Array:
        """Return this node's array called `key`: the same memory at every call.

        Parameters
        ----------
        key
            Name within the node.
        shape
            Shape of the array, which is of the output's type, and zeros the first time.
        """
        found = self._buffers.get(key)
        if found is None or found.shape != shape:
            found = self._buffers[key] = _zeros(shape, self.outputs[0].dtype)
        return found

    def find_nonfinite(self) -> str | None:
        """Say where the outputs of the last pass hold NaN or infinity; None when they do not."""
        for value in self.outputs:
            if found := describe_nonfinite(value.data):
                inputs = ", ".join(
                    f"{value.node.name} {'holds ' + odd if odd else 'is finite'}"
                    for value in self.inputs
                    for odd in [describe_nonfinite(value.data)]
                )
                return f"node {self.description} holds {found}" + (inputs and f"; {inputs}")
        return None

    @property
    def description(self) -> str:
        """The node's path, operation and inputs: ``lstm.kept = Multiply(lstm.f, c)``."""
        kind = type(self).__name__
        call = f"{kind}({', '.join(value.node.name for value in self.inputs)})"
        path, _, own = self.name.rpartition(".")
        return f"{self.name} = {call}" if own != kind else f"{path}{'.' if path else ''}{call}"

    def fail(self, message: str) -> NoReturn:
        """Raise a `GraphError` that names this node by its path."""
        raise GraphError(f"node {self.description}: {message}")

    def __repr__(self) -> str:
        shapes = ", ".join(str(value.shape) for value in self.outputs)
        return f"<{type(self).__name__} {self.name}: {shapes}>"


def describe_nonfinite(array: Array) -> str | None:
    """Say where an array holds NaN or infinity: ``"nan at [2, 0] and 3 more"``, or None."""
    if array.dtype.kind != "f" or np.isfinite(array).all():
        return None
    places = np.argwhere(~np.isfinite(array)).tolist()
    more = f" and {len(places) - 1} more" if len(places) > 1 else ""
    return f"{array[tuple(places[0])]} at {places[0]}{more}"


class _Leaf(Node):
    """A node without inputs, which holds its array."""

    def __init__(self, name: str, data: Array, *, differentiable: bool = False) -> None:
        data = np.asarray(data)
        self._shape, self._dtype = data.shape, data.dtype
        super().__init__(name=name)
        self.output.data = data
        self.output.differentiable = differentiable

    def infer(self, *shapes: Shape) -> Shape:
        """Return the shape that was given."""
        return self._shape

    def infer_dtype(self, *dtypes: np.dtype[Any]) -> np.dtype[Any]:
        """Return the type that was given."""
        return self._dtype

    def clone(self, *inputs: Value | Node) -> Self:
        """Return the leaf itself: clones share their leaves."""
        return self

    @property
    def description(self) -> str:
        """The leaf's path and kind."""
        return f"{self.name} ({type(self).__name__.lower()})"


class Parameter(_Leaf):
    """A weight: a leaf whose value an optimiser changes. Several graphs may share it.

    Parameters
    ----------
    name
        Dotted name, unique in its network: ``"recurrent.0.W_h"``.
    value
        The initial array; used as it is, not copied.

    Attributes
    ----------
    gradient
        ∂E/∂value of the last backward pass, or the sum of several; always the same array.
    """

    def __init__(self, name: str, value: Array) -> None:
        super().__init__(name, value, differentiable=True)
        self.gradient = np.zeros(self.value.shape, self.value.dtype)

    @property
    def value(self) -> Array:
        """The weights; change them in place."""
        return self.output.data

    @property
    def size(self) -> int:
        """Number of weights."""
        return math.prod(self._shape)

    @property
    def frozen(self) -> bool:
        """Whether backward passes leave this weight out; may change between passes."""
        return not self.output.differentiable

    @frozen.setter
    def frozen(self, frozen: bool) -> None:
        self.output.differentiable = not frozen


class Input(_Leaf):
    """A leaf whose array is given at every forward pass; zeros until then.

    Parameters
    ----------
    name
        Key in ``Graph.forward(feeds)``.
    shape, dtype
        What will be fed.
    differentiable
        Whether ∂E/∂input is wanted.
    """

    def __init__(
        self, name: str, shape: Shape, dtype: npt.DTypeLike, *, differentiable: bool = False
    ) -> None:
        super().__init__(name, np.zeros(shape, dtype), differentiable=differentiable)

    def feed(self, array: npt.ArrayLike) -> None:
        """Copy `array` in.

        Raises
        ------
        GraphError
            When its shape is not the input's, or its type does not fit.
        """
        given = np.asarray(array)
        if given.shape != self._shape:
            self.fail(f"expects shape {self._shape}, was fed {given.shape}")
        try:
            np.copyto(self.output.data, given, casting="same_kind")
        except TypeError:
            self.fail(f"expects {self._dtype}, was fed {given.dtype}")


class Constant(_Leaf):
    """A leaf that never changes, and has no gradient.

    Parameters
    ----------
    value
        The array; used as it is, not copied.
    """

    def __init__(self, value: Array, name: str = "") -> None:
        super().__init__(name, value)


class Delay(_Leaf):
    """What another value was one step before: the delayed edge of a recurrent graph.

    ``y(t) = source(t − 1)``, and ``y(0) = initial``. In the graph it is a leaf, so that the
    graph of one step has no circle; `Graph.advance` carries the source over to the next step,
    and `unroll_delays` draws the edge from one copy of the graph to the next (report, section 5.2).

    Parameters
    ----------
    initial
        A leaf of the state's shape: a `Parameter`, `Input` or `Constant`.

    Examples
    --------
    >>> from musicgen.engine import Add, Constant, Graph
    >>> count = Delay(Constant(np.zeros(1)))
    >>> more = Add(count, Constant(np.ones(1)))
    >>> count.connect(more)
    >>> graph = Graph(more)
    >>> for _ in range(3):
    ...     total = graph.forward()
    ...     graph.advance()
    >>> total
    array([3.])
    """

    def __init__(self, initial: Value | Node, name: str = "") -> None:
        self.initial = initial.output if isinstance(initial, Node) else initial
        super().__init__(name, self.initial.data.copy())
        self._source: Value | None = None
        if self.initial.node.inputs:
            self.fail(f"starts from {self.initial.node.name}; expected a leaf")

    @property
    def source(self) -> Value:
        """The value that comes one step later here."""
        if self._source is None:
            self.fail("is not connected; say what it delays with connect()")
        return self._source

    def connect(self, source: Value | Node) -> None:
        """Say which value is delayed.

        Raises
        ------
        GraphError
            When its shape is not that of the initial value, or its type does not fit.
        """
        value = source.output if isinstance(source, Node) else source
        if value.shape != self._shape:
            self.fail(f"starts with shape {self._shape}, cannot be followed by {value.shape}")
        if not np.can_cast(value.dtype, self._dtype, "same_kind"):
            self.fail(f"starts with {self._dtype}, cannot be followed by {value.dtype}")
        self._source = value
