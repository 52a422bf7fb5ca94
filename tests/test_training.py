"""Corpora, batches and the loop."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musicgen.errors import CorpusError
from musicgen.training import read_corpus, split

TUNE = "X:1\nT:{}\nM:4/4\nL:1/4\nK:C\n{}|]\n"


def write(folder, **bodies):
    for name, body in bodies.items():
        (folder / f"{name}.abc").write_text(TUNE.format(name, body))


def test_corpus_reads_a_folder_and_its_folders(tmp_path):
    (tmp_path / "sub" / ".hidden").mkdir(parents=True)
    write(tmp_path, b="CDEF", a="GABc")
    write(tmp_path / "sub", c="cccc")
    write(tmp_path / "sub" / ".hidden", d="dddd")
    (tmp_path / "notes.txt").write_text("buy bread")
    corpus = read_corpus(tmp_path)
    assert [piece.text.split("\n")[1] for piece in corpus.pieces] == ["T:a", "T:b", "T:c"]
    assert corpus.format.name == "abc"
    assert corpus.files == 3
    assert [file.name for file, _ in corpus.left_out] == ["notes.txt"]


def test_corpus_takes_one_file(tmp_path):
    write(tmp_path, a="CDEF")
    assert len(read_corpus(tmp_path / "a.abc").pieces) == 1


def test_bad_files_are_left_out_with_the_reason(tmp_path):
    write(tmp_path, a="CDEF", b="GABc")
    (tmp_path / "binary.abc").write_bytes(bytes(range(256)) * 20)
    (tmp_path / "cut.mid").write_bytes(b"MThd\0\0")
    corpus = read_corpus(tmp_path)
    reasons = {file.name: reason for file, reason in corpus.left_out}
    assert len(corpus.pieces) == 2
    assert reasons.keys() == {"binary.abc", "cut.mid"}
    assert "binary.abc" in reasons["binary.abc"]
    assert "midi file among abc files" in reasons["cut.mid"]


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


def test_nothing_to_learn_from(tmp_path):
    with pytest.raises(CorpusError, match="does not exist"):
        read_corpus(tmp_path / "none")
    with pytest.raises(CorpusError, match="is empty"):
        read_corpus(tmp_path)
    (tmp_path / "a.txt").write_text("no music")
    with pytest.raises(CorpusError, match="1 file, none readable"):
        read_corpus(tmp_path)
    (tmp_path / "b.abc").write_bytes(b"\0" * 99)
    with pytest.raises(CorpusError, match=r"no readable abc file; .*b\.abc"):
        read_corpus(tmp_path)


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


def test_real_starter_corpus_reads():
    corpus = read_corpus(Path(__file__).parents[1] / "corpora" / "starter")
    assert len(corpus.pieces) >= 24
    assert corpus.duplicates == 0
    assert {file.suffix for file, _ in corpus.left_out} <= {".md"}
