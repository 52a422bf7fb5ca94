"""Pictures: they hold what they should, and equal input gives equal files."""

import re

import numpy as np
import pytest

from musicgen import plots
from musicgen.charts import Heatmap, Lines
from musicgen.errors import FormatError
from musicgen.music import Music, Note, TimeSignature, Track

MUSIC = Music(
    480,
    time_signatures=[TimeSignature(0, 3, 4), TimeSignature(1440, 6, 8)],
    tracks=[
        Track(name="tune", notes=[Note(0, 60, 480), Note(1440, 64, 1440)]),
        Track(name="bass", notes=[Note(0, 36, 2880)]),
    ],
    title="Two tracks",
)
HISTORY = [
    {"steps": 1e6 * i, "loss": 3 / i, "validation": 3.1 / i, "best": True} for i in range(1, 4)
]


def test_bar_lines_follow_the_metre():
    assert plots.rolls._bar_lines(MUSIC) == [0, 1440, 2880]
    assert plots.rolls._bar_lines(Music()) == []


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_equal_input_equal_file(tmp_path, kind):
    for name in ("a", "b"):
        plots.piano_roll(MUSIC, tmp_path / f"{name}.{kind}")
    assert (tmp_path / f"a.{kind}").read_bytes() == (tmp_path / f"b.{kind}").read_bytes()


def test_piano_roll_of_nothing(tmp_path):
    plots.piano_roll(Music(), tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size > 1000


def test_a_long_piano_roll_goes_on_in_rows(tmp_path):
    notes = [Note(480 * beat, 60 + beat % 12, 480) for beat in range(300)]
    plots.piano_roll(Music(tracks=[Track(notes=notes)]), tmp_path / "long.svg")
    plots.piano_roll(Music(tracks=[Track(notes=notes[:90])]), tmp_path / "short.svg")
    assert (tmp_path / "long.svg").read_text().count('id="axes_') == 4
    assert (tmp_path / "short.svg").read_text().count('id="axes_') == 1


def test_pitches_are_named_in_their_key(tmp_path):
    notes = [Note(480 * at, 61 + at, 480) for at in range(12)]
    for fifths, names in ((2, "C♯4 D4 E4 F♯4 G4 A4 B4"), (-5, "D♭4 E♭4 F4 G♭4 A♭4 B♭4 C5")):
        path = tmp_path / "a.svg"
        bars = [plots.PricedBar(0, 1, 9.0)]
        plots.surprisal_roll(notes, [1.0] * 12, bars, path, fifths=fifths)
        assert re.findall("<!-- ([A-G][♯♭]?[45]) -->", path.read_text()) == names.split()


def test_bars_of_a_crowded_row_are_numbered_here_and_there_but_marked_all(tmp_path):
    notes = [Note(480 * at, 60, 480) for at in range(90)]
    bars = [plots.PricedBar(480 * at, at, 1.0, at == 7) for at in range(90)]
    plots.surprisal_roll(notes, [1.0] * 90, bars, tmp_path / "a.svg")
    drawn = (tmp_path / "a.svg").read_text().split('id="axes_2"')[1]
    assert re.findall(r"<!-- (\d+\*?) -->", drawn)[:5] == ["0", "3", "6", "7*", "9"]


def test_learning_curve(tmp_path):
    plots.learning_curve(HISTORY, tmp_path / "a.png", "run")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_another_ending_is_refused(tmp_path):
    with pytest.raises(FormatError, match=r"\.png or \.svg"):
        plots.piano_roll(MUSIC, tmp_path / "a.gif")


def test_lines(tmp_path):
    lines = {"found": ([1, 2, 4], [1, 0.1, 0.01]), "bound": ([1, 2, 4], [2, 1, 0.5])}
    panel = Lines("title", "x", "y", lines, x_log=True)
    one, four = tmp_path / "one.svg", tmp_path / "four.svg"
    plots.draw([panel], one)
    plots.draw([panel] * 4, four, columns=2)
    assert one.read_text().count("<!-- title -->") == 1
    assert four.read_text().count("<!-- title -->") == 4


def test_a_heatmap_shows_every_value_of_a_table(tmp_path):
    values = np.array([[0.25, 0.5], [0.0, 1.0]])
    chart = Heatmap("outputs", "step", "letter", values, columns=["1", "2"], rows=["B", "T"])
    plots.draw([chart], tmp_path / "a.svg")
    text = (tmp_path / "a.svg").read_text()
    assert all(f"<!-- {value:.2f} -->" in text for value in values.ravel())


def test_points_lie_over_a_surface(tmp_path):
    points = {"class 0": np.zeros((3, 2)), "class 1": np.ones((2, 2))}
    chart = Heatmap("xor", "x1", "x2", np.eye(4), extent=(0, 1, 0, 1), points=points)
    plots.draw([chart], tmp_path / "a.svg")
    assert (tmp_path / "a.svg").read_text().count("<!-- class") == 2
