"""What an evaluation found, as tables to read."""

from __future__ import annotations

import math
from collections.abc import Iterator

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
from musicgen.workflows.corpus_pieces import shown_path
from musicgen.workflows.evaluate import HELD_OUT, SAMPLES, TRAINING, WAYS, Evaluation

__all__ = ["counted_pieces", "evaluation_tables"]

SETS = (TRAINING, HELD_OUT, SAMPLES)
MOST_NAMED = 3
NOTHING = "–"


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
    """Say how many pieces of each set there are."""
    words = {TRAINING: "training pieces", HELD_OUT: "held-out pieces", SAMPLES: "samples"}
    return ", ".join(f"{count:,} {words[name]}" for name, count in found.pieces.items() if count)


def _likelihood(found: Evaluation) -> Table:
    a = "an" if found.unit[0] in "aeiou" else "a"
    columns = {
        f"nats {a} {found.unit}": "nats_a_step",
        f"bits {a} {found.unit}": "bits_a_step",
        "nats a piece": "nats_a_piece",
        "nats a frame": "nats_a_frame",
        f"squared error {a} {found.unit}": "squared_error_a_step",
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
    return Table("Likelihood", ["", *shown, "pieces", f"{found.unit}s"], rows)


def _statistics(found: Evaluation) -> Table:
    sets = [name for name in SETS if name in found.statistics]
    others = [name for name in sets if name != HELD_OUT]
    summaries = compare(found.statistics, HELD_OUT)
    rows = [
        [name, *(_mean(summaries[name][each]) for each in sets),
         *(_number(summaries[name][each].overlap, 2) for each in others), statistic.unit]
        for name, statistic in STATISTICS.items()
    ]  # fmt: skip
    overlaps = compare_histograms(found.statistics, HELD_OUT)
    rows += [
        [name, *("" for _ in sets), *(_number(overlaps[name][each], 2) for each in others),
         histogram.unit]
        for name, histogram in HISTOGRAMS.items()
    ]  # fmt: skip
    return Table(
        "Statistics: mean ± standard deviation of the pieces, and overlap (∩) with held-out",
        ["", *sets, *(f"∩ {name}" for name in others), "unit"],
        rows,
        "An overlap of 1 is the most; two small sets from one source do not reach it: about 0.90 "
        "for 50 pieces each, 0.93 for 200."
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
    return Table("Validity: share of the pieces", ["", HELD_OUT, SAMPLES], rows,
                 "No sample was drawn again.")  # fmt: skip


def _copying(found: Evaluation) -> Table:
    columns = [
        (f"{name}, {way}", found.copying[way][name])
        for way in WAYS
        for name in (HELD_OUT, SAMPLES)
        if name in found.copying[way]
    ]
    labels = ("lower quartile", "median", "upper quartile")
    rows = [
        [f"longest run, {label}", *(_number(each.quartiles[at], 1) for _, each in columns)]
        for at, label in enumerate(labels)
    ]
    rows.append(["longest run, most", *(_longest(each) for _, each in columns)])
    rows += [
        [f"share of runs of {n} notes", *(_percent(each.shares.get(n)) for _, each in columns)]
        for n in NGRAM_LENGTHS
    ]
    source = "the training pieces" if found.of_training else "the corpus"
    return Table(
        f"Copying: notes in a row that also stand in {source}, in any key",
        ["", *(label for label, _ in columns)],
        rows,
        "Held-out pieces are the yardstick: they share what music of this kind shares."
        if found.of_training
        else "",
    )


def _most(found: Evaluation) -> Table:
    rows = [
        [way, found.names[number], *_match(found, match)]
        for way in WAYS
        for number, match in found.copying[way][SAMPLES].most(MOST_NAMED)
    ]
    header = ["", "sample", "notes", "bar", "source", "file", "bar there", "semitones higher"]
    return Table("Samples that copy most", header, rows)


def _match(found: Evaluation, match: Match) -> Iterator[str]:
    yield str(match.length)
    yield str(match.sample.bar)
    yield match.source.title
    yield shown_path(found.sources[match.piece], found.corpus)
    yield str(match.source.bar)
    yield str(match.semitones)


def _longest(copying: Copying) -> str:
    return str(copying.lengths.max(initial=0))


def _mean(summary: Summary) -> str:
    if math.isnan(summary.mean):
        return NOTHING
    deviation = "" if math.isnan(summary.deviation) else f" ± {summary.deviation:.2f}"
    return f"{summary.mean:.2f}{deviation}"


def _number(value: float | None, digits: int) -> str:
    return NOTHING if value is None or math.isnan(value) else f"{value:,.{digits}f}"


def _percent(value: float | None) -> str:
    return NOTHING if value is None else f"{100 * value:.1f} %"
