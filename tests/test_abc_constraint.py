"""What may be drawn next, so that a sample is ABC whose bars add up."""

import copy
from fractions import Fraction

import numpy as np
import pytest

from musicgen.encodings.abc_constraint import AbcConstraint
from musicgen.encodings.characters import Characters
from musicgen.errors import EncodingError
from musicgen.formats import abc
from musicgen.formats.abc.measures import uneven_bars
from musicgen.music import Tune

TEXTS = [
    None, None, "M:6/8\n", "M:4/4\n", "K:C\n", "K:Ador\n", "C", "D", "^D", "e", "2", "3", "/2",
    "3/2", "|", ":|", "|:", "|1", ":|2", "|]", "(3", "z", "-", "[V:1]",
]  # fmt: skip
EIGHTH = Fraction(1, 8)
TUNE = Tune("X:1\nT:Air\nM:6/8\nL:1/8\nK:D\n|:A|d2d dcB|A3 A2:|")


def drawn(constraint: AbcConstraint, rng: np.random.Generator) -> list[int]:
    symbols = []
    while True:
        allowed = constraint.allowed()
        assert allowed.shape == (len(TEXTS),)
        symbol = int(rng.choice(np.flatnonzero(allowed)))
        constraint.advance(symbol)
        if symbol == 0:
            return symbols
        symbols.append(symbol)


def text(symbols: list[int]) -> str:
    return "".join(TEXTS[symbol] or "" for symbol in symbols)


@pytest.mark.parametrize("bars", [None, 1, 4, 9])
def test_samples_add_up(bars):
    rng = np.random.default_rng(0)
    for _ in range(5):
        constraint = AbcConstraint(TEXTS, bars=bars, most_bars=6, unit_length=EIGHTH)
        tune = Tune(f"X:1\nL:1/8\n{text(drawn(constraint, rng))}")
        assert uneven_bars(abc.parse(tune, strict=True)) == []


def test_conditions_hold():
    rng = np.random.default_rng(1)
    constraint = AbcConstraint(TEXTS, metre="6/8", key="Ador", bars=2, unit_length=EIGHTH)
    sample = text(drawn(constraint, rng))
    assert sample.startswith("M:6/8\nK:Ador\n")


@pytest.mark.parametrize("bars", [8, 16, 32])
def test_asked_for_bars_metre_and_key_together(bars):
    rng = np.random.default_rng(bars)
    for _ in range(3):
        constraint = AbcConstraint(TEXTS, metre="4/4", key="C", bars=bars, unit_length=EIGHTH)
        tune = Tune(f"X:1\nL:1/8\n{text(drawn(constraint, rng))}")
        score = abc.parse(tune, strict=True)
        assert uneven_bars(score) == []
        assert (score.first("M"), score.first("K")) == ("4/4", "C")


def test_unknown_voices_and_the_boundary_are_not_drawn():
    allowed = AbcConstraint(TEXTS, unit_length=EIGHTH).allowed()
    assert [TEXTS[at] for at in np.flatnonzero(allowed)] == ["M:6/8\n", "M:4/4\n"]
    constraint = AbcConstraint(TEXTS, unit_length=EIGHTH)
    for symbol in (2, 4):
        constraint.advance(symbol)
    assert not constraint.allowed()[TEXTS.index("[V:1]")]


def test_masks_cannot_be_written_to():
    with pytest.raises(ValueError, match="read-only"):
        AbcConstraint(TEXTS, unit_length=EIGHTH).allowed()[0] = True


def test_copies_go_their_own_way():
    first = AbcConstraint(TEXTS, unit_length=EIGHTH)
    first.advance(TEXTS.index("M:6/8\n"))
    second = copy.copy(first)
    before = second.allowed().copy()
    first.advance(TEXTS.index("K:C\n"))
    np.testing.assert_array_equal(second.allowed(), before)
    assert not np.array_equal(first.allowed(), before)


def test_a_primer_of_characters():
    encoding = Characters.fit([TUNE])
    texts = (None, None, *encoding.vocabulary)
    constraint = AbcConstraint(texts, bars=2)
    for symbol in encoding.encode(TUNE):
        assert constraint.allowed()[symbol]
        constraint.advance(int(symbol))
    assert np.flatnonzero(constraint.allowed()).tolist() == [0]


def test_a_primer_that_breaks_the_grammar_is_refused_with_its_place():
    constraint = AbcConstraint(TEXTS, unit_length=EIGHTH)
    for symbol in [TEXTS.index("M:6/8\n"), TEXTS.index("K:C\n"), TEXTS.index("C")]:
        constraint.advance(symbol)
    message = r"symbol 4, after 'M:6/8\\nK:C\\nC': found 'K:C\\n', expected"
    with pytest.raises(EncodingError, match=message):
        constraint.advance(TEXTS.index("K:C\n"))
    with pytest.raises(EncodingError, match="found no text"):
        constraint.advance(1)


def test_a_condition_that_the_vocabulary_lacks_names_those_there_are():
    with pytest.raises(EncodingError, match="not the key D; it knows: C, Ador"):
        AbcConstraint(TEXTS, key="D", unit_length=EIGHTH)
