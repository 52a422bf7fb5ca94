"""How fast the gradient of a cost vanishes on its way back through time.

    python benchmarks/vanishing_gradient.py [--out docs/vanishing-gradient.png]

The cost E depends on the last state only. For states q steps before, the largest element of
∂E/∂h (and, in an LSTM, of ∂E/∂c) is printed as a share of its value at q = 0, beside the bound
that the report derives in section 5.7: ``n (n w_max f'_max)^q``, where w_max is the largest
recurrent weight and f'_max the largest slope, 1/4 for the sigmoid (the report's case) and 1 for
tanh. Recurrent weights are drawn from ±w_max, or all w_max, with ``n w_max f'_max = 0.8``; inputs
are small, so that slopes are near their largest.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from musicgen.charts import Lines
from musicgen.engine import (
    Cell,
    Constant,
    ElmanCell,
    FullyConnectedCell,
    Graph,
    LSTMCell,
    LSTMWithoutForgetGateCell,
    Parameter,
    Sum,
    unroll,
)
from musicgen.plots import draw

T, D, H, SHARE = 41, 4, 16, 0.8
SLOPES = {ElmanCell: 1.0, FullyConnectedCell: 0.25}


def gradients(cell: type[Cell], lowest: float, highest: float) -> dict[str, list[float]]:
    """Return max |∂E/∂state| at the end and 1 … T−1 steps before, as a share of that at the end."""
    rng = np.random.default_rng(1)
    weights = cell.initial_weights(rng, D, H, np.float64)
    recurrent = weights["W"][1 + D :] if cell is FullyConnectedCell else weights["W_h"]
    recurrent[...] = rng.uniform(lowest, highest, recurrent.shape)
    if cell is FullyConnectedCell:  # its states lie around ½: the bias puts the sums around 0
        weights["W"][0] = -recurrent.sum(axis=0) / 2
    zeros = [Constant(np.zeros((1, H))) for _ in cell.states]
    x = Constant(0.1 * rng.standard_normal((T, 1, D)))
    own = [Parameter(name, array) for name, array in weights.items()]
    y, finals = unroll(cell, x, *zeros, *own)
    graph = Graph(Sum(finals[0]), y)
    graph.forward()
    graph.backward()
    steps = [value.node for value in y.node.inputs]
    found = {}
    for k, state in enumerate(cell.states):
        sizes = [float(np.abs(step.outputs[k].gradient).max()) for step in reversed(steps[:-1])]
        last = steps[-1].outputs[k].gradient
        first = sizes[0] if last is None else float(np.abs(last).max())
        found[state] = [size / first for size in ([] if last is None else [first]) + sizes]
    return found


def main() -> None:
    """Print the table and draw the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("docs/vanishing-gradient.png"))
    out = parser.parse_args().out
    panels, rows, qs = [], {}, range(T)
    axes = "steps back q", "share of the gradient at q = 0"
    for cell, slope in SLOPES.items():
        w_max = SHARE / (H * slope)
        name = cell.__name__.removesuffix("Cell")
        bound = [H * (H * w_max * slope) ** q for q in qs]
        lines = {
            "weights from ±w_max": gradients(cell, -w_max, w_max)["h"],
            "all weights w_max": gradients(cell, w_max, w_max)["h"],
            "the report's bound": bound,
        }
        for label, sizes in lines.items():
            assert all(size <= limit for size, limit in zip(sizes, bound, strict=True)), label
            rows[f"{name}, {label}"] = sizes
        title = f"{name}, n = {H}, w_max = {w_max:.2g}"
        panels.append(Lines(title, *axes, {key: (qs, sizes) for key, sizes in lines.items()}))
    lines = {
        f"{cell.__name__.removesuffix('Cell')} ∂E/∂{state}": sizes
        for cell in (ElmanCell, LSTMCell, LSTMWithoutForgetGateCell)
        for state, sizes in gradients(cell, -SHARE / H, SHARE / H).items()
    }
    rows.update(lines)
    drawn = {key: (range(len(sizes)), sizes) for key, sizes in lines.items()}
    panels.append(Lines("the same recurrent weights", *axes, drawn))
    print("| q | " + " | ".join(map(str, (0, 1, 5, 10, 20, 39))) + " |\n" + "|---" * 7 + "|")
    for name, sizes in rows.items():
        print(f"| {name} | " + " | ".join(f"{sizes[q]:.1e}" for q in (0, 1, 5, 10, 20, 39)) + " |")
    draw(panels, out)
    print(f"\n{out}")


if __name__ == "__main__":
    main()
