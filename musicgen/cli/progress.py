"""What is seen while a job runs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn, Self

from tqdm import tqdm

from musicgen.training import Progress
from musicgen.workflows import CorpusRead, Preview

__all__ = ["TrainingBar", "file_bar"]

MOST_NAMED = 10


@contextmanager
def file_bar() -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar over files on stderr, where it is a terminal.

    Yields
    ------
    function
        To be called with the number of files done and to do.
    """
    with tqdm(disable=None, leave=False, unit="file", dynamic_ncols=True) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield progress


class TrainingBar:
    """A progress bar on stderr with cost, validation, speed and time left.

    Where stderr is no terminal the bar stays away, and a line for each validation remains.
    """

    def __init__(self) -> None:
        self.training = False
        self._validation = ""
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
        corpus = event.corpus
        self._print(
            f"{len(corpus.pieces)} tunes from {corpus.files} {corpus.format.name} files: "
            f"{event.training} to learn from ({event.symbols:,} characters, "
            f"{event.vocabulary} different), {event.validation} for validation"
        )
        if corpus.duplicates:
            self._print(f"{corpus.duplicates} repeated tunes left out")
        for file, reason in corpus.left_out[:MOST_NAMED]:
            self._print(f"left out: {reason if str(file) in reason else f'{file}: {reason}'}")
        if len(corpus.left_out) > MOST_NAMED:
            self._print(f"… and {len(corpus.left_out) - MOST_NAMED} more files")
        self._print(f"network of {event.weights:,} weights → {event.path}")

    def _progress(self, event: Progress) -> None:
        if event.validation is not None:
            self._validation = f", validation {event.validation:.3f}"
            self._print(
                f"epoch {event.epoch:3}  training {event.loss:.3f}  "
                f"validation {event.validation:.3f} bits a character"
                f"{'  best so far, saved' if event.best else ''}"
            )
        self._bar.set_postfix_str(
            f"loss {event.loss:.3f}{self._validation} bits, "
            f"{event.symbols / event.seconds:,.0f} characters/s",
            refresh=False,
        )
        self._bar.update(event.done - self._bar.n)
