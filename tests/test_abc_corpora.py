"""Tunes from the wild: the collections that the installed music21 package carries."""

import importlib.util
import random
from pathlib import Path

import pytest

from musicgen.errors import FormatError
from musicgen.formats import abc
from musicgen.music import Tune

SAMPLE = 250

SPEC = importlib.util.find_spec("music21")
CORPUS = Path(SPEC.origin).parent / "corpus" if SPEC and SPEC.origin else Path("absent")
NEEDED = pytest.mark.skipif(not CORPUS.is_dir(), reason="music21 is not installed")

# collection: share of its tunes that are well-formed, rounded down
COLLECTIONS = {"ryansMammoth": 0.95, "oneills1850": 0.90, "airdsAirs": 0.93}


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


@NEEDED
@pytest.mark.parametrize("collection", COLLECTIONS)
def test_tunes_are_read_printed_and_read_again(collection: str) -> None:
    for tune in tunes(collection):
        score = abc.parse(tune)
        clean = abc.print_score(score)
        again = abc.parse(Tune(clean), strict=True)
        assert abc.print_score(again) == clean, tune
        assert [voice.notes for voice in abc.perform(again).voices] == [
            voice.notes for voice in abc.perform(score).voices
        ], tune


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
