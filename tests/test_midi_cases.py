"""Files from the wild: what is read, repaired and refused, beside what other readers count."""

import csv
import os
import random
import re
import warnings
from pathlib import Path

import pytest
from test_midi import slip

from musicgen.errors import FormatError, FormatWarning
from musicgen.formats import midi
from musicgen.formats.midi.reading import decode
from musicgen.formats.midi.repairs import Repairs
from musicgen.formats.midi.writing import encode
from musicgen.music import Music, Note, Track

DATA = Path(__file__).parents[2] / "shared" / "data"
CASES = DATA / "midi_cases"
FOLDERS = ["nottingham/MIDI", "nottingham/MIDI_melody", "report_jigs_midi", "mozart_piano_midi"]
EVERY = {"nottingham/MIDI": 20, "nottingham/MIDI_melody": 20, "report_jigs_midi": 20}

# What a file of a kind must be warned of; kinds that are not here are read without a word.
WARNINGS = {
    "Invalid/Extra Track Chunk": "announces 0 tracks, found 1",
    "Invalid/Invalid Channel Event": "a data byte above 127, clipped",
    "Invalid/Invalid Channel Event Parameter Value": "a data byte above 127, clipped",
    "Invalid/Invalid Chunk Size": "something after the end of a track",
    "Invalid/Invalid Key Signature Key": "impossible key signature",
    "Invalid/Invalid Key Signature Scale": "impossible key signature",
    "Invalid/No End of Track": "without an end-of-track event",
    "Invalid/Unexpected Track Chunks Count": "announces 2 tracks, found 1",
    "Invalid/Unknown Channel Event": "a system message, which|a data byte above 127",
    "Invalid/Unknown File Format": "expected 0, 1 or 2; read as type 1",
}
# What a feature or structural error of the table must be warned of.
FEATURES = {
    "hanging-notes": "a note without an end",
    "no-end-of-track": "without an end-of-track event|middle of an event|cannot be read",
    "data-byte>127": "a data byte above 127, clipped",
    "system-status-byte": "a system message, which belongs in no file",
    "EOF in event": "a track ends in the middle of an event",
    "exceeds file by": "truncated: the track should have",
    "B after EOT": "something after the end of a track",
    "data byte w/o status": "cannot be read: found 0x.., expected a status byte",
    "garbage chunk id": "no chunk, skipped|something else after the last track",
    "ntrks": "the header announces",
}
# Where the counts of the table stop at a damage behind which we find the next track again, or
# where they guess on behind a damage at which we end the track.
OTHER_COUNTS = {
    "malformed/drywetmidi__Unexpected_Running_Status__addams.mid": 434,
    "malformed/drywetmidi__Unknown_Channel_Event__WC2_13.MID": 1896,
    "malformed/drywetmidi__Unknown_Channel_Event__dixie-nw.mid": 1725,
}


def cases(kind=""):
    if not CASES.is_dir():
        return [pytest.param(None, marks=pytest.mark.skip(reason="no shared/data/midi_cases here"))]
    with (CASES / "CASES.tsv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t"))
    return [pytest.param(row, id=row["file"]) for row in rows if row["file"].startswith(kind)]


def small(cases, notes=600):
    """Keep the cases of short files, and the one that stands for none."""
    return [case for case in cases if not case.id or int(case.values[0]["note_ons"]) <= notes]


def files():
    found = [
        file for name in FOLDERS for file in sorted((DATA / name).glob("*"))[:: EVERY.get(name, 1)]
    ]
    found = [file for file in found if file.suffix.lower() in midi.extensions]
    if not found:
        return [pytest.param(None, marks=pytest.mark.skip(reason="no shared/data here"))]
    return [pytest.param(file, id=f"{file.parent.name}/{file.name}") for file in found]


def read(path):
    """Read a file; return its pieces and what the warnings say."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", FormatWarning)
        pieces = midi.read(path)
    return pieces, [str(warning.message).removeprefix(f"{path}: ") for warning in caught]


def count(pieces):
    return sum(len(track.notes) for piece in pieces for track in piece.tracks)


def is_refused(case):
    return "no MThd" in case["structural_errors"] or case["tracks_found"] == "0"


@pytest.mark.parametrize("case", cases("valid/"))
def test_valid_files_are_read_without_a_word(case):
    pieces, texts = read(CASES / case["file"])
    if "hanging-notes" in case["features"]:
        assert [text.split(": ", 1)[1][:20] for text in texts] == ["a note without an en"]
    else:
        assert texts == []
    assert count(pieces) == int(case["note_ons"])
    assert len(pieces) == (int(case["tracks_found"]) if case["format"] == "2" else 1)
    if case["division"].isdigit():
        assert {piece.resolution for piece in pieces} == {int(case["division"])}


@pytest.mark.parametrize("case", [*cases("malformed/"), *cases("odd/")])
def test_damaged_files_are_repaired_or_refused(case):
    path = CASES / case["file"]
    if is_refused(case):
        with pytest.raises(FormatError, match=r"MThd|no track is there") as caught:
            midi.read(path)
        assert caught.value.path == path
        assert caught.value.offset in (0, 14)
        return
    pieces, texts = read(path)
    assert count(pieces) == OTHER_COUNTS.get(case["file"], int(case["note_ons"]))
    expected = [WARNINGS.get(case["category_or_expectation"], "")]
    told = f"{case['features']};{case['structural_errors']}"
    if case["file"] in OTHER_COUNTS:
        expected.append("cannot be read|too late")
    else:
        expected += [text for feature, text in FEATURES.items() if feature in told]
    for pattern in expected:
        assert any(re.search(pattern, text) for text in ["", *texts]), (pattern, texts)
    assert len({text.split(": ")[1] for text in texts}) == len(texts), "one warning a kind"


HERE = pytest.mark.skipif(not CASES.is_dir(), reason="no shared/data/midi_cases here")


@HERE
def test_events_after_the_end_of_a_track_are_not_there():
    (music,), texts = read(CASES / "handmade" / "eot_early_then_events.mid")
    assert count([music]) == 1
    assert texts == ["byte 34: something after the end of a track, ignored"]


@HERE
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        # The first of two overlapping notes ends first. 96 ticks at 120 quarter notes a minute.
        ("overlap_same_pitch", [(60, 0.0, 0.5), (60, 0.25, 0.75)]),
        ("smpte_25fps_40tpf", [(60, 0.0, 1.0), (64, 1.0, 1.5)]),
        ("tempo_in_track2", [(60, 0.0, 0.75), (67, 0.5, 0.75)]),
    ],
)
def test_handmade_files_sound_as_they_should(name, expected):
    (music,), texts = read(CASES / "handmade" / f"{name}.mid")
    assert texts == []
    assert spans(music) == expected


def spans(music):
    """Return pitch, onset and end of each note, in seconds."""

    def seconds(tick):
        until = Track(notes=[Note(0, 60, tick)])
        return round(Music(music.resolution, music.tempos, tracks=[until]).seconds, 9)

    notes = [note for track in music.tracks for note in track.notes]
    return [(note.pitch, seconds(note.time), seconds(note.end)) for note in notes]


@pytest.mark.parametrize("case", cases())
def test_cases_come_back(case, tmp_path):
    if not is_refused(case):
        check_round_trip(CASES / case["file"], tmp_path)


@pytest.mark.parametrize("file", files())
def test_files_are_read_without_a_word_and_come_back(file, tmp_path):
    pieces, texts = check_round_trip(file, tmp_path)
    assert texts == []
    assert count(pieces) > 0


@pytest.mark.parametrize("case", small(cases("valid/")))
def test_slips_raise_nothing_else(case):
    """Thousands of them: ``SLIPS=100 pytest tests/test_midi_cases.py -k slips``."""
    data = (CASES / case["file"]).read_bytes()
    draw = random.Random(case["file"])
    for _ in range(int(os.environ.get("SLIPS", "3"))):
        try:
            pieces = decode(slip(data, draw), Repairs())
        except FormatError:
            continue
        for piece in pieces:
            assert decode(encode(piece), Repairs()) == [piece]


def check_round_trip(path, folder):
    """Check that each piece is the same when it is written and read again."""
    pieces, texts = read(path)
    for piece in pieces:
        midi.write(piece, folder / "again.mid")
        assert read(folder / "again.mid") == ([piece], [])
    return pieces, texts
