"""What is told of files, folders and models."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from musicgen.cli import app
from musicgen.encodings.characters import Characters
from musicgen.errors import CorpusError, FormatError
from musicgen.formats import midi
from musicgen.music import (
    KeySignature,
    Music,
    Note,
    Tempo,
    TimeSignature,
    Track,
)  # fmt: skip
from musicgen.networks import Architecture, Model, Network
from musicgen.workflows import inspect_files, needs

JIG = "X:1\nT:A jig\nM:6/8\nL:1/8\nQ:3/8=80\nK:Edor\nEFG A2B|d2c ABc|\n"
AIR = "X:2\nT:An air\nM:3/4\nL:1/4\nK:F\nF A c|\n"
BROKEN = "X:3\nK:C\nCDE)|\n"


@pytest.fixture
def folder(tmp_path):
    """A folder with tunes, a MIDI file, a copy under another name, a broken file and a text."""
    (tmp_path / "a.abc").write_text(f"{JIG}\n{AIR}")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "copy.abc").write_text(JIG.replace("A jig", "The same"))
    (tmp_path / "odd.abc").write_text(BROKEN)
    music = Music(
        480, [Tempo(0, 90.0), Tempo(480, 120.0)], [TimeSignature(0, 2, 4)],
        [KeySignature(0, -2, "minor")],
        [Track(40, name="Violin", notes=[Note(0, 67, 960)]),
         Track(0, is_drum=True, name="Drums", notes=[Note(0, 35, 240)])],
    )  # fmt: skip
    midi.write(music, tmp_path / "b.mid")
    (tmp_path / "bad.mid").write_bytes(b"MThd\0")
    (tmp_path / "notes.txt").write_text("Call the piper.")
    return tmp_path


def test_pieces(folder):
    report = inspect_files(folder)
    found = {str(file.path.relative_to(folder)): file for file in report.files}
    assert list(found) == ["a.abc", "b.mid", "bad.mid", "notes.txt", "odd.abc", "sub/copy.abc"]
    jig, air = found["a.abc"].pieces
    assert (jig.title, jig.line, jig.notes, jig.metres, jig.keys) == (
        "A jig", 1, 10, ["6/8"], ["E dorian"],
    )  # fmt: skip
    assert (jig.lowest, jig.highest, jig.tempos) == (64, 74, [120.0])
    assert jig.seconds == pytest.approx(3.0)
    assert (air.line, air.keys, air.seconds) == (9, ["F major"], pytest.approx(1.5))
    (trio,) = found["b.mid"].pieces
    assert (trio.tracks, trio.notes, trio.keys) == (["Violin", "Drums"], 2, ["G minor"])
    assert (trio.lowest, trio.highest, trio.tempos) == (67, 67, [90.0, 120.0])
    assert trio.seconds == pytest.approx(60 / 90 + 60 / 120)


def test_repaired_refused_and_unknown(folder):
    found = {file.path.name: file for file in inspect_files(folder).files}
    assert "odd.abc:3:4" in found["odd.abc"].repaired[0]
    assert len(found["odd.abc"].pieces) == 1
    assert "bad.mid" in found["bad.mid"].refused[0]
    assert not found["bad.mid"].pieces
    assert not found["notes.txt"].format
    assert not found["notes.txt"].refused


def test_duplicates_are_named_and_learned_once(folder):
    report = inspect_files(folder)
    assert report.duplicates == [[f"{folder / 'a.abc'}:1", f"{folder / 'sub' / 'copy.abc'}:1"]]


def test_many_files_in_several_processes(tmp_path):
    for number in range(20):
        (tmp_path / f"{number:02}.abc").write_text(f"X:1\nT:{number}\nK:C\nC{number + 1}|\n")
    seen = []
    report = inspect_files(
        tmp_path, jobs=2, progress=lambda done, total: seen.append((done, total))
    )
    assert [piece.title for piece in report.pieces] == [str(number) for number in range(20)]
    assert seen == [(number, 20) for number in range(1, 21)]
    assert not report.duplicates


def test_needs(tmp_path):
    for name, text in (("a", JIG), ("b", AIR)):
        (tmp_path / f"{name}.abc").write_text(text)
    found = needs(tmp_path)
    assert (found.encoding, found.unit) == ("tokens", "token")
    assert 0 < found.steps < len(JIG) + len(AIR)
    assert found.seconds > 0
    network = Network.initialise(Architecture(found.size), np.random.default_rng(0))
    assert found.weights == network.size


def test_nothing_there(tmp_path):
    with pytest.raises(CorpusError, match="does not exist"):
        inspect_files(tmp_path / "none")
    with pytest.raises(CorpusError, match="is empty"):
        inspect_files(tmp_path)
    (tmp_path / "a.abc").write_text(JIG)
    with pytest.raises(FormatError, match="no format is called 'mp4'"):
        inspect_files(tmp_path, format="mp4")


def command(*arguments, code=0):
    result = CliRunner().invoke(app, ["inspect", *map(str, arguments)])
    assert result.exit_code == code, result.output
    return result.stdout


def test_command_for_a_folder(folder):
    text = command(folder, code=1)
    assert "6 files (3 abc, 2 midi, 1 unknown), 5 pieces" in text
    assert "from E4 to C5" in text or "from C4 to D5" in text
    assert "repeated   1 piece\n" in text
    assert "tokens as tokens" in text
    assert "bad.mid" in text.partition("refused")[2]
    assert "notes.txt" in text.partition("left out")[2]


def test_command_for_a_file(folder):
    assert "line 9      An air, 1.5 s, 3 notes, F4 to C5, 3/4, F major" in command(folder / "a.abc")
    assert "refused: " in command(folder / "bad.mid", code=1)
    assert "not a file of a known format" in command(folder / "notes.txt", code=1)


def test_command_as_json(folder):
    found = json.loads(command(folder, "--json", code=1))
    assert found["formats"] == {"abc": 3, "midi": 2, "unknown": 1}
    assert (found["pieces"], found["refused"], found["repaired"]) == (5, 1, 1)
    assert found["metres"]["6/8"] == 2
    assert found["training"]["steps"] > 10
    assert [file["format"] for file in found["files"]].count("midi") == 2


def test_command_for_a_model(tmp_path):
    encoding = Characters("abc")
    network = Network.initialise(
        Architecture(5, hidden_size=8, num_layers=1), np.random.default_rng(0)
    )
    facts = {
        "corpus": {"name": "tunes", "pieces": 7, "sha256": "0" * 64},
        "settings": {"epochs": 3, "minutes": None},
        "seed": 5,
        "validation": 2.25,
        "unit": "bits a character",
    }
    path = tmp_path / "small.safetensors"
    Model(network, encoding, facts).save(path)
    text = command(path)
    assert f"{network.size:,} weights" in text
    assert "1 × 8 lstm" in text
    assert "2.2500 bits a character" in text
    assert "tunes, 7 pieces" in text
    assert "epochs 3\n" in text
    found = json.loads(command(path, "--json"))
    assert found["encoding"] == "characters"
    assert found["architecture"]["hidden_size"] == 8
