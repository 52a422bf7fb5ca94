"""Whether surprisal finds the slip in a transcription: one note of a held-out tune is changed.

    python benchmarks/typing_errors.py [--model irish] [--corpus FOLDER] [--tunes N] [--draws N]
                                       [--seed N]

The tunes are some of those that the model did not learn from. Of each, a note is drawn that stands
alone, and written wrong: a second, third, fourth or octave higher or lower, without its accidental,
or twice as long. The changed tune is scored as `musicgen score` does. A line of the table tells how
often the wrong note is the most surprising of its tune, or among three or ten, and its median rank;
then the same of its bar; how often that bar is marked as unusual; and how many bars
of a tune are. Untouched: the same notes as they stood.
"""

from __future__ import annotations

import argparse
import random
import re
import statistics
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

from musicgen.datasets import export
from musicgen.encodings.alignment import AlignedNote
from musicgen.evaluation import piece_surprisal
from musicgen.formats.abc.lexer import NOTE
from musicgen.formats.abc.spelling import note_text, read_note
from musicgen.music import Tune
from musicgen.networks import Model
from musicgen.training import read_corpus
from musicgen.workflows import find_model
from musicgen.workflows.corpus_pieces import part

COLLECTIONS = ("ryans", "oneills", "airds")
LETTERS = "CDEFGAB"


class Rank(NamedTuple):
    """Where a note stands among those of its tune, its bar among the bars, and what is marked."""

    note: int
    notes: int
    bar: int
    bars: int
    marked: bool
    marks: int


def main() -> None:
    """Change, score, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", default="irish")
    parser.add_argument("--corpus", type=Path, help="the folder that the model learned from")
    parser.add_argument("--tunes", type=int, default=20)
    parser.add_argument("--draws", type=int, default=1, help="notes drawn from each tune")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    model = Model.load(find_model(options.model))
    rng = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        if options.corpus is None:
            for name in COLLECTIONS:
                export(name, Path(folder) / name)
        tunes = rng.sample(held_out(model, options.corpus or Path(folder)), options.tunes)
    chosen = [
        (tune, note)
        for tune in tunes
        for note in rng.sample(alone(model, tune), options.draws)
    ]  # fmt: skip
    changes: dict[str, Callable[[str], str]] = {
        "untouched": lambda text: text,
        **{
            name: lambda text, steps=steps: moved(text, rng.choice((-steps, steps)))
            for name, steps in (("a second", 1), ("a third", 2), ("a fourth", 3), ("an octave", 7))
        },
        "twice as long": lengthened,
    }
    print(f"model {options.model}, {len(tunes)} held-out tunes, {len(chosen)} notes\n")
    print(f"{'':15}{'note':>8}{'top 3':>7}{'top 10':>8}{'median rank':>14}{'bar':>9}{'top 3':>7}"
          f"{'median rank':>14}{'marked':>9}{'marks a tune':>14}")  # fmt: skip
    for name, change in changes.items():
        ranks = [rank(model, changed(tune, note, change), note) for tune, note in chosen]
        row(name, [one for one in ranks if one])


def held_out(model: Model, folder: Path) -> list[Tune]:
    """Return the tunes that were set aside when the model was trained; of another corpus, all."""
    corpus = read_corpus(folder, jobs=1)
    _, aside = part(corpus, model)
    return [corpus.pieces[number] for number in aside]


def alone(model: Model, tune: Tune) -> list[AlignedNote]:
    """Return the notes of a tune that stand alone, as they can be read in its text."""
    notes = model.encoding.align(tune).notes
    return [note for note in notes if text_at(tune, note) == note.text and note.text]


def text_at(tune: Tune, note: AlignedNote) -> str:
    """Return the note that stands where one is said to stand."""
    line = tune.text.split("\n")[note.line - tune.line]
    found = re.compile(NOTE).match(line, note.column - 1)
    return found[0] if found else ""


def moved(text: str, steps: int) -> str:
    """Write a note so many letters higher, without its accidental."""
    note = read_note(text)
    place = LETTERS.index(note.letter) + 7 * note.octave + steps
    letter, octave = LETTERS[place % 7], place // 7
    return note_text(replace(note, accidental="", letter=letter, octave=octave), note.length)


def lengthened(text: str) -> str:
    """Write a note twice as long."""
    note = read_note(text)
    return note_text(note, note.length * Fraction(2))


def changed(tune: Tune, note: AlignedNote, change: Callable[[str], str]) -> Tune:
    """Write one note of a tune in another way."""
    lines = tune.text.split("\n")
    at, start = note.line - tune.line, note.column - 1
    end = start + len(note.text)
    lines[at] = lines[at][:start] + change(note.text) + lines[at][end:]
    return replace(tune, text="\n".join(lines))


def rank(model: Model, tune: Tune, wrong: AlignedNote) -> Rank | None:
    """Find how surprising the note is that stands in a place; None where it cannot be told."""
    found = piece_surprisal(model, tune)
    place = wrong.line, wrong.column
    here = [one for one in found.notes if (one.note.line, one.note.column) == place]
    if not here:
        return None
    note = here[0]
    bar = found.bars[note.note.bar]
    return Rank(
        1 + sum(one.bits > note.bits for one in found.notes),
        len(found.notes),
        1 + sum(one.bits > bar.bits for one in found.bars),
        len(found.bars),
        bar.is_unusual,
        sum(one.is_unusual for one in found.bars),
    )


def row(name: str, ranks: list[Rank]) -> None:
    """Print a line of the table."""
    notes, bars = [one.note for one in ranks], [one.bar for one in ranks]

    def share(places: list[int], most: int) -> str:
        return f"{sum(place <= most for place in places) / len(places):.0%}"

    note_rank = f"{statistics.median(notes):g} of {statistics.median(one.notes for one in ranks):g}"
    bar_rank = f"{statistics.median(bars):g} of {statistics.median(one.bars for one in ranks):g}"
    print(
        f"{name:15}{share(notes, 1):>8}{share(notes, 3):>7}{share(notes, 10):>8}{note_rank:>14}"
        f"{share(bars, 1):>9}{share(bars, 3):>7}{bar_rank:>14}"
        f"{sum(one.marked for one in ranks) / len(ranks):>9.0%}"
        f"{statistics.mean(one.marks for one in ranks):14.2f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
