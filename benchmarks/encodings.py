"""Train and sample in every format and encoding, as one table.

    python benchmarks/encodings.py [--minutes M] [--json FILE]

The corpora are made by the program's own commands: the tunes of `corpora/starter` as ABC, MIDI and
sound, and sixty of Bach's chorales as MusicXML and as MIDI. Every line is ``musicgen train`` and
``musicgen sample`` in processes of their own; the written file is then opened and told of.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from musicgen import formats
from musicgen.music import Audio, Music, Tune

STARTER = Path(__file__).parents[1] / "corpora" / "starter"
CHORALES = 60
# Corpus, encoding, more settings.
RUNS = [
    ("abc", "tokens"),
    ("abc", "characters"),
    ("midi", "events"),
    ("midi", "piano-roll"),
    ("midi", "velocity-roll"),
    ("midi", "chords"),
    ("midi of chorales", "score-grid"),
    ("musicxml", "score-grid"),
    ("musicxml", "chords"),
    ("musicxml", "events"),
    ("musicxml", "piano-roll"),
    ("musicxml", "velocity-roll"),
    ("wav", "spectrum"),
    ("wav", "fourier"),
]


def musicgen(*arguments: str | Path, cwd: Path) -> str:
    """Run the program and return what it prints."""
    command = [sys.executable, "-m", "musicgen", *map(str, arguments)]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stderr}")
    return done.stdout


def corpora(folder: Path) -> dict[str, Path]:
    """Make the folders to learn from."""
    found = {"abc": STARTER, "midi": folder / "midi", "wav": folder / "wav"}
    musicgen("convert", STARTER, found["midi"], "--to", "midi", cwd=folder)
    musicgen("convert", STARTER, found["wav"], "--to", "wav", cwd=folder)
    musicgen("corpora", "get", "chorales", cwd=folder)
    few = folder / "musicxml"
    few.mkdir()
    for file in sorted((folder / "corpora" / "chorales").glob("*.mxl"))[:CHORALES]:
        file.rename(few / file.name)
    musicgen("convert", few, folder / "chorales", "--to", "midi", cwd=folder)
    return found | {"musicxml": few, "midi of chorales": folder / "chorales"}


def tell(path: Path) -> str:
    """Open a written file and say what is in it."""
    form = formats.detect(path)
    assert form, f"{path} is of no format"
    piece = form.read(path)[0]
    match piece:
        case Audio(samples, rate):
            return f"{form.name}, {len(samples) / rate:.1f} s"
        case Tune(text):
            return f"{form.name}, {len(text)} characters"
        case Music(tracks=tracks):
            return f"{form.name}, {sum(len(track.notes) for track in tracks)} notes"
    raise AssertionError(piece)


def main() -> None:
    """Run every line and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float, default=0.5, help="of training, a line")
    parser.add_argument("--json", type=Path, help="file for the figures")
    options = parser.parse_args()
    lines: list[dict[str, Any]] = []
    print(f"{'corpus':18}{'encoding':15}{'pieces':>6}{'steps a piece':>14}{'parameters':>12}"
          f"{'seconds':>9}{'first':>9}{'last':>9}  {'unit':24}a sample")  # fmt: skip
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folders = corpora(folder)
        for corpus, encoding in RUNS:
            start = time.perf_counter()
            out = musicgen(
                "train", folders[corpus], "--encoding", encoding, "--minutes", str(options.minutes),
                "--hidden-size", "128", "--num-layers", "1", "--out", "models/a.safetensors",
                "--json", cwd=folder,
            )  # fmt: skip
            trained = json.loads(out)
            sampled = json.loads(musicgen("sample", "a", "--seed", "1", "--json", cwd=folder))
            seconds = time.perf_counter() - start
            line = {
                "corpus": corpus, "encoding": encoding, "pieces": trained["pieces"],
                "steps": round(trained["steps_a_piece"]), "parameters": trained["weights"],
                "seconds": round(seconds, 1), "first": trained["first_validation"],
                "last": trained["validation"], "unit": trained["unit"],
                "sample": tell(folder / sampled["samples"][0]["files"][0]),
            }  # fmt: skip
            lines.append(line)
            print(
                f"{corpus:18}{encoding:15}{line['pieces']:6}{line['steps']:14,}"
                f"{line['parameters']:12,}{seconds:9.1f}{line['first']:9.3f}{line['last']:9.3f}"
                f"  {line['unit']:24}{line['sample']}",
                flush=True,
            )
    if options.json:
        options.json.write_text(json.dumps(lines, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
