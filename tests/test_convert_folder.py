"""A folder of files turned into another format."""

import json
import os

import pytest
from typer.testing import CliRunner

from musicgen.cli import app
from musicgen.errors import FormatError
from musicgen.formats import midi
from musicgen.music import Music, Note, Track
from musicgen.workflows import convert_file, convert_folder

TUNE = "X:1\nT:Air\nL:1/4\nK:C\nCDE|\n"


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "tunes"
    (folder / "sub").mkdir(parents=True)
    (folder / "air.abc").write_text(TUNE)
    (folder / "sub" / "book.abc").write_text(f"{TUNE}\n{TUNE.replace('CDE', 'GAB')}")
    (folder / "readme.txt").write_text("Not music.")
    (folder / ".hidden.abc").write_text(TUNE)
    midi.write(Music(tracks=[Track(notes=[Note(0, 60, 480)])]), folder / "ready.mid")
    return folder


def names(folder):
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())


def pitches(path):
    return [note.pitch for note in midi.read(path)[0].tracks[0].notes]


def test_every_piece_of_every_file(source, tmp_path):
    seen = []
    done = convert_folder(
        source, tmp_path / "out", to_format="midi", progress=lambda *counts: seen.append(counts)
    )
    assert names(tmp_path / "out") == ["air.mid", "sub/book-1.mid", "sub/book-2.mid"]
    assert sorted(done.files) == sorted((tmp_path / "out").rglob("*.mid"))
    assert pitches(tmp_path / "out" / "sub" / "book-2.mid") == [67, 69, 71]
    assert not done.refused
    assert {file.name: reason for file, reason in done.left_out} == {
        "readme.txt": "not a file of a known format",
        "ready.mid": "midi already",
    }
    assert seen == [(1, 2), (2, 2)]


def test_a_bad_file_stops_no_other(source, tmp_path):
    (source / "aaa.abc").write_bytes(b"X:1\nK:C\n\0\0\0")
    done = convert_folder(source, tmp_path / "out", to_format="midi")
    assert len(done.files) == 3
    ((file, reason),) = done.refused
    assert file.name == "aaa.abc"
    assert "aaa.abc" in reason


def test_no_two_files_get_one_name(source, tmp_path):
    midi.write(Music(tracks=[Track(notes=[Note(0, 72, 480)])]), source / "sub" / "book-1.mid")
    midi.write(Music(tracks=[Track(notes=[Note(0, 74, 480)])]), source / "air.mid")
    (source / "air.midi").write_bytes((source / "ready.mid").read_bytes())
    (source / "book.abc").write_text(TUNE)
    done = convert_folder(source, tmp_path / "out", to_format="midi", from_format="abc")
    assert len(set(done.files)) == len(done.files) == 4
    done = convert_folder(source, tmp_path / "both", to_format="abc", from_format="midi")
    assert len(set(done.files)) == len(done.files) == 4
    assert names(tmp_path / "both") == [
        "air-midi.abc",
        "air.abc",
        "ready.abc",
        "sub/book-1.abc",
    ]


def test_numbered_pieces_take_no_other_names(tmp_path):
    folder = tmp_path / "tunes"
    folder.mkdir()
    (folder / "t.abc").write_text(f"{TUNE}\n{TUNE}")
    for name in ("t-1", "t-abc", "t-abc-1"):
        (folder / f"{name}.abc").write_text(TUNE)
    done = convert_folder(folder, tmp_path / "out", to_format="midi")
    assert len(done.files) == 5
    assert len(names(tmp_path / "out")) == 5


def test_no_file_of_the_source_is_written_over(source):
    midi.write(Music(tracks=[Track(notes=[Note(0, 72, 480)])]), source / "air.mid")
    before = (source / "air.mid").read_bytes()
    done = convert_folder(source, source, to_format="midi")
    assert (source / "air.mid").read_bytes() == before
    assert source / "air-abc.mid" in done.files
    assert len(done.files) == 3


def test_the_target_may_be_a_folder_around_the_source(source):
    done = convert_folder(source, source.parent, to_format="midi")
    assert len(done.files) == 3
    assert pitches(source.parent / "air.mid") == [60, 62, 64]


def test_what_cannot_be_opened_stops_no_other(source, tmp_path):
    (source / "gone.abc").symlink_to(tmp_path / "nowhere.abc")
    os.mkfifo(source / "pipe.abc")
    done = convert_folder(source, tmp_path / "out", to_format="midi")
    assert len(done.files) == 3
    assert [(file.name, reason) for file, reason in done.refused] == [
        ("gone.abc", "No such file or directory")
    ]


def test_nothing_to_convert(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(FormatError, match="empty: the folder holds no file"):
        convert_folder(tmp_path / "empty", tmp_path / "out", to_format="midi")


@pytest.mark.parametrize("name", ["Op. 27 No. 1", "folder.v2", "plain"])
def test_a_name_without_a_known_ending_is_a_folder(source, tmp_path, name):
    files = convert_file(source / "air.abc", tmp_path / name, to_format="midi")
    assert files == [tmp_path / name / "air.mid"]
    (source / "Op. 27").write_text(TUNE)
    assert convert_file(source / "Op. 27", tmp_path / name, to_format="midi") == [
        tmp_path / name / "Op. 27.mid"
    ]


def test_a_second_run_does_not_read_the_first_ones_files(source):
    for _ in range(2):
        done = convert_folder(source, source / "out", to_format="midi")
        assert len(done.files) == 3
    assert names(source / "out") == ["air.mid", "sub/book-1.mid", "sub/book-2.mid"]


def test_several_processes_write_the_same(source, tmp_path):
    for number in range(30):
        (source / f"{number:02}.abc").write_text(TUNE.replace("C", "ABCDEFG"[number % 7]))
    one = convert_folder(source, tmp_path / "one", to_format="midi", jobs=1)
    two = convert_folder(source, tmp_path / "two", to_format="midi", jobs=2)
    assert len(one.files) == len(two.files) == 33
    for file in one.files:
        twin = tmp_path / "two" / file.relative_to(tmp_path / "one")
        assert file.read_bytes() == twin.read_bytes()


def command(*arguments, code=0):
    result = CliRunner().invoke(app, ["convert", *map(str, arguments)])
    assert result.exit_code == code, result.output
    return result


def test_command(source, tmp_path):
    result = command(source, tmp_path / "out", "--to", "midi")
    assert result.stdout == f"3 files in {tmp_path / 'out'}\n"
    assert "left out: " in result.stderr
    (source / "bad.abc").write_bytes(b"X:1\n\0")
    found = json.loads(command(source, tmp_path / "out", "--to", "midi", "--json", code=1).stdout)
    assert len(found["files"]) == 3
    assert found["refused"][0]["file"].endswith("bad.abc")


def test_command_wants_a_format(source, tmp_path):
    result = CliRunner().invoke(app, ["convert", str(source), str(tmp_path / "out")])
    assert isinstance(result.exception, FormatError)
    assert "give --to" in str(result.exception)


def test_choices(tmp_path):
    (tmp_path / "air.abc").write_text('X:1\nM:3/4\nL:1/4\nK:C\n|:"C"C E G:|\n')
    tracks = {}
    for name, options in {"plain": [], "once": ["--no-repeats"], "chords": ["--chords"]}.items():
        target = tmp_path / f"{name}.mid"
        command(tmp_path / "air.abc", target, *options)
        tracks[name] = midi.read(target)[0].tracks
    assert [len(track.notes) for track in tracks["plain"]] == [6]
    assert [len(track.notes) for track in tracks["once"]] == [3]
    assert len(tracks["chords"]) == 2
    assert {note.pitch % 12 for note in tracks["chords"][1].notes} == {0, 4, 7}


def test_grid(tmp_path):
    played = Music(tracks=[Track(notes=[Note(7, 60, 460), Note(491, 62, 230)])])
    midi.write(played, tmp_path / "played.mid")
    command(tmp_path / "played.mid", tmp_path / "even.mid", "--grid", "1/8")
    music = midi.read(tmp_path / "even.mid")[0]
    notes = [(note.time / music.resolution, note.end / music.resolution)
             for note in music.tracks[0].notes]  # fmt: skip
    assert notes == [(0, 1), (1, 1.5)]
    result = CliRunner().invoke(
        app, ["convert", str(tmp_path / "played.mid"), str(tmp_path / "a.mid"), "--grid", "often"]
    )
    assert isinstance(result.exception, FormatError)
    assert "often" in str(result.exception)
