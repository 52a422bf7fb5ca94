"""The command line: one file a command, parsing and printing only."""

from __future__ import annotations

import errno
import sys
import warnings
from typing import TYPE_CHECKING, cast

import typer

from musicgen.cli import (
    convert,
    corpora,
    doctor,
    evaluate,
    inspect,
    models,
    plot,
    sample,
    score,
    task,
    train,
)
from musicgen.errors import MusicgenError

if TYPE_CHECKING:
    from io import TextIOWrapper

__all__ = ["app", "main"]

# Plain help answers in half the time of decorated help, and reads well in a pipe.
app = typer.Typer(
    name="musicgen",
    help="Learn music from a folder of files, on your own machine, and write new music back.",
    epilog="Start with:  musicgen train corpora/starter  and then:  musicgen sample",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command("train", epilog=train.EXAMPLES)(train.train)
app.command("sample", epilog=sample.EXAMPLES)(sample.sample)
app.command("convert", epilog=convert.EXAMPLES)(convert.convert)
app.command("inspect", epilog=inspect.EXAMPLES)(inspect.inspect)
app.command("evaluate", epilog=evaluate.EXAMPLES)(evaluate.evaluate)
app.command("plot", epilog=plot.EXAMPLES)(plot.plot)
app.command("score", epilog=score.EXAMPLES)(score.score)
app.command("task", epilog=task.EXAMPLES)(task.task)
app.command("doctor", epilog=doctor.EXAMPLES)(doctor.doctor)
app.add_typer(corpora.app, name="corpora")
app.add_typer(models.app, name="models")


@app.callback(invoke_without_command=True)
def _version(
    version: bool = typer.Option(False, "--version", help="Show the version and exit."),
) -> None:
    if version:
        from musicgen import __version__

        print(f"musicgen {__version__}")
        raise typer.Exit


def main() -> None:
    """Run the command line; bad input ends in one line on stderr and exit code 2.

    With ``--json`` that line also stands on stdout, under ``"error"``.
    """
    for stream in (sys.stdout, sys.stderr):
        # A terminal that lacks a sign shows its number.
        cast("TextIOWrapper", stream).reconfigure(errors="backslashreplace")
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _warn
            app()
    except (MusicgenError, ValueError) as error:
        _fail(str(error))
    except OSError as error:
        what = error.strerror or str(error)
        if error.errno == errno.ENOSPC:
            what += "; what was there before is whole: free some space and try again"
        _fail(f"{error.filename}: {what}" if error.filename else what)


def _warn(message: Warning | str, *_: object, **__: object) -> None:
    """Show a warning without the line of the program that it comes from."""
    print(f"musicgen: {message}", file=sys.stderr)


def _fail(message: str) -> None:
    message = " ".join(message.split())
    if "--json" in sys.argv:
        import json

        print(json.dumps({"error": message}))
    print(f"musicgen: {message}", file=sys.stderr)
    raise SystemExit(2)
