"""What the second side adds: over training, along the bar, and in one tune."""

from __future__ import annotations

import numpy as np

from musicgen.charts import Heatmap, Lines
from musicgen.tasks.base import Progress, Study, Table
from musicgen.tasks.bidirectional.counting import most_frequent_between, neighbours
from musicgen.tasks.bidirectional.learning import EPOCHS, learn_each
from musicgen.tasks.melodies import STEPS, note_names

__all__ = ["study_sides", "study_tune"]


def study_sides(seed: int, progress: Progress) -> Study:
    """Compare networks that read from one side and from both, and counting."""
    by_side = learn_each(seed, progress)
    known, asked = by_side["both"].known, by_side["both"].asked
    _, notes, _ = neighbours(asked)
    by_counting = most_frequent_between(known, asked) == notes
    found = {side: learned.found for side, learned in by_side.items()}
    found["counted between neighbours"] = by_counting
    eighths = np.nonzero(asked)[1] % STEPS
    by_place = {
        name: [float(right[eighths == place].mean()) for place in range(STEPS)]
        for name, right in found.items()
    }
    epochs, places = range(1, EPOCHS + 1), range(1, STEPS + 1)
    charts = [
        Lines(
            "notes found in tunes not learned",
            "epoch",
            "share of notes",
            {side: (epochs, learned.curve) for side, learned in by_side.items()},
            y_log=False,
        ),
        Lines(
            "at each place of the bar",
            "eighth of the bar",
            "share of notes",
            {name: (places, shares) for name, shares in by_place.items()},
            y_log=False,
        ),
    ]
    sizes = {side: f"{learned.size:,}" for side, learned in by_side.items()}
    rows = [
        [name, sizes.get(name, ""), f"{right.mean():.1%}"]
        + [f"{share:.1%}" for share in by_place[name]]
        for name, right in found.items()
    ]
    header = ["read from", "weights", "notes found", *(f"eighth {place}" for place in places)]
    return Study("Does the other side help?", charts, Table(header, rows))


def study_tune(seed: int, progress: Progress) -> Study:
    """Follow the first four bars of a tune that was not learned."""
    by_side = learn_each(seed, progress)
    phrase = by_side["both"].asked[0]
    places = np.flatnonzero(phrase)
    likely = {
        side: learned.probabilities[0, places, phrase[places]] for side, learned in by_side.items()
    }
    names = note_names(phrase[places])
    half = int(np.sum(places < len(phrase) // 2))
    charts = [
        Heatmap(
            f"probability of the right note, bars {bars}",
            "note",
            "read from",
            np.stack([values[part] for values in likely.values()]),
            columns=names[part],
            rows=list(likely),
        )
        for bars, part in (("1 and 2", slice(half)), ("3 and 4", slice(half, None)))
    ]
    rows = [
        [
            str(place // STEPS + 1),
            str(place % STEPS + 1),
            name,
            *(f"{p:.2f}" for p in probabilities),
        ]
        for place, name, *probabilities in zip(places, names, *likely.values(), strict=True)
    ]
    table = Table(["bar", "eighth", "note", *likely], rows)
    return Study("How surely is each note of a tune found?", charts, table)
