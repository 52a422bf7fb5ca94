"""``musicgen train``."""

from __future__ import annotations

import json
import re
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer
from typer import Option

from musicgen.cli.threads import Threads, compute_on

__all__ = ["EXAMPLES", "train"]

EXAMPLES = """\b
Examples:
  musicgen train corpora/starter
  musicgen train ~/tunes --minutes 30 --out models/mine.safetensors
  musicgen train corpora/ryans --hidden-size 512 --epochs 20 --seed 7
  musicgen train ~/midi --encoding piano-roll --steps-per-quarter 12 --transpose -5:6
  musicgen train ~/tunes --minutes 60 --resume
"""


def train(
    corpus: Annotated[Path, typer.Argument(help="Folder of music, or one file of tunes.")],
    out: Annotated[
        Path | None, Option(help="Model file.  [default: models/NAME.safetensors]")
    ] = None,
    format: Annotated[
        str | None, Option(help="Format of the corpus.  [default: found by itself]")
    ] = None,
    encoding: Annotated[
        str | None,
        Option(
            help="tokens or characters for abc; events, piano-roll, velocity-roll, score-grid or "
            "chords for notes; spectrum or fourier for sound.  [default: what suits the format]"
        ),
    ] = None,
    steps_per_quarter: Annotated[
        int | None, Option(min=1, help="Steps of the grid a quarter note, for notes.")
    ] = None,
    common_key: Annotated[
        bool | None,
        Option("--common-key/--own-key", help="For tokens: move every tune to C, mode kept."),
    ] = None,
    transpose: Annotated[
        str | None, Option(help="Learn from transposed copies too: LOWEST:HIGHEST semitones.")
    ] = None,
    hidden_size: Annotated[
        int | None, Option(min=1, help="Units of a layer.  [default: 256]")
    ] = None,
    num_layers: Annotated[int | None, Option(min=1, help="Recurrent layers.  [default: 2]")] = None,
    cell: Annotated[str | None, Option(help="lstm, gru or elman.  [default: lstm]")] = None,
    optimizer: Annotated[str, Option(help="adadelta, adagrad, adam, rmsprop or sgd.")] = "adam",
    learning_rate: Annotated[
        float | None, Option(help="At its height.  [default: what suits the optimiser]")
    ] = None,
    schedule: Annotated[
        str, Option(help="How the rate falls: constant, cosine, exponential or step.")
    ] = "cosine",
    warmup: Annotated[
        float, Option(min=0, max=0.9, help="Share of the plan during which the rate rises.")
    ] = 0.0,
    batch_size: Annotated[
        int | None, Option(min=1, help="Sequences side by side.  [default: 32, less if small]")
    ] = None,
    seq_length: Annotated[int, Option(min=1, help="Steps between two updates.")] = 64,
    dropout: Annotated[float, Option(min=0, max=0.99, help="Share of outputs dropped.")] = 0.2,
    weight_dropout: Annotated[
        float, Option(min=0, max=0.99, help="Share of weights between hidden states dropped.")
    ] = 0.0,
    input_noise: Annotated[
        float | None, Option(min=0, help="Noise on the frames seen.  [default: 0.3 for sound]")
    ] = None,
    weight_decay: Annotated[float, Option(min=0, help="How weights shrink by themselves.")] = 0.0,
    grad_clip: Annotated[float, Option(help="Highest norm of a gradient.")] = 1.0,
    epochs: Annotated[
        int | None, Option(min=1, help="Passes over the corpus.  [default: 30, more if small]")
    ] = None,
    minutes: Annotated[float | None, Option(help="End after this time.")] = None,
    val_fraction: Annotated[float, Option(help="Share of pieces kept for validation.")] = 0.1,
    patience: Annotated[
        int, Option(min=1, help="Validations without a better one before it ends early.")
    ] = 10,
    resume: Annotated[bool, Option(help="Go on where the last run was broken off.")] = False,
    init_from: Annotated[
        str | None, Option(help="Start from the weights and the encoding of this model.")
    ] = None,
    jobs: Annotated[
        int | None, Option(min=1, help="Processes that read.  [default: one a processor]")
    ] = None,
    threads: Threads = None,
    cache: Annotated[bool, Option(help="Keep the encoded corpus for the next run.")] = True,
    seed: Annotated[int, Option(min=0, help="Same seed and --epochs, same model.")] = 0,
    as_json: Annotated[bool, Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Learn from a folder of music and write a model.

    The model with the best validation is kept, with the last one, its history (JSON lines) and
    learning curve (PNG) beside it. Ctrl-C ends the training early and keeps what there is;
    --resume goes on from there.
    """
    compute_on(threads)
    from musicgen.cli.progress import TrainingBar, file_bar
    from musicgen.workflows import train_on

    settings = {"steps_per_quarter": steps_per_quarter, "common_key": common_key}
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

        with file_bar("file") as reading, file_bar("piece") as encoded:
            result = train_on(
                corpus, out, format=format, encoding=encoding,
                encoding_options={k: v for k, v in settings.items() if v is not None},
                transpose=_range(transpose), hidden_size=hidden_size, num_layers=num_layers,
                cell=cell, optimizer=optimizer, learning_rate=learning_rate, schedule=schedule,
                warmup=warmup, batch_size=batch_size, seq_length=seq_length, dropout=dropout,
                weight_dropout=weight_dropout, input_noise=input_noise, decay=weight_decay,
                grad_clip=grad_clip, epochs=epochs, minutes=minutes, val_fraction=val_fraction,
                patience=patience, seed=seed, resume=resume, init_from=init_from, jobs=jobs,
                cache=cache, report=report, reading=reading, encoded=encoded,
                stop=lambda: interrupted,
            )  # fmt: skip
    if resume and result.last.batches == result.read.resumed:
        print("The run was at its end already; more --epochs, --minutes or --patience lengthen it.",
              file=sys.stderr)  # fmt: skip
    if result.interrupted:
        print("Interrupted; all is saved. Go on with --resume.", file=sys.stderr)
    if as_json:
        print(
            json.dumps(
                {
                    "model": str(result.path),
                    "last": str(result.last_path),
                    "history": str(result.history),
                    "picture": str(result.picture),
                    "validation": result.validation,
                    "first_validation": result.first,
                    "unit": result.unit,
                    "encoding": result.read.encoding.name,
                    "pieces": result.read.inventory.pieces,
                    "steps_a_piece": round(result.read.steps / result.read.training, 1),
                    "weights": result.read.weights,
                    "epochs": result.last.epoch,
                    "batches": result.last.batches,
                    "steps": result.last.steps,
                    "seconds": round(result.last.seconds, 2),
                    "interrupted": result.interrupted,
                }
            )
        )
    else:
        print(f"Model:    {result.path}  ({result.validation:.3f} {result.unit} on validation)")
        print(f"Last:     {result.last_path}")
        print(f"History:  {result.history}")
        print(f"Picture:  {result.picture}")
        print(f"Try it:   musicgen sample {result.path}")
    if result.interrupted:
        raise typer.Exit(130)


def _range(text: str | None) -> range | None:
    """Read ``LOWEST:HIGHEST``, both included."""
    if text is None:
        return None
    match = re.fullmatch(r"([+-]?\d{1,3}):([+-]?\d{1,3})", text)
    if not match or not int(match[1]) <= 0 <= int(match[2]):
        raise ValueError(f"--transpose is {text!r}; expected LOWEST:HIGHEST about 0, such as -5:6")
    return range(int(match[1]), int(match[2]) + 1)
