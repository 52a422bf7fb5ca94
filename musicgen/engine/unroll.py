"""Three ways to draw one step of a recurrent network out over a sequence (report, section 5.2).

All give the same results; back-propagation through time is `Graph.backward` on any of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from musicgen.engine.cells import Cell
from musicgen.engine.composite import Composite
from musicgen.engine.graph import Graph, replicate
from musicgen.engine.node import Input, Node, Value, scope
from musicgen.engine.ops import Select, Stack
from musicgen.errors import GraphError

__all__ = ["unroll", "unroll_clones", "unroll_delays"]


def unroll(
    cell: type[Cell], x: Value | Node, *inputs: Value | Node
) -> tuple[Value, tuple[Value, ...]]:
    """Unroll a cell by an explicit loop: a new node for every step.

    Parameters
    ----------
    cell
        The kind of cell.
    x
        Inputs ``(T, B, D)``.
    *inputs
        The initial states ``(B, H)``, then the weights.

    Returns
    -------
    y
        The hidden state after every step, ``(T, B, H)``.
    finals
        The final states.
    """
    n = len(cell.states)
    states, weights = [_value(item) for item in inputs[:n]], inputs[n:]
    shown = []
    for t in range(_value(x).shape[0]):
        with scope(f"step {t}"):
            states = list(cell(Select(x, t, name="x"), *states, *weights).outputs)
        shown.append(states[0])
    return Stack(*shown, name="y").output, tuple(states)


def unroll_clones(
    step: Composite, x: Value | Node, states: Sequence[Value | Node]
) -> tuple[Value, tuple[Value, ...]]:
    """Unroll by cloning a layer of one step, which has its weights inside or reads them.

    Parameters
    ----------
    step
        Reads x_t, the states, and whatever else does not change; gives the new states, of which
        the first is shown.
    x
        Inputs ``(T, B, D)``.
    states
        The initial states.

    Returns
    -------
    y
        The first state after every step, ``(T, …)``.
    finals
        The final states.
    """
    current = [_value(state) for state in states]
    unchanged = step.inputs[1 + len(current) :]
    shown = []
    for t in range(_value(x).shape[0]):
        with scope(f"step {t}"):
            current = list(step.clone(Select(x, t, name="x"), *current, *unchanged).outputs)
        shown.append(current[0])
    return Stack(*shown, name="y").output, tuple(current)


def unroll_delays(
    outputs: Sequence[Value | Node], sequences: Mapping[Input, Value | Node]
) -> tuple[tuple[Value, ...], ...]:
    """Unroll a graph with delayed edges: a copy for every step, each reading the one before.

    Parameters
    ----------
    outputs
        What is wanted of each step.
    sequences
        For inputs of the step, what they are fed from: ``(T, …)``. Other leaves are shared.

    Returns
    -------
    tuple
        For every step, the copies of `outputs`; `Stack` puts them together.
    """
    wanted = [_value(item) for item in outputs]
    delays = Graph(*wanted).delays
    previous = {delay.output: delay.initial for delay in delays}
    lengths = {_value(sequence).shape[0] for sequence in sequences.values()}
    if len(lengths) != 1:
        raise GraphError(f"sequences of one length are needed; found {sorted(lengths)}")
    steps = []
    for t in range(lengths.pop()):
        with scope(f"step {t}"):
            fed = {
                leaf.output: Select(sequence, t, name=leaf.name).output
                for leaf, sequence in sequences.items()
            }
            copies = replicate([*wanted, *(delay.source for delay in delays)], {**fed, **previous})
        previous = dict(zip((delay.output for delay in delays), copies[len(wanted) :], strict=True))
        steps.append(tuple(copies[: len(wanted)]))
    return tuple(steps)


def _value(item: Value | Node) -> Value:
    return item.output if isinstance(item, Node) else item
