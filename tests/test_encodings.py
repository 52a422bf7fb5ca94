"""What every encoding keeps to, and what each adds."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musicgen.encodings import ENCODINGS, Characters
from musicgen.errors import EncodingError
from musicgen.music import Tune

PIECES = {Tune: [Tune("X:1\nK:C\nCDEF|\n"), Tune("X:2\nT:Été\nK:D\nd2|\n")]}


@pytest.mark.parametrize("encoding", ENCODINGS.values(), ids=ENCODINGS)
def test_contract(encoding):
    pieces = PIECES[encoding.kind]
    fitted = encoding.fit(pieces)
    again = encoding.from_state(json.loads(json.dumps(fitted.state())))
    assert again.size == fitted.size
    for piece in pieces:
        symbols = fitted.encode(piece)
        assert symbols.dtype == np.int32
        assert symbols[-1] == 0
        assert (symbols[:-1] > 0).all()
        assert symbols.max() < fitted.size
        assert not set(symbols.tolist()) & set(fitted.never)
        assert fitted.decode(symbols) == piece
        np.testing.assert_array_equal(again.encode(piece), symbols)


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
    assert encoding.encode_primer("ba").tolist() == [4, 3]
    with pytest.raises(EncodingError, match=r"'x', 'ü'.*it knows: ab$"):
        encoding.encode_primer("aüxb")
