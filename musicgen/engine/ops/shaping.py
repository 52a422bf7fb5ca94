"""Pieces of an array, and arrays put together."""

from __future__ import annotations

import math

import numpy as np

from musicgen.engine.node import Array, Node, Shape, Value

__all__ = [
    "Concatenate",
    "Flatten",
    "PrependOne",
    "Reshape",
    "Reverse",
    "Select",
    "Slice",
    "Stack",
    "Transpose",
]


class Slice(Node):
    """``y = x[start:stop]`` along one axis; the gradient is zero outside.

    Parameters
    ----------
    x
        Any shape.
    start, stop
        ``0 ≤ start < stop ≤ n``, n the length of the axis.
    axis
        Which axis; the last by default.
    """

    def __init__(
        self, x: Value | Node, start: int, stop: int, axis: int = -1, name: str = ""
    ) -> None:
        self._range, self._axis = slice(start, stop), axis
        super().__init__(x, name=name)

    def infer(self, *shapes: Shape) -> Shape:
        """Shorten the axis."""
        (shape,) = shapes
        start, stop = self._range.start, self._range.stop
        if not -len(shape) <= self._axis < len(shape):
            self.fail(f"shape {shape} has no axis {self._axis}")
        axis = self._axis % len(shape)
        if not 0 <= start < stop <= shape[axis]:
            self.fail(f"[{start}:{stop}] does not lie within axis {self._axis} of {shape}")
        self._place = (*(slice(None),) * axis, self._range)
        return (*shape[:axis], stop - start, *shape[axis + 1 :])

    def forward(self, *arrays: Array) -> Array:
        """Return a view."""
        return arrays[0][self._place]

    def backward(self, *gradients: Array) -> Array:
        """Put dy in its place among zeros."""
        dx = self.buffer("dx", self.inputs[0].shape)
        dx[self._place] = gradients[0]
        return dx

    def tangent(self, *directions: Array) -> Array:
        """Return the same part of dx."""
        return directions[0][(slice(None), *self._place)]


class Select(Node):
    """``y = x[index]`` along one axis, which disappears: one step, one row or one column.

    Parameters
    ----------
    x
        Any shape.
    index
        ``0 ≤ index < n``, n the length of the axis.
    axis
        Which axis; the first by default.
    """

    def __init__(self, x: Value | Node, index: int, axis: int = 0, name: str = "") -> None:
        self._index, self._axis = index, axis
        super().__init__(x, name=name)

    def infer(self, *shapes: Shape) -> Shape:
        """Drop the axis."""
        (shape,) = shapes
        if not -len(shape) <= self._axis < len(shape):
            self.fail(f"shape {shape} has no axis {self._axis}")
        axis = self._axis % len(shape)
        if not 0 <= self._index < shape[axis]:
            self.fail(f"[{self._index}] does not lie within axis {self._axis} of {shape}")
        self._place: tuple[slice | int, ...] = (*(slice(None),) * axis, self._index)
        return (*shape[:axis], *shape[axis + 1 :])

    def forward(self, *arrays: Array) -> Array:
        """Return a view."""
        return arrays[0][self._place]

    def backward(self, *gradients: Array) -> Array:
        """Put dy in its place among zeros."""
        dx = self.buffer("dx", self.inputs[0].shape)
        dx[self._place] = gradients[0]
        return dx

    def tangent(self, *directions: Array) -> Array:
        """Return the same part of dx."""
        return directions[0][(slice(None), *self._place)]


class Concatenate(Node):
    """``y = (x1 x2 …)`` along one axis; dy is split in the same way (report, section 3.4).

    Parameters
    ----------
    *xs
        Equal shapes but for that axis.
    axis
        Which axis; the last by default.
    """

    def __init__(self, *xs: Value | Node, axis: int = -1, name: str = "") -> None:
        self._axis = axis
        super().__init__(*xs, name=name)

    def infer(self, *shapes: Shape) -> Shape:
        """Add the axis up."""
        first = shapes[0] if shapes else ()
        if not -len(first) <= self._axis < len(first):
            self.fail(f"shape {first} has no axis {self._axis}")
        axis = self._axis % len(first)
        others = {(*shape[:axis], *shape[axis + 1 :]) for shape in shapes}
        if len(others) > 1 or any(len(shape) != len(first) for shape in shapes):
            self.fail(f"shapes {', '.join(map(str, shapes))} differ not only in axis {axis}")
        self._ends = np.cumsum([shape[axis] for shape in shapes])[:-1]
        self._axis = axis
        return (*first[:axis], sum(shape[axis] for shape in shapes), *first[axis + 1 :])

    def forward(self, *arrays: Array) -> Array:
        """Copy side by side."""
        return np.concatenate(arrays, axis=self._axis, out=self.buffer("y", self.outputs[0].shape))

    def backward(self, *gradients: Array) -> tuple[Array, ...]:
        """Return views of dy."""
        return tuple(np.split(gradients[0], self._ends, axis=self._axis))

    def tangent(self, *directions: Array) -> Array:
        """Put the directions side by side."""
        return np.concatenate(_alike(directions), axis=self._axis + 1)


class Stack(Node):
    """``y[i] = x_i``: arrays of one shape along a new first axis; ``dx_i = dy[i]``."""

    def infer(self, *shapes: Shape) -> Shape:
        """Put the number of inputs in front."""
        if len(set(shapes)) != 1:
            self.fail(f"shapes {', '.join(map(str, shapes))} differ")
        return (len(shapes), *shapes[0])

    def forward(self, *arrays: Array) -> Array:
        """Copy one behind the other."""
        return np.stack(arrays, out=self.buffer("y", self.outputs[0].shape))

    def backward(self, *gradients: Array) -> tuple[Array, ...]:
        """Return views of dy."""
        return tuple(gradients[0])

    def tangent(self, *directions: Array) -> Array:
        """Put the directions one behind the other."""
        return np.stack(_alike(directions), axis=1)


def _alike(directions: tuple[Array, ...]) -> list[Array]:
    """Repeat directions that are zero for all K."""
    K = max(len(direction) for direction in directions)
    return [np.broadcast_to(d, (K, *d.shape[1:])) for d in directions]


class PrependOne(Node):
    """``y = (1 x)`` along the last axis, so that a weight becomes a bias.

    ``dx`` is dy without its first column (report, section 3.4).
    """

    def infer(self, *shapes: Shape) -> Shape:
        """Lengthen the last axis by one."""
        (shape,) = shapes
        if not shape:
            self.fail("cannot put a column before a number; expected (…, n)")
        return (*shape[:-1], shape[-1] + 1)

    def forward(self, *arrays: Array) -> Array:
        """Copy behind ones."""
        y = self.buffer("y", self.outputs[0].shape)
        y[..., 0] = 1
        y[..., 1:] = arrays[0]
        return y

    def backward(self, *gradients: Array) -> Array:
        """Return dy without its first column."""
        return gradients[0][..., 1:]

    def tangent(self, *directions: Array) -> Array:
        """Put a zero before the direction."""
        (dx,) = directions
        return np.concatenate([np.zeros((*dx.shape[:-1], 1), dx.dtype), dx], axis=-1)


class Reshape(Node):
    """The same elements in another shape.

    Parameters
    ----------
    x
        Any shape.
    shape
        The new one; one length may be −1, which means what is left.
    """

    def __init__(self, x: Value | Node, shape: Shape, name: str = "") -> None:
        self._wanted = shape
        super().__init__(x, name=name)

    def infer(self, *shapes: Shape) -> Shape:
        """Return the new shape."""
        size, known = math.prod(shapes[0]), math.prod(n for n in self._wanted if n >= 0)
        free = self._wanted.count(-1)
        if free > 1 or (known == 0 or size % known if free else size != known):
            self.fail(f"cannot give {shapes[0]} the shape {self._wanted}")
        return tuple(size // known if n == -1 else n for n in self._wanted)

    def forward(self, *arrays: Array) -> Array:
        """Return the elements, as a view where memory allows."""
        return arrays[0].reshape(self.outputs[0].shape)

    def backward(self, *gradients: Array) -> Array:
        """Give dy the old shape."""
        return gradients[0].reshape(self.inputs[0].shape)

    def tangent(self, *directions: Array) -> Array:
        """Give dx the new shape."""
        return directions[0].reshape(len(directions[0]), *self.outputs[0].shape)


class Flatten(Reshape):
    """All axes but the first in one: ``(B, …)`` becomes ``(B, n)``."""

    def __init__(self, x: Value | Node, name: str = "") -> None:
        super().__init__(x, (-1,), name)

    def infer(self, *shapes: Shape) -> Shape:
        """Return ``(B, n)``."""
        if not shapes[0]:
            self.fail("cannot flatten a number; expected (B, …)")
        return (shapes[0][0], math.prod(shapes[0][1:]))


class Transpose(Node):
    """The axes in another order; the gradient's are put back.

    Parameters
    ----------
    x
        Any shape.
    axes
        Old number of each new axis; reversed by default.
    """

    def __init__(self, x: Value | Node, axes: tuple[int, ...] = (), name: str = "") -> None:
        self._wanted = axes
        super().__init__(x, name=name)

    def infer(self, *shapes: Shape) -> Shape:
        """Return the shape in the new order."""
        (shape,) = shapes
        axes = self._wanted or tuple(reversed(range(len(shape))))
        if sorted(axes) != list(range(len(shape))):
            self.fail(f"axes {axes} are no order of the axes of {shape}")
        self._axes = axes
        return tuple(shape[axis] for axis in axes)

    def forward(self, *arrays: Array) -> Array:
        """Return a view."""
        return arrays[0].transpose(self._axes)

    def backward(self, *gradients: Array) -> Array:
        """Return a view of dy."""
        return gradients[0].transpose(np.argsort(self._axes))

    def tangent(self, *directions: Array) -> Array:
        """Return a view of dx."""
        return directions[0].transpose(0, *(axis + 1 for axis in self._axes))


class Reverse(Node):
    """Sequences read from their end: ``y_t = x_{n−1−t}`` for ``t < n``, and ``x_t`` behind.

    Inputs: x ``(T, B, …)``; and, when lengths differ, n ``(B,)`` of integers, ``0 ≤ n ≤ T``. The
    gradient is turned round in the same way.
    """

    def infer(self, *shapes: Shape) -> Shape:
        """Keep the shape."""
        x, *lengths = shapes
        if len(x) < 2 or lengths not in ([], [(x[1],)]):
            self.fail(f"inputs {', '.join(map(str, shapes))} do not fit; expected (T, B, …), (B,)")
        return x

    def _turn(self, x: Array, y: Array) -> Array:
        """Write `x` to `y` turned round; both ``(…, T, B, …)`` as the directions have it."""
        if len(self.inputs) == 1:
            np.copyto(y, x[::-1])
            return y
        np.copyto(y, x)
        for b, n in enumerate(self.data[1]):
            y[:n, b] = x[:n, b][::-1]
        return y

    def forward(self, *arrays: Array) -> Array:
        """Turn x round."""
        return self._turn(arrays[0], self.buffer("y", arrays[0].shape))

    def backward(self, *gradients: Array) -> tuple[Array | None, ...]:
        """Turn dy round."""
        dx = self._turn(gradients[0], self.buffer("dx", gradients[0].shape))
        return dx, *[None] * (len(self.inputs) - 1)

    def tangent(self, *directions: Array) -> Array:
        """Turn dx round."""
        return np.stack([self._turn(dx, np.empty_like(dx)) for dx in directions[0]])
