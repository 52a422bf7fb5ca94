"""How ABC is read: beside abc2midi for the notes, and beside music21 for the time it takes.

    apt-get install abcmidi
    python benchmarks/abc_readers.py ryans oneills airds ../shared/data/nottingham/ABC_cleaned
    python benchmarks/abc_readers.py --reasons ../shared/data/abc_cases ../shared/data/abc_corpora

Each argument is a collection of `musicgen corpora list` or a folder of ABC files. Every tune is
played by both readers, and their notes compared: pitch, onset and end, repeats unfolded, in quarter
notes, to within 2 of the 480 ticks that abc2midi cuts a quarter note into. abc2midi 4.84 is asked
to leave out what ABC leaves to the player: grace notes, chord symbols, fermatas and dynamics, by
its options ``-NGRA -NGUI -NFER -NFNP``; the roll of its chords, by ``%%MIDI chordattack 0`` after
the header; and ``-OCC`` tells it of chords between plus signs where a tune has them. Two things it
has no option for are taken out of its copy: the signs for trills, rolls, staccato, accents and the
like, which it plays (the pattern `ORNAMENT`), and ``R:hornpipe``, by which it swings. The rest is
the text as it stands.

The columns: tunes that agree as they stand; tunes that agree once the ``|:`` that the text leaves
out are written where this package assumes them; tunes that agree in the clean text that this
package prints, in which all that it repaired is written out; tunes that strict reading accepts;
tunes that print, read and print the same and play the same; milliseconds to parse a tune, beside
music21's on some tunes drawn by chance. The second column is there for one fault: once abc2midi has
met a variant ending, it assumes no ``|:`` any more in that tune (its count of endings is never set
back), and plays an earlier section in place of the repeat.

Under the table come the tunes that do not agree as they stand, by class.

With ``--reasons``, files and tunes are counted instead: how many were read, repaired or refused,
and the reasons.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import re
import subprocess
import tempfile
import time
import warnings
from collections import Counter, defaultdict
from pathlib import Path

import mido

from musicgen.datasets import COLLECTIONS, export
from musicgen.errors import FormatError
from musicgen.files import files_in
from musicgen.formats import abc
from musicgen.formats.abc.lexer import tokens
from musicgen.formats.abc.score import Bar, Sound
from musicgen.formats.abc.spelling import bar_kind
from musicgen.music import Tune

OPTIONS = ["-NGRA", "-NGUI", "-NFER", "-NFNP"]
TICKS, TOLERANCE = 480, 2
# Letters and names that play as ornaments or shorten notes, before a note, chord or bar line.
ORNAMENT = re.compile(r"[~.HLMOPRST](?=[~.HLMOPRSTuvk(\[{A-Ga-gxz^=_|:])|![A-Za-z.+<>()]+!")
PLUS_CHORD = re.compile(r"\+(?!f{2,4}\+)(?:[\^_=]*[A-Ga-g][,']*[\d/]*-? ?){2,}\+")
FIELD = re.compile(r"[ \t]*[A-Za-z+]:[^|:]|%")
TEXT = re.compile(r'("[^"]*"|\[[A-Za-z]:[^\]]*\])')

STARTS = "no |: after variant endings: abc2midi repeats an earlier section; agrees with |: written"
LENGTHS = "notes of unequal length in a chord: abc2midi gives each that of the first"
TUPLETS = "(5 (7 (9 in simple triple time: 2 units by the standard, 3 by abc2midi"
TIES = "a tie into both endings, or used as a slur: abc2midi joins the notes that come next"

Notes = list[tuple[int, int, int]]
"""Onset and pitch and end of each note, in ticks."""


def plain(text: str) -> str:
    """Take out of a tune what abc2midi plays and ABC leaves to the player."""
    lines, in_body = [], False
    for line in text.split("\n"):
        if line.lower().startswith("r:") and "hornpipe" in line.lower():
            continue
        if in_body and not FIELD.match(line):
            parts = TEXT.split(line)
            parts[::2] = [ORNAMENT.sub("", part) for part in parts[::2]]
            line = "".join(parts)
        lines.append(line)
        if not in_body and line.lstrip().startswith("K:"):
            in_body = True
            lines.append("%%MIDI chordattack 0")
    return "\n".join(lines) + "\n"


def with_starts(tune: Tune, score: abc.Score) -> str:
    """Write the ``|:`` that a tune leaves out where the score has them."""
    lines = tune.text.split("\n")
    starts = [bar for bar in score.body if isinstance(bar, Bar) and bar.starts_repeat]
    for bar in sorted(starts, key=lambda bar: (bar.line, bar.column), reverse=True):
        at = bar.line - tune.line
        for token in tokens(lines[at]):
            if token.column == bar.column:
                length = len(token.text) if token.kind == "bar" else 0
                if not length or bar_kind(token.text) not in ("|:", "::"):
                    rest = lines[at][bar.column - 1 + length :]
                    lines[at] = lines[at][: bar.column - 1] + bar.kind + rest
    return "\n".join(lines)


def theirs(text: str, folder: Path) -> tuple[Notes, str]:
    """Play a tune with abc2midi; return its notes and its first error."""
    source, target = folder / "tune.abc", folder / "tune.mid"
    source.write_text(text, encoding="utf-8")
    target.unlink(missing_ok=True)
    options = [*OPTIONS, *(["-OCC"] if PLUS_CHORD.search(text) else [])]
    done = subprocess.run(
        ["abc2midi", source, *options, "-o", target], capture_output=True, timeout=30, check=False
    )
    errors = [line for line in done.stdout.decode("latin-1").split("\n") if "Error" in line]
    error = re.sub(r"Error in line-char [\d-]+ ?: *", "", errors[0]) if errors else ""
    return (_midi_notes(target) if target.exists() else []), error


def _midi_notes(path: Path) -> Notes:
    notes: Notes = []
    file = mido.MidiFile(path, clip=True)
    for track in file.tracks:
        now, sounding = 0, defaultdict(list)
        for message in track:
            now += message.time
            if message.type == "note_on" and message.velocity:
                sounding[message.channel, message.note].append(now)
            elif (
                message.type in ("note_on", "note_off") and sounding[message.channel, message.note]
            ):
                start = sounding[message.channel, message.note].pop(0)
                notes.append((start, message.note, now))
    return sorted(notes)


def ours(score: abc.Score) -> Notes:
    """Play a tune with this package."""
    return sorted(
        (round(note.onset * TICKS), note.pitch, round((note.onset + note.duration) * TICKS))
        for voice in abc.perform(score).voices
        for note in voice.notes
    )


def agree(a: Notes, b: Notes) -> bool:
    """Whether two readers play the same."""
    return len(a) == len(b) and all(
        x[1] == y[1] and max(abs(x[0] - y[0]), abs(x[2] - y[2])) <= TOLERANCE
        for x, y in zip(a, b, strict=True)
    )


def first_difference(a: Notes, b: Notes) -> str:
    """Say in which quarter note two readers part, and how many notes each plays."""
    at = next((at for at in range(min(len(a), len(b))) if not agree([a[at]], [b[at]])), None)
    place = "the end" if at is None else f"quarter {a[at][0] / TICKS:g}"
    return f"from {place}, {len(a)} notes and {len(b)}"


def reason(tune: Tune, score: abc.Score, mine: Notes, others: Notes) -> str:
    """Find the class of a tune that does not agree even in clean text."""
    sounds = [element for element in score.body if isinstance(element, Sound)]
    unequal = any(len({note.length for note in sound.notes}) > 1 for sound in sounds)
    if unequal and len(mine) == len(others):
        return LENGTHS
    if any(sound.tuplet and sound.tuplet[0] in (5, 7, 9) for sound in sounds):
        return TUPLETS
    if "-" in tune.text:
        return TIES
    return "other"


def is_stable(score: abc.Score) -> bool:
    """Whether the printed tune reads, prints and plays the same."""
    text = abc.print_score(score)
    again = abc.parse(Tune(text))
    return abc.print_score(again) == text and ours(again) == ours(score)


def is_strict(tune: Tune) -> bool:
    """Whether strict reading accepts a tune."""
    try:
        abc.parse(tune, strict=True)
    except FormatError:
        return False
    return True


def milliseconds(tunes: list[Tune], parse: object) -> float:
    """Time a parser, in milliseconds a tune."""
    start = time.perf_counter()
    for tune in tunes:
        with contextlib.suppress(Exception):
            parse(tune.text)
    return (time.perf_counter() - start) / len(tunes) * 1000


def music21_parser() -> object:
    """Return music21's parser of ABC text."""
    from music21 import converter

    return lambda text: converter.parse(text, format="abc", forceSource=True)


def tunes_of(place: str, folder: Path) -> list[Tune]:
    """Read the tunes of a collection or a folder."""
    if place in COLLECTIONS:
        export(place, folder / place)
        source = folder / place
    else:
        source = Path(place)
    files = sorted(source.rglob("*.abc")) if source.is_dir() else [source]
    return [tune for file in files for tune in abc.read(file)]


def compare(places: list[str], folder: Path, timed: int) -> None:
    """Print the table and the tunes that do not agree."""
    print(
        "collection        tunes  agree            with |:  printed   strict   stable"
        "   ms a tune  music21  ratio"
    )
    differing: dict[str, list[str]] = defaultdict(list)
    for place in places:
        tunes = tunes_of(place, folder)
        equal = written = printed = strict = stable = 0
        for tune in tunes:
            score = abc.parse(tune)
            strict, stable = strict + is_strict(tune), stable + is_stable(score)
            mine = ours(score)
            others, error = theirs(plain(tune.text), folder)
            if agree(mine, others):
                equal += 1
                continue
            clean, _ = theirs(plain(abc.print_score(score)), folder)
            if agree(mine, theirs(plain(with_starts(tune, score)), folder)[0]):
                written, said = written + 1, STARTS
            elif agree(mine, clean):
                printed, said = printed + 1, f"agrees when printed; abc2midi: {error or 'no error'}"
            else:
                said = reason(tune, score, mine, clean)
            difference = first_difference(mine, others)
            differing[said].append(f"{place}/{tune.path.name}:{tune.line}: {difference}")
        n = len(tunes)
        line = (
            f"{Path(place).name:16} {n:6} {equal:6} ({equal / n:7.2%}) "
            f"{(equal + written) / n:8.2%} {(equal + written + printed) / n:8.2%} "
            f"{strict / n:8.2%} {stable / n:8.2%}"
        )
        line += f" {milliseconds(tunes, lambda text: abc.parse(Tune(text))):11.2f}"
        if timed:
            few = random.Random(0).sample(tunes, min(timed, n))
            slow = milliseconds(few, music21_parser())
            line += f" {slow:8.1f} {slow / milliseconds(few, lambda t: abc.parse(Tune(t))):6.0f}"
        print(line, flush=True)
    for said, found in sorted(differing.items(), key=lambda item: -len(item[1])):
        print(f"\n{said} ({len(found)})", *found, sep="\n  ")


def count_reasons(places: list[str], folder: Path) -> None:
    """Print how many files and tunes were read, repaired and refused, and why."""
    print("place                    files refused   tunes  as it is repaired  refused")
    for place in places:
        if place in COLLECTIONS:
            export(place, folder / place)
        source = folder / place if place in COLLECTIONS else Path(place)
        files = [file for file in files_in(source) if file.suffix == ".abc"]
        reasons: Counter[str] = Counter()
        bad_files = tunes = repaired = refused = 0
        for file in files:
            try:
                found = abc.read(file)
            except FormatError as error:
                bad_files += 1
                reasons[f"file refused: {error.message}"] += 1
                continue
            for tune in found:
                tunes += 1
                try:
                    score = abc.parse(tune)
                    abc.perform(score)
                except FormatError as error:
                    refused += 1
                    reasons[f"tune refused: {_general(error.message)}"] += 1
                    continue
                said = {_general(item.message) for item in score.problems if not item.mild}
                repaired += bool(said)
                reasons.update(said)
        whole = tunes - repaired - refused
        print(
            f"{source.name:24} {len(files):5} {bad_files:7} {tunes:7} "
            f"{whole:9} {repaired:8} {refused:8}"
        )
        for text, times in reasons.most_common():
            print(f"  {times:6}  {text}")


def _general(message: str) -> str:
    """Take out of a message what only one tune has."""
    return re.sub(r"\d+", "n", re.sub(r"'[^']*'|\"[^\"]*\"", "'…'", message))


def main() -> None:
    """Read the arguments, and print what they ask for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("places", nargs="*", default=["ryans", "oneills", "airds"])
    parser.add_argument("--music21", type=int, default=30, metavar="N", help="tunes to time")
    parser.add_argument("--reasons", action="store_true", help="count files and reasons instead")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as name:
        if arguments.reasons:
            count_reasons(arguments.places, Path(name))
        else:
            compare(arguments.places, Path(name), arguments.music21)


if __name__ == "__main__":
    main()
