"""Real-time recurrent learning beside back-propagation through time: results, time and memory.

    python benchmarks/rtrl.py [--out docs/rtrl-bptt.png]

Prints how far the gradients of both differ for every cell (float64), then the time and the memory
of a pass over one sequence against the number of units and against the length, beside the
complexities that the report derives (section 5.5). Both sides run the same graph of one step with
delayed edges: RTRL carries derivatives forward along it, BPTT unrolls it.
"""

from __future__ import annotations

import argparse
import statistics
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np

from musicgen import engine
from musicgen.charts import Lines
from musicgen.engine import (
    RTRL,
    Cell,
    Constant,
    Delay,
    FullyConnectedCell,
    Graph,
    Input,
    LSTMCell,
    Parameter,
    SquaredError,
    Stack,
    Sum,
    unroll_delays,
)
from musicgen.plots import draw

UNITS = (4, 8, 16, 32, 64)
LENGTHS = (10, 20, 40, 80, 160, 320)
LENGTH, WIDTH, FEW_UNITS = 20, 4, 8


class Task:
    """A layer whose units are to follow a random target, and both ways to learn it.

    Parameters
    ----------
    cell
        The kind of cell.
    H, T, B
        Units, length and sequences.
    """

    def __init__(self, cell: type[Cell], H: int, T: int, B: int = 1) -> None:
        rng = np.random.default_rng(0)
        weights = cell.initial_weights(rng, WIDTH, H, np.float64)
        delays = [Delay(Constant(np.zeros((B, H))), name=state) for state in cell.states]
        x, target = Input("x", (B, WIDTH), float), Input("target", (B, H), float)
        step = cell(x, *delays, *(Parameter(name, array) for name, array in weights.items()))
        for delay, new in zip(delays, step.outputs, strict=True):
            delay.connect(new)
        self._cost = SquaredError(step.outputs[0], target)
        self._xs, self._targets = rng.standard_normal((T, B, WIDTH)), rng.random((T, B, H))
        self._inputs = x, target

    def rtrl(self) -> Callable[[], dict[str, np.ndarray]]:
        """Return a function that learns from the sequence forwards."""
        rtrl = RTRL(Graph(self._cost))

        def run() -> dict[str, np.ndarray]:
            rtrl.reset()
            rtrl.clear()
            for x, target in zip(self._xs, self._targets, strict=True):
                rtrl.step({"x": x, "target": target})
            return rtrl.gradients

        return run

    def bptt(self) -> Callable[[], dict[str, np.ndarray]]:
        """Return a function that learns from the unrolled sequence backwards."""
        x, target = self._inputs
        sequences = {x: Constant(self._xs), target: Constant(self._targets)}
        steps = unroll_delays([self._cost], sequences)
        graph = Graph(Sum(Stack(*(cost for (cost,) in steps))))

        def run() -> dict[str, np.ndarray]:
            graph.forward()
            graph.backward()
            return {name: parameter.gradient for name, parameter in graph.parameters.items()}

        return run


def seconds(run: Callable[[], object]) -> float:
    """Return the median time of a call, after a first one."""
    run()
    times: list[float] = []
    while len(times) < 3 or (sum(times) < 0.3 and len(times) < 50):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def megabytes(make: Callable[[], Callable[[], object]]) -> float:
    """Return the most memory that a learner and its first pass hold."""
    tracemalloc.start()
    make()()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1e6


def slope(xs: tuple[int, ...], ys: list[float]) -> float:
    """Return the exponent between the last two points."""
    return float(np.log(ys[-1] / ys[-2]) / np.log(xs[-1] / xs[-2]))


def main() -> None:
    """Print the tables and draw the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("docs/rtrl-bptt.png"))
    out = parser.parse_args().out

    print(
        "| cell | weights | largest gradient | largest difference RTRL − BPTT |\n|---|---|---|---|"
    )
    cells = [item for name in sorted(engine.__all__) for item in [getattr(engine, name)]]
    for cell in cells:
        if isinstance(cell, type) and issubclass(cell, Cell) and cell is not Cell:
            task = Task(cell, 6, LENGTH, 3)
            found, expected = task.rtrl()(), task.bptt()()
            count = sum(gradient.size for gradient in expected.values())
            largest = max(np.abs(gradient).max() for gradient in expected.values())
            worst = max(np.abs(found[name] - expected[name]).max() for name in expected)
            print(f"| {cell.__name__} | {count} | {largest:.3f} | {worst:.1e} |")

    panels, kinds = [], {"RTRL": Task.rtrl, "BPTT": Task.bptt}
    for what, sizes, of_size in (
        ("units H", UNITS, lambda cell, H: Task(cell, H, LENGTH)),
        ("length L", LENGTHS, lambda cell, T: Task(cell, FEW_UNITS, T)),
    ):
        for quantity, measure in (
            ("seconds", lambda kind, task: seconds(kind(task))),
            ("megabytes", lambda kind, task: megabytes(lambda: kind(task))),
        ):
            lines = {
                f"{name}, {cell.__name__.removesuffix('Cell')}": (
                    sizes, [measure(kind, of_size(cell, size)) for size in sizes],
                )
                for cell in (FullyConnectedCell, LSTMCell)
                for name, kind in kinds.items()
            }  # fmt: skip
            fixed = f"L = {LENGTH}" if what.startswith("units") else f"H = {FEW_UNITS}"
            panels.append(Lines(f"one sequence, {fixed}", what, quantity, lines, x_log=True))
            print(f"\n| {quantity}, {fixed} | {' | '.join(map(str, sizes))} | last exponent |")
            print("|---" * (len(sizes) + 2) + "|")
            for name, (_, ys) in lines.items():
                figures = " | ".join(f"{y:.3g}" for y in ys)
                print(f"| {name} | {figures} | {what.split()[1]}^{slope(sizes, ys):.1f} |")
    print("\nThe report (section 5.5): RTRL O(H⁴) time a step, O(H³) memory;")
    print("BPTT O(L H²) time, O(L H) memory. A step that reads all its weights once takes O(H²).")
    draw(panels, out, columns=2)
    print(f"\n{out}")


if __name__ == "__main__":
    main()
