"""What an evaluation found, as tables to read."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterator
from pathlib import Path

from musicgen.errors import ModelError
from musicgen.evaluation import (
    HISTOGRAMS,
    NGRAM_LENGTHS,
    STATISTICS,
    Copying,
    Match,
    Summary,
    compare,
    compare_histograms,
)
from musicgen.evaluation.page import Table
from musicgen.formats import get
from musicgen.workflows.copied_run import describe_place
from musicgen.workflows.corpus_pieces import shown_path
from musicgen.workflows.evaluation_result import HELD_OUT, SAMPLES, TRAINING, WAYS, Evaluation
from musicgen.workflows.models import find_model
from musicgen.workflows.wording import with_article

__all__ = ["FEWEST", "counted_pieces", "evaluation_tables", "model_name"]

FEWEST = 5
"""Shares and overlaps of fewer pieces than this say too little to be shown."""

SETS = (TRAINING, HELD_OUT, SAMPLES)
MOST_NAMED = 3
NOTHING = "–"
SHORT_WAYS = {"melody and rhythm": "with rhythm"}


def evaluation_tables(found: Evaluation) -> list[Table]:
    """Return likelihood, statistics, validity and copying as tables.

    Parameters
    ----------
    found
        What `musicgen.workflows.evaluate_model` returned; of sound there is likelihood alone.
    """
    tables = [_likelihood(found)]
    if found.statistics:
        tables += [_statistics(found), _validity(found), _copying(found), _most(found)]
    return tables


def counted_pieces(found: Evaluation) -> str:
    """Say how many pieces of each set there are, and where the samples come from."""
    said = [
        f"{count:,} {name} piece{'s' * (count != 1)}"
        for name, count in found.pieces.items()
        if count and name != SAMPLES
    ]
    sound = found.pieces.get(SAMPLES, 0)
    if found.drawn:
        said.append(
            f"{found.drawn:,} sample{'s' * (found.drawn != 1)} drawn with seed {found.seed}"
        )
    elif sound:
        said.append(f"{sound:,} sample{'s' * (sound != 1)} read from {found.samples_folder}")
    text = ", ".join(said)
    if unsound := max(found.drawn - sound, 0):
        text += (
            f"; {unsound} of the samples {'are' if unsound > 1 else 'is'} unsound, and in none of "
            "the tables but that of validity"
        )
    return text


def model_name(path: Path) -> str:
    """Return what a model is called on the command line: its name where it has one, or its path."""
    try:
        return path.stem if find_model(path.stem) == path else str(path)
    except ModelError:
        return str(path)


def _likelihood(found: Evaluation) -> Table:
    a_unit = with_article(found.unit)
    columns = {
        f"nats {a_unit}": "nats_a_step",
        f"bits {a_unit}": "bits_a_step",
        "nats a piece": "nats_a_piece",
        "nats a frame": "nats_a_frame",
        f"squared error {a_unit}": "squared_error_a_step",
    }
    shown = {
        label: field
        for label, field in columns.items()
        if getattr(found.likelihood[HELD_OUT], field) is not None
    }
    rows = [
        [name, *(_number(getattr(cost, field), 3) for field in shown.values()),
         f"{cost.pieces:,}", f"{cost.steps:,}"]
        for name, cost in sorted(found.likelihood.items(), key=lambda item: SETS.index(item[0]))
    ]  # fmt: skip
    return Table(
        "Likelihood",
        ["", *shown, "pieces", f"{found.unit}s"],
        rows,
        "How much the pieces surprise the model; the lower, the better.",
    )


def _statistics(found: Evaluation) -> Table:
    sets = [name for name in SETS if name in found.statistics]
    others = [name for name in sets if name != HELD_OUT]
    summaries = compare(found.statistics, HELD_OUT)
    pieces = {name: len(found.statistics[name].values["pitch_range"]) for name in sets}
    rows = [["pieces", *(f"{pieces[name]:,}" for name in sets), *("" for _ in others), ""]]
    rows += [
        [name, *(_mean(summaries[name][each]) for each in sets),
         *(_overlap(summaries[name][each].overlap, summaries[name][each].pieces,
                    summaries[name][HELD_OUT].pieces) for each in others), statistic.unit]
        for name, statistic in STATISTICS.items()
    ]  # fmt: skip
    overlaps = compare_histograms(found.statistics, HELD_OUT)
    rows += [
        [name, *("" for _ in sets),
         *(_overlap(overlaps[name][each], pieces[each], pieces[HELD_OUT]) for each in others),
         histogram.unit]
        for name, histogram in HISTOGRAMS.items()
    ]  # fmt: skip
    return Table(
        "Statistics: mean ± standard deviation of the pieces, and overlap (∩) with held-out",
        ["", *sets, *(f"∩ {name}" for name in others), "unit"],
        rows,
        "An overlap of 1 is the most; two small sets from one source do not reach it: about 0.90 "
        f"for 50 pieces each, 0.93 for 200. Of fewer than {FEWEST} pieces none is shown."
        + (" That of the training pieces is the yardstick." if TRAINING in sets else ""),
    )


def _validity(found: Evaluation) -> Table:
    labels = {
        "ended": "ended by itself",
        "parses": "parses without repair",
        "bars_add_up": "bars add up",
        "reads_back": "file is read with the same notes",
        "empty": "without notes",
    }
    rows = [
        [label, *(_percent(getattr(found.validity[name], field)) for name in (HELD_OUT, SAMPLES))]
        for field, label in labels.items()
        if getattr(found.validity[SAMPLES], field) is not None
    ]
    return Table(
        "Validity: share of the pieces",
        ["", HELD_OUT, SAMPLES],
        rows,
        "Of samples, all that were drawn." if found.drawn else "",
    )


def _copying(found: Evaluation) -> Table:
    columns = [
        (f"{name}, {SHORT_WAYS.get(way, way)}", found.copying[way][name])
        for way in WAYS
        for name in (HELD_OUT, SAMPLES)
        if name in found.copying[way]
    ]
    labels = ("lower quartile", "median", "upper quartile")
    rows = [["pieces", *(f"{len(each.matches):,}" for _, each in columns)]]
    rows += [
        [f"longest run, {label}", *(_number(each.quartiles[at], 1) for _, each in columns)]
        for at, label in enumerate(labels)
    ]
    rows.append(["longest run, most", *(_longest(each) for _, each in columns)])
    rows += [
        [f"known groups of {n} notes", *(_known(each, n) for _, each in columns)]
        for n in NGRAM_LENGTHS
    ]
    source = "the training pieces" if found.of_training else "the corpus"
    return Table(
        f"Copying: notes in a row that also stand in {source}, in any key",
        ["", *(label for label, _ in columns)],
        rows,
        "A group is any so many notes in a row; it is known when it stands there too. Of fewer "
        f"than {FEWEST} pieces no share is shown."
        + (
            " Held-out pieces are the yardstick: they share what music of this kind shares."
            if found.of_training
            else ""
        ),
    )


def _most(found: Evaluation) -> Table:
    rows = [
        [SHORT_WAYS.get(way, way), found.names[number], *_match(found, match)]
        for way in WAYS
        for number, match in found.copying[way][SAMPLES].most(MOST_NAMED)
    ]
    header = ["", "sample", "notes", "from", "source", "file", "from", "moved"]
    note = f"Moved: by so many semitones. {_command(found)}".strip() if rows else ""
    return Table("Samples that copy most", header, rows, note)


def _command(found: Evaluation) -> str:
    """Say how to get the samples as files."""
    if not found.drawn or not found.names:
        return ""
    (worst, _), *_ = [*found.copying["melody"][SAMPLES].most(1), (0, None)]
    number = found.names[worst].split()[-1]
    file = f"{found.model.stem}-{found.seed}-{number}{get(found.examples[0].format).extensions[0]}"
    return (
        f"To write these samples: musicgen sample {shlex.quote(model_name(found.model))} "
        f"--seed {found.seed} --count {found.drawn} (sample {number} becomes {file})."
    )


def _match(found: Evaluation, match: Match) -> Iterator[str]:
    yield str(match.length)
    yield describe_place(match.sample)
    yield match.source.title
    yield shown_path(found.sources[match.piece], found.corpus)
    yield describe_place(match.source)
    yield f"{match.semitones:+}" if match.semitones else "0"


def _longest(copying: Copying) -> str:
    return str(copying.lengths.max(initial=0))


def _mean(summary: Summary) -> str:
    if math.isnan(summary.mean):
        return NOTHING
    deviation = "" if math.isnan(summary.deviation) else f" ± {summary.deviation:.2f}"
    return f"{summary.mean:.2f}{deviation}"


def _overlap(value: float, *pieces: int) -> str:
    return NOTHING if min(pieces) < FEWEST else _number(value, 2)


def _known(copying: Copying, n: int) -> str:
    """Return a share, and what it rests on where that is not all of the pieces."""
    counts = copying.ngrams.get(n)
    if counts is None or counts.pieces < FEWEST:
        return NOTHING
    some = f" of {counts.pieces} pieces" if counts.pieces < len(copying.matches) else ""
    return f"{_percent(counts.share)}{some}"


def _number(value: float | None, digits: int) -> str:
    return NOTHING if value is None or math.isnan(value) else f"{value:,.{digits}f}"


def _percent(value: float | None) -> str:
    return NOTHING if value is None else f"{100 * value:.1f} %"
