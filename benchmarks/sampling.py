"""How long ``musicgen sample`` takes: as a whole process, and tunes a minute, many and one by one.

    python benchmarks/sampling.py [MODEL] [--rounds N]

Every figure is of whole processes with all that they load, print and write, the median of the
rounds: one tune without and with its picture; 64 tunes of one process; 64 processes of one tune
(measured on eight of them).
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time

MANY, SINGLE = 64, 8


def run(model: list[str], seed: int, *more: str) -> tuple[float, dict[str, object]]:
    """Run the program; return the seconds, and what it says as JSON."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "musicgen", "sample", *model, "--seed", str(seed)]
        start = time.perf_counter()
        done = subprocess.run(
            [*command, *more, "--out", folder, "--json"], capture_output=True, check=True
        )
        return time.perf_counter() - start, json.loads(done.stdout)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", nargs="?", help="file or name (default: the usual model)")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    model = [options.model] if options.model else []
    singles = [run(model, seed)[0] for seed in range(SINGLE)]
    many = [run(model, seed, "--count", str(MANY))[0] for seed in range(options.rounds)]
    once, batch = statistics.median(singles), statistics.median(many)
    bare = statistics.median(run(model, seed, "--pictures", "0")[0] for seed in range(SINGLE))
    print(f"one tune, whole process, no picture: median {bare:.2f} s")
    print(f"one tune, whole process: median {once:.2f} s, slowest {max(singles):.2f} s")
    print(f"{MANY} tunes of one process: {batch:.2f} s, {60 * MANY / batch:,.0f} tunes a minute")
    print(f"one process a tune: {60 / once:,.0f} tunes a minute")
    print(f"together {MANY * once / batch:.1f} times as fast")


if __name__ == "__main__":
    main()
