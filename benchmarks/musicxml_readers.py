"""How MusicXML is read: the sounding notes beside those of music21 and partitura.

    pip install partitura
    python benchmarks/musicxml_readers.py ../shared/data/musicxml_cases chorales:50

Each argument is a folder of scores, or ``chorales:N`` for the first N of music21's Bach chorales.
Every score is read once through, repeats not unfolded, by three readers, and their notes compared:
sounding pitch, onset and duration in quarter notes to within 1/100, ties joined, grace notes,
percussion and the chords of chord symbols left out. The columns: scores read, those of them with
repairs, and those refused; milliseconds a score; scores that the other reader reads too, those in
which all notes agree, and its milliseconds a score. Then come the scores in which two readers
differ, by what is odd in them and what differs, and what was repaired and refused.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import io
import itertools
import time
import warnings
from collections import Counter, defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from musicgen.errors import FormatError, FormatWarning
from musicgen.formats import musicxml
from musicgen.formats.musicxml.container import load, unpack
from musicgen.formats.musicxml.document import by_part, parse
from musicgen.formats.musicxml.measures import PartReader

if TYPE_CHECKING:
    from collections.abc import Callable

Notes = Counter[tuple[float, int, float]]
"""Onset, pitch and duration of each note, in quarter notes, and how often it sounds."""

TOLERANCE = 0.01


def ours(path: Path) -> Notes:
    """Read a score with this package."""
    music = musicxml.read(path, unfold=False)[0]
    return Counter(
        _note(note.time / music.resolution, note.pitch, note.duration / music.resolution)
        for track in music.tracks
        if not track.is_drum
        for note in track.notes
    )


def music21_notes(path: Path) -> Notes:
    """Read a score with music21."""
    from music21 import converter, harmony, percussion

    score = converter.parse(path, format="musicxml", forceSource=True)
    found: Notes = Counter()
    for part in score.parts:
        sounding = part.toSoundingPitch().stripTies()
        for each in sounding.flatten().notes:
            # Chord symbols are printed for players to fill in.
            if each.duration.isGrace or isinstance(
                each, harmony.Harmony | percussion.PercussionChord
            ):
                continue
            for pitch in each.pitches:
                length = float(each.duration.quarterLength)
                found[_note(float(each.offset), round(pitch.ps), length)] += 1
    return found


def partitura_notes(path: Path) -> Notes:
    """Read a score with partitura."""
    import partitura

    score = partitura.load_musicxml(path)
    found: Notes = Counter()
    for part in score.parts:
        shift = _transposition(part)
        quarters = part.quarter_map
        start = float(quarters(part.first_point.t))  # negative after a pickup
        for each in part.notes_tied:
            if isinstance(each, partitura.score.GraceNote | partitura.score.UnpitchedNote):
                continue
            onset = float(quarters(each.start.t))
            end = float(quarters(each.start.t + each.duration_tied))
            found[_note(onset - start, each.midi_pitch + shift(each.start.t), end - onset)] += 1
    return found


def _transposition(part: object) -> Callable[[int], int]:
    from partitura.score import Transposition

    changes = [(each.start.t, each.chromatic) for each in part.iter_all(Transposition)]
    return lambda at: next((chromatic for t, chromatic in reversed(changes) if t <= at), 0)


def _note(onset: float, pitch: int, duration: float) -> tuple[float, int, float]:
    return round(onset, 4), pitch, round(duration, 4)


def oddity(path: Path) -> str:
    """Say what in a score readers are known to take in different ways."""
    parts = []
    found = set()
    for _, measures in by_part(parse(unpack(load(path), []))):
        reader = PartReader({}, Counter())
        parts.append([])
        for each in measures:
            parts[-1].append(reader.read(each))
            if reader.cursor > parts[-1][-1].length:
                found.add("rests longer than their measure")
        for note in (note for measure in measures for note in measure.all("note")):
            if note.find("unpitched") is not None:
                found.add("percussion in a pitched part")
    for measures in parts:
        sounds = [sound for measure in measures for sound in measure.sounds]
        if sum(sound.is_tied for sound in sounds) != sum(sound.continues for sound in sounds):
            found.add("ties without an end")
        elif any(sound.is_tied and sound.continues for sound in sounds):
            found.add("ties over three notes and more")
        for measure in measures:
            chords = defaultdict(list)
            for sound in measure.sounds:
                chords[sound.offset, sound.voice].append(sound)
            for chord in chords.values():
                if len({(sound.duration, sound.is_tied, sound.continues) for sound in chord}) > 1:
                    found.add("chords of which some notes are longer or tied")
    if any(len({measure.length for measure in each}) > 1 for each in zip(*parts, strict=False)):
        found.add("measures shorter or longer in one part than in another")
    return ", ".join(sorted(found)) or "nothing found odd"


def first_difference(a: Notes, b: Notes) -> str | None:
    """Name the kind of the first difference between two readings; None where there is none."""
    one, other = sorted((a).elements()), sorted((b).elements())
    pairs = itertools.zip_longest(one, other, fillvalue=(0.0, 0, 0.0))
    if len(one) == len(other) and all(_agree(x, y) for x, y in pairs):
        return None
    missing, added = _unmatched(one, other)
    if not missing and not added:
        return None
    if sorted(x[1:] for x in missing) == sorted(y[1:] for y in added):
        return "onsets differ"
    if sorted(x[:2] for x in missing) == sorted(y[:2] for y in added):
        return "durations differ"
    if sorted(x[::2] for x in missing) == sorted(y[::2] for y in added):
        return "pitches differ"
    if not missing or not added:
        return f"{len(added)} notes more" if added else f"{len(missing)} notes fewer"
    return f"{len(missing)} notes against {len(added)}"


def _agree(x: tuple[float, int, float], y: tuple[float, int, float]) -> bool:
    return x[1] == y[1] and max(abs(x[0] - y[0]), abs(x[2] - y[2])) <= TOLERANCE


def _unmatched(one: list, other: list) -> tuple[list, list]:
    rest = list(other)
    missing = []
    for x in one:
        match = next((at for at, y in enumerate(rest) if _agree(x, y)), None)
        if match is None:
            missing.append(x)
        else:
            del rest[match]
    return missing, rest


def timed(read: Callable[[Path], Notes], path: Path) -> tuple[Notes | str, float]:
    """Read a score; return its notes, or why it was refused, and the seconds that it took."""
    start = time.perf_counter()
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            result: Notes | str = read(path)
    except FormatError as error:
        result = error.message
    except Exception as error:
        result = f"{type(error).__name__}: {error}".split("\n")[0][:90]
    return result, time.perf_counter() - start


def scores(place: str) -> list[Path]:
    """List the scores of an argument."""
    if place.startswith("chorales:"):
        spec = importlib.util.find_spec("music21")
        found = sorted((Path(spec.origin).parent / "corpus" / "bach").glob("*.mxl"))
        return found[: int(place.partition(":")[2])]
    endings = (*musicxml.extensions, ".txt")
    return sorted(path for path in Path(place).rglob("*") if path.suffix.lower() in endings)


def main() -> None:
    """Print the table, the differences, the repairs and the refusals."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("places", nargs="+")
    arguments = parser.parse_args()
    readers = {"music21": music21_notes, "partitura": partitura_notes}
    print(
        "scores                 n   read  repaired  refused   ms"
        "    beside     both  agree             ms"
    )
    reasons: dict[str, list[str]] = defaultdict(list)
    for place in arguments.places:
        paths = scores(place)
        repaired: set[Path] = set()
        notes, seconds = {}, 0.0
        for path in paths:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always", FormatWarning)
                notes[path], spent = timed(ours, path)
            seconds += spent
            for warning in caught:
                what = str(warning.message).removeprefix(f"{path}: ").rpartition(":")[0]
                reasons[
                    f"repaired or left out: {what.partition(';')[0] or warning.message}"
                ].append(path.name)
                repaired.add(path)
            if isinstance(notes[path], str):
                reasons[f"refused: {notes[path]}"].append(path.name)
        refused = sum(isinstance(each, str) for each in notes.values())
        for name, read in readers.items():
            both = equal = 0
            spent_in_all = 0.0
            for path in paths:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    theirs, spent = timed(read, path)
                spent_in_all += spent
                if isinstance(theirs, str):
                    reasons[f"refused by {name}: {theirs}"].append(path.name)
                elif not isinstance(notes[path], str):
                    both += 1
                    difference = first_difference(notes[path], theirs)
                    equal += difference is None
                    if difference is not None:
                        reasons[f"{name} differs: {oddity(path)}"].append(
                            f"{path.name}: {difference}"
                        )
            n = len(paths)
            print(
                f"{Path(place).name:20} {n:4} {n - refused:6} {len(repaired):9} {refused:8}"
                f" {seconds / n * 1000:4.0f}    {name:10} {both:4} {equal:6} ({equal / both:6.1%})"
                f" {spent_in_all / n * 1000:5.0f}",
                flush=True,
            )
    for reason, names in sorted(reasons.items()):
        print(f"\n{reason} ({len(names)})", *names, sep="\n  ")


if __name__ == "__main__":
    main()
