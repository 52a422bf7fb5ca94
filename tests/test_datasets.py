"""Exporting the collections that come with music21."""

import subprocess
import sys
from pathlib import Path

import pytest

from musicgen.datasets import COLLECTIONS, export, music21_corpus
from musicgen.errors import CorpusError, FormatWarning
from musicgen.formats import musicxml


def test_ryans_is_copied_byte_for_byte(tmp_path):
    folder = tmp_path / "new" / "ryans"
    calls = []
    files = export("ryans", folder, lambda done, total: calls.append((done, total)))
    assert len(files) == 1059
    assert calls == [(done, 1059) for done in range(1, 1060)]
    assert sorted(files) == files
    assert {file.name for file in folder.iterdir()} == {file.name for file in files} | {
        "SOURCE.txt"
    }
    assert all(file.read_bytes() for file in files)


@pytest.mark.parametrize("name", ["oneills", "airds", "essen"])
def test_abc_collections(name, tmp_path):
    files = export(name, tmp_path)
    assert len(files) == {"oneills": 39, "airds": 6, "essen": 31}[name]
    note = (tmp_path / "SOURCE.txt").read_text(encoding="utf-8")
    assert COLLECTIONS[name].title in note
    assert COLLECTIONS[name].licence in note


def test_essen_is_not_for_commerce():
    assert "non-commercial use only" in COLLECTIONS["essen"].licence


def test_files_are_replaced_and_strangers_stay(tmp_path):
    (tmp_path / "book1.abc").write_text("old")
    (tmp_path / "mine.abc").write_text("mine")
    export("airds", tmp_path)
    assert (tmp_path / "book1.abc").read_text(encoding="latin-1") != "old"
    assert (tmp_path / "mine.abc").read_text() == "mine"


@pytest.fixture
def few_chorales(monkeypatch):
    chosen = {
        "269": "Aus meines Herzens Grunde",
        "8.6": "Liebster Gott, wann werd ich sterben",  # with a continuo part
        "27.6": "Welt, ade! ich bin dein müde",  # in five voices
        "69.6": "not in the package",
    }
    monkeypatch.setattr(music21_corpus, "titles", lambda: chosen)


@pytest.mark.usefixtures("few_chorales")
def test_chorales_become_scores_of_four_voices(tmp_path):
    with pytest.warns(FormatWarning, match=r"left out: .*bwv27\.6\.mxl.* found parts Soprano 1"):
        files = export("chorales", tmp_path)
    assert [file.name for file in files] == ["bwv269.mxl", "bwv8.6.mxl"]
    for file in files:
        (music,) = musicxml.read(file)
        assert [track.name for track in music.tracks] == ["Soprano", "Alto", "Tenor", "Bass"]
        assert all(track.notes for track in music.tracks)
    (music,) = musicxml.read(files[0])
    assert music.title == "Aus meines Herzens Grunde"
    assert music.time_signatures == [(0, 1, 4), (480, 3, 4)]
    assert music.key_signatures == [(0, 1, "major")]
    assert music.fermatas[:2] == [10 * 480, 19 * 480]
    assert [(note.time, note.pitch, note.duration) for note in music.tracks[0].notes[:4]] == [
        (0, 67, 480),
        (480, 67, 960),
        (1440, 74, 480),
        (1920, 71, 720),
    ]


def test_unknown_collection_names_the_known_ones(tmp_path):
    with pytest.raises(CorpusError, match=r"no collection is called 'lakh' \(there are: ryans, "):
        export("lakh", tmp_path)


def test_missing_package_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(music21_corpus, "find_spec", lambda name: None)
    with pytest.raises(CorpusError, match="pip install music21"):
        export("ryans", tmp_path)


def test_package_without_corpus(tmp_path, monkeypatch):
    monkeypatch.setattr(music21_corpus, "_corpus", lambda: tmp_path)
    with pytest.raises(CorpusError, match="holds no music"):
        export("ryans", tmp_path / "ryans")
    assert not (tmp_path / "ryans").exists()


def test_copying_does_not_import_music21(tmp_path):
    code = (
        "import sys; from pathlib import Path; from musicgen.datasets import export;"
        "export('airds', Path(sys.argv[1])); assert 'music21' not in sys.modules"
    )
    root = Path(__file__).parents[1]
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True, cwd=root)
