"""What every encoding keeps to, and what characters add."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musicgen import encodings
from musicgen.encodings.characters import Characters
from musicgen.errors import EncodingError
from musicgen.music import (
    Audio,
    KeySignature,
    Music,
    Note,
    Tempo,
    TimeSignature,
    Track,
    Tune,
)
from musicgen.testing import check_encoding

TUNES = [
    Tune("X:1\nT:Été\nM:4/4\nL:1/8\nK:C\n|:CDEF G2c2:|"),
    Tune("X:2\nM:3/4\nL:1/8\nK:D\nd2 fe ^d2|"),
]
TWO_PARTS = [
    Music(
        480,
        [Tempo(0, 120.0)],
        [TimeSignature(0, 4, 4)],
        [KeySignature(0, 1)],
        [
            Track(name="upper", notes=[Note(480 * i, 67 + i % 3, 480) for i in range(8)]),
            Track(name="lower", notes=[Note(960 * i, 55, 960) for i in range(4)]),
        ],
    ),
    Music(
        480,
        [Tempo(0, 96.0)],
        [TimeSignature(0, 3, 4)],
        [KeySignature(0, -2, "minor")],
        [
            Track(name="upper", notes=[Note(240 * i, 60 + i, 240) for i in range(6)]),
            Track(name="lower", notes=[Note(0, 48, 1440)]),
        ],
    ),
]
SOUNDS = [
    Audio((0.3 * np.sin(np.arange(32000) * pitch)[:, None]).astype(np.float32), 16000)
    for pitch in (0.05, 0.2)
]
PIECES = {Tune: TUNES, Music: TWO_PARTS, Audio: SOUNDS}


@pytest.mark.parametrize("name", encodings.NAMES)
def test_contract(name):
    encoding = encodings.get(name)
    assert encoding.name == name
    pieces = PIECES[encoding.kind]
    check_encoding(encoding.fit(iter(pieces)), pieces)


@pytest.mark.parametrize("name", encodings.NAMES)
def test_a_constraint_allows_what_the_encoding_writes(name):
    encoding = encodings.get(name).fit(PIECES[encodings.get(name).kind])
    constraint = encoding.constraint()
    if constraint is None:
        assert encoding.head != "categorical"
        return
    for symbol in encoding.encode(PIECES[encoding.kind][0]):
        assert constraint.allowed()[symbol]
        constraint.advance(int(symbol))


@pytest.mark.parametrize("kind", PIECES)
def test_defaults_are_of_their_kind(kind):
    assert encodings.default(kind).kind is kind


def test_an_unknown_encoding_is_refused_with_the_known_ones():
    with pytest.raises(EncodingError, match="'morse'; there are: tokens, characters"):
        encodings.get("morse")


class Forgetful(Characters):
    def state(self):
        return {"vocabulary": self.vocabulary[::-1]}


class Endless(Characters):
    def encode(self, piece):
        return super().encode(piece)[:-1]


class Constant(Characters):
    losses = ("everything",)

    def decode(self, array):
        return Tune("CC")


@pytest.mark.parametrize(
    ("broken", "message"),
    [(Constant, "does not give back"), (Forgetful, "state is not all"), (Endless, "does not end")],
)
def test_broken_encodings_are_found(broken, message):
    with pytest.raises(AssertionError, match=message):
        check_encoding(broken.fit(TUNES), TUNES)


@given(st.lists(st.text(), min_size=1))
def test_characters_give_back_any_text(texts):
    tunes = [Tune(text) for text in texts]
    encoding = Characters.fit(tunes)
    assert [encoding.decode(encoding.encode(tune)) for tune in tunes] == tunes


def test_characters_stop_at_the_boundary():
    encoding = Characters.fit([Tune("ab")])
    assert encoding.decode([2, 3, 0, 2]).text == "ab"


def test_characters_that_training_lacks_become_unknown():
    encoding = Characters.fit([Tune("ab")])
    assert encoding.encode(Tune("axb")).tolist() == [2, 1, 3, 0]
    with pytest.raises(EncodingError, match="unknown"):
        encoding.decode([2, 1])


def test_a_primer_with_strange_characters_is_refused_by_name():
    encoding = Characters.fit([Tune("ab\n")])
    assert encoding.encode_primer(Tune("ba")).tolist() == [4, 3]
    with pytest.raises(EncodingError, match=r"'x', 'ü'.*it knows: ab$"):
        encoding.encode_primer(Tune("aüxb"))
