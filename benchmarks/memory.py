"""Peak memory of a training step of a large network, beside PyTorch's on the CPU.

    pip install torch==2.13.0
    python benchmarks/memory.py

The network is 2 × LSTM 2048 on 96 symbols, sequences of 50 in batches of 50, float32; a step is
forward, backward, clipping and RMSProp. Each side has a process of its own, whose largest resident
size after three steps is printed, as the system reports it. (With the same hidden state the
report's program ran out of memory.)
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import time
from multiprocessing.connection import Connection

import numpy as np

T, B, V, E, LAYERS = 50, 50, 96, 64, 2
STEPS, CLIP, RATE, DECAY = 3, 5.0, 1e-3, 0.95


def symbols() -> tuple[np.ndarray, np.ndarray]:
    """Return random symbols and targets, ``(T, B)``."""
    rng = np.random.default_rng(0)
    return rng.integers(0, V, (T, B)), rng.integers(0, V, (T, B))


def ours(H: int) -> None:
    """Take some steps with this package."""
    from musicgen.networks import Architecture, Network
    from musicgen.optim import RMSProp, clip_global_norm

    shape = Architecture(V, hidden_size=H, num_layers=LAYERS, embedding_size=E)
    network = Network.initialise(shape, np.random.default_rng(0))
    unrolled = network.unroll(T, B)
    optimiser = RMSProp(DECAY)
    values = {name: parameter.value for name, parameter in network.parameters.items()}
    gradients = {name: parameter.gradient for name, parameter in network.parameters.items()}
    ids, targets = symbols()
    weights = np.full((T, B), 1 / (T * B), np.float32)
    for _ in range(STEPS):
        unrolled.forward({"inputs": ids, "targets": targets, "weights": weights})
        unrolled.graph.backward()
        clip_global_norm(gradients.values(), CLIP)
        optimiser.update(values, gradients, RATE)


def torchs(H: int) -> None:
    """Take the same steps with PyTorch."""
    import torch

    embedding, lstm = torch.nn.Embedding(V, E), torch.nn.LSTM(E, H, LAYERS)
    dense = torch.nn.Linear(H, V)
    parameters = [*embedding.parameters(), *lstm.parameters(), *dense.parameters()]
    optimiser = torch.optim.RMSprop(parameters, RATE, DECAY)
    ids, targets = map(torch.from_numpy, symbols())
    for _ in range(STEPS):
        optimiser.zero_grad()
        logits = dense(lstm(embedding(ids))[0])
        torch.nn.functional.cross_entropy(logits.reshape(-1, V), targets.ravel()).backward()
        torch.nn.utils.clip_grad_norm_(parameters, CLIP)
        optimiser.step()


def measure(side: str, H: int, answer: Connection) -> None:
    """Send the peak in bytes and the seconds of a step, or what is missing."""
    start = time.perf_counter()
    try:
        {"musicgen": ours, "torch": torchs}[side](H)
    except ImportError as error:
        answer.send(error.name)
        return
    seconds = (time.perf_counter() - start) / STEPS
    answer.send((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, seconds))


def main() -> None:
    """Print the peaks and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hidden-size", type=int, default=2048)
    H = parser.parse_args().hidden_size
    context = multiprocessing.get_context("spawn")
    peaks = []
    for side in ("musicgen", "torch"):
        here, there = context.Pipe()
        process = context.Process(target=measure, args=(side, H, there))
        process.start()
        found = here.recv()
        process.join()
        if isinstance(found, str):
            print(f"{side}: no module {found}")
        else:
            peaks.append(found[0])
            print(f"{side}: {found[0] / 1e9:.2f} GB, {found[1]:.1f} s a step")
    if len(peaks) == 2:
        print(f"ratio: {peaks[0] / peaks[1]:.2f}")


if __name__ == "__main__":
    main()
