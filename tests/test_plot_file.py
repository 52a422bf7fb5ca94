"""Pictures of files."""

import json
from importlib.util import find_spec

import numpy as np
import pytest
from matplotlib.image import imread
from typer.testing import CliRunner

from musicgen.cli import app
from musicgen.errors import FormatError
from musicgen.formats import midi, musicxml, wav
from musicgen.music import Audio, Music, Note, TimeSignature, Track
from musicgen.plots import engraved_score
from musicgen.workflows import plot as plot_module
from musicgen.workflows import plot_file

TUNE = "X:1\nT:Air\nM:3/4\nL:1/4\nK:G\n|:GBd|1 g3:|2 G3|]\n"
MUSIC = Music(
    time_signatures=[TimeSignature(0, 3, 4)],
    tracks=[
        Track(40, name="Violin", notes=[Note(0, 67, 480), Note(480, 71, 960)]),
        Track(42, name="Cello", notes=[Note(0, 43, 1440)]),
    ],
    title="Duo",
)

needs_verovio = pytest.mark.skipif(
    find_spec("verovio") is None or find_spec("resvg_py") is None,
    reason="verovio or resvg-py is not installed: pip install '.[score]'",
)


@pytest.fixture
def files(tmp_path):
    """One file of each kind that can be drawn."""
    (tmp_path / "air.abc").write_text(f"{TUNE}\n{TUNE.replace('X:1', 'X:2').replace('GBd', 'BdB')}")
    midi.write(MUSIC, tmp_path / "duo.mid")
    musicxml.write(MUSIC, tmp_path / "duo.musicxml")
    musicxml.write(MUSIC, tmp_path / "duo.mxl")
    tone = np.sin(np.arange(8000, dtype=np.float32) * 0.345)[:, None] / 2
    wav.write(Audio(tone, 8000), tmp_path / "tone.wav")
    return tmp_path


def is_drawn(path):
    """Whether a PNG shows something: some, but not most, of it is not the background."""
    picture = imread(path)[..., :3]
    inked = (picture.min(axis=2) < 0.9).mean()
    return 0.002 < inked < 0.9


@pytest.mark.parametrize(
    ("name", "picture"),
    [
        ("air.abc", "roll"),
        ("duo.mid", "roll"),
        ("duo.mxl", "roll"),
        ("tone.wav", "sound"),
        ("air.abc", "sound"),
        pytest.param("air.abc", "score", marks=needs_verovio),
        pytest.param("duo.mid", "score", marks=needs_verovio),
        pytest.param("duo.musicxml", "score", marks=needs_verovio),
        pytest.param("duo.mxl", "score", marks=needs_verovio),
    ],
)
def test_every_picture_in_both_formats(files, name, picture):
    for kind in ("png", "svg"):
        target = files / f"picture.{kind}"
        assert plot_file(files / name, target, picture=picture) == picture
        first = target.read_bytes()
        plot_file(files / name, target, picture=picture)
        assert target.read_bytes() == first
    assert is_drawn(files / "picture.png")
    assert b"<svg" in (files / "picture.svg").read_bytes()[:2000]


@pytest.mark.parametrize(
    ("name", "engraver", "expected"),
    [
        ("air.abc", True, "score"),
        ("air.abc", False, "roll"),
        ("duo.musicxml", False, "roll"),
        ("duo.mid", True, "roll"),
        ("tone.wav", True, "sound"),
    ],
)
def test_the_usual_picture(files, monkeypatch, name, engraver, expected):
    if expected == "score" and find_spec("verovio") is None:
        pytest.skip("verovio is not installed: pip install '.[score]'")
    monkeypatch.setattr(plot_module, "find_spec", lambda name: engraver or None)
    assert plot_file(files / name, files / "usual.png") == expected


@needs_verovio
def test_a_score_shows_its_title_and_endings(files):
    plot_file(files / "air.abc", files / "score.svg", picture="score")
    text = (files / "score.svg").read_text()
    assert "Air" in text
    assert text.count('class="ending') == 2


@needs_verovio
def test_no_score(tmp_path):
    with pytest.raises(FormatError, match="cannot engrave"):
        engraved_score("<nothing/>", tmp_path / "none.png")
    assert not list(tmp_path.iterdir())


def test_the_second_piece(files):
    for number in (1, 2):
        plot_file(files / "air.abc", files / f"{number}.svg", picture="roll", piece=number)
    assert (files / "1.svg").read_bytes() != (files / "2.svg").read_bytes()
    with pytest.raises(FormatError, match="there is no piece 3; the file holds 2"):
        plot_file(files / "air.abc", files / "3.svg", piece=3)


@pytest.mark.parametrize(
    ("name", "picture", "message"),
    [
        ("tone.wav", "roll", "sound cannot be turned into notes"),
        ("air.abc", "oil", "no picture is called 'oil'; there are: roll, score, sound"),
        ("text.txt", None, "not a file of a known format"),
    ],
)
def test_what_cannot_be_drawn(files, name, picture, message):
    (files / "text.txt").write_text("Hello.")
    with pytest.raises(FormatError, match=message):
        plot_file(files / name, files / "none.png", picture=picture)
    assert not (files / "none.png").exists()


def test_command(files, monkeypatch):
    monkeypatch.chdir(files)
    result = CliRunner().invoke(app, ["plot", "duo.mid"])
    assert result.stdout == "duo.png (roll)\n"
    assert is_drawn("duo.png")
    result = CliRunner().invoke(
        app, ["plot", "air.abc", "--kind", "roll", "--out", "a.svg", "--json"]
    )
    assert json.loads(result.stdout) == {"file": "a.svg", "kind": "roll"}
