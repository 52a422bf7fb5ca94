"""From a folder of files to pieces of one kind."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musicgen.convert import convert
from musicgen.errors import CorpusError, FormatError
from musicgen.formats import abc, midi, wav
from musicgen.music import Audio, Music, Note, Track, Tune
from musicgen.training import Inventory, Tally, read_corpus, split
from musicgen.training.reading import digest

TUNE = "X:1\nT:{}\nM:4/4\nL:1/4\nK:C\n{}|]\n"


def write(folder, **bodies):
    for name, body in bodies.items():
        (folder / f"{name}.abc").write_text(TUNE.format(name, body))


def write_midi(path, *pitches):
    notes = [Note(480 * i, pitch, 480) for i, pitch in enumerate(pitches)]
    midi.write(Music(480, tracks=[Track(notes=notes)]), path)


def write_wav(path, hertz):
    wave = np.sin(np.arange(4000, dtype=np.float32) * hertz)
    wav.write(Audio(wave[:, None].astype(np.float32) / 2, 8000), path)


def test_corpus_reads_a_folder_and_its_folders(tmp_path):
    (tmp_path / "sub" / ".hidden").mkdir(parents=True)
    write(tmp_path, b="CDEF", a="GABc")
    write(tmp_path / "sub", c="cccc")
    write(tmp_path / "sub" / ".hidden", d="dddd")
    (tmp_path / "notes.txt").write_text("buy bread")
    corpus = read_corpus(tmp_path)
    assert [piece.text.split("\n")[1] for piece in corpus.pieces] == ["T:a", "T:b", "T:c"]
    assert corpus.format.name == "abc"
    assert corpus.kind is Tune
    assert corpus.files == 3
    assert corpus.inventory.pieces == 3
    assert [file.name for file, _ in corpus.left_out] == ["notes.txt"]


def test_corpus_takes_one_file(tmp_path):
    write(tmp_path, a="CDEF")
    corpus = read_corpus(tmp_path / "a.abc")
    assert len(corpus.pieces) == 1
    assert corpus.pieces[-1].text.startswith("X:1")
    assert len(corpus.pieces[:5]) == 1


def test_files_are_read_once_and_when_asked_for(tmp_path, monkeypatch):
    reads = []
    read = abc.read
    monkeypatch.setattr(abc, "read", lambda path: reads.append(path) or read(path))
    write(tmp_path, a="CDEF", b="GABc")
    seen = []
    corpus = read_corpus(tmp_path, progress=lambda *at: seen.append(at))
    assert reads == []
    assert len(list(corpus.pieces)) == len(list(corpus.pieces)) == corpus.files == 2
    assert reads == [tmp_path / "a.abc", tmp_path / "b.abc"]
    assert seen == [(1, 2), (2, 2)]


def test_bad_files_are_left_out_with_the_reason(tmp_path):
    write(tmp_path, a="CDEF", b="GABc")
    (tmp_path / "binary.abc").write_bytes(bytes(range(256)) * 20)
    (tmp_path / "cut.mid").write_bytes(b"MThd\0\0")
    (tmp_path / "gone.abc").symlink_to(tmp_path / "nothing")
    corpus = read_corpus(tmp_path)
    reasons = {file.name: reason for file, reason in corpus.left_out}
    assert len(corpus.pieces) == 2
    assert list(reasons) == ["binary.abc", "cut.mid", "gone.abc"]
    assert "binary.abc" in reasons["binary.abc"]
    assert "cut.mid" in reasons["cut.mid"]
    assert reasons["gone.abc"] == "No such file or directory"


def test_a_repaired_file_counts_as_read(tmp_path):
    write(tmp_path, a="CDEF")
    write_midi(tmp_path / "a.mid", 60, 62)
    write_midi(tmp_path / "b.mid", 60, 64)
    whole = (tmp_path / "b.mid").read_bytes()
    (tmp_path / "b.mid").write_bytes(whole[:-6])
    corpus = read_corpus(tmp_path)
    assert corpus.inventory.tallies["midi"] == Tally(read=2)
    assert {file.name for file, _ in corpus.inventory.repaired} == {"b.mid"}
    assert corpus.left_out == []


def test_the_same_music_counts_once(tmp_path):
    write(tmp_path, a="CDEF", again="CDEF", b="GABc")
    corpus = read_corpus(tmp_path)
    assert len(corpus.pieces) == 2
    assert corpus.duplicates == 1
    assert "T:a" in corpus.pieces[0].text


def test_fingerprint_tells_corpora_apart(tmp_path):
    write(tmp_path, a="CDEF", b="GABc")
    before = read_corpus(tmp_path).fingerprint
    assert read_corpus(tmp_path).fingerprint == before
    write(tmp_path, b="GABd")
    assert read_corpus(tmp_path).fingerprint != before


def test_marks_are_those_of_the_music_alone(tmp_path):
    here, there = tmp_path / "here", tmp_path / "there" / "deeper"
    here.mkdir()
    there.mkdir(parents=True)
    write(here, a="CDEF", b="GABc", c="cBAG")
    book = "".join(TUNE.format("a new name", body) for body in ("GABc", "dcde", "CDEF"))
    (there / "book.abc").write_bytes(book.replace("X:1", "\nX:7").replace("\n", "\r\n").encode())
    ours, theirs = (read_corpus(folder, jobs=1).contents.marks for folder in (here, there))
    assert ours.dtype == np.uint64
    assert theirs.tolist() == [ours[1], theirs[1], ours[0]]
    assert len({*ours.tolist(), *theirs.tolist()}) == 4
    # Model files keep them: they must be the same in every version and on every machine.
    assert ours[0] == 12556934207489843829
    write_midi(tmp_path / "notes.mid", 60, 62, 64)
    assert read_corpus(tmp_path / "notes.mid", jobs=1).contents.marks.tolist() == [
        12551889106940776555
    ]


def test_sounds_are_told_apart(tmp_path):
    for name, hertz in [("a", 0.1), ("b", 0.1), ("c", 0.2)]:
        write_wav(tmp_path / f"{name}.wav", hertz)
    corpus = read_corpus(tmp_path)
    assert corpus.kind is Audio
    assert corpus.duplicates == 1
    np.testing.assert_array_equal(corpus.pieces[1].samples, wav.read(tmp_path / "c.wav")[0].samples)
    # Sound waits in its own file.
    assert len(corpus.pieces.record(0)) < 1000


def test_nothing_to_learn_from(tmp_path):
    with pytest.raises(CorpusError, match="does not exist"):
        read_corpus(tmp_path / "none")
    with pytest.raises(CorpusError, match="is empty"):
        read_corpus(tmp_path)
    (tmp_path / "a.txt").write_text("no music")
    with pytest.raises(CorpusError, match="1 file, none readable"):
        read_corpus(tmp_path)
    (tmp_path / "b.abc").write_bytes(b"\0" * 99)
    with pytest.raises(CorpusError, match=r"no readable tune; the first file says: .*b\.abc"):
        len(read_corpus(tmp_path).pieces)
    with pytest.raises(FormatError, match="no format is called"):
        read_corpus(tmp_path, "ogg")


def test_a_file_without_pieces_is_left_out(tmp_path):
    write_wav(tmp_path / "a.wav", 0.1)
    with pytest.raises(CorpusError, match="no readable tune; the first file says: wav file: sound"):
        len(read_corpus(tmp_path, kind=Tune).pieces)


@pytest.fixture
def mixed(tmp_path):
    """Three tunes, two files of notes, one sound, one text."""
    write(tmp_path, a="CDEF", b="GABc", c="cBAG")
    write_midi(tmp_path / "d.mid", 60, 62, 64, 65)
    write_midi(tmp_path / "e.mid", 61, 63)
    write_wav(tmp_path / "f.wav", 0.1)
    (tmp_path / "g.txt").write_text("buy bread")
    return tmp_path


def test_most_files_decide_and_others_are_converted(mixed):
    corpus = read_corpus(mixed)
    assert corpus.kind is Tune
    assert all(isinstance(piece, Tune) for piece in corpus.pieces)
    assert len(corpus.pieces) == 5
    assert corpus.inventory.tallies == {
        "abc": Tally(read=3),
        "midi": Tally(converted=2),
        "wav": Tally(left_out=1),
        "unknown": Tally(left_out=1),
    }
    assert dict(corpus.left_out) == {
        mixed / "f.wav": "wav file: sound cannot be turned into notes",
        mixed / "g.txt": "not a music file of a known format",
    }


def test_the_kind_asked_for_decides(mixed):
    corpus = read_corpus(mixed, kind=Music)
    assert corpus.kind is Music
    assert corpus.format.name == "abc"
    assert corpus.inventory.tallies["midi"] == Tally(read=2)
    assert corpus.inventory.tallies["abc"] == Tally(converted=3)
    tune = abc.read(mixed / "a.abc")[0]
    assert corpus.pieces[0] == convert(tune, Music)


def test_notes_are_played_to_sound_on_request_only(mixed):
    silent = read_corpus(mixed, kind=Audio)
    assert len(silent.pieces) == 1
    assert "convert it first" in dict(silent.left_out)[mixed / "a.abc"]
    played = read_corpus(mixed, kind=Audio, render=True)
    assert len(played.pieces) == 6
    assert played.inventory.tallies["abc"] == Tally(converted=3)
    assert isinstance(played.pieces[0], Audio)


def test_a_format_that_is_asked_for_reads_every_file(mixed):
    corpus = read_corpus(mixed, "abc")
    assert corpus.inventory.tallies == {"abc": Tally(read=3, left_out=4)}


def test_formats_of_one_kind_stand_side_by_side(tmp_path):
    pytest.importorskip("music21")
    from musicgen.formats import musicxml

    write_midi(tmp_path / "a.mid", 60, 62)
    write_midi(tmp_path / "b.mid", 64, 65)
    musicxml.write(convert(Tune(TUNE.format("x", "CDEF")), Music), tmp_path / "c.musicxml")
    corpus = read_corpus(tmp_path)
    assert corpus.inventory.tallies == {"midi": Tally(read=2), "musicxml": Tally(read=1)}
    assert len(corpus.pieces) == 3


def test_inventory_moves_with_its_folder():
    inventory = Inventory(
        3, 1, {"abc": Tally(2, 0, 1)}, [(Path("/old/sub/a.abc"), "/old/sub/a.abc:3: broken")],
        [(Path("/old/b.abc"), "repaired")], "5eed",
    )  # fmt: skip
    moved = Inventory.from_state(inventory.state(Path("/old")), Path("/new"))
    assert moved == Inventory(
        3, 1, {"abc": Tally(2, 0, 1)}, [(Path("/new/sub/a.abc"), "/new/sub/a.abc:3: broken")],
        [(Path("/new/b.abc"), "repaired")], "5eed",
    )  # fmt: skip
    assert moved.files == 2


@given(st.integers(2, 50), st.floats(0.01, 0.99), st.integers(0, 9))
def test_split_takes_each_piece_once(count, fraction, seed):
    training, validation = split(range(count), fraction, np.random.default_rng(seed))
    assert sorted(training + validation) == list(range(count))
    assert training
    assert validation
    assert abs(len(validation) - fraction * count) <= 1


@pytest.mark.parametrize(("count", "fraction"), [(1, 0.5), (5, 0.0), (5, 1.0)])
def test_impossible_splits(count, fraction):
    with pytest.raises(CorpusError, match="expected"):
        split(range(count), fraction, np.random.default_rng(0))


def test_names_of_a_tune_are_no_music():
    tune = Tune(TUNE.format("a", "CDEF"))
    assert digest(tune) == digest(Tune(TUNE.format("b", "CDEF"), Path("b.abc"), 7))
    assert digest(tune) != digest(Tune(TUNE.format("a", "CDEG")))


def test_real_starter_corpus_reads():
    corpus = read_corpus(Path(__file__).parents[1] / "corpora" / "starter")
    assert len(corpus.pieces) >= 24
    assert corpus.duplicates == 0
    assert {file.suffix for file, _ in corpus.left_out} <= {".md"}
