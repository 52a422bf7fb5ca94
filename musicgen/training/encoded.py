"""A corpus as arrays on the disk."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from musicgen.encodings import Encoding
from musicgen.errors import CorpusError
from musicgen.files import write_atomically
from musicgen.training.inventory import Inventory
from musicgen.training.sequences import Sequences, writing

__all__ = ["EncodedCorpus", "Outcome", "parted_state", "write_encoded"]

Array = npt.NDArray[Any]

PARTS = ("training", "validation")
FACTS, ARRAYS = "corpus.json", "arrays.npz"


class Outcome(NamedTuple):
    """What became of a piece.

    Attributes
    ----------
    source
        The file that it is from.
    part
        ``"training"`` or ``"validation"``.
    mark
        By which it is known again, see `musicgen.training.corpus.Contents`.
    arrays
        One for each of its transpositions.
    reason
        Why there is none.
    """

    source: Path
    part: str
    mark: int
    arrays: list[Array]
    reason: str


@dataclass(slots=True)
class EncodedCorpus:
    """The pieces of a corpus as arrays, and the encoding that made them.

    Attributes
    ----------
    encoding
        Fitted on the training pieces, unless it was given.
    training
        An array for each training piece and transposition.
    validation
        An array for each validation piece.
    learned
        ``(n,)``, sorted: the marks of the training pieces that have arrays.
    inventory
        What the corpus held; pieces that could not be encoded are among its `left_out`.
    cached
        Whether all this was computed earlier.
    """

    encoding: Encoding
    training: Sequences
    validation: Sequences
    learned: npt.NDArray[np.uint64]
    inventory: Inventory
    cached: bool = False

    @property
    def fingerprint(self) -> str:
        """SHA-256 of all pieces, as hexadecimal text."""
        return self.inventory.fingerprint

    def check_batch(self, batch_size: int) -> None:
        """Make sure that there is a training array for each row of a batch.

        Raises
        ------
        CorpusError
            When there are less.
        """
        if len(self.training) < batch_size:
            raise CorpusError(
                f"a batch of {batch_size} takes as many sequences at least; this corpus gives "
                f"{len(self.training)} to learn from: take a smaller batch, or more music"
            )

    @classmethod
    def load(cls, folder: Path, encoder: type[Encoding], root: Path, *, cached: bool) -> Self:
        """Open what `write_encoded` wrote.

        Parameters
        ----------
        folder
            Where it is.
        encoder
            The class of the encoding.
        root
            The folder of the corpus, which may have been moved.
        cached
            Whether it was there already.
        """
        facts = json.loads((folder / FACTS).read_bytes())
        with np.load(folder / ARRAYS, allow_pickle=False) as stored:
            arrays = {name: stored[f"encoding {name}"] for name in facts["arrays"]}
            lengths = [stored[f"{part} lengths"] for part in PARTS]
            learned = stored["learned"]
        training, validation = (
            Sequences(_file(folder, part), length, **facts[part])
            for part, length in zip(PARTS, lengths, strict=True)
        )
        encoding = encoder.from_state(facts["encoding"] | arrays)
        inventory = Inventory.from_state(facts["inventory"], root)
        return cls(encoding, training, validation, learned, inventory, cached)


def write_encoded(
    folder: Path, encoding: Encoding, inventory: Inventory, root: Path, outcomes: Iterable[Outcome]
) -> None:
    """Write what `EncodedCorpus.load` opens, piece by piece.

    Parameters
    ----------
    folder
        An empty folder.
    encoding
        That of all arrays.
    inventory
        What was found; pieces without arrays are added to those left out.
    root
        The folder of the corpus.
    outcomes
        What became of each piece.

    Raises
    ------
    CorpusError
        When no training piece, or no validation piece, has an array.
    OSError
        When the folder cannot be written, or the disk is full.
    """
    left_out, learned = list(inventory.left_out), []
    with ExitStack() as stack:
        writers = {part: stack.enter_context(writing(_file(folder, part))) for part in PARTS}
        for outcome in outcomes:
            for array in outcome.arrays:
                writers[outcome.part].append(array)
            if not outcome.arrays:
                left_out.append((outcome.source, outcome.reason))
            elif outcome.part == "training":
                learned.append(outcome.mark)
    for part, writer in writers.items():
        if not len(writer):
            raise CorpusError(
                f"no {part} piece of {root} can be encoded as {encoding.name}; the last one that "
                f"cannot says: {left_out[-1][1]}"
            )
    left_out.sort(key=lambda pair: pair[0])
    state, arrays = parted_state(encoding)
    facts = {
        "encoding": state,
        "arrays": list(arrays),
        "inventory": replace(inventory, left_out=left_out).state(root),
        **{part: writer.facts() for part, writer in writers.items()},
    }
    named: dict[str, Any] = {f"encoding {name}": array for name, array in arrays.items()}
    named |= {f"{part} lengths": writer.lengths for part, writer in writers.items()}
    named["learned"] = np.array(sorted(learned), np.uint64)
    with (folder / ARRAYS).open("wb") as stream:
        np.savez(stream, **named)
        stream.flush()
        os.fsync(stream.fileno())
    write_atomically(folder / FACTS, json.dumps(facts).encode())


def parted_state(encoding: Encoding) -> tuple[dict[str, Any], dict[str, Array]]:
    """Part what JSON can say of an encoding's state from its arrays."""
    state = encoding.state()
    arrays = {name: value for name, value in state.items() if isinstance(value, np.ndarray)}
    return {name: value for name, value in state.items() if name not in arrays}, arrays


def _file(folder: Path, part: str) -> Path:
    return folder / f"{part}.bin"
