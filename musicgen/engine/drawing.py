"""Pictures of a graph, in the DOT language of Graphviz."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from musicgen.engine.node import Constant, Delay, Input, Node, Parameter, Value

__all__ = ["draw"]

STYLES = {
    Parameter: 'shape=box, style=filled, fillcolor="#f6d9b8"',
    Input: 'shape=ellipse, style=filled, fillcolor="#d5e8d4"',
    Constant: 'shape=ellipse, style=filled, fillcolor="#eeeeee"',
    Delay: 'shape=ellipse, style="filled,dashed", fillcolor="#e1d5e7"',
}
HEAD = (
    'rankdir=BT; fontname="sans-serif"; fontsize=11; labeljust=l',
    'node [fontname="sans-serif", fontsize=11]',
    'edge [fontname="sans-serif", fontsize=9]',
)
OPERATION = 'shape=box, style="rounded,filled", fillcolor="#dae8fc"'


def draw(nodes: Sequence[Node], outputs: Iterable[Value]) -> str:
    """Return a graph in the DOT language.

    Parameters
    ----------
    nodes
        The graph's nodes; those made of nodes are drawn with what is inside.
    outputs
        Marked by an arrow that leads out.
    """
    flat, same = _flatten(nodes)
    numbers = {node: f"n{i}" for i, node in enumerate(flat)}

    def source(value: Value) -> str:
        while value in same:
            value = same[value]
        return numbers[value.node]

    edges = []
    for node in flat:
        edges += [f"{source(value)} -> {numbers[node]}" for value in node.inputs]
        if isinstance(node, Delay):
            start, later = source(node.initial), source(node.source)
            edges.append(f"{start} -> {numbers[node]} [style=dashed, label=initial]")
            edges.append(
                f"{later} -> {numbers[node]} [style=dashed, label=delay, constraint=false]"
            )
    for i, value in enumerate(outputs):
        edges.append(f"{source(value)} -> out{i}")
        edges.append(f'out{i} [shape=plaintext, label="output {i}"]')
    lines = [*HEAD, *_frames(flat, numbers), *edges]
    return "digraph {\n" + "".join(f"  {line};\n" for line in lines) + "}\n"


def _flatten(nodes: Iterable[Node]) -> tuple[list[Node], dict[Value, Value]]:
    """Replace nodes made of nodes by these, and say which value stands for which."""
    flat: dict[Node, None] = {}
    same: dict[Value, Value] = {}
    stack = list(reversed(list(nodes)))
    while stack:
        node = stack.pop()
        graph: Any = getattr(node, "graph", None)  # a composite's, which imports this module
        if graph is None:
            flat[node] = None
            continue
        leaves: Any = getattr(node, "leaves", ())
        links = zip((*leaves, *node.outputs), (*node.inputs, *graph.outputs), strict=True)
        same.update((value, other) for value, other in links if value is not other)
        stack.extend(inner for inner in reversed(graph.nodes) if inner.outputs[0] not in same)
    return list(flat), same


def _frames(nodes: Iterable[Node], numbers: dict[Node, str]) -> list[str]:
    """Describe the nodes, those of one scope within one frame."""
    lines: list[str] = []
    open_scopes: list[str] = []
    for node in sorted(nodes, key=lambda node: node.name.split(".")[:-1]):
        *scopes, own = node.name.split(".")
        shared = 0
        while shared < len(open_scopes) and scopes[: shared + 1] == open_scopes[: shared + 1]:
            shared += 1
        lines += ["}"] * (len(open_scopes) - shared)
        for depth in range(shared, len(scopes)):
            title = ".".join(scopes[: depth + 1])
            lines.append(f'subgraph "cluster {title}" {{ label="{title}"; color=gray')
        open_scopes = scopes
        kind = type(node).__name__
        shapes = " ".join(str(value.shape) for value in node.outputs)
        label = "\\n".join([own, *([kind] if own != kind and node.inputs else []), shapes])
        style = next((s for leaf, s in STYLES.items() if isinstance(node, leaf)), OPERATION)
        lines.append(f'{numbers[node]} [label="{label}", {style}]')
    return lines + ["}"] * len(open_scopes)
