"""The grammar of clean ABC: what it accepts, and that it never leads into a dead end."""

import random
from fractions import Fraction

import pytest

from musicgen.errors import EncodingError
from musicgen.formats import abc
from musicgen.formats.abc.grammar import Grammar
from musicgen.formats.abc.measures import uneven_bars
from musicgen.music import Tune

CHARACTERS = sorted(set("XTMLQKRC:/1234567890\n |ABCDEFGabcdefgz,'^_=[](){}-<>.~uvTmjigornpe\""))
PITCHES = [f"{sign}{note}" for sign in ("", "^", "_") for note in "CDEFGABcdefgab"]
TOKENS = [
    *PITCHES, "2", "3", "4", "6", "/2", "3/2", "|", ":|", "|:", "||", "|]", "::", "|1", ":|2",
    "(3", "(3:2:2", "(", ")", "[", "]", "-", "z", "{", "}", "~", ".", '"G"', "R:jig\n",
    "R:hornpipe\n", "M:6/8\n", "M:4/4\n", "M:2/4\n", "K:C\n", "K:Cdor\n", "Q:1/4=120\n",
    "[M:3/4]", "[K:Cmix]",
]  # fmt: skip
PHRASES = [
    "A2", "(3ABc", "CDE|", '"G"A', '"^slow"', "|:A", "B2|c", "|c8|d8|", "A>B", "A-", "-|", "[CE]2",
    "{a}B", "~A", ".A", "|[K:C]", "|\n", " ", "!f!A",
]  # fmt: skip
EIGHTH = Fraction(1, 8)
PRINTABLE = Grammar(["\n", *map(chr, range(32, 127))])
HEAD = "X:1\nM:4/4\nL:1/8\nK:C\n"


def walk(grammar: Grammar, draw: random.Random) -> str:
    """Draw among what is allowed, each text as likely as the others, up to the end."""
    state, text = grammar.start, ""
    while True:
        can = sorted(grammar.followers(state))
        if grammar.may_end(state) and (not can or draw.random() < 0.5):
            return text
        assert can, f"a dead end after {text!r}"
        # Long titles teach nothing.
        chosen = "\n" if "\n" in can and draw.random() < 0.2 else draw.choice(can)
        after = grammar.advance(state, chosen)
        assert after is not None, f"{chosen!r} cannot stand after {text!r}"
        state, text = after, text + chosen


def check(text: str) -> None:
    assert uneven_bars(abc.parse(Tune(text), strict=True)) == [], text


@pytest.mark.parametrize("seed", range(12))
def test_random_tunes_of_tokens(seed):
    draw = random.Random(seed)
    # Some vocabularies lack most bar lines, lengths or signs.
    needed = {"C", "|", "M:4/4\n", "K:C\n"}
    texts = [text for text in TOKENS if text in needed or draw.random() < (1.0, 0.7)[seed % 2]]
    bars = draw.choice([None, 1, 2, 3, 8])
    grammar = Grammar(texts, bars=bars, most_bars=8, unit_length=EIGHTH)
    for _ in range(4):
        check("X:1\nL:1/8\n" + walk(grammar, draw))


@pytest.mark.parametrize("seed", range(4))
def test_random_tunes_of_characters(seed):
    draw = random.Random(seed)
    grammar = Grammar(CHARACTERS, bars=draw.choice([None, 1, 4]), most_bars=4)
    for _ in range(2):
        check(walk(grammar, draw))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("texts", [TOKENS, TOKENS + PHRASES, CHARACTERS])
def test_states_of_one_digest_allow_the_same(seed, texts):
    draw = random.Random(seed)
    grammar = Grammar(texts, most_bars=6, unit_length=EIGHTH)
    for _ in range(2):
        state = grammar.start
        for _ in range(60):
            can = sorted(grammar.followers(state))
            assert can == sorted(t for t in texts if grammar.advance(state, t) is not None)
            if not can:
                break
            after = grammar.advance(state, draw.choice(can))
            assert after is not None
            state = after


GOOD = [
    "ABcd efga|A8|]", "A|B8|c7|]", "|:A|B8|c7:||:d|e8|f7:|", "A8|B8:|c8|d8:|", "A8|B8::c8|d8:|",
    "|:A8|1B8:|2c8|]", "|:A8|[1B8:|[2c8||d8|]", "A4-A4|A8-|A8|]", "^A8-|^A8|]", "(AB cd) (e4|f8)|]",
    "{ab}A4 [CEG]4|z4 A4|]".replace("z4 A4", "A4 z4"), "(3ABc (3ABc (3ABc (3ABc|A8|]",
    '"G"A8|"^slow"A8|"Am7/G"A8|]', "A>BA<B A2>>B2|A8|]", "A8|[M:3/4]A6|[K:G]A6|]",
    ".A.B uA vA TA ~A MA PA|A8|]", "A8|\nA8|]\n", "A3/2B/2A/B/A2A3//A5/4|A8|]",
]  # fmt: skip


@pytest.mark.parametrize("body", GOOD)
def test_accepted(body):
    state = PRINTABLE.advance(PRINTABLE.start, HEAD + body)
    assert state is not None
    assert PRINTABLE.may_end(state)
    check(HEAD + body)


BAD = [
    "A8|A7|", "A8A", "A8|B8|:c8|d8|]\n\n", "A8||B8::c8:|:", "|:A8|]", "A8-|B", "A8-|z", "(A8|]",
    "(3AB|", "A>|", "A2>B4", "[CC]", "[]", "{}", "A8|1B8|2", "A8:|2", "|:A8|:", "||", '"hello"',
    "~[AC]", "HA", "A8| |", "V:1", "[V:1]", "[M:none]", "!fermata!", "A |", "A,,,", 'u"G"A8|]',
    "u!f!A8|]", ".(A8|A8)|]", "v{a}A8|]", ".A4>B4|]", "A4>.B4|]", '"^a;b"A8|]', "A8-|TA8|]", "c'''",
]  # fmt: skip


@pytest.mark.parametrize("body", BAD)
def test_refused(body):
    text = HEAD + body
    state = PRINTABLE.start
    for character in text:
        after = PRINTABLE.advance(state, character)
        if after is None:
            return
        state = after
    assert not PRINTABLE.may_end(state)


def test_a_tune_of_the_asked_number_of_bars_ends_there():
    grammar = Grammar(["\n", *map(chr, range(32, 127))], bars=3)
    state = grammar.advance(grammar.start, HEAD + "A|B8|c8|")
    assert state is not None
    assert not grammar.may_end(state)
    assert grammar.advance(state, "c8|") is None
    state = grammar.advance(state, "c7|")
    assert state is not None
    assert grammar.may_end(state)
    assert grammar.advance(state, "A") is None


def test_a_repeat_opens_only_where_it_can_be_closed():
    assert Grammar(["\n", *"XMLK:123456789|/CDE "]).advance(Grammar.start, HEAD + "|:") is not None
    tokens = ["M:4/4\n", "K:C\n", "C", "2", "8", "|", "|:"]
    grammar = Grammar(tokens, unit_length=EIGHTH)
    assert grammar.advance(grammar.start, "M:4/4\nK:C\n|:") is None


@pytest.mark.parametrize(
    ("conditions", "message"),
    [
        ({"metre": "9/8"}, "not the metre 9/8; it knows: 2/4, 4/4, 6/8"),
        ({"metre": "x"}, "'x' is not a metre"),
        ({"key": "G"}, "not the key G; it knows: C, Cdor"),
        ({"title": "Air"}, "the title 'Air' cannot be written"),
        ({"title": "a\nb"}, "is no title"),
        ({"bars": 0}, "expected 1 or more"),
    ],
)
def test_impossible_conditions(conditions, message):
    with pytest.raises(EncodingError, match=message):
        Grammar(TOKENS, unit_length=EIGHTH, **conditions)


def test_a_metre_that_no_notes_fill():
    texts = ["M:3/4\n", "K:C\n", "C4", "C", "4", "8", "|", "M:4/4\n"]
    with pytest.raises(EncodingError, match="no bar of 3/16 can be filled"):
        Grammar([*texts, "M:3/16\n"], metre="3/16", unit_length=EIGHTH)


def test_nothing_opens_that_the_vocabulary_cannot_close():
    texts = ["M:4/4\n", "K:C\n", "C", "8", "(", "(3", ".", "|", "|:", "|1", "-", "D"]
    grammar = Grammar(texts, unit_length=EIGHTH)
    for music in ("|:", "(.", "(D", "C8|1"):
        assert grammar.advance(grammar.start, f"M:4/4\nK:C\n{music}") is None


def test_hornpipes_stand_in_their_metres_and_without_staccato():
    assert PRINTABLE.advance(PRINTABLE.start, "X:1\nM:6/8\nR:hornpipe\n") is None
    assert PRINTABLE.advance(PRINTABLE.start, "X:1\nR:hornpipe\nM:6/8\n") is None
    body = PRINTABLE.advance(PRINTABLE.start, "X:1\nR:hornpipe\nM:4/4\nL:1/8\nK:C\n")
    assert body is not None
    assert PRINTABLE.advance(body, ".A") is None
    slow = Grammar(CHARACTERS, metre="6/8")
    assert slow.advance(slow.start, "X:1\nR:hornpipe\n") is None


def test_a_few_bars_are_split_by_double_bar_lines():
    state = PRINTABLE.advance(PRINTABLE.start, HEAD + "A|" + "A7||A|" * 4)
    assert state is not None
    assert PRINTABLE.advance(state, "A8|") is not None
    after = PRINTABLE.advance(state, "A7||")
    assert after is None or PRINTABLE.advance(after, "A") is None


def test_a_vocabulary_that_writes_no_tune():
    with pytest.raises(EncodingError, match="lacks the bar line"):
        Grammar(["M:4/4\n", "K:C\n", "C"])


def test_conditions_hold():
    grammar = Grammar(CHARACTERS, metre="6/8", key="Ador", title="Cooper", bars=2)
    text = walk(grammar, random.Random(0))
    score = abc.parse(Tune(text), strict=True)
    assert (score.first("M"), score.first("T")) == ("6/8", "Cooper")
    assert score.first("K") == "Ador"
