"""How fast a corpus is indexed for novelty, and a tune looked up in it; and what is found.

    python benchmarks/novelty.py [--tunes N] [--samples N] [--seed N]

The tunes are those of the collections that `musicgen.datasets.export` gives, shuffled, repeats
played: N are indexed; others are looked up (new), and some of the indexed (copies). A look-up
finds the longest run and counts n-grams. Times are those of the processor, one core; only
reading, which is no part of indexing, goes by the clock. Memory is what the peak of the process
rose by.
"""

from __future__ import annotations

import argparse
import random
import resource
import statistics
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

from musicgen.convert import tune_to_music
from musicgen.datasets import export
from musicgen.errors import MusicgenError
from musicgen.evaluation.figures import track_melodies
from musicgen.evaluation.novelty import NGRAM_LENGTHS, NoveltyIndex
from musicgen.formats import abc
from musicgen.music import Music

COLLECTIONS = ("ryans", "oneills", "airds", "essen")


def main() -> None:
    """Index, look up, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--tunes", type=int, default=10_000)
    parser.add_argument("--samples", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    start = time.perf_counter()
    tunes = list(played())
    random.Random(options.seed).shuffle(tunes)
    corpus, others = tunes[: options.tunes], tunes[options.tunes :]
    print(f"{len(corpus):,} tunes, {sum(map(notes, corpus)):,} notes; "
          f"read in {time.perf_counter() - start:.1f} s")  # fmt: skip
    for rhythm in (False, True):
        before, start = peak(), time.process_time()
        index = NoveltyIndex(corpus, rhythm=rhythm)
        seconds = time.process_time() - start
        print(f"\n{'intervals and rhythm' if rhythm else 'intervals'}: indexed in "
              f"{seconds:.2f} s, at most {peak() - before:.0f} MB more")  # fmt: skip
        print(f"{'looked up':10}{'tunes':>6}{'ms, median':>12}{'worst':>8}{'at notes':>10}"
              f"{'longest run':>13}" + "".join(f"{f'n = {n}':>8}" for n in NGRAM_LENGTHS),
              flush=True)  # fmt: skip
        for name, samples in (("new", others), ("copies", corpus)):
            row(name, index, samples[: options.samples])


def played() -> Iterator[Music]:
    """Play every tune that can be read."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in COLLECTIONS:
            for file in export(name, Path(folder) / name):
                for tune in abc.read(file):
                    try:
                        yield tune_to_music(tune)
                    except MusicgenError:
                        continue


def row(name: str, index: NoveltyIndex, samples: list[Music]) -> None:
    """Look pieces up and print a line: times, median of the longest runs, shares of all n-grams."""
    times, lengths, counts = [], [], []
    for sample in samples:
        start = time.process_time()
        match, ngrams = index.look_up(sample)
        times.append(time.process_time() - start)
        lengths.append(match.length if match else 0)
        counts.append(ngrams)
    worst = times.index(max(times))
    known = ([each[n].known for each in counts if n in each] for n in NGRAM_LENGTHS)
    total = ([each[n].total for each in counts if n in each] for n in NGRAM_LENGTHS)
    shares = [sum(part) / sum(whole) for part, whole in zip(known, total, strict=True)]
    print(f"{name:10}{len(samples):6}{1000 * statistics.median(times):12.1f}"
          f"{1000 * times[worst]:8.1f}{notes(samples[worst]):10}{statistics.median(lengths):13.0f}"
          + "".join(f"{100 * share:6.1f} %" for share in shares), flush=True)  # fmt: skip


def notes(music: Music) -> int:
    """Return the number of notes of a piece's lines."""
    return sum(len(melody.onsets) for melody in track_melodies(music))


def peak() -> float:
    """Return the most memory that this process has held so far, in MB (Linux)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
