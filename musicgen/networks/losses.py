"""What a feed-forward network is trained to make small, and when its output counts as right."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from musicgen.engine import (
    Array,
    Graph,
    Identity,
    Input,
    Node,
    Sigmoid,
    SigmoidCrossEntropy,
    Softmax,
    SoftmaxCrossEntropy,
    SquaredError,
)
from musicgen.errors import ModelError

__all__ = ["LOSSES", "Loss", "cost_graph", "default_loss", "find_loss"]


def _same_class(logits: Array, targets: Array) -> Array:
    return np.argmax(logits, axis=-1) == targets


def _same_answer(logits: Array, targets: Array) -> Array:
    return (logits > 0) == (targets > 0.5)


class Loss(NamedTuple):
    """A cost, which is computed from logits, and the activation that comes after these.

    Attributes
    ----------
    name
        For people.
    cost
        The node that reads logits and targets.
    activation
        What makes a network's output of the logits.
    classes
        Whether a target is the number of a class, and not an array like the output.
    right
        Says where logits agree with targets; None where right and wrong cannot be told.
    """

    name: str
    cost: type[Node]
    activation: type[Node]
    classes: bool = False
    right: Callable[[Array, Array], Array] | None = None


SQUARED_ERROR = Loss("squared error", SquaredError, Identity)
LOSSES = {
    loss.name: loss
    for loss in (
        Loss("sigmoid cross-entropy", SigmoidCrossEntropy, Sigmoid, False, _same_answer),
        Loss("softmax cross-entropy", SoftmaxCrossEntropy, Softmax, True, _same_class),
        SQUARED_ERROR,
    )
}


def find_loss(name: str) -> Loss:
    """Return the loss of that name.

    Raises
    ------
    ModelError
        When there is none.
    """
    if name not in LOSSES:
        raise ModelError(f"no loss is called {name!r}; there are: {', '.join(LOSSES)}")
    return LOSSES[name]


def default_loss(output: Node) -> Loss:
    """Return the loss that a network's last activation belongs to: the squared error if none."""
    fitting = (loss for loss in LOSSES.values() if isinstance(output, loss.activation))
    return next(fitting, SQUARED_ERROR)


def cost_graph(output: Node, loss: Loss) -> Graph:
    """Return the graph of the cost and the logits; it has an input more, called ``targets``.

    The activation that belongs to the loss is left out; an output without it is taken for logits.

    Raises
    ------
    ModelError
        When the output is an activation that belongs to another loss.
    """
    own = default_loss(output)
    if own is not loss and Identity not in (own.activation, loss.activation):
        raise ModelError(
            f"a {loss.name} does not fit the last activation, {type(output).__name__}; "
            f"expected {own.name}"
        )
    logits = output.inputs[0] if isinstance(output, loss.activation) else output.output
    targets = (
        Input("targets", logits.shape[:-1], np.int64)
        if loss.classes
        else Input("targets", logits.shape, logits.dtype)
    )
    return Graph(loss.cost(logits, targets), logits)
