"""MusicXML from the wild: the scores of the shared data, the unofficial test suite among them."""

import random
import warnings
from pathlib import Path

import pytest

from musicgen import formats
from musicgen.errors import FormatError, FormatWarning
from musicgen.formats import musicxml
from musicgen.music import Music

CASES = Path(__file__).parents[2] / "shared" / "data" / "musicxml_cases"
FILES = sorted(path for path in CASES.glob("*/*") if path.suffix in musicxml.extensions)
REFUSED = {"truncated.musicxml"}
# These have no notes: rests, chord symbols or lyrics alone.
SILENT = {
    "note-seq__chord_symbols.xml",
    "suite__02b-Rests-PitchedRests.xml",
    "suite__41g-PartNoId.xml",
    "suite__45a-SimpleRepeat.xml",
    "suite__45c-RepeatMultipleTimes.xml",
    "suite__45e-Repeats-Nested-Alternatives.xml",
    "suite__51b-Header-Quotes.xml",
    "suite__51d-EmptyTitle.xml",
}

NEEDED = pytest.mark.skipif(not FILES, reason="../shared/data/musicxml_cases is absent")


def read(path: Path) -> Music:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FormatWarning)
        return musicxml.read(path)[0]


@NEEDED
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_scores_are_known_read_or_refused(path: Path) -> None:
    assert formats.detect(path) is musicxml
    if path.name in REFUSED:
        with pytest.raises(FormatError, match=r":\d+:\d+: not well-formed XML"):
            musicxml.read(path)
        return
    music = read(path)
    notes = sum(len(track.notes) for track in music.tracks)
    assert (notes == 0) == (path.name in SILENT)


@NEEDED
@pytest.mark.parametrize("path", FILES[::4], ids=lambda path: path.name)
def test_scores_come_back(path: Path, tmp_path: Path) -> None:
    if path.name in REFUSED:
        pytest.skip("it is not well-formed")
    music = read(path)
    musicxml.write(music, tmp_path / "once.mxl")
    once = read(tmp_path / "once.mxl")
    musicxml.write(once, tmp_path / "twice.mxl")
    assert read(tmp_path / "twice.mxl") == once
    for track, again in zip(music.tracks, once.tracks, strict=True):
        assert (again.program, again.is_drum, again.name) == (
            track.program,
            track.is_drum,
            track.name,
        )
        pitches = sorted(note.pitch for note in track.notes)
        assert sorted(note.pitch for note in again.notes) == pitches


SMALL = [path for path in FILES if path.stat().st_size < 9000][::6]


@NEEDED
@pytest.mark.parametrize("path", SMALL, ids=lambda path: path.name)
def test_damage_raises_nothing_else(path: Path, tmp_path: Path) -> None:
    draw = random.Random(path.name)
    source = path.read_bytes()
    target = tmp_path / "damaged.xml"
    for number in range(60):
        data = bytearray(source)
        match number % 3:
            case 0:
                for _ in range(draw.randint(1, 5)):
                    data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
            case 1:
                del data[draw.randrange(len(data)) :]
            case 2:
                at, start = draw.randrange(len(data)), draw.randrange(len(data))
                data[at : at + draw.randrange(80)] = source[start : start + draw.randrange(400)]
        target.write_bytes(data)
        try:
            read(target)
        except FormatError as error:
            assert error.path == target  # noqa: PT017 - most of the damaged files are refused
