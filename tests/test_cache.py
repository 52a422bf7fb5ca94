"""From pieces to arrays, computed once and kept."""

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from musicgen import parallel
from musicgen.convert.transposition import transpose
from musicgen.encodings.characters import Characters
from musicgen.errors import CorpusError, EncodingError
from musicgen.formats import abc, midi, wav
from musicgen.music import Audio, Music, Note, Track, Tune
from musicgen.training import cache, encode_corpus, preparation, read_corpus, sequences
from musicgen.training.cache import Cache
from musicgen.training.content_hash import content_hashes

TUNE = "X:1\nT:{}\nM:4/4\nL:1/4\nK:C\n{}|]\n"


class Letters:
    """The notes of a tune as frames; with an array in its state, and a choice."""

    name: ClassVar[str] = "letters"
    kind: ClassVar[type] = Tune
    fits: ClassVar[list] = []

    def __init__(self, letters, weights):
        self.letters, self.weights = letters, weights

    @classmethod
    def fit(cls, pieces, weight=1.0):
        titles = [piece.text.split("\n")[1] for piece in pieces]
        cls.fits.append(titles)
        return cls("ABCDEFG", np.full(8, weight, np.float32))

    @property
    def size(self):
        return 8

    def encode(self, piece):
        bar = piece.text.split("\n")[5].rstrip("|]")
        if "z" in bar:
            raise EncodingError("found a rest, expected notes")
        rows = [self.letters.index(letter) + 1 for letter in bar.upper()] + [0]
        return np.eye(8, dtype=np.float32)[rows] * self.weights

    def state(self):
        return {"letters": self.letters, "weights": self.weights}

    @classmethod
    def from_state(cls, state):
        return cls(state["letters"], state["weights"])


class Blind(Letters):
    """What an encoding sees that takes no notice of the key."""

    name: ClassVar[str] = "blind"

    def encode(self, piece):
        return np.array([piece.text.count("X"), ord(piece.text.split("\n")[1][2]), 0], np.int32)


class Pitches(Letters):
    """The first note of a piece."""

    name: ClassVar[str] = "pitches"
    kind: ClassVar[type] = Music

    @classmethod
    def fit(cls, pieces):
        return cls("", np.zeros(max(piece.tracks[0].notes[0].pitch for piece in pieces)))

    def encode(self, piece):
        return np.array([piece.tracks[0].notes[0].pitch, 0], np.int32)


@pytest.fixture(autouse=True)
def place(tmp_path_factory, monkeypatch):
    place = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("MUSICGEN_CACHE", str(place))
    monkeypatch.setattr(Letters, "fits", [])
    return place


@pytest.fixture
def tunes(tmp_path):
    folder = tmp_path / "tunes"
    folder.mkdir()
    for number, letter in enumerate("ABCDEFGabcdefg"):
        (folder / f"{letter}{number}.abc").write_text(TUNE.format(letter, f"{letter}CDE"))
    return folder


def encode(folder, encoding=Characters, seed=0, **settings):
    corpus = read_corpus(folder, kind=encoding.kind)
    return encode_corpus(corpus, encoding, np.random.default_rng(seed), **settings)


def same(one, two):
    assert one.encoding.state().keys() == two.encoding.state().keys()
    for part in ("training", "validation"):
        first, second = getattr(one, part), getattr(two, part)
        assert len(first) == len(second)
        for a, b in zip(first, second, strict=True):
            np.testing.assert_array_equal(a, b, strict=True)
    assert one.inventory == two.inventory


def test_every_piece_becomes_an_array(tunes):
    data = encode(tunes, val_fraction=0.3, cache=False)
    assert (len(data.training), len(data.validation)) == (10, 4)
    corpus = read_corpus(tunes)
    decoded = {data.encoding.decode(array).text for array in data.training}
    assert len(decoded) == 10
    assert decoded < {piece.text for piece in corpus.pieces}
    assert data.training[0].dtype == np.int32
    assert data.training.lengths.tolist() == [len(array) for array in data.training]
    assert data.fingerprint == corpus.fingerprint
    assert data.inventory == corpus.inventory
    assert not data.cached


def test_frames_keep_their_shape_and_the_encoding_its_arrays(tunes):
    data = encode(tunes, Letters, options={"weight": 0.5})
    assert data.training[3].shape == (5, 8)
    assert data.training[3].dtype == np.float32
    assert data.training[3].max() == 0.5
    assert data.encoding.weights.dtype == np.float32
    same(data, encode(tunes, Letters, options={"weight": 0.5}))


@pytest.mark.parametrize("cache", [False, True])
def test_the_learned_are_the_training_pieces_that_fit(tunes, cache):
    for rests in ("zz", "zzz", "zzzz", "zzzzz"):
        (tunes / f"{rests}.abc").write_text(TUNE.format(rests, rests))
    contents = read_corpus(tunes).contents
    for _ in range(2):
        data = encode(tunes, Letters, val_fraction=0.3, cache=cache)
        chosen = Letters.fits[0]
        titles = [piece.text.split("\n")[1] for piece in contents.pieces]
        fit = [title in chosen and "zz" not in title for title in titles]
        assert 0 < sum(fit) < len(chosen)
        assert data.learned.tolist() == sorted(contents.marks[fit].tolist())
    assert data.cached == cache


def test_only_training_pieces_are_fitted(tunes):
    data = encode(tunes, Letters, val_fraction=0.5)
    (seen,) = Letters.fits
    assert len(seen) == len(data.training) == 7
    held_back = {np.argmax(array[0]) for array in data.validation}
    assert len(held_back) > 1
    assert len(data.validation) == 7


def test_a_fitted_encoding_is_taken_as_it_is(tunes):
    fitted = Letters("GFEDCBA", np.ones(8, np.float32))
    data = encode(tunes, fitted)
    assert Letters.fits == []
    assert data.encoding.letters == "GFEDCBA"
    assert encode(tunes, Letters("GFEDCBA", np.ones(8, np.float32))).cached
    assert not encode(tunes, Letters("GFEDCBA", np.zeros(8, np.float32))).cached
    assert not encode(tunes, Letters).cached


def test_second_start_reads_no_music(tunes, monkeypatch):
    first = encode(tunes)
    monkeypatch.setattr(abc, "read", None)
    rng, other = np.random.default_rng(0), np.random.default_rng(0)
    second = encode_corpus(read_corpus(tunes), Characters, rng)
    assert (first.cached, second.cached) == (False, True)
    same(first, second)
    other.integers(2**63)
    assert rng.random() == other.random()


def test_the_content_decides(tunes, tmp_path):
    encode(tunes)
    for file in tunes.iterdir():
        os.utime(file, (1, 1))
    assert encode(tunes).cached
    copy = tunes.rename(tmp_path / "copy")
    assert encode(copy).cached
    file = copy / "A0.abc"
    file.write_text(file.read_text().replace("ACDE", "ACDF"))
    os.utime(file, (1, 1))
    changed = encode(copy)
    assert changed.cached  # size and time are those of a file that is known
    os.utime(file, (2, 2))
    changed = encode(copy)
    assert not changed.cached
    file.rename(copy / "Z.abc")
    assert not encode(copy).cached


@pytest.mark.parametrize(
    "other",
    [{"seed": 1}, {"val_fraction": 0.3}, {"encoding": Letters, "options": {"weight": 2.0}}],
    ids=repr,
)
def test_what_else_decides(tunes, other):
    encode(tunes)
    encode(tunes, Letters)
    assert not encode(tunes, **other).cached
    assert encode(tunes, **other).cached
    assert encode(tunes).cached


def test_the_programs_text_decides(tunes, monkeypatch):
    encode(tunes)
    monkeypatch.setattr(preparation, "program_hash", lambda: "another version")
    assert not encode(tunes).cached


def test_hashes_are_remembered(tunes, tmp_path):
    files, memory = sorted(tunes.iterdir()), tmp_path / "deep" / "memory.json"
    for file in files:
        os.utime(file, (9, 9))
    hashes = content_hashes(tunes, files, memory)
    assert list(hashes) == [file.name for file in files]
    assert len(set(hashes.values())) == len(files)
    (tunes / "A0.abc").write_text((tunes / "A0.abc").read_text()[::-1])
    os.utime(tunes / "A0.abc", (9, 9))
    assert content_hashes(tunes, files, memory) == hashes
    os.utime(tunes / "A0.abc", (10, 10))
    assert content_hashes(tunes, files, memory) != hashes
    memory.write_text('{"A0.abc": 3}')
    assert content_hashes(tunes, files, memory) == content_hashes(tunes, files)


def test_a_file_that_just_changed_is_hashed_again(tunes, tmp_path):
    file, memory = tunes / "A0.abc", tmp_path / "memory.json"
    before = file.stat()
    hashes = content_hashes(tunes, [file], memory)
    file.write_text(file.read_text()[::-1])
    os.utime(file, ns=(before.st_mtime_ns, before.st_mtime_ns))
    assert content_hashes(tunes, [file], memory) != hashes


def test_pieces_that_cannot_be_encoded_are_left_out(tunes):
    (tunes / "rest.abc").write_text(TUNE.format("a", "zCDE") + "\n" + TUNE.format("b", "zCDF"))
    data = encode(tunes, Letters)
    left_out = data.inventory.left_out
    assert [file.name for file, _ in left_out] == ["rest.abc"] * 2
    assert left_out[0][1] == "tune in line 1: found a rest, expected notes"
    assert left_out[1][1] == "tune in line 8: found a rest, expected notes"
    assert len(data.training) + len(data.validation) == 14
    assert encode(tunes, Letters).inventory == data.inventory


def test_nothing_that_can_be_encoded(tmp_path, place):
    for name in "abc":
        (tmp_path / f"{name}.abc").write_text(TUNE.format(name, "zCD" + name))
    with pytest.raises(CorpusError, match=r"no training piece .* as letters; .*: found a rest"):
        encode(tmp_path, Letters)
    assert list((place / "corpora").iterdir()) == []


def test_what_does_not_fit_is_refused(tunes, tmp_path):
    with pytest.raises(CorpusError, match="1 piece cannot be split"):
        encode(tunes / "A0.abc")
    with pytest.raises(CorpusError, match="read as Tune; the encoding sounds takes Audio"):
        encode_corpus(read_corpus(tunes), Sounds, np.random.default_rng(0))
    for name in "ab":
        noise = np.random.default_rng(ord(name)).random((50, 1), np.float32)
        wav.write(Audio(noise, 8000), tmp_path / f"{name}.wav")
    with pytest.raises(CorpusError, match="sound cannot be transposed"):
        encode(tmp_path, Sounds, transpose=range(-1, 2))
    data = encode(tunes)
    data.check_batch(len(data.training))
    with pytest.raises(CorpusError, match=r"a batch of 99 takes .* gives 13 to learn from"):
        data.check_batch(99)


class Sounds(Letters):
    name: ClassVar[str] = "sounds"
    kind: ClassVar[type] = Audio


def test_training_pieces_are_transposed(tunes):
    plain = encode(tunes, val_fraction=0.3)
    moved = encode(tunes, val_fraction=0.3, transpose=range(-1, 2))
    assert len(moved.training) == 3 * len(plain.training)

    assert moved.validation.lengths.tolist() == plain.validation.lengths.tolist()

    def texts(data):
        return [data.encoding.decode(array).text for array in data.training]

    assert texts(moved) == [
        transpose(Tune(text), interval).text for text in texts(plain) for interval in (-1, 0, 1)
    ]
    assert set(moved.encoding.vocabulary) > set(plain.encoding.vocabulary)
    assert encode(tunes, val_fraction=0.3, transpose=(1, -1, 0, 0)).cached


def test_copies_that_leave_the_pitches_are_missing(tmp_path):
    for name, pitch in [("a", 60), ("b", 125), ("c", 61), ("d", 62)]:
        music = Music(480, tracks=[Track(notes=[Note(0, pitch, 480)])])
        midi.write(music, tmp_path / f"{name}.mid")
    data = encode(tmp_path, Pitches, transpose=[0, 12], val_fraction=0.1)
    pitches = [array[0] for array in data.training]
    aside = {60, 125, 61, 62}.difference(pitches).pop()
    assert sorted(pitches) == sorted(
        pitch for p in {60, 125, 61, 62} - {aside} for pitch in (p, p + 12) if pitch < 128
    )
    far = encode(tmp_path, Pitches, transpose=[66], val_fraction=0.1)
    reasons = [reason for _, reason in far.inventory.left_out]
    assert set(reasons) <= {"no transposition lies within the range of pitches"}


def test_equal_copies_count_once(tunes):
    """As with an encoding that moves each piece to one key."""
    data = encode(tunes, Blind, transpose=range(-5, 7))
    assert len(data.training) == 13


def test_an_encoding_that_looks_at_nothing_still_gets_all_copies(tunes):
    fitted = Characters.fit([Tune("".join(map(chr, range(32, 127))) + "\n")])
    data = encode(tunes, fitted, transpose=[0, 2])
    assert len(data.training) == 26


def test_several_processes_make_the_same(tunes, monkeypatch):
    one = encode(tunes, jobs=1, cache=False, transpose=[0, 1])
    monkeypatch.setattr(parallel, "HEAD_START", 0.0)
    same(one, encode(tunes, jobs=2, cache=False, transpose=[0, 1]))


def test_progress_counts_pieces(tunes):
    seen = []
    encode(tunes, jobs=1, progress=lambda *at: seen.append(at))
    assert seen == [(i, 13 + 14) for i in range(1, 28)]


def entry(place):
    (folder,) = (place / "corpora").iterdir()
    return folder


@pytest.mark.parametrize(
    "spoil",
    [
        lambda folder: (folder / "training.bin").unlink(),
        lambda folder: os.truncate(folder / "validation.bin", 40),
        lambda folder: os.truncate(folder / "training.bin", 0),
        lambda folder: (folder / "corpus.json").write_text("{"),
        lambda folder: (folder / "corpus.json").write_text("[]"),
        lambda folder: (folder / "corpus.json").write_text("{}"),
        lambda folder: (folder / "arrays.npz").write_bytes(b"PK"),
        lambda folder: (folder / "arrays.npz").unlink(),
        lambda folder: [file.unlink() for file in folder.iterdir()],
    ],
)
def test_a_broken_entry_is_built_again(tunes, place, spoil):
    encode(tunes)
    spoil(entry(place))
    second = encode(tunes)
    assert not second.cached
    same(encode(tunes, cache=False), second)
    assert encode(tunes).cached


KILLED = """
import os, signal, sys
from pathlib import Path
import numpy as np
from musicgen.encodings.characters import Characters
from musicgen.training import encode_corpus, read_corpus

class Fatal(Characters):
    calls = 0
    def encode(self, piece):
        Fatal.calls += 1
        if Fatal.calls == 9:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().encode(piece)

encode_corpus(read_corpus(Path(sys.argv[1])), Fatal, np.random.default_rng(0), jobs=1)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system does not kill so")
def test_a_killed_run_leaves_no_entry(tunes, place, monkeypatch):
    done = subprocess.run([sys.executable, "-c", KILLED, tunes], check=False)
    assert done.returncode == -signal.SIGKILL
    left = entry(place)
    assert left.name.startswith(".building-")
    assert not encode(tunes).cached
    assert left.exists()  # its run might be going on
    monkeypatch.setattr(cache, "ABANDONED", -1.0)
    encode(tunes, seed=1)
    assert not left.exists()
    assert encode(tunes).cached


def test_what_was_not_used_for_longest_goes_first(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "LIMIT", 250)
    kept = Cache(tmp_path)

    def build(key, size=100):
        with kept.building(key) as folder:
            (folder / "data").write_bytes(bytes(size))

    for age, key in [(50, "a"), (40, "b")]:
        build(key)
        for path in (kept.find(key), kept.find(key) / "data"):
            os.utime(path, (time.time() - age, time.time() - age))
    assert kept.find("a")  # which is its use
    build("c")
    assert kept.find("b") is None
    assert kept.find("a")
    build("large", 1000)
    assert [path.name for path in (tmp_path / "corpora").iterdir()] == ["large"]


def test_an_entry_that_fails_is_not_kept(tmp_path):
    kept = Cache(tmp_path)
    with pytest.raises(IsADirectoryError), kept.building("a") as folder:
        folder.write_bytes(b"1")
    assert kept.find("a") is None
    assert list((tmp_path / "corpora").iterdir()) == []


def test_a_place_that_cannot_be_written_is_told_and_done_without(tunes, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MUSICGEN_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.warns(UserWarning, match=r"cache .*file.cache cannot be written") as caught:
        data = encode(tunes)
    assert len(caught) == 1
    same(data, encode(tunes, cache=False))


def test_a_full_place_is_told_and_done_without(tunes, place, monkeypatch):
    append = sequences.SequencesWriter.append

    def full(self, array):
        if place in self.path.parents and len(self) == 5:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        append(self, array)

    monkeypatch.setattr(sequences.SequencesWriter, "append", full)
    with pytest.warns(UserWarning, match="No space left on device"):
        data = encode(tunes)
    assert list((place / "corpora").iterdir()) == []
    same(data, encode(tunes, cache=False))


def test_the_system_says_where_it_is_kept(monkeypatch):
    monkeypatch.delenv("MUSICGEN_CACHE")
    assert Cache().root.name == "musicgen"
    assert Cache(Path("here")).root == Path("here")


def test_unlike_arrays_are_refused(tmp_path):
    with sequences.writing(tmp_path / "a") as writer:
        writer.append(np.zeros((3, 2), np.float32))
        with pytest.raises(ValueError, match=r"<f4 \(3,\), expected <f4 \(2,\)"):
            writer.append(np.zeros((3, 3), np.float32))
    assert writer.open()[0].shape == (3, 2)
    with sequences.writing(tmp_path / "b") as writer:
        pass
    assert list(writer.open()) == []


def test_of_two_that_build_the_same_the_first_stays(tmp_path):
    one, two = Cache(tmp_path), Cache(tmp_path)
    with one.building("a") as slow:
        (slow / "data").write_text("slow")
        with two.building("a") as fast:
            (fast / "data").write_text("fast")
    assert [path.name for path in (tmp_path / "corpora").iterdir()] == ["a"]
    assert (one.find("a") / "data").read_text() == "fast"
