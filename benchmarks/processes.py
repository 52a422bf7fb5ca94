"""Whole processes: how long commands take from their start, as a person at the keyboard waits.

    python benchmarks/processes.py [--runs N] [--corpus FOLDER] [--json FILE]

Medians of the wall clock, the commands in turns. What is trained on are 3,000 tunes of random
notes, a file each, that are written here, or the corpus that is given. The first training has a
cold cache and is timed once; the others find the encoded corpus in the cache. A training starts
when it says which network it is going to train: all that comes before the first update is done.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TUNES, BARS = 3000, 16
STARTS = "network of"  # what `musicgen train` says last before its first update


def write_tunes(folder: Path) -> None:
    """Write tunes of random notes, each as long as a tune of a tunebook."""
    rng = random.Random(0)
    folder.mkdir()
    for number in range(TUNES):
        bars = "|".join("".join(rng.choices("DEFGABcdef", k=8)) for _ in range(BARS))
        head = f"X:1\nT:Tune {number}\nM:4/4\nL:1/8\nK:{rng.choice('CGDA')}\n"
        (folder / f"{number:04}.abc").write_text(f"{head}{bars}|]\n", encoding="utf-8")


def seconds(command: list[str], until: str = "") -> float:
    """Run a command to its end, or until it says something on stderr; return how long it took.

    Raises
    ------
    SystemExit
        When the command fails, or never says it.
    """
    start = time.perf_counter()
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    ) as process:
        assert process.stderr is not None
        said = []
        for line in process.stderr:
            said.append(line)
            if until and until in line:
                took = time.perf_counter() - start
                process.kill()
                return took
        failed = process.wait() != 0
    if failed or until:
        raise SystemExit(f"{' '.join(command)} did not do what it should:\n{''.join(said)}")
    return time.perf_counter() - start


def main() -> None:
    """Run the commands and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=int, default=9, help="of each command (default 9)")
    parser.add_argument("--corpus", type=Path, help="folder to train on instead of random tunes")
    parser.add_argument("--json", type=Path, help="file for the figures")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["MUSICGEN_CACHE"] = str(folder / "cache")
        corpus = options.corpus or folder / "tunes"
        if not options.corpus:
            write_tunes(corpus)
        musicgen = [sys.executable, "-m", "musicgen"]
        sample = [*musicgen, "sample", "--seed", "1", "--out", str(folder / "samples")]
        # The shortest training there is: one update, then the validation and the files.
        train = [*musicgen, "train", str(corpus), "--out", str(folder / "m.safetensors")]
        train += ["--minutes", "1e-6"]
        commands = {
            "python -c pass": ([sys.executable, "-c", "pass"], ""),
            "musicgen --version": ([*musicgen, "--version"], ""),
            "musicgen --help": ([*musicgen, "--help"], ""),
            "musicgen sample --pictures 0": ([*sample, "--pictures", "0"], ""),
            "musicgen sample": (sample, ""),
            "musicgen train, to the first update": (train, STARTS),
            "musicgen train, one update and all files": (train, ""),
        }
        figures = {"musicgen train, the same, cold cache": seconds(train)}
        times: dict[str, list[float]] = {command: [] for command in commands}
        for command, until in commands.values():
            seconds(command, until)  # the disk's own cache
        for _ in range(options.runs):
            for label, (command, until) in commands.items():
                times[label].append(seconds(command, until))
    figures = {label: statistics.median(each) for label, each in times.items()} | figures
    print("| command | seconds |\n|---|---|")
    for label, median in figures.items():
        print(f"| {label} | {median:.2f} |")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
