"""Notes a second and polyphony of sampled MIDI beside those of a corpus.

    python benchmarks/density.py CORPUS SAMPLES [SAMPLES ...]

Each argument is a MIDI file or a folder of them. Polyphony is the mean number of pitches that sound
at once, over the time in which any does; repeated counts the notes that start where the same pitch
ended; held is the mean length of a note in quarters. Drums do not count.
"""

from __future__ import annotations

import argparse
import statistics
import warnings
from collections.abc import Iterator
from pathlib import Path

from musicgen.files import files_in
from musicgen.formats import midi
from musicgen.music import Music


def pieces(path: Path) -> Iterator[Music]:
    """Read every piece."""
    for file in files_in(path):
        if file.suffix in midi.extensions:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                yield from midi.read(file)


def figures(music: Music) -> tuple[float, ...]:
    """Return seconds, notes a second, polyphony, share of repeated notes, quarters a note."""
    notes = sorted(n for track in music.tracks if not track.is_drum for n in track.notes)
    sounding = {(n.pitch, time) for n in notes for time in range(n.time, n.end, GRID)}
    times = {time // GRID for _, time in sounding}
    cells = {(pitch, time // GRID) for pitch, time in sounding}
    ends = {(n.pitch, n.end) for n in notes}
    repeated = sum((n.pitch, n.time) in ends for n in notes) / len(notes)
    held = statistics.fmean(n.duration for n in notes) / music.resolution
    return music.seconds, len(notes) / music.seconds, len(cells) / len(times), repeated, held


GRID = 20


def main() -> None:
    """Print a line for each argument."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("paths", type=Path, nargs="+")
    print(f"{'of':40}{'pieces':>7}{'seconds':>9}{'notes/s':>9}{'polyphony':>11}"
          f"{'repeated':>10}{'held':>7}")  # fmt: skip
    for path in parser.parse_args().paths:
        found = [figures(piece) for piece in pieces(path) if piece.end]
        seconds, *means = (statistics.median(column) for column in zip(*found, strict=True))
        print(f"{str(path)[-39:]:40}{len(found):7}{seconds:9.1f}{means[0]:9.2f}{means[1]:11.2f}"
              f"{means[2]:10.1%}{means[3]:7.2f}", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
