"""The parts of a computational graph: values, and the nodes that compute them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from musicgen.errors import GraphError

__all__ = ["Array", "Input", "Node", "Parameter", "Shape", "Value"]

Array = npt.NDArray[Any]
Shape = tuple[int, ...]


class Value:
    """An array that one node produces and others read.

    Attributes
    ----------
    node
        The producer.
    shape, dtype
        Known when the graph is built.
    data
        The array; empty memory until the first forward pass.
    gradient
        ∂E/∂data after a backward pass; None where nothing flowed back.
    differentiable
        Whether a parameter, or an input that asked for it, lies upstream.
    """

    __slots__ = ("data", "differentiable", "dtype", "gradient", "node", "shape", "tangent")

    def __init__(self, node: Node, shape: Shape, dtype: npt.DTypeLike) -> None:
        self.node = node
        self.shape = shape
        self.dtype = np.dtype(dtype)
        self.data: Array = np.empty(0, self.dtype)
        self.gradient: Array | None = None
        self.tangent: Array | None = None
        self.differentiable = False

    def __repr__(self) -> str:
        return f"<value of {self.node.name}: {self.dtype} {self.shape}>"


class Node:
    """One operation. An own operation needs one small class and no registration.

    A subclass says what shape comes out (`infer`), what is computed (`forward`), how gradients
    flow back (`backward`) and how a small change of the inputs moves the output (`tangent`).
    Arrays come from `buffer`, so that the second pass allocates nothing.

    Parameters
    ----------
    *inputs
        Values, or nodes with one output.
    name
        Shown in messages; the class name when none is given.

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

    def __init__(self, *inputs: Value | Node, name: str = "") -> None:
        self.name = name or type(self).__name__
        self.inputs = tuple(item.output if isinstance(item, Node) else item for item in inputs)
        self._buffers: dict[str, Array] = {}
        shapes: Any = self.infer(*(value.shape for value in self.inputs))
        several = bool(shapes) and isinstance(shapes[0], tuple)
        dtype = self.infer_dtype(*(value.dtype for value in self.inputs))
        self.outputs = tuple(Value(self, s, dtype) for s in (shapes if several else (shapes,)))
        for value in self.outputs:
            value.differentiable = any(value.differentiable for value in self.inputs)

    def infer(self, *shapes: Shape) -> Shape | tuple[Shape, ...]:
        """Return the shape of the output, or a tuple of shapes for several outputs.

        Raises
        ------
        GraphError
            When the inputs do not fit; use `fail`.
        """
        raise NotImplementedError(f"{type(self).__name__}.infer")

    def infer_dtype(self, *dtypes: np.dtype[Any]) -> np.dtype[Any]:
        """Return the type of the outputs: the widest floating type among the inputs."""
        return np.result_type(*(dtype for dtype in dtypes if dtype.kind == "f"))

    def forward(self, *arrays: Array) -> Array | tuple[Array, ...]:
        """Compute the output, or a tuple of outputs, from the inputs' arrays."""
        raise NotImplementedError(f"{type(self).__name__}.forward")

    def backward(self, *gradients: Array) -> Array | tuple[Array | None, ...]:
        """Return ∂E/∂input for every input, given ∂E/∂output for every output.

        Called after `forward`. None stands for an input that has no gradient. The graph adds up
        what several readers of a value return, and may keep a returned array until the next
        backward pass.
        """
        raise NotImplementedError(f"{type(self).__name__}.backward")

    def tangent(self, *directions: Array) -> Array | tuple[Array, ...]:
        """Return the directional derivative of every output along a direction for every input.

        Forward mode: ``dy = Σ_i ∂y/∂x_i · dx_i``. Called after `forward`.
        """
        raise NotImplementedError(f"{type(self).__name__}.tangent")

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
            found = self._buffers[key] = np.zeros(shape, self.outputs[0].dtype)
        return found

    def fail(self, message: str) -> None:
        """Raise a `GraphError` that names this node."""
        raise GraphError(f"node {self.name}: {message}")

    def __repr__(self) -> str:
        shapes = ", ".join(str(value.shape) for value in getattr(self, "outputs", ()))
        return f"<{type(self).__name__} {self.name}: {shapes}>"


class Parameter(Node):
    """A weight: a leaf whose value an optimiser changes. Several graphs may share it.

    Parameters
    ----------
    name
        Dotted name, unique in its network: ``"recurrent.0.W_h"``.
    value
        The initial array; used as it is, not copied.
    """

    def __init__(self, name: str, value: Array) -> None:
        self._shape = value.shape
        self._dtype = value.dtype
        super().__init__(name=name)
        self.output.data = value
        self.output.differentiable = True
        self.output.gradient = np.zeros_like(value)

    def infer(self, *shapes: Shape) -> Shape:
        """Return the shape that was given."""
        return self._shape

    def infer_dtype(self, *dtypes: np.dtype[Any]) -> np.dtype[Any]:
        """Return the type that was given."""
        return self._dtype

    @property
    def value(self) -> Array:
        """The weights; change them in place."""
        return self.output.data

    @property
    def gradient(self) -> Array:
        """∂E/∂value of the last backward pass, or the sum of several."""
        assert self.output.gradient is not None
        return self.output.gradient

    @property
    def size(self) -> int:
        """Number of weights."""
        return math.prod(self._shape)


class Input(Node):
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
        self._shape = shape
        self._dtype = np.dtype(dtype)
        super().__init__(name=name)
        self.output.data = np.zeros(shape, dtype)
        self.output.differentiable = differentiable

    def infer(self, *shapes: Shape) -> Shape:
        """Return the shape that was given."""
        return self._shape

    def infer_dtype(self, *dtypes: np.dtype[Any]) -> np.dtype[Any]:
        """Return the type that was given."""
        return self._dtype

    def feed(self, array: npt.ArrayLike) -> None:
        """Copy `array` in.

        Raises
        ------
        GraphError
            When its shape is not the input's.
        """
        given = np.asarray(array)
        if given.shape != self._shape:
            self.fail(f"expects shape {self._shape}, was fed {given.shape}")
        np.copyto(self.output.data, given, casting="same_kind")
