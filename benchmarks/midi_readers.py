"""How MIDI is read: beside pretty_midi and symusic for the notes, beside mido for the time.

    pip install pretty_midi symusic
    python benchmarks/midi_readers.py ../shared/data/midi_cases/valid ../shared/data/nottingham/MIDI

Each argument is a file or a folder: first we tell how many of its files are read, repaired and
refused, and for which faults. Notes are compared by pitch, velocity, onset and end, to within a
tick; tempos and metres as what is in force when, so that a repeated value is none. A note that only
one side has is put into the first class that fits:

overlap
    its pitch sounds twice at once on its channel: readers differ in which note an end belongs to
    (we end the earliest, pretty_midi all);
no length
    it ends at the tick at which it starts: we give it one tick;
hanging
    it has no end: we stop it with its track;
after the end
    it stands behind the end of its track, where we do not look;
type 2
    the file has sequences that are no piece together;
unexplained
    none of these.

Tempos and metres differ by "type 2", or by "later track": one side hears the first track only.

The time is the least of some runs each, taken in turn: our pieces beside mido's messages.
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import mido
import pretty_midi
import symusic

from musicgen.errors import FormatError, FormatWarning
from musicgen.formats import midi
from musicgen.formats.midi.chunks import split
from musicgen.formats.midi.reading import decode
from musicgen.formats.midi.repairs import Repairs
from musicgen.music import Music

Note = tuple[int, int, int, int]
"""Onset, pitch, velocity and end, in ticks."""
Reading = tuple[list[Note], list[tuple[int, float]], list[tuple[int, str]]]
"""Notes, tempos and metres."""


def ours(path: Path) -> Reading:
    """Read with this package; the sequences of a file of type 2 together."""
    pieces = midi.read(path)
    notes = [
        (note.time, note.pitch, note.velocity, note.end)
        for piece in pieces
        for track in piece.tracks
        for note in track.notes
    ]
    together = Music()
    for piece in pieces:
        together.tempos += piece.tempos
        together.time_signatures += piece.time_signatures
    tempos = [(tempo.time, tempo.qpm) for tempo in sorted(together.tempos)]
    metres = [(m.time, f"{m.numerator}/{m.denominator}") for m in sorted(together.time_signatures)]
    return sorted(notes), tempos, metres


def by_pretty_midi(path: Path) -> Reading:
    """Read with pretty_midi; its seconds go back to ticks."""
    read = pretty_midi.PrettyMIDI(str(path))
    tick = read.time_to_tick
    notes = [
        (tick(note.start), note.pitch, note.velocity, tick(note.end))
        for instrument in read.instruments
        for note in instrument.notes
    ]
    times, tempos = read.get_tempo_changes()
    metres = [
        (tick(metre.time), f"{metre.numerator}/{metre.denominator}")
        for metre in read.time_signature_changes
    ]
    return sorted(notes), [(tick(t), qpm) for t, qpm in zip(times, tempos, strict=True)], metres


def by_symusic(path: Path) -> Reading:
    """Read with symusic."""
    read = symusic.Score(path)
    notes = [
        (note.time, note.pitch, note.velocity, note.time + note.duration)
        for track in read.tracks
        for note in track.notes
    ]
    metres = [(m.time, f"{m.numerator}/{m.denominator}") for m in read.time_signatures]
    return sorted(notes), [(tempo.time, tempo.qpm) for tempo in read.tempos], metres


READERS: dict[str, Callable[[Path], Reading]] = {
    "pretty_midi": by_pretty_midi,
    "symusic": by_symusic,
}


def unmatched(mine: list[Note], others: list[Note]) -> list[Note]:
    """Return the notes of the first list that have no note of the second within a tick."""
    free: defaultdict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    for onset, pitch, velocity, end in others:
        free[pitch, velocity].append((onset, end))
    left = []
    for onset, pitch, velocity, end in mine:
        near = free[pitch, velocity]
        match = next(
            (p for p in near if abs(p[0] - onset) <= 1 and abs(p[1] - end) <= 1),
            None,
        )
        if match:
            near.remove(match)
        else:
            left.append((onset, pitch, velocity, end))
    return left


def facts(path: Path) -> dict[str, set[tuple[int, int]]]:
    """Tell, by mido's messages, at which onset and pitch notes overlap, hang or have no length."""
    found: dict[str, set[tuple[int, int]]] = {
        name: set() for name in ("after the end", "overlap", "no length", "hanging")
    }
    for track in mido.MidiFile(path, clip=True).tracks:
        now, ended = 0, False
        sounding: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
        for message in track:
            now += message.time
            ended |= message.type == "end_of_track"
            if message.type not in ("note_on", "note_off"):
                continue
            pitch = message.note
            if ended:
                found["after the end"].add((now, pitch))
                continue
            onsets = sounding[message.channel, pitch]
            if message.type == "note_on" and message.velocity:
                onsets.append(now)
                if len(onsets) > 1:
                    found["overlap"].update((onset, pitch) for onset in onsets)
            elif onsets and onsets.pop(0) == now:
                found["no length"].add((now, pitch))
        for (_, pitch), onsets in sounding.items():
            found["hanging"].update((onset, pitch) for onset in onsets)
    return found


def classes(path: Path, only_ours: list[Note], only_theirs: list[Note]) -> Counter[str]:
    """Count the notes that one side alone has, by class."""
    known = facts(path)
    layout = split(path.read_bytes(), Repairs()).layout
    found: Counter[str] = Counter()
    for onset, pitch, *_ in [*only_ours, *only_theirs]:
        near = {(tick, pitch) for tick in (onset - 1, onset, onset + 1)}
        name = next((name for name in known if near & known[name]), None)
        found[name or ("type 2" if layout == 2 else "unexplained")] += 1
    return found


def in_force(changes: list[tuple[int, float]] | list[tuple[int, str]]) -> list[tuple[int, object]]:
    """Reduce changes to those that change something: the last of a tick, no value twice."""
    reduced: list[tuple[int, object]] = []
    for tick, value in dict(changes).items():
        shown = round(value, 3) if isinstance(value, float) else value
        if not reduced or reduced[-1][1] != shown:
            reduced.append((tick, shown))
    return reduced


def same(a: list[tuple[int, object]], b: list[tuple[int, object]]) -> bool:
    """Whether two lists of changes agree to within a tick."""
    return len(a) == len(b) and all(
        x[1] == y[1] and abs(x[0] - y[0]) <= 1 for x, y in zip(a, b, strict=True)
    )


def why(path: Path, what: str, theirs: list[tuple[int, object]]) -> str:
    """Put a difference in tempos or metres into a class."""
    if split(path.read_bytes(), Repairs()).layout == 2:
        return "type 2"
    now, first = 0, []
    for message in mido.MidiFile(path).tracks[0]:
        now += message.time
        if message.type == "set_tempo" and what == "tempos":
            first.append((now, 60e6 / message.tempo))
        elif message.type == "time_signature" and what == "metres":
            first.append((now, f"{message.numerator}/{message.denominator}"))
    return "later track" if same(in_force(first), theirs) else "unexplained"


def files_of(places: list[Path]) -> Iterator[Path]:
    """Yield the MIDI files of some places."""
    for place in places:
        found = sorted(place.rglob("*")) if place.is_dir() else [place]
        yield from (file for file in found if file.suffix.lower() in midi.extensions)


def readable(places: list[Path]) -> list[Path]:
    """Print how many files of each place are read, repaired and refused, and why."""
    files = []
    for place in places:
        read = repaired = 0
        faults: Counter[str] = Counter()
        refused = []
        for file in files_of([place]):
            repairs = Repairs()
            try:
                decode(file.read_bytes(), repairs)
            except FormatError as error:
                refused.append(f"  refused: {file.name}: {error}")
                continue
            files.append(file)
            faults.update(list(repairs.faults))
            repaired += bool(repairs.faults)
            read += not repairs.faults
        print(f"{place}: {read} files read, {repaired} repaired, {len(refused)} refused")
        for fault, number in faults.most_common():
            print(f"  in {number}: {fault}")
        print(*refused, sep="\n", end="\n" * bool(refused))
    return files


def compare(name: str, files: list[Path]) -> None:
    """Print how one other reader agrees with ours."""
    equal = notes = alone = tempos = metres = 0
    total: Counter[str] = Counter()
    lines, refused = [], []
    for file in files:
        try:
            theirs = READERS[name](file)
        except Exception as error:
            refused.append(f"  {file.name}: {type(error).__name__}: {str(error)[:70]}")
            continue
        mine = ours(file)
        notes += len(mine[0])
        only_ours, only_theirs = unmatched(mine[0], theirs[0]), unmatched(theirs[0], mine[0])
        alone += len(only_ours) + len(only_theirs)
        if only_ours or only_theirs:
            found = classes(file, only_ours, only_theirs)
            total += found
            told = ", ".join(f"{kind} {number}" for kind, number in found.items())
            lines.append(
                f"  {file.name}: ours alone {len(only_ours)}, theirs {len(only_theirs)}: {told}"
            )
        else:
            equal += 1
        for what, at in (("tempos", 1), ("metres", 2)):
            a, b = in_force(mine[at]), in_force(theirs[at])
            if what == "tempos":  # pretty_midi always says what holds at the start
                a = a if a and a[0][0] == 0 else [(0, 120.0), *a]
                b = b if b and b[0][0] == 0 else [(0, 120.0), *b]
            if same(a, b):
                tempos, metres = tempos + (at == 1), metres + (at == 2)
            else:
                lines.append(f"  {file.name}: {what} {len(a)} and {len(b)}: {why(file, what, b)}")
    read = len(files) - len(refused)
    print(f"\n{name}: {read} files read, {len(refused)} refused")
    print(f"  same notes {equal}, same tempos {tempos}, same metres {metres}, of {read} files")
    print(f"  {notes} notes, {alone} on one side alone: {dict(total)}")
    print(*lines, *refused, sep="\n")


def race(files: list[Path], rounds: int) -> None:
    """Print our reading time beside mido's."""
    spent: dict[str, list[float]] = {"ours": [], "mido": []}
    for file in files:
        best = {name: float("inf") for name in spent}
        for _ in range(rounds):
            for name, read in (("ours", midi.read), ("mido", mido.MidiFile)):
                start = time.perf_counter()
                read(file)
                best[name] = min(best[name], time.perf_counter() - start)
        for name, least in best.items():
            spent[name].append(least)
    ratios = [a / b for a, b in zip(spent["ours"], spent["mido"], strict=True)]
    print(
        f"time: ours {sum(spent['ours']):.3f} s, mido {sum(spent['mido']):.3f} s, "
        f"ratio of the sums {sum(spent['ours']) / sum(spent['mido']):.2f}, "
        f"median of the ratios {statistics.median(ratios):.2f}, greatest {max(ratios):.2f}"
    )


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("places", nargs="+", type=Path)
    parser.add_argument("--alone", action="store_true", help="only tell what we read")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="runs to time")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", FormatWarning)
    warnings.simplefilter("ignore", RuntimeWarning)
    files = readable(arguments.places)
    if not arguments.alone:
        race(files, arguments.rounds)
        for name in READERS:
            compare(name, files)


if __name__ == "__main__":
    main()
