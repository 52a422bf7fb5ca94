"""Which bars of a tune do not add up."""

from fractions import Fraction
from pathlib import Path

import pytest

from musicgen.formats import abc
from musicgen.formats.abc.measures import UnevenBar, uneven_bars
from musicgen.music import Tune

DATA = Path(__file__).parents[2] / "shared" / "data" / "nottingham" / "ABC_cleaned"


def uneven(body: str, header: str = "M:4/4\nL:1/8") -> list[UnevenBar]:
    return uneven_bars(abc.parse(Tune(f"X:1\n{header}\nK:D\n{body}")))


EVEN = {
    "whole bars": "ABcd efga|A8|]",
    "a pickup that the last bar lacks": "A|A8|A7|]",
    "a pickup and a whole last bar": "A|A8|A8|]",
    "a pickup completed at every repeat": "|:A|A8|A7:||:B|B8|B7:|",
    "a repeat after the pickup": "A|:A8|A8:|",
    "a bar split by a double bar line": "A8|A4||A4|A8|]",
    "endings": "|:A|A8|1A7:|2A7|]",
    "endings that differ": "|:A|A8|1A7:|2A8|B7|]",
    "a tuplet": "(3ABc (3ABc (3ABc (3ABc|A8|]",
    "broken rhythm": "A>BA<BA>>BA2|A8|]",
    "grace notes and chords": "{ab}[Ac]4 A4|A8|]",
    "a rest of two bars": "A8|Z2|A8|]",
    "a change of metre": "A8|[M:3/4]A6|A6|]",
    "layers": "A4 B4 & c8|A8|]",
    "voices": "[V:1]A8|B8|]\n[V:2]A|A8|A7|]",
    "an order of parts": "P:A\nA|A8|A7||\nP:B\nB|B8|B7|]",
    "no bar line at the end": "A8|A8",
}


@pytest.mark.parametrize("body", EVEN.values(), ids=EVEN)
def test_bars_that_add_up(body):
    header = "P:AB\nM:4/4\nL:1/8" if body.startswith("P:") else "M:4/4\nL:1/8"
    assert uneven(body, header) == []


UNEVEN = {
    "a short bar": ("A8|A7|A8|]", 4, "7/8"),
    "a long bar": ("A8|A8A|A8|]", 4, "9/8"),
    "a long first bar": ("A8A|A8|]", 1, "9/8"),
    "a repeat that nothing completes": ("A8|A7:|", 1, "15/8"),
    "a pickup after a whole bar": ("|:A|A8|A8:|", 3, "1/8"),
    "a short last bar": ("A8|A7|]", 4, "7/8"),
    "a tuplet cut by the bar line": ("A8|(3ABc A7|A8|]", 6, "9/8"),
    "a layer that is too short": ("A8|A8&c7|A8|]", 4, "1"),
    "a second ending": ("|:A8|1A8:|2A7||A8|]", 13, "15/8"),
}


@pytest.mark.parametrize(("body", "column", "found"), UNEVEN.values(), ids=UNEVEN)
def test_bars_that_do_not(body, column, found):
    bars = uneven(body)
    assert bars
    assert Fraction(found) in [bar.found for bar in bars]
    assert {bar.expected for bar in bars} == {Fraction(1)}


def test_a_bar_played_twice_is_listed_once():
    assert len(uneven("|:A8|A7|A8:|")) == 1


@pytest.mark.parametrize("header", ["L:1/8", "M:none\nL:1/8"])
def test_without_metre_everything_adds_up(header):
    assert uneven("A8|A7|A|A9|]", header) == []


@pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is absent")
def test_most_tunes_of_nottingham_add_up():
    tunes = abc.read(DATA / "jigs.abc")
    even = sum(not uneven_bars(abc.parse(tune)) for tune in tunes)
    assert even / len(tunes) > 0.9
