"""What is seen while a job runs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn, Self

from tqdm import tqdm

from musicgen.training import Progress
from musicgen.workflows import CorpusRead, Preview
from musicgen.workflows.train import cost_unit

__all__ = ["TrainingBar", "file_bar"]

MOST_NAMED = 10


@contextmanager
def file_bar(unit: str = "file") -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar over files on stderr, where it is a terminal, from the first one on.

    Yields
    ------
    function
        To be called with the number of files done and to do.
    """
    with tqdm(disable=None, leave=False, unit=unit, dynamic_ncols=True, delay=0.5) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)
            if done == total:
                bar.close()

        yield progress


class TrainingBar:
    """A progress bar on stderr with cost, validation, speed and time left.

    Where stderr is no terminal the bar stays away, and a line for each validation remains.
    """

    def __init__(self) -> None:
        self.training = False
        self._validation = self._unit = self._steps = ""
        self._bar: tqdm[NoReturn] = tqdm(
            total=1.0, disable=None, leave=False, dynamic_ncols=True,
            bar_format="{percentage:3.0f}% |{bar:16}| {elapsed} < {remaining}{postfix}",
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def __call__(self, event: CorpusRead | Progress | Preview) -> None:
        """Show an event."""
        match event:
            case CorpusRead():
                self.training = True
                self._corpus(event)
            case Preview(text):
                body = "\n".join(f"    {line}" for line in text.splitlines())
                self._print(f"  what it writes now:\n{body}")
            case Progress():
                self._progress(event)

    def _print(self, text: str) -> None:
        tqdm.write(text, file=sys.stderr)

    def _corpus(self, event: CorpusRead) -> None:
        found, encoding = event.inventory, event.encoding
        formats = ", ".join(
            f"{tally.read + tally.converted} {name} file{'s' * (tally.read + tally.converted != 1)}"
            f"{' (converted)' * bool(tally.converted)}"
            for name, tally in found.tallies.items()
            if tally.read or tally.converted
        )
        self._print(
            f"{found.pieces} pieces from {formats}: {event.training} sequences to learn from "
            f"({event.steps:,} {encoding.unit}s), {event.validation} for validation"
        )
        if found.duplicates:
            self._print(f"{found.duplicates} repeated pieces left out")
        for word, files in (("left out", found.left_out), ("repaired", found.repaired)):
            for file, reason in files[:MOST_NAMED]:
                self._print(f"{word}: {reason if str(file) in reason else f'{file}: {reason}'}")
            if len(files) > MOST_NAMED:
                self._print(f"… and {len(files) - MOST_NAMED} more {word}")
        self._print(
            f"encoding {encoding.name} ({encoding.size} "
            f"{'different' if encoding.head == 'categorical' else 'channels'}), "
            f"network of {event.weights:,} weights → {event.path}"
        )
        if event.resumed:
            self._print(f"going on after {event.resumed:,} batches")
        elif event.resumed is not None:
            self._print("nothing was kept of an earlier run: starting from the beginning")
        if event.replaces:
            self._print(f"{event.path} is there already: the new model will replace it")
        self._unit = cost_unit(encoding)
        self._steps = f"{encoding.unit}s"

    def _progress(self, event: Progress) -> None:
        if event.validation is not None:
            self._validation = f", validation {event.validation:.3f}"
            self._print(
                f"epoch {event.epoch:3}  training {event.loss:.3f}  "
                f"validation {event.validation:.3f} {self._unit}"
                f"{'  best so far, saved' if event.best else ''}"
            )
        self._bar.set_postfix_str(
            f"loss {event.loss:.3f}{self._validation}, "
            f"{event.steps / event.seconds:,.0f} {self._steps}/s",
            refresh=False,
        )
        self._bar.update(event.done - self._bar.n)
