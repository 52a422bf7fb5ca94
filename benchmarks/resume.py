"""Kill a training at random moments, go on each time, and compare with an undisturbed run.

    python benchmarks/resume.py [--kills N] [--corpus FOLDER] [--seed N]

Each process is ended by SIGKILL, which it cannot answer, after a random part of the time that the
undisturbed run took. After each kill every model file in the folder must open. Whenever the run
comes to its end, the model must have the bytes of the undisturbed one, and the run begins anew.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from musicgen.networks import Model

CORPUS = Path(__file__).parents[1] / "corpora" / "starter"
SETTINGS = ["--hidden-size", "96", "--num-layers", "2", "--batch-size", "8", "--epochs", "40"]


def command(corpus: Path, out: Path, *more: str) -> list[str]:
    """Return the command that trains."""
    base = [sys.executable, "-m", "musicgen", "train", str(corpus), "--out", str(out)]
    return [*base, *SETTINGS, "--patience", "1000", "--seed", "3", *more]


def main() -> None:
    """Run, kill, go on, compare."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--corpus", type=Path, default=CORPUS)
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    options = parser.parse_args()
    moments = random.Random(options.seed)
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with tempfile.TemporaryDirectory() as folder:
        whole, broken = Path(folder) / "whole.safetensors", Path(folder) / "broken.safetensors"
        start = time.perf_counter()
        subprocess.run(command(options.corpus, whole), check=True, **quiet)
        seconds = time.perf_counter() - start
        print(f"undisturbed: {seconds:.1f} s", flush=True)
        kills, same = 0, True
        while True:
            run = subprocess.Popen(command(options.corpus, broken, "--resume"), **quiet)
            try:
                limit = moments.uniform(0.2, seconds)
                run.wait(limit if kills < options.kills else None)
            except subprocess.TimeoutExpired:
                run.kill()
                run.wait()
                kills += 1
                print(f"kill {kills:2} after {limit:4.1f} s: {opened(folder)}", flush=True)
                continue
            assert run.returncode == 0, "a resumed run failed"
            equal = whole.read_bytes() == broken.read_bytes()
            same &= equal
            print(f"ended after {kills} kills: {'the same bytes' if equal else 'OTHER BYTES'}")
            if kills >= options.kills:
                break
            for file in Path(folder).glob("broken*"):
                file.unlink()
        left = sorted(file.name for file in Path(folder).iterdir() if file.suffix == ".tmp")
        print(f"half-written files left over: {', '.join(left) or 'none'}")
        raise SystemExit(not same or bool(left))


def opened(folder: str) -> str:
    """Open every model of the broken run and tell how far each is."""
    found = []
    for file in sorted(Path(folder).glob("broken*.safetensors")):
        batches = Model.load(file).training.get("batches")
        found.append(f"{file.name} opens" + (f" ({batches} batches)" if batches else ""))
    return ", ".join(found) or "nothing kept yet"


if __name__ == "__main__":
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    main()
