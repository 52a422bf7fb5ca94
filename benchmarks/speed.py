"""Training and sampling speed beside PyTorch's on the CPU.

    pip install torch==2.13.0
    python benchmarks/speed.py [--rounds N] [--json FILE]

Both sides run the same network (embedding of 64, stacked LSTM, dense layer, 96 symbols), float32,
on the same data: a training step is forward, backward, clipping of the global norm and RMSProp;
a sampled character is one step of the network and one draw at temperature 0.8. Each side has a
process of its own, so that their thread pools do not disturb each other, and they run in turn.
Medians are printed.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import platform
import statistics
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

T, B, V, E = 50, 50, 96, 64
CLIP, RATE, DECAY = 5.0, 2e-3, 0.95
# name: (layers, units, repetitions a block, unit of the figure)
WORKLOADS = {
    "train 2 x 512": (2, 512, 4, "ms a step"),
    "train 1 x 128": (1, 128, 60, "ms a step"),
    "sample 2 x 512": (2, 512, 400, "us a character"),
}


def ours(name: str) -> Callable[[int], None]:
    """Return a function that runs a workload some times with this package."""
    from musicgen.networks import Architecture, Network
    from musicgen.optim import RMSProp, clip_global_norm
    from musicgen.sampling import generate

    layers, units, *_ = WORKLOADS[name]
    rng = np.random.default_rng(0)
    shape = Architecture(V, hidden_size=units, num_layers=layers, embedding_size=E)
    network = Network.initialise(shape, rng)
    if name.startswith("sample"):
        step = network.stepper()

        def sample(count: int) -> None:
            step.reset()
            generate(step, [rng], length=count, never=[0], temperature=0.8)

        return sample
    unrolled = network.unroll(T, B)
    optimiser = RMSProp(DECAY)
    values = {key: parameter.value for key, parameter in network.parameters.items()}
    gradients = {key: parameter.gradient for key, parameter in network.parameters.items()}
    feeds = {
        "inputs": rng.integers(0, V, (T, B)),
        "targets": rng.integers(0, V, (T, B)),
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


def torchs(name: str) -> Callable[[int], None]:
    """Return a function that runs a workload some times with PyTorch."""
    import torch

    layers, units, *_ = WORKLOADS[name]
    torch.manual_seed(0)
    embedding = torch.nn.Embedding(V, E)
    lstm = torch.nn.LSTM(E, units, layers)
    dense = torch.nn.Linear(units, V)
    if name.startswith("sample"):

        @torch.inference_mode()
        def sample(count: int) -> None:
            symbol, state = torch.zeros(1, 1, dtype=torch.long), None
            for _ in range(count):
                y, state = lstm(embedding(symbol), state)
                p = torch.softmax(dense(y)[0, 0] / 0.8, 0)
                symbol = torch.multinomial(p, 1).view(1, 1)

        return sample
    weights = [*embedding.parameters(), *lstm.parameters(), *dense.parameters()]
    optimiser = torch.optim.RMSprop(weights, lr=RATE, alpha=DECAY)
    symbols, targets = torch.randint(V, (T, B)), torch.randint(V, (T, B))
    state = None

    def train(count: int) -> None:
        nonlocal state
        for _ in range(count):
            y, state = lstm(embedding(symbols), state)
            cost = torch.nn.functional.cross_entropy(dense(y).view(-1, V), targets.view(-1))
            optimiser.zero_grad()
            cost.backward()
            state = tuple(part.detach() for part in state)
            torch.nn.utils.clip_grad_norm_(weights, CLIP)
            optimiser.step()

    return train


def worker(side: str, pipe: Connection) -> None:
    """Time blocks of repetitions on request."""
    runs: dict[str, Callable[[int], None]] = {}
    while (request := pipe.recv()) is not None:
        name, count = request
        if name not in runs:
            runs[name] = (ours if side == "ours" else torchs)(name)
            runs[name](max(count // 4, 1))
        start = time.perf_counter()
        runs[name](count)
        pipe.send((time.perf_counter() - start) / count)


def main() -> None:
    """Run all workloads and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=7, help="blocks of each side (default 7)")
    parser.add_argument("--json", help="file for the figures")
    options = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    pipes: dict[str, Connection] = {}
    for side in ("ours", "torch"):
        pipes[side], far = context.Pipe()
        context.Process(target=worker, args=(side, far), daemon=True).start()
    figures: dict[str, Any] = {}
    print(f"{platform.machine()}, {multiprocessing.cpu_count()} cores, numpy {np.__version__}")
    print(f"{'workload':16}{'ours':>10}{'PyTorch':>10}  {'unit':16}{'ratio':>6}")
    for name, (_, _, count, unit) in WORKLOADS.items():
        seconds: dict[str, list[float]] = {"ours": [], "torch": []}
        for _ in range(options.rounds):
            for side, pipe in pipes.items():
                pipe.send((name, count))
                seconds[side].append(pipe.recv())
        scale = 1e3 if unit.startswith("ms") else 1e6
        a, b = (scale * statistics.median(seconds[side]) for side in ("ours", "torch"))
        figures[name] = {"ours": a, "torch": b, "unit": unit, "ratio": b / a}
        print(f"{name:16}{a:10.1f}{b:10.1f}  {unit:16}{b / a:6.2f}", flush=True)
    for pipe in pipes.values():
        pipe.send(None)
    if options.json:
        Path(options.json).write_text(json.dumps(figures, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
