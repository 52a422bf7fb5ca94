"""``musicgen train``."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer
from typer import Option

__all__ = ["EXAMPLES", "train"]

EXAMPLES = """\b
Examples:
  musicgen train corpora/starter
  musicgen train ~/tunes --minutes 30 --out models/mine.safetensors
  musicgen train corpora/ryans --hidden-size 512 --epochs 20 --seed 7
"""


def train(
    corpus: Annotated[Path, typer.Argument(help="Folder of music, or one file of tunes.")],
    out: Annotated[
        Path | None, Option(help="Model file.  [default: models/NAME.safetensors]")
    ] = None,
    format: Annotated[
        str | None, Option(help="Format of the corpus.  [default: found by itself]")
    ] = None,
    hidden_size: Annotated[int, Option(min=1, help="Units of a layer.")] = 256,
    num_layers: Annotated[int, Option(min=1, help="Recurrent layers.")] = 2,
    cell: Annotated[str, Option(help="lstm, gru or elman.")] = "lstm",
    optimizer: Annotated[str, Option(help="adadelta, adagrad, adam, rmsprop or sgd.")] = "adam",
    learning_rate: Annotated[
        float | None, Option(help="At the start.  [default: what suits the optimiser]")
    ] = None,
    batch_size: Annotated[int, Option(min=1, help="Sequences side by side.")] = 32,
    seq_length: Annotated[int, Option(min=1, help="Symbols between two updates.")] = 64,
    dropout: Annotated[float, Option(min=0, max=0.99, help="Share of outputs dropped.")] = 0.2,
    grad_clip: Annotated[float, Option(help="Highest norm of a gradient.")] = 1.0,
    epochs: Annotated[
        int | None, Option(min=1, help="Passes over the corpus.  [default: 30, more if small]")
    ] = None,
    minutes: Annotated[float | None, Option(help="End after this time.")] = None,
    val_fraction: Annotated[float, Option(help="Share of tunes kept for validation.")] = 0.1,
    patience: Annotated[
        int, Option(min=1, help="Validations without a better one before it ends early.")
    ] = 10,
    seed: Annotated[int, Option(min=0, help="Same seed and --epochs, same model.")] = 0,
    as_json: Annotated[bool, Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Learn from a folder of music and write a model.

    The model with the best validation is kept, with its history (JSON lines) and learning curve
    (PNG) beside it. Ctrl-C ends the training early and keeps the best so far.
    """
    from musicgen.cli.progress import TrainingBar
    from musicgen.workflows import train_on

    interrupted = False

    def interrupt(_: int, __: FrameType | None) -> None:
        nonlocal interrupted
        interrupted = True
        # A second Ctrl-C ends at once.
        signal.signal(signal.SIGINT, signal.default_int_handler)

    with TrainingBar() as bar:

        def report(event: Any) -> None:
            bar(event)
            if bar.training and not interrupted:
                signal.signal(signal.SIGINT, interrupt)

        result = train_on(
            corpus, out, format=format, hidden_size=hidden_size, num_layers=num_layers, cell=cell,
            optimizer=optimizer, learning_rate=learning_rate, batch_size=batch_size,
            seq_length=seq_length, dropout=dropout, grad_clip=grad_clip, epochs=epochs,
            minutes=minutes, val_fraction=val_fraction, patience=patience, seed=seed,
            report=report, stop=lambda: interrupted,
        )  # fmt: skip
    if result.interrupted:
        print("Interrupted; the best model so far is saved.", file=sys.stderr)
    if as_json:
        print(
            json.dumps(
                {
                    "model": str(result.path),
                    "history": str(result.history),
                    "picture": str(result.picture),
                    "validation_bits": result.validation,
                    "epochs": result.last.epoch,
                    "batches": result.last.batches,
                    "symbols": result.last.symbols,
                    "seconds": round(result.last.seconds, 2),
                    "interrupted": result.interrupted,
                }
            )
        )
    else:
        print(f"Model:    {result.path}  ({result.validation:.3f} bits a character on validation)")
        print(f"History:  {result.history}")
        print(f"Picture:  {result.picture}")
        print(f"Try it:   musicgen sample {result.path} --format abc --format midi")
    if result.interrupted:
        raise typer.Exit(130)
