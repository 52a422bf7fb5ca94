"""What is found of a model when it is evaluated."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from musicgen.evaluation import Copying, Likelihood, SetStatistics, Validity
from musicgen.music import Piece

__all__ = ["HELD_OUT", "SAMPLES", "TRAINING", "WAYS", "Evaluation", "Example", "NearCopies"]

TRAINING, HELD_OUT, SAMPLES = "training", "held-out", "samples"
WAYS = {"melody": False, "melody and rhythm": True}


class Example(NamedTuple):
    """A piece to look at and to listen to.

    Attributes
    ----------
    label
        Which it is.
    piece
        A `Tune` or `Music`.
    format
        The name of the format in which it is written.
    """

    label: str
    piece: Piece
    format: str


class NearCopies(NamedTuple):
    """Held-out pieces that share more than half of their melody, in one run, with a training piece.

    Attributes
    ----------
    pieces
        How many these are.
    others
        What the other held-out pieces cost; None where there are none.
    """

    pieces: int
    others: Likelihood | None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What was found of a model.

    Attributes
    ----------
    model, corpus
        The file, and the folder.
    encoding, unit
        Name of the model's encoding, and of a step of it.
    of_training
        Whether pieces that the model learned from are in the corpus; the others are held out.
    seed
        Of the samples.
    pieces
        How many there are of each set: ``"training"``, ``"held-out"``, ``"samples"``.
    left_out
        Files and pieces of the corpus, and of a folder of samples, that could not be read, each
        with the reason.
    duplicates
        Pieces left out because the same music was there already.
    notes
        What was not judged, or must be known to read the figures: plain sentences.
    likelihood
        What held-out pieces cost, and as many training pieces.
    statistics
        Of the held-out pieces, about as many training pieces, and the samples.
    validity
        Of samples, all that were drawn, and of held-out pieces.
    copying
        ``"melody"``, and ``"melody and rhythm"``: of samples, and of held-out pieces, against the
        training pieces; where these are not at hand, of samples against the corpus. The longest run
        of all grows with the number of pieces: ``len(copying.lengths)``.
    near_copies
        Held-out pieces that are nearly training pieces; None where no training piece is at hand.
    sources
        The file of each piece that was compared against.
    names
        What each sample of `statistics` and `copying` is called.
    examples
        The first samples, the one that copies most, and a held-out piece.
    drawn
        How many samples were drawn, sound or not; 0 where they were read.
    samples_folder
        What they were read from; None where they were drawn.
    copied
        The longest run of melody that a sample shares, and below it its source.
    """

    model: Path
    corpus: Path
    encoding: str
    unit: str
    of_training: bool
    seed: int
    pieces: dict[str, int]
    left_out: list[tuple[Path, str]]
    duplicates: int
    notes: list[str]
    likelihood: dict[str, Likelihood]
    statistics: dict[str, SetStatistics] = field(default_factory=dict)
    validity: dict[str, Validity] = field(default_factory=dict)
    copying: dict[str, dict[str, Copying]] = field(default_factory=dict)
    near_copies: NearCopies | None = None
    sources: list[Path] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    examples: list[Example] = field(default_factory=list)
    drawn: int = 0
    samples_folder: Path | None = None
    copied: Example | None = None
