"""Tunes from the wild: the collections that music21 carries, and the shared data."""

import dataclasses
import importlib.util
import random
from pathlib import Path

import pytest

from musicgen.errors import FormatError
from musicgen.formats import abc
from musicgen.formats.abc.score import Break
from musicgen.music import Tune

SAMPLE = 250

SPEC = importlib.util.find_spec("music21")
CORPUS = Path(SPEC.origin).parent / "corpus" if SPEC and SPEC.origin else Path("absent")
NEEDED = pytest.mark.skipif(not CORPUS.is_dir(), reason="music21 is not installed")

# collection: share of its tunes that are well-formed, rounded down
COLLECTIONS = {"ryansMammoth": 0.95, "oneills1850": 0.90, "airdsAirs": 0.93}


DATA = Path(__file__).parents[2] / "shared" / "data"
SHARED = pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is absent")
FOLDERS = ["abc_cases", "abc_corpora", "nottingham"]
NO_TUNE = {"abcm2ps__glyphs.abc"}


def tunes(collection: str) -> list[Tune]:
    files = sorted((CORPUS / collection).glob("*.abc"))
    found = [tune for file in files for tune in abc.read(file)]
    return random.Random(0).sample(found, SAMPLE)


def accepted(tune: Tune) -> bool:
    try:
        abc.parse(tune, strict=True)
    except FormatError:
        return False
    return True


def shared_tunes(folder: str) -> list[Tune]:
    files = sorted(file for file in (DATA / folder).rglob("*.abc") if file.name not in NO_TUNE)
    return [tune for file in files for tune in abc.read(file)]


def placeless(score: abc.Score) -> list[object]:
    """Give the elements of the music, with no places in the text."""
    return [
        element if isinstance(element, Break) else dataclasses.replace(element, line=0, column=0)
        for element in score.body
    ]


def check_round_trip(tune: Tune) -> None:
    """Print a tune and read it again: the same score, which sounds the same and is clean."""
    score = abc.parse(tune)
    clean = abc.print_score(score)
    again = abc.parse(Tune(clean))
    assert abc.print_score(again) == clean, tune
    assert placeless(again) == placeless(score), tune
    assert abc.perform(again) == abc.perform(score), tune
    left = {problem.message for problem in again.problems if not problem.mild}
    assert left <= {"the tune has no notes"}, tune


@NEEDED
@pytest.mark.parametrize("collection", COLLECTIONS)
def test_tunes_are_read_printed_and_read_again(collection: str) -> None:
    for tune in tunes(collection):
        check_round_trip(tune)


@SHARED
@pytest.mark.parametrize("folder", FOLDERS)
def test_shared_tunes_are_read_printed_and_read_again(folder: str) -> None:
    found = shared_tunes(folder)
    for tune in random.Random(0).sample(found, SAMPLE):
        check_round_trip(tune)


@SHARED
def test_a_file_without_tunes_is_refused() -> None:
    for name in NO_TUNE:
        with pytest.raises(FormatError, match="no tune found"):
            abc.read(DATA / "abc_cases" / "files" / name)


@NEEDED
@pytest.mark.parametrize("collection", COLLECTIONS)
def test_most_tunes_are_well_formed(collection: str) -> None:
    share = sum(map(accepted, tunes(collection))) / SAMPLE
    assert share >= COLLECTIONS[collection] - 0.02


@NEEDED
def test_slips_in_tunes_raise_nothing_else() -> None:
    draw = random.Random(1)
    found = tunes("ryansMammoth")
    signs = "".join(tune.text for tune in found)
    for tune in found:
        text = list(tune.text)
        for _ in range(draw.randint(1, 6)):
            at = draw.randrange(len(text))
            text[at : at + draw.randint(0, 2)] = draw.choice(signs) * draw.randint(0, 1)
        broken = Tune("".join(text))
        clean = abc.print_score(abc.parse(broken))
        assert abc.print_score(abc.parse(Tune(clean))) == clean, broken
        accepted(broken)
