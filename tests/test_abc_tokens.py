"""ABC as musical symbols: spelling, round trips, keys, primers."""

import importlib.util
import json
import random
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musicgen.encodings.abc_tokens import AbcTokens
from musicgen.encodings.tokeniser import split_music
from musicgen.encodings.vocabulary import Vocabulary
from musicgen.errors import EncodingError, FormatError
from musicgen.formats import abc
from musicgen.formats.abc.fields import parse_key
from musicgen.formats.abc.measures import uneven_bars
from musicgen.music import Tune

TUNES = {
    "reel": "X:1\nT:A\nR: Reel \nM:C|\nQ:1/2=104\nK:Ador\n|:e2dB A>Bc<d|(3ABc|1e4:|2A4|]",
    "units": "X:1\nM:6/8\nL:1/16\nK:D\nA4B2 c3d e2f2|\nL:1/4\nA3/2 B|\n[L:1/8]A6|",
    "changes": "X:1\nM:3/4\nQ:3/8=60\nK:G\nG2A2B2|[M:4/4][K:Em]e8|[Q:1/4=90]B,8|\nM:none\nG12|",
    "voices": "X:1\nM:4/4\nL:1/4\nV:T\nV:B clef=bass octave=-1\nK:F\nV:T\nFAcf|\nV:B\nF2C2|\n"
    "V:T\n[FA]4|\nV:B\nC4|",
    "parts": "X:1\nP:ABA\nL:1/8\nM:2/4\nK:C\nP:A\n|:CDEF:|\nP:B\nK:G\nGF=F2|",
    "signs": 'X:1\nL:1/8\nK:C\n"Am7/G"{/a2b}(T.A~B) !fermata!u[CE-]3 [CE]-|"^slow"[CE]2 "D.C."&z3|',
    "tuplets": "X:1\nM:6/8\nL:1/8\nK:C\n(3:2:4A2BcB (2AB|(5ABcde (7:4:7ABcdefg|(9ABCDEFGAB|",
    "rests": "X:1\nM:3/4\nL:1/4\nK:C\nC3|Z3|x2 z/C//z//|",
    "repeats": "X:1\nM:2/4\nL:1/8\nK:C\nCD:|:EF|1G:|2A:||:B|]c| |d||[1e:|[2f|",
    "alterations": "X:1\nL:1/8\nK:E\n^G=G_GG ^^f|=d__BB^c-|c|",
    "own key": "X:1\nL:1/8\nK:D exp _b ^f\nBF|\nK:G ^d\ndF|",
    "no key": "X:1\nM:none\nL:1/8\nK:none\n_BA^F|",
    "pipes": "X:1\nL:1/8\nK:HP\nGcf|",
    "reach": "X:1\n%%propagate-accidentals not\nL:1/8\nK:G\n^GG=Ff|",
    "slips": "X:1\nM:4/4\nL:1/8\nK:C\n|:CD) [EG A>B3 c-d|} EF",
}


def tokens(*texts: str, common_key: bool = False) -> list[list[str]]:
    tunes = [Tune(text) for text in texts]
    encoding = AbcTokens.fit(tunes, common_key=common_key)
    return [encoding.vocabulary.decode(encoding.encode(tune)) for tune in tunes]


def sounds(tune: Tune) -> tuple[list[tuple], object, object]:
    """Give the notes, pitches from the first one, with the metres and the modes."""
    played = abc.perform(abc.parse(tune))
    notes = sorted((n.onset, n.pitch, n.duration) for voice in played.voices for n in voice.notes)
    first = notes[0][1]
    relative = [(onset, pitch - first, duration) for onset, pitch, duration in notes]
    return relative, played.meters, [(onset, key.mode) for onset, key in played.keys]


def check_round_trip(encoding: AbcTokens, tune: Tune) -> None:
    symbols = encoding.encode(tune)
    decoded = encoding.decode(symbols)
    abc.parse(decoded, strict=True)
    assert sounds(decoded) == sounds(tune), tune
    np.testing.assert_array_equal(encoding.encode(decoded), symbols)
    if encoding.common_key and parse_key(abc.parse(tune).first("K")).text != "none":
        assert abc.parse(decoded).first("K").startswith("C")


@pytest.mark.parametrize("common_key", [True, False])
@pytest.mark.parametrize("text", TUNES.values(), ids=TUNES)
def test_a_tune_comes_back_as_it_sounds(text: str, common_key: bool) -> None:
    check_round_trip(AbcTokens.fit([Tune(text)], common_key=common_key), Tune(text))


@pytest.mark.parametrize("text", TUNES.values(), ids=TUNES)
def test_tokens_joined_are_abc(text: str) -> None:
    (found,) = tokens(text)
    abc.parse(Tune("X:1\nL:1/8\n" + "".join(found)), strict=True)


def test_the_tokens_of_a_tune() -> None:
    (found,) = tokens(TUNES["reel"])
    assert found == [
        "R:reel\n", "M:2/2\n", "Q:1/2=104\n", "K:Ador\n",
        "|:", "e", "2", "d", "B", "A", "3/2", "B", "/2", "c", "/2", "d", "3/2", "|",
        "(3", "A", "B", "c", "|1", "e", "4", ":|2", "A", "4", "|]",
    ]  # fmt: skip
    (found,) = tokens(TUNES["signs"])
    assert found == [
        "M:none\n", "K:C\n", '"Am7/G"', "(", "{", "a", "b", "}", "T", ".", "A", "~", "B", ")",
        "H", "u", "[", "C", "E", "-", "]", "3", "[", "C", "E", "]", "-", "|",
        "[", "C", "E", "]", "2", "&", "z", "3", "|",
    ]  # fmt: skip
    (found,) = tokens(TUNES["voices"])
    assert "".join(found) == (
        "M:4/4\nK:F\n[V:1]F2A2c2f2|[V:2]F,4C,4|[V:1][F8A8]|[V:2]C,8|".replace("[F8A8]", "[FA]8")
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("X:1\nM:C\nL:1/4\nK:D major\nA B>c|", "X:2\nT:B\nM:4/4\nL:1/8\nK:D\nA2B3c|\nw:la"),
        ("X:1\nM:3/4\nL:1/8\nK:Aaeo\nZ2|", "X:1\nM:3/4\nL:1/8\nK:Am\nz6|x6|"),
        ("X:1\nL:1/8\nK:C\n| CD :| |: EF :|", "X:1\nL:1/8\nK:C\n|:CD::EF:|"),
        ("X:1\nL:1/8\nK:C clef=treble-8\nc|", "X:1\nL:1/8\nK:C\nC|"),
        ("X:1\nL:1/8\nK:C\n(3:2:3CDE F|", "X:1\nL:1/8\nK:C\n(3CDE F|"),
        ("X:1\nL:1/8\nP:AAB\nK:C\nP:A\nC|\nP:B\nD|", "X:1\nL:1/8\nK:C\nC|C|D|"),
    ],
)
def test_ways_to_write_the_same(one: str, other: str) -> None:
    first, second = tokens(one, other)
    assert first == second


def test_a_common_key_keeps_mode_and_alterations() -> None:
    found = tokens(*(f"X:1\nL:1/8\nK:{key}\n{key[0]}^{key[0]}|" for key in ("Ador", "Edor")),
                   common_key=True)  # fmt: skip
    assert found[0] == found[1] == ["M:none\n", "K:Cdor\n", "c", "^c", "|"]
    (found,) = tokens("X:1\nL:1/8\nK:Ab\n_A=B|[K:Eb]=B|", common_key=True)
    assert found == ["M:none\n", "K:C\n", "=c", "^d", "|", "[K:G]", "^d", "|"]


def test_a_common_key_has_one_octave() -> None:
    octaves = ["A,,C,E,A,", "A,CEA", "Acea", "ac'e'a'"]
    found = tokens(*(f"X:1\nL:1/8\nK:Am\n{text}|" for text in octaves), common_key=True)
    assert found == [["M:none\n", "K:Cm\n", "c", "e", "g", "c'", "|"]] * 4


def test_rare_tokens_become_unknown_and_rare_headers_are_left_out() -> None:
    texts = ["X:1\nR:jig\nM:6/8\nL:1/8\nK:C\ncd|", "X:1\nR:odd\nQ:1/4=33\nM:6/8\nL:1/8\nK:C\nc^d|"]
    encoding = AbcTokens.fit([Tune(texts[0]), *map(Tune, texts)], least=2)
    assert encoding.texts == (None, None, "K:C\n", "M:6/8\n", "R:jig\n", "c", "d", "|")
    assert encoding.never == (1,)
    assert encoding.encode(Tune(texts[1])).tolist() == [3, 2, 5, 1, 7, 0]
    with pytest.raises(EncodingError, match="symbol 1 has no text"):
        encoding.decode([3, 2, 5, 1])
    with pytest.raises(EncodingError, match="least is 0; expected 1 or more"):
        AbcTokens.fit([], least=0)


def test_many_pieces_make_single_ones_rare() -> None:
    def fitted(count: int) -> Vocabulary:
        pieces = ([*"ab", f"{i}"] for i in range(count))
        return Vocabulary.count(pieces, None)

    assert len(fitted(99)) == 2 + 2 + 99
    assert fitted(100).texts == (None, None, "a", "b")


def test_a_tune_that_cannot_be_encoded_is_passed_over() -> None:
    huge = Tune("X:1\nK:C\n" + "C" * 200_001)
    encoding = AbcTokens.fit([huge, Tune("X:1\nL:1/8\nK:C\nC|")])
    assert encoding.size == 2 + len(["C", "K:C", "M:none", "|"])
    with pytest.raises(FormatError, match="a tune of 200,009 characters"):
        encoding.encode(huge)


def test_what_is_drawn_is_laid_out() -> None:
    encoding = AbcTokens.fit([Tune(TUNES["reel"] + "|: " + "A2 Bc (3def g2|" * 7 + "a8:|")])
    text = encoding.decode(encoding.encode(Tune("X:1\nR:reel\nM:C|\nK:Ador\nL:1/8\n|:"
                           + "A2Bc(3defg2|" * 9 + ":|"))).text  # fmt: skip
    assert text.split("\n") == [
        "X:1", "T:Reel in C dorian", "R:reel", "M:2/2", "L:1/8", "K:Cdor",
        "|:c2de (3fgab2|c2de (3fgab2|c2de (3fgab2|c2de (3fgab2|",
        "c2de (3fgab2|c2de (3fgab2|c2de (3fgab2|c2de (3fgab2|",
        "c2de (3fgab2:|",
    ]  # fmt: skip


@given(st.lists(st.integers(0, 400)))
def test_any_symbols_make_a_text(numbers: list[int]) -> None:
    encoding = ANY
    symbols = [2 + number % (encoding.size - 2) for number in numbers]
    decoded = encoding.decode(symbols)
    assert encoding.encode(decoded)[-1] == 0
    moved = encoding.in_key(decoded, "Bb")
    assert abc.print_score(abc.parse(moved)) == moved.text


def test_sound_symbols_make_sound_tunes() -> None:
    rng = np.random.default_rng(4)
    encoding = AbcTokens.fit([Tune(TUNES[name]) for name in ("reel", "units", "rests", "repeats")])
    for metre, key in (("6/8", None), ("C|", "Edor"), (None, "D")):
        constraint = encoding.constraint(metre=metre, key=key, bars=4)
        drawn: list[int] = []
        while not drawn or drawn[-1] != 0:
            drawn.append(int(rng.choice(np.flatnonzero(constraint.allowed()))))
            constraint.advance(drawn[-1])
        tune = encoding.in_key(encoding.decode(drawn), "Gmix")
        score = abc.parse(tune, strict=True)
        assert not uneven_bars(score)
        assert key is None or score.first("K") == {"Edor": "Gdor", "D": "G"}[key]
        assert metre is None or score.first("M") == {"C|": "2/2"}.get(metre, metre)


def test_conditions_that_cannot_be_kept() -> None:
    encoding = AbcTokens.fit([Tune(TUNES["reel"])])
    with pytest.raises(EncodingError, match="'H' is not a key; a key is for example Ador"):
        encoding.constraint(key="H")
    with pytest.raises(EncodingError, match="'5' is not a metre"):
        encoding.constraint(metre="5")
    with pytest.raises(EncodingError, match=r"never saw M:3/4; it knows: M:2/2$"):
        encoding.constraint(metre="3/4")
    with pytest.raises(EncodingError, match=r"never saw K:Cm; it knows: K:Cdor$"):
        encoding.constraint(key="Am")


@pytest.mark.parametrize("key", ["C", "D", "Eb", "F#m", "Bbdor", "G#", "Cb"])
def test_a_tune_goes_to_any_key(key: str) -> None:
    encoding = AbcTokens.fit([Tune(TUNES["reel"])])
    tune = encoding.in_key(encoding.decode(encoding.encode(Tune(TUNES["reel"]))), key)
    score = abc.parse(tune, strict=True)
    name = {"F#m": "F#", "Bbdor": "Bb", "Cb": "B"}.get(key, key)
    assert score.first("K") == f"{name}dor"
    assert score.first("T").startswith(f"Reel in {name.replace('#', '♯').replace('b', '♭')} ")
    assert sounds(tune) == sounds(Tune(TUNES["reel"]))
    pitches = [note.pitch for voice in abc.perform(score).voices for note in voice.notes]
    assert min(pitches) >= 55
    assert max(pitches) <= 84


def test_a_title_of_its_own_stays() -> None:
    encoding = AbcTokens.fit([Tune(TUNES["reel"])])
    assert "T:Mine\n" in encoding.in_key(Tune("X:1\nT:Mine\nK:G\nG|"), "D").text
    with pytest.raises(FormatError, match="'none' names no tonic"):
        encoding.in_key(Tune("X:1\nK:G\nG|"), "none")


def test_tonics_are_drawn_as_often_as_they_were() -> None:
    keys = ["G", "G", "G", "D", "Am", "Edor"]
    encoding = AbcTokens.fit([Tune(f"X:1\nK:{key}\nG|") for key in keys])
    rng = np.random.default_rng(0)
    major = [encoding.draw_tonic(Tune("X:1\nK:C\nC|"), rng) for _ in range(400)]
    assert set(major) == {"G", "D"}
    assert 260 < major.count("G") < 340
    assert encoding.draw_tonic(Tune("X:1\nK:Cm\nC|"), rng) == "A"
    assert encoding.draw_tonic(Tune("X:1\nK:Fphr\nC|"), rng) == "F"


def test_primers() -> None:
    encoding = AbcTokens.fit([Tune(TUNES["reel"])])

    def primed(text: str) -> str:
        symbols = encoding.encode_primer(Tune(text))
        return "".join(encoding.texts[symbol] for symbol in symbols)

    head = "X:1\nM:2/2\nL:1/8\nK:Ador\n"
    assert primed(head) == "M:2/2\nK:Cdor\n"
    assert primed(f"{head}|:e2dB") == "M:2/2\nK:Cdor\n|:g2fd"
    assert primed(f"{head}|:e2dB|") == "M:2/2\nK:Cdor\n|:g2fd"
    assert primed(f"{head}e2dB|]") == "M:2/2\nK:Cdor\ng2fd"
    assert primed(f"{head}|:e2|1dB:|2A") == "M:2/2\nK:Cdor\n|:g2|1fd:|2c"
    assert primed(f"{head.replace('L:', 'R:odd' + chr(10) + 'L:')}A") == "M:2/2\nK:Cdor\nc"
    with pytest.raises(
        EncodingError, match=r"holds M:9/8, \^c, which the model never saw; it knows: M:2/2$"
    ):
        encoding.encode_primer(Tune("X:1\nM:9/8\nL:1/8\nK:Ador\n^A|"))


def test_the_state_is_json() -> None:
    encoding = AbcTokens.fit([Tune(text) for text in TUNES.values()], common_key=False)
    again = AbcTokens.from_state(json.loads(json.dumps(encoding.state(), sort_keys=True)))
    assert again.state() == encoding.state()
    assert (again.texts, again.size, again.common_key) == (encoding.texts, encoding.size, False)


def test_symbols_of_music() -> None:
    text = 'A"Am7"^^c\'3/2|1!trill!z/:|2[CE]/4-(3:2:2{d}f::[K:F exp ^f]|]'
    assert "".join(split_music(text)) == text.replace("z/:", "z/2:")
    assert split_music(text)[:5] == ["A", '"Am7"', "^^c'", "3/2", "|1"]


ANY = AbcTokens.fit([Tune(text) for text in TUNES.values()])

SPEC = importlib.util.find_spec("music21")
CORPUS = Path(SPEC.origin).parent / "corpus" if SPEC and SPEC.origin else Path("absent")
DATA = Path(__file__).parents[2] / "shared" / "data"
SAMPLE = 60


def check_sample(files: Iterable[Path]) -> None:
    found = [tune for file in sorted(files) for tune in abc.read(file)]
    chosen = random.Random(2).sample(found, SAMPLE)
    encoding = AbcTokens.fit(chosen)
    for tune in chosen:
        check_round_trip(encoding, tune)


@pytest.mark.skipif(not CORPUS.is_dir(), reason="music21 is not installed")
@pytest.mark.parametrize("collection", ["ryansMammoth", "oneills1850", "airdsAirs"])
def test_tunes_of_collections(collection: str) -> None:
    check_sample((CORPUS / collection).glob("*.abc"))


@pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is absent")
def test_shared_tunes() -> None:
    check_sample((DATA / "nottingham" / "ABC_cleaned").glob("*.abc"))
