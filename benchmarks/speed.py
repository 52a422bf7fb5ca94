"""Training and sampling speed beside PyTorch's on the CPU.

    pip install torch==2.13.0
    python benchmarks/speed.py [WORKLOAD …] [--rounds N] [--json FILE]

All sides run the same network in float32 on the same kind of data: an embedding of 64, or frames;
stacked LSTM layers; a dense layer. A training step is forward, backward, clipping of the global
norm and RMSProp; a sampled symbol is one step of the network and one draw at temperature 0.8.
The sides are this package with its kernels, with numpy alone (MUSICGEN_KERNELS=numpy), and
PyTorch. Each has a process of its own, so that their threads do not disturb each other, and they
run in turn, with a pause in which the threads of the last go to sleep. Medians are printed. In
every turn the product of two 2048 × 2048 matrices is timed too, by the kernels and by numpy: the
faster of the two is the peak.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

import numpy as np

CLIP, RATE, DECAY, EMBEDDING, TEMPERATURE = 5.0, 2e-3, 0.95, 64, 0.8
SIDES = ("kernels", "numpy", "torch")
PAUSE = 0.4  # seconds
PEAK = "peak"


class Workload(NamedTuple):
    """What is timed: T steps of B rows in training, or B tunes sampled side by side."""

    layers: int
    units: int
    T: int
    B: int
    size: int
    frames: bool
    training: bool
    count: int  # repetitions a block

    @property
    def gigaflops(self) -> float:
        """Return what the products of a training step take, in 10⁹ operations."""
        read = self.size if self.frames else EMBEDDING
        macs = 3 * self.units * self.size
        for layer in range(self.layers):
            width = self.units if layer else read
            # Frames have no gradient.
            macs += (
                4 * self.units * (3 * self.units + (3 if layer or not self.frames else 2) * width)
            )
        return 2 * macs * self.T * self.B / 1e9


WORKLOADS = {
    "jigs": Workload(2, 512, 50, 50, 96, False, True, 4),
    "mozart": Workload(2, 512, 120, 10, 128, True, True, 5),
    "small": Workload(1, 128, 50, 50, 96, False, True, 40),
    "one tune": Workload(2, 512, 1, 1, 96, False, False, 400),
    "64 tunes": Workload(2, 512, 1, 64, 96, False, False, 60),
}


def ours(work: Workload) -> Callable[[int], None]:
    """Return a function that runs a workload some times with this package."""
    from musicgen.networks import Architecture, Network
    from musicgen.optim import RMSProp, clip_global_norm
    from musicgen.sampling import generate

    rng = np.random.default_rng(0)
    shape = Architecture(
        work.size, "bernoulli" if work.frames else "categorical", work.units, work.layers,
        embedding_size=EMBEDDING,
    )  # fmt: skip
    network = Network.initialise(shape, rng)
    T, B = work.T, work.B
    if not work.training:
        step, rngs = network.stepper(B), [np.random.default_rng(seed) for seed in range(B)]

        def sample(count: int) -> None:
            step.reset()
            generate(step, rngs, length=count, never=[0], temperature=TEMPERATURE)

        return sample
    unrolled = network.unroll(T, B)
    optimiser = RMSProp(DECAY)
    values = {key: parameter.value for key, parameter in network.parameters.items()}
    gradients = {key: parameter.gradient for key, parameter in network.parameters.items()}

    def data() -> np.ndarray:
        if work.frames:
            return (rng.random((T, B, work.size)) < 0.05).astype(np.float32)
        return rng.integers(0, work.size, (T, B), np.int32)

    feeds = {
        "inputs": data(),
        "targets": data(),
        "weights": np.full((T, B), 1 / (T * B), np.float32),
    }

    def train(count: int) -> None:
        for _ in range(count):
            unrolled.forward(feeds)
            unrolled.graph.backward()
            unrolled.carry()
            clip_global_norm(gradients.values(), CLIP)
            optimiser.update(values, gradients, RATE)

    return train


def torchs(work: Workload) -> Callable[[int], None]:
    """Return a function that runs a workload some times with PyTorch."""
    import torch

    torch.manual_seed(0)
    T, B = work.T, work.B
    embedding = torch.nn.Embedding(work.size, EMBEDDING)
    lstm = torch.nn.LSTM(work.size if work.frames else EMBEDDING, work.units, work.layers)
    dense = torch.nn.Linear(work.units, work.size)
    if not work.training:

        @torch.inference_mode()
        def sample(count: int) -> None:
            symbol, state = torch.zeros(1, B, dtype=torch.long), None
            for _ in range(count):
                y, state = lstm(embedding(symbol), state)
                p = torch.softmax(dense(y)[0] / TEMPERATURE, 1)
                symbol = torch.multinomial(p, 1).view(1, B)

        return sample
    weights = [*lstm.parameters(), *dense.parameters()]
    if not work.frames:
        weights += embedding.parameters()
    optimiser = torch.optim.RMSprop(weights, lr=RATE, alpha=DECAY)
    shape = (T, B, work.size)
    symbols = (
        (torch.rand(shape) < 0.05).float() if work.frames else torch.randint(work.size, (T, B))
    )
    targets = (
        (torch.rand(shape) < 0.05).float() if work.frames else torch.randint(work.size, (T, B))
    )
    state = None

    def train(count: int) -> None:
        nonlocal state
        for _ in range(count):
            y, state = lstm(symbols if work.frames else embedding(symbols), state)
            z = dense(y)
            if work.frames:
                cost = torch.nn.functional.binary_cross_entropy_with_logits(z, targets)
            else:
                cost = torch.nn.functional.cross_entropy(z.view(-1, work.size), targets.view(-1))
            optimiser.zero_grad()
            cost.backward()
            state = tuple(part.detach() for part in state)
            torch.nn.utils.clip_grad_norm_(weights, CLIP)
            optimiser.step()

    return train


def peak() -> float:
    """Return the median speed of a large product on this side, in GFLOP/s."""
    from musicgen.kernels import product

    a = np.ones((2048, 2048), np.float32)
    out, seconds = np.empty_like(a), []
    for _ in range(5):
        start = time.perf_counter()
        product(a, a, out)
        seconds.append(time.perf_counter() - start)
    return 2 * 2.048**3 / statistics.median(seconds)


def worker(side: str, pipe: Connection) -> None:
    """Time blocks of repetitions on request."""
    if side == "numpy":
        os.environ["MUSICGEN_KERNELS"] = "numpy"
    known: Workload | None = None
    run: Callable[[int], None] | None = None
    while (work := pipe.recv()) is not None:
        if work == PEAK:
            pipe.send(peak())
            continue
        if run is None or work != known:
            run = None  # so that the memory of the last one is free
            run, known = (torchs if side == "torch" else ours)(work), work
            run(max(work.count // 4, 2))
        run(1)  # wakes the threads
        start = time.perf_counter()
        run(work.count)
        pipe.send((time.perf_counter() - start) / work.count)


def launch(sides: Iterable[str]) -> dict[str, Connection]:
    """Start a process for each side; return the ways to them."""
    context = multiprocessing.get_context("spawn")
    pipes: dict[str, Connection] = {}
    for side in sides:
        pipes[side], far = context.Pipe()
        context.Process(target=worker, args=(side, far), daemon=True).start()
    return pipes


def ask(pipe: Connection, what: Workload | str) -> float:
    """Have a side do something, after a pause."""
    time.sleep(PAUSE)
    pipe.send(what)
    return float(pipe.recv())


def milliseconds(pipes: Mapping[str, Connection], work: Workload, rounds: int) -> dict[str, float]:
    """Return the median time of a repetition of each side; the sides take turns."""
    seconds: dict[str, list[float]] = {side: [] for side in pipes}
    for _ in range(rounds):
        for side, pipe in pipes.items():
            seconds[side].append(ask(pipe, work))
    return {side: 1e3 * statistics.median(times) for side, times in seconds.items()}


def main() -> None:
    """Run the workloads and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("workloads", nargs="*", help=f"of {', '.join(WORKLOADS)} (default: all)")
    parser.add_argument("--rounds", type=int, default=7, help="blocks of each side (default 7)")
    parser.add_argument("--json", help="file for the figures")
    options = parser.parse_args()
    pipes = launch(SIDES)
    figures: dict[str, dict[str, float]] = {}
    print(f"{platform.machine()}, {os.cpu_count()} processors, numpy {np.__version__}")
    columns = "".join(f"{column:>10}" for column in ("kernels", "numpy", "PyTorch"))
    print(f"{'workload':10}{columns}  {'ms a':7}{'PyTorch / kernels':>18}{'/ numpy':>9}"
          f"{'GFLOP/s':>9}{'peak':>7}{'share':>7}")  # fmt: skip
    for name in options.workloads or WORKLOADS:
        work, turns, peaks = WORKLOADS[name], [], []
        for _ in range(options.rounds):
            turns.append(milliseconds(pipes, work, 1))
            if work.training:
                peaks.append(max(ask(pipes[side], PEAK) for side in ("kernels", "numpy")))
        ms = {side: statistics.median(turn[side] for turn in turns) for side in SIDES}
        figures[name] = {**ms, "ratio": ms["torch"] / ms["kernels"]}
        line = f"{name:10}" + "".join(f"{ms[side]:10.3f}" for side in SIDES)
        line += f"  {'step' if work.training else 'symbol':7}{ms['torch'] / ms['kernels']:18.2f}"
        line += f"{ms['torch'] / ms['numpy']:9.2f}"
        if work.training:
            speed, highest = 1e3 * work.gigaflops / ms["kernels"], statistics.median(peaks)
            figures[name] |= {"gigaflops": speed, "peak": highest, "share": speed / highest}
            line += f"{speed:9.0f}{highest:7.0f}{speed / highest:7.0%}"
        print(line, flush=True)
    for pipe in pipes.values():
        pipe.send(None)
    if options.json:
        Path(options.json).write_text(json.dumps(figures, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
