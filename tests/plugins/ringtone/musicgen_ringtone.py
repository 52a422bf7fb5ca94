"""Ringtones in Nokia's text format, RTTTL: ``Name:d=8,o=5,b=120:e,4g,p,c6.``.

An example of a format for musicgen: these seven names are all that it needs.
"""

import re
from fractions import Fraction

from musicgen.convert import tune_to_music
from musicgen.errors import FormatError
from musicgen.files import write_atomically
from musicgen.music import Tune

name = "ringtone"
extensions = (".rtttl",)
kind = Tune
losses = ("all but the highest voice", "metre, key and bars", "lengths beyond a dotted 32nd note")

PITCHES = ("c", "c#", "d", "d#", "e", "f", "f#", "g", "g#", "a", "a#", "b")
HEAD = re.compile(r"\s*([^:\n]*):([^:\n]*):")
NOTE = re.compile(r"(1|2|4|8|16|32)?([a-gp])(#?)(\.?)([4-7]?)(\.?)")
# Longest first: what no single length can say is said by several notes.
LENGTHS = sorted(
    (Fraction(dot, 2 * length), f"{length}{'.' * (dot - 2)}")
    for length in (1, 2, 4, 8, 16, 32)
    for dot in (2, 3)
)[::-1]


def sniff(head):
    """Whether a file starts like a ringtone."""
    return re.match(rb"[^:\n\0]*:[dobs=0-9, ]+:\s*[0-9a-gp]", head) is not None


def read(path):
    """Read a file of one ringtone as an ABC tune."""
    text = path.read_bytes().decode("utf-8", "replace")
    match = HEAD.match(text)
    if not match:
        raise FormatError("expected NAME:SETTINGS:NOTES", path=path, line=1, column=1)
    settings = {"d": "4", "o": "6", "b": "63"}
    settings |= dict(re.findall(r"([dob])\s*=\s*(\d+)", match[2]))
    notes, sharp = [], set()
    at = match.end()
    for word in text[at:].split(","):
        note = NOTE.fullmatch(word.strip())
        if not note:
            raise FormatError(
                f"found {word.strip()[:20]!r} where a note should stand",
                path=path, offset=len(text[:at].encode()), hint="write notes as in 8c#6",
            )  # fmt: skip
        at += len(word) + 1
        notes.append(_abc_note(note, settings, sharp))
    head = f"X:1\nT:{match[1].strip() or 'Ringtone'}\nM:none\nL:1/8\nQ:1/4={settings['b']}\nK:C\n"
    lines = [" ".join(notes[i : i + 8]) for i in range(0, len(notes), 8)]
    return [Tune(head + "\n".join(lines) + "|]", path)]


def _abc_note(note, settings, sharp):
    length = Fraction(8, int(note[1] or settings["d"])) * (
        Fraction(3, 2) if note[4] or note[6] else 1
    )
    number = "" if length == 1 else f"{length}"
    if note[2] == "p":
        return f"z{number}"
    letter, octave = note[2].upper(), int(note[5] or settings["o"])
    if note[3]:
        letter, _ = f"^{letter}", sharp.add((letter, octave))
    elif (letter, octave) in sharp:
        sharp.discard((letter, octave))
        letter = f"={letter}"
    return (letter.lower() + "'" * (octave - 5) if octave > 4 else letter) + number


def write(piece, path):
    """Write the highest voice of a tune."""
    music = tune_to_music(piece)
    whole = 4 * music.resolution
    words, now = [], 0
    notes = sorted(
        (n for track in music.tracks for n in track.notes), key=lambda n: (n.time, -n.pitch)
    )
    for note in notes:
        if note.time >= now:
            words += _words("p", "", Fraction(note.time - now, whole))
            octave = min(max(note.pitch // 12 - 1, 4), 7)
            words += _words(PITCHES[note.pitch % 12], octave, Fraction(note.duration, whole))
            now = note.end
    tempo = round(music.tempos[0].qpm)
    title = re.sub(r"[:\s]+", " ", music.title) or "Ringtone"
    write_atomically(path, f"{title}:d=4,o=5,b={tempo}:{','.join(words) or '4p'}\n".encode())


def _words(pitch, octave, length):
    words = []
    for size, text in LENGTHS:
        while length >= size:
            number, dot = text.rstrip("."), "." * text.count(".")
            words.append(f"{number}{pitch}{octave}{dot}")
            length -= size
    return words
