"""How many of a model's tunes are sound, with and without constraints, beside its corpus's own.

    python benchmarks/validity.py [MODEL] [--count N] [--corpus FOLDER]

A tune counts as sound for abc2midi (Debian's abcmidi, where it is installed) when it prints no
"Error"; for our reader when it parses strictly; and its bars add up when `uneven_bars` finds none.
Every draw counts: none is drawn again. The settings are those of ``musicgen sample``.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import numpy as np

from musicgen.errors import MusicgenError
from musicgen.formats import abc
from musicgen.formats.abc.measures import uneven_bars
from musicgen.music import Tune
from musicgen.networks import Model
from musicgen.training import read_corpus
from musicgen.workflows import find_model
from musicgen.workflows.drawing import Drawn, draw_symbols
from musicgen.workflows.finishing import finished

AT_ONCE = 64


def main() -> None:
    """Draw, judge, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", nargs="?", help="file or name (default: the usual model)")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--corpus", type=Path, help="folder that it learned from")
    parser.add_argument("--temperature", type=float, default=0.8)
    parser.add_argument("--top-p", type=float, default=0.95)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    model = Model.load(find_model(options.model))
    print(f"{'tunes of':28}{'tunes':>6}{'abc2midi':>10}{'strict':>9}{'bars':>9}"
          f"{model.encoding.unit + 's/s':>14}")  # fmt: skip
    for name, conditions in (("with constraints", {}), ("without", None)):
        tunes: list[Tune | None] = []
        steps, seconds = 0, 0.0
        for first in range(0, options.count, AT_ONCE):
            numbers = range(first, min(first + AT_ONCE, options.count))
            rngs = [np.random.default_rng([options.seed, number]) for number in numbers]
            start = time.perf_counter()
            drawn = draw_symbols(
                model, rngs, np.zeros(0, np.int32), length=model.encoding.usual_length,
                conditions=conditions, temperature=options.temperature, top_p=options.top_p,
            )  # fmt: skip
            seconds += time.perf_counter() - start
            steps += sum(len(one.array) + one.ended for one in drawn)
            pairs = zip(numbers, drawn, strict=True)
            tunes += [written(model, one, options.seed, number) for number, one in pairs]
        row(name, tunes, f"{steps / seconds:14,.0f}")
    if options.corpus:
        corpus = read_corpus(options.corpus, kind=Tune)
        row("the corpus", corpus.pieces)


def written(model: Model, drawn: Drawn, seed: int, number: int) -> Tune | None:
    """Return the tune as ``musicgen sample`` writes it; as it was drawn where it would not."""
    if not drawn.ended:
        return None
    try:
        sample = finished("model", model, drawn, number=number, draws=1, seed=seed)
    except MusicgenError:
        tune: Tune = model.encoding.decode(drawn.array)
        return tune
    assert isinstance(sample.piece, Tune)
    return sample.piece


def row(name: str, tunes: Iterable[Tune | None], speed: str = "") -> None:
    """Judge tunes and print a line."""
    count, sound = 0, {"abc2midi": 0, "strict": 0, "bars": 0}
    with tempfile.TemporaryDirectory() as folder:
        for tune in tunes:
            count += 1
            if tune is None:
                continue
            sound["abc2midi"] += abc2midi(tune, Path(folder))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                with suppress(MusicgenError):
                    abc.parse(tune, strict=True)
                    sound["strict"] += 1
                with suppress(MusicgenError):
                    sound["bars"] += not uneven_bars(abc.parse(tune))
    shares = "".join(f"{100 * sound[key] / count:{width}.2f} %" for key, width in
                     (("abc2midi", 8), ("strict", 7), ("bars", 7)))  # fmt: skip
    print(f"{name:28}{count:6}{shares}{speed}", flush=True)


def abc2midi(tune: Tune, folder: Path) -> bool:
    """Whether abc2midi reads a tune without an error; False where it is not installed."""
    if not shutil.which("abc2midi"):
        return False
    (folder / "a.abc").write_text(tune.text + "\n", encoding="utf-8")
    done = subprocess.run(
        ["abc2midi", str(folder / "a.abc"), "-o", str(folder / "a.mid")],
        capture_output=True, text=True, errors="replace", check=False,
    )  # fmt: skip
    return "Error" not in done.stdout + done.stderr


if __name__ == "__main__":
    main()
