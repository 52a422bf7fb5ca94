"""Coverage-guided fuzzing of the readers: no bytes may raise anything but `FormatError`.

    pip install atheris
    python benchmarks/fuzz.py midi --minutes 20 --seeds ../shared/data/midi_cases
    python benchmarks/fuzz.py abc --minutes 20 --seeds ../shared/data/abc_cases

MIDI: what is read from the bytes must be the same after it is written and read again. ABC: each
tune is parsed, played, printed, and the print parsed, which must print the same; strict parsing may
refuse it. Each input has 5 seconds of processor time, the process 4 GiB of memory.

The lines that start with ``#`` are libFuzzer's: executions, ``cov`` edges covered, executions a
second. A kind of crash is the exception and the line that raised it; the shortest input of each is
kept in a folder beside the corpus, and the run goes on.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import resource
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import atheris

with atheris.instrument_imports(include=["musicgen.formats"]):
    from musicgen.errors import FormatError
    from musicgen.formats import abc
    from musicgen.formats.midi.reading import decode
    from musicgen.formats.midi.repairs import Repairs
    from musicgen.formats.midi.writing import encode
from musicgen.music import KeySignature, Music, Note, Tempo, TimeSignature, Track, Tune

SECONDS, MEMORY = 5, 4 * 2**30


class OutOfTimeError(Exception):
    """An input takes too long."""


def midi_input(data: bytes) -> None:
    """Read, write and read again."""
    for piece in decode(data, Repairs()):
        again = decode(encode(piece), Repairs())
        assert again == [piece], "changes when written"


def abc_input(data: bytes) -> None:
    """Parse, play, print and parse again; parse strictly."""
    for tune in abc.split(abc.decode(data, None), None):
        score = abc.parse(tune)
        abc.perform(score)
        text = abc.print_score(score)
        assert abc.print_score(abc.parse(Tune(text))) == text, "prints differently"
        with contextlib.suppress(FormatError):
            abc.parse(tune, strict=True)


MUSIC = Music(
    96,
    [Tempo(0, 120.0), Tempo(96, 60.0)],
    [TimeSignature(0, 6, 8)],
    [KeySignature(0, -2, "minor")],
    [
        Track(40, name="A", notes=[Note(0, 60, 96), Note(96, 62, 48)]),
        Track(0, is_drum=True, notes=[Note(0, 36, 1)]),
    ],
    "B",
)
TUNE = b"""X:1
T:A
M:6/8
L:1/8
Q:3/8=100
P:AB
V:1
K:Dmix clef=treble
P:A
|:"A7"A>B(3c^d_e [FAc]2|{g}!trill!a2-a z4|1 x/2 Z|2 (A,,b'') [K:G]A:|
P:B
w:la la
[V:2] C8&D8|]
"""

TARGETS: dict[str, tuple[Callable[[bytes], None], bytes]] = {
    "abc": (abc_input, TUNE),
    "midi": (midi_input, encode(MUSIC)),
}


class Crashes:
    """What went wrong, by kind: the shortest input of each kind lies in a folder.

    Parameters
    ----------
    check
        What is done with an input.
    folder
        Where inputs that crash are kept.
    seconds
        After which the run ends; its exit status is 1 if anything crashed.
    """

    def __init__(self, check: Callable[[bytes], None], folder: Path, seconds: float) -> None:
        self.check = check
        self.folder = folder
        self.found: dict[str, bytes] = {}
        self.executions = 0
        self.started = time.monotonic()
        self.seconds = seconds

    def __call__(self, data: bytes) -> None:
        """Run one input under the limits."""
        self.executions += 1
        signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
        try:
            self.check(data)
        except FormatError:
            pass
        except Exception as error:
            self._keep(error, data)
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        if time.monotonic() > self.started + self.seconds:
            self.report()
            os._exit(bool(self.found))  # libFuzzer itself never returns

    def _keep(self, error: Exception, data: bytes) -> None:
        place = traceback.extract_tb(error.__traceback__)[-1]
        kind = f"{type(error).__name__}-{Path(place.filename).stem}-{place.lineno}"
        if isinstance(error, (OutOfTimeError, RecursionError)):
            kind = type(error).__name__  # wherever it happens to strike
        if kind not in self.found:
            print(f"crash {kind}: {str(error)[:100]}", flush=True)
        if kind not in self.found or len(data) < len(self.found[kind]):
            self.found[kind] = data
            (self.folder / kind).write_bytes(data)

    def report(self) -> None:
        """Print the figures."""
        spent = time.monotonic() - self.started
        rate = self.executions / spent
        print(
            f"{self.executions} executions in {spent:.0f} s, {rate:.0f} a second, "
            f"{len(self.found)} kinds of crash",
            flush=True,
        )
        for kind, data in self.found.items():
            print(f"  {self.folder / kind}: {data[:120]!r}", flush=True)


def out_of_time(number: int, frame: FrameType | None) -> None:
    """Stop an input that takes too long."""
    raise OutOfTimeError


def main() -> None:
    """Fuzz until the time is up."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("format", choices=TARGETS)
    parser.add_argument("--minutes", type=float, default=1.0, metavar="N")
    parser.add_argument("--length", type=int, default=512, metavar="BYTES", help="of an input")
    parser.add_argument("--corpus", type=Path, metavar="DIR", help="kept from run to run")
    parser.add_argument("--seeds", type=Path, nargs="*", default=[], metavar="DIR")
    arguments = parser.parse_args()
    check, seed = TARGETS[arguments.format]
    corpus = arguments.corpus or Path("build", "fuzz", arguments.format)
    kept = corpus.with_name(f"{corpus.name}-crashes")
    crashes = Crashes(check, kept, 60 * arguments.minutes)
    for folder in (corpus, crashes.folder):
        folder.mkdir(parents=True, exist_ok=True)
    (corpus / "seed").write_bytes(seed)
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGVTALRM, out_of_time)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    options = [
        f"-max_len={arguments.length}",
        "-timeout=3600",  # ours is shorter, and does not end the run
        f"-artifact_prefix={crashes.folder}/",
        "-rss_limit_mb=0",
    ]
    atheris.Setup([sys.argv[0], *options, str(corpus), *map(str, arguments.seeds)], crashes)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
