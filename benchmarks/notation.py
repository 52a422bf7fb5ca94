"""How Music is written as ABC: what comes back, and how near it is to what people wrote.

    apt-get install abcmidi
    python benchmarks/notation.py ../shared/data/nottingham/MIDI ../shared/data/mozart_piano_midi
    python benchmarks/notation.py --compare ../shared/data/nottingham

Each argument is a folder of MIDI or ABC files. Every piece is quantised, written as ABC and read
again by the strict reader and by abc2midi. The columns: pieces; those that strict reading accepts
without a remark and plays with the same notes in each track (onset, pitch, end); those whose metres
and keys come back too; those that abc2midi plays alike, to within 2 of 480 ticks a quarter note
(``chordattack 0`` is added for it, so that chords are not spread); milliseconds to write one.

``--compare`` writes the melodies in Nottingham's folder ``MIDI`` and sets each bar beside the ABC
that the collection was typed in, repeats aside: the share of written bars whose text, without
spaces and chord symbols, is a bar of the original, and of tunes with its metre and key.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import tempfile
import time
import warnings
from collections import Counter, defaultdict
from pathlib import Path

from musicgen.convert import music_to_tune, quantise, tune_to_music
from musicgen.errors import FormatError
from musicgen.formats import abc, midi
from musicgen.music import Music, Tune
from musicgen.notation.quantisation import find_grid

TICKS, TOLERANCE = 480, 2
Notes = list[tuple[int, int, int]]


def notes_of(music: Music) -> dict[str, Notes]:
    """List onset, pitch and end of the notes of all tracks of one name."""
    found: dict[str, Notes] = defaultdict(list)
    for track in music.tracks:
        for note in track.notes:
            place = [round(time * TICKS / music.resolution) for time in (note.time, note.end)]
            found[track.name].append((place[0], note.pitch, place[1]))
    return {name: sorted(notes) for name, notes in found.items()}


def all_notes(music: Music) -> Notes:
    """List the notes of all tracks."""
    return sorted(note for notes in notes_of(music).values() for note in notes)


def heard(tune: Tune, folder: Path) -> Notes:
    """Play a tune with abc2midi; nothing where it reports an error."""
    source, target = folder / "tune.abc", folder / "tune.mid"
    head, body = tune.text.split("\nK:", 1)
    body = re.sub(r"(?m)^(V:.*)$", r"\1\n%%MIDI chordattack 0", f"\nK:{body}")
    body = re.sub(r"\nK:(.*)", r"\nK:\1\n%%MIDI chordattack 0", body, count=1)
    source.write_text(f"{head}{body}\n", encoding="utf-8")
    target.unlink(missing_ok=True)
    done = subprocess.run(
        ["abc2midi", source, "-o", target], capture_output=True, timeout=30, check=False
    )
    if b"Error" in done.stdout or not target.exists():
        return []
    return all_notes(midi.read(target)[0])


def alike(a: Notes, b: Notes) -> bool:
    """Whether two readers play the same."""
    return len(a) == len(b) and all(
        x[1] == y[1] and max(abs(x[0] - y[0]), abs(x[2] - y[2])) <= TOLERANCE
        for x, y in zip(a, b, strict=True)
    )


def signatures(music: Music) -> list[list[tuple[int, ...]]]:
    """List the changes of metre and of key."""
    scale = TICKS / music.resolution
    return [
        [(round(x.time * scale), *x[1:]) for x in found]
        for found in (music.time_signatures, music.key_signatures)
    ]


def pieces_of(folder: Path) -> list[Music]:
    """Read a folder; tracks are named apart, and tunes played."""
    found: list[Music] = []
    for path in sorted(folder.rglob("*")):
        if path.suffix == ".mid":
            found += midi.read(path)
        elif path.suffix == ".abc":
            found += map(tune_to_music, abc.read(path))
    for music in found:
        music.title = "Tune"
        for number, track in enumerate(music.tracks):
            track.name = f"track {number}"
    return found


def measure(folder: Path, work: Path) -> None:
    """Print the line of a folder."""
    count: Counter[str] = Counter()
    grids: Counter[str] = Counter()
    refused: list[str] = []
    spent = 0.0
    for music in pieces_of(folder):
        count["pieces"] += 1
        grid = find_grid(music)
        exact = quantise(music, grid)
        start = time.perf_counter()
        try:
            tune = music_to_tune(exact, grid=grid)
        except FormatError as error:
            refused.append(str(error))
            continue
        finally:
            spent += time.perf_counter() - start
        grids[grid] += 1
        score = abc.parse(tune)
        back = tune_to_music(tune)
        expected = {name: notes for name, notes in notes_of(exact).items() if notes}
        same = not score.problems and notes_of(back) == expected
        count["same"] += same
        count["signatures"] += same and signatures(back) == signatures(exact)
        count["abc2midi"] += alike(all_notes(back), heard(tune, work))
    n = max(count["pieces"], 1)
    print(
        f"{folder.name:20} {n:6}"
        + "".join(f"{count[key] / n:12.2%}" for key in ("same", "signatures", "abc2midi"))
        + f"{spent / n * 1000:10.1f}   {dict(grids.most_common())}"
    )
    for message, times in Counter(refused).items():
        print(f"    refused {times}: {message}")


def bars_of(text: str) -> list[str]:
    """Cut the music of a tune into its bars, without spaces, chord symbols and fields."""
    body = text.split("\nK:", 1)[-1].partition("\n")[2]
    lines = [line for line in body.split("\n") if not re.match(r"[A-Za-z%+]:|%", line)]
    plain = re.sub(r'"[^"]*"|\[[A-Za-z]:[^\]]*\]|[ \\!~.]|\{[^}]*\}', "", "".join(lines))
    bars = re.split(r"[|:\[\]]*\|[|:\]]*(?:\[?\d)?|::", plain.replace("/2", "/"))
    return [bar for bar in bars if bar]


def compare(folder: Path) -> None:
    """Print how near the text written is to the original."""
    totals: Counter[str] = Counter()
    for book in sorted((folder / "ABC_cleaned").glob("*.abc")):
        for tune in abc.read(book):
            number = abc.parse(tune).first("X")
            source = folder / "MIDI" / f"{book.stem}{number}.mid"
            if not source.exists():
                continue
            music = midi.read(source)[0]
            music.tracks = music.tracks[:1]
            head = abc.parse(tune)
            unit = head.first("L") or "1/8"
            ours = music_to_tune(music, unit=unit)
            theirs = {*bars_of(tune.text)}
            written = [bar.strip("z") for bar in bars_of(ours.text)]
            score = abc.parse(ours)
            last = {field.key: field.value for field in head.header}
            meters = abc.perform(head).meters
            totals["tunes"] += 1
            totals["bars"] += len(written)
            totals["bars alike"] += sum(bar in theirs for bar in written)
            totals["metre"] += bool(meters) and score.first("M") == (
                f"{meters[0][1].numerator}/{meters[0][1].denominator}"
            )
            totals["key"] += score.first("K") == last["K"].strip()
    print(f"{totals['tunes']} tunes, {totals['bars']} bars written")
    print(
        f"  bars whose text is one of the original's: {totals['bars alike'] / totals['bars']:.2%}"
    )
    for name in ("metre", "key"):
        print(f"  tunes of the same {name}: {totals[name] / totals['tunes']:.2%}")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--compare", action="store_true", help="set beside Nottingham's ABC")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    if arguments.compare:
        compare(arguments.folders[0])
        return
    print("folder               pieces  same notes  signatures    abc2midi  ms a piece  grids")
    with tempfile.TemporaryDirectory() as work:
        for folder in arguments.folders:
            measure(folder, Path(work))


if __name__ == "__main__":
    main()
