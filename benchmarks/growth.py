"""How the time of a training step grows with the network and the batch, beside PyTorch's.

    pip install torch==2.13.0
    python benchmarks/growth.py [--rounds N] [--out docs/speed-growth.svg] [--json FILE]

One LSTM layer on symbols; the networks, the steps and the turns are those of speed.py. Three
things grow, the others stay: the units from 64 to 2048, the batch from 1 to 256, the length of
the sequences from 10 to 1000. Prints the medians and draws them on logarithmic axes.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from speed import Workload, launch, milliseconds

from musicgen.charts import Lines
from musicgen.plots import draw

SIDES = {"kernels": "musicgen", "torch": "PyTorch"}
SYMBOLS = 96
BLOCK, MOST = 40, 50  # 10⁹ operations of a block of steps, a quarter of a second; most steps of one


class Growth(NamedTuple):
    """What grows: the values that it takes, and the workload of each."""

    what: str
    fixed: str
    values: tuple[int, ...]
    work: Callable[[int], Workload]


def step(units: int, T: int, B: int) -> Workload:
    """Return steps of a layer, so many that a block takes long enough to be timed."""
    work = Workload(1, units, T, B, SYMBOLS, False, True, 1)
    return work._replace(count=min(max(round(BLOCK / work.gigaflops), 1), MOST))


GROWTHS = {
    "hidden size": Growth(
        "units of the layer", "batch 50, length 50", (64, 128, 256, 512, 1024, 2048),
        lambda units: step(units, 50, 50),
    ),
    "batch": Growth(
        "sequences of a batch", "512 units, length 50", (1, 2, 4, 8, 16, 32, 64, 128, 256),
        lambda B: step(512, 50, B),
    ),
    "length": Growth(
        "steps of a sequence", "256 units, batch 10", (10, 20, 50, 100, 200, 500, 1000),
        lambda T: step(256, T, 10),
    ),
}  # fmt: skip


def main() -> None:
    """Run all sizes, print the table and draw the picture."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("growths", nargs="*", help=f"of {', '.join(GROWTHS)} (default: all)")
    parser.add_argument("--rounds", type=int, default=5, help="blocks of each side (default 5)")
    parser.add_argument("--largest", type=int, default=2048, help="leave out what is larger")
    parser.add_argument("--out", type=Path, default=Path("docs/speed-growth.svg"))
    parser.add_argument("--json", type=Path, help="file for the figures")
    options = parser.parse_args()
    pipes = launch(SIDES)
    figures: dict[str, Any] = {}
    charts = []
    print("| grows | | musicgen, ms a step | PyTorch, ms a step | PyTorch / musicgen |")
    print("|---|---|---|---|---|")
    for name in options.growths or GROWTHS:
        growth = GROWTHS[name]
        values = [value for value in growth.values if value <= options.largest]
        rows = []
        for value in values:
            ms = milliseconds(pipes, growth.work(value), options.rounds)
            rows.append(ms)
            print(f"| {name} | {value} | {ms['kernels']:.3g} | {ms['torch']:.3g} "
                  f"| {ms['torch'] / ms['kernels']:.2f} |", flush=True)  # fmt: skip
        figures[name] = {str(value): ms for value, ms in zip(values, rows, strict=True)}
        lines = {label: (values, [ms[side] for ms in rows]) for side, label in SIDES.items()}
        charts.append(Lines(growth.fixed, growth.what, "ms a step", lines, x_log=True))
    for pipe in pipes.values():
        pipe.send(None)
    draw(charts, options.out)
    print(f"\npicture: {options.out}")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
