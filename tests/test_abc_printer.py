"""Scores → text: the canonical form, and that nothing is lost on the way."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musicgen.errors import FormatError
from musicgen.formats import abc
from musicgen.music import Tune

HEAD = "X:1\nL:1/8\nK:C\n"


def printed(body: str) -> str:
    return abc.print_score(abc.parse(Tune(HEAD + body))).removeprefix(HEAD)


@pytest.mark.parametrize(
    "body",
    [
        "|:GA|B2 cd e>f|(3gag f2:|",
        '|:"Am"A2 {/g}f ~A .B TcuAvB:|',
        "A-|A (B[ce]) [A-c][Ac]|",
        "|:A|1 B:|2 c|]",
        "AB\\\nc|\nde|]",
        "[K:G]A[M:3/4]B\nL:1/16\nA|",
        "(3:2:2A2B (5:4ABcde z2 xZ2|",
        "[V:1]A|\n[V:2]C|",
        "AB&CD|",
        "A-&CD-|A&D|",
        "[K:D]A[K:bass]B",
        "A\nw:100\\%",
        '[V:1 name="100\\%"]A',
        "[V:1]A>[V:2]c [V:1]B",
    ],
)
def test_clean_text_stays(body: str) -> None:
    assert printed(body) == body


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("v(dB)", "(vdB)"),
        ('"0"e', '"^0"e'),
        ('"D.C."A', '"^D.C."A'),
        ('"^Segno"A "Am7/G"B', '"^Segno"A "Am7/G"B'),
        ("A:[|]|]", "|:A:|"),
        ("A[|]|]", "A|]"),
        ("AH|", 'A"^fermata"|'),
        ("AS||", "A!segno!||"),
        (".A>B", ".A3/2B/"),
        ("A>B>c", "A>Bc"),
        ("+CE+A !\nB", "[CE]A\nB"),
        ("U:T=!turn!\nTA", "!turn!A"),
        ("m:~g2=g/{a}f/g\n~g2", "g/{a}f/g"),
        ("A\nw:la\nB\nW:the end", "A\nw:la\nB\nW:the end"),
        ("[K:D clef=bass-8]A[V:2 transpose=-2]B", "[K:D clef=bass-8]A[V:2 transpose=-2]B"),
        ("%%MIDI channel 10\nA", "%%MIDI channel 10\nA"),
        ("A//B/2", "A/4B/"),
        ("[C2E2]2", "[CE]4"),
        ("[CvE]", "v[CE]"),
        ("Hz", "!fermata!z"),
        ("~[CE]", "!roll![CE]"),
        (".A-A", "!staccato!A-A"),
        ("A  |  B  ", "A | B"),
        ("A % note\n%%staffwidth 3\nB", "A\nB"),
        ("A`B$ yC", "AB C"),
        ("A\nN:remark\nB", "A\nB"),
        ("|:A:| |:B:|", "|:A:| |:B:|"),
        ("[K:A dorian]A", "[K:Ador]A"),
        ("A[K:middle=d]B", "AB"),
        ("A2/3[C/3E]", "A2/3[C/3E]"),
    ],
)
def test_canonical_form(body: str, expected: str) -> None:
    assert printed(body) == expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (r"T:100\% silk % a comment", r"T:100\% silk"),
        (r"T:\\%", r"T:\%"),
        ("K:bass", "K:bass"),
        ("K:middle=d", "K:none"),
        ("K:", "K:none"),
    ],
)
def test_canonical_header(header: str, expected: str) -> None:
    text = abc.print_score(abc.parse(Tune(f"X:1\n{header}\n{'K:C' * ('T' in header)}\nA")))
    assert expected in text.split("\n")
    assert abc.print_score(abc.parse(Tune(text))) == text


def test_header_order() -> None:
    text = "X:7\nQ:1/4=90\nM:6/8\nR:jig\nZ:me\nT:One\nL:1/8\nC:you\nT:Two\nK:G major clef=treble\nA"
    assert abc.print_score(abc.parse(Tune(text))) == (
        "X:7\nT:One\nT:Two\nC:you\nR:jig\nZ:me\nM:6/8\nL:1/8\nQ:1/4=90\nK:G clef=treble\nA"
    )


SIGNS = list("ABCDEFGabcdefgzxZ|:[](){}<>-^_=,'/0123456789.~uvTHk!\"&\\%+ \n")
CHUNKS = ["(3", "|:", ":|", "::", "|1", ":|2", "[1", "||", "|]", "[|]", "[CE]", "A>B", "A-A"]
CHUNKS += [
    "K:G\n",
    "\nM:3/4\n",
    "[L:1/16]",
    "[K:bass]",
    "C2/3",
    "&E-|",
    "V:2\n",
    "!trill!",
    '"Am"',
    "{gf}",
    "P:A\n",
    "%%MIDI program 3\n",
]
texts = st.lists(st.sampled_from([*SIGNS, *CHUNKS]), max_size=60).map("".join)

TUNE = """X:1
T:One of ours
R:hornpipe
M:C|
L:1/8
K:Gmix
(3DEF|:"G"G2 BG {c}d>B G<B|(ABc-c) A2 "^turn"~F2|[1 .G.A [GB]2 G2 z:|[2 G2-[GB]2 G2 z2|]
V:1
|:vg2 u(fe) d>>c B2|!trill!A4 G2 :: (5GABcd e4 H|]
"""


def check(text: str) -> None:
    tune = Tune(text.rstrip("\n"))
    score = abc.parse(tune)
    clean = abc.print_score(score)
    again = abc.parse(Tune(clean))
    assert abc.print_score(again) == clean
    assert [voice.notes for voice in abc.perform(again).voices] == [
        voice.notes for voice in abc.perform(score).voices
    ]
    serious = [problem for problem in score.problems if not problem.mild]
    if serious:
        with pytest.raises(FormatError) as caught:
            abc.parse(tune, strict=True)
        assert caught.value.message == serious[0].message
    else:
        abc.parse(tune, strict=True)
        abc.parse(Tune(clean), strict=True)


@pytest.mark.parametrize(
    "body",
    [
        "C[1D|E:|2F[1G:|3A:|",
        "|:A|1B|c:|2d|e:|3f:|",
        "C2/3>D&E-|z/3&E",
        "A|1B:|2\nP:A\nc:|",
        "V:1\nC||[1D|]E[2F|G|[4A|",
    ],
)
def test_slips_print_and_play_the_same_again(body: str) -> None:
    check(HEAD + body)


@given(st.text(max_size=200))
def test_any_text_prints_and_plays_the_same_again(text: str) -> None:
    check(text)


@given(texts)
def test_any_music_prints_and_plays_the_same_again(body: str) -> None:
    check("X:1\nK:C\n" + body)


@given(texts)
def test_any_music_of_one_voice_prints_and_plays_the_same_again(body: str) -> None:
    check("X:1\nQ:120\nV:2 transpose=-12\nM:2/4\nK:C\n" + body)


@given(st.integers(0, 2**32))
def test_a_tune_with_slips_prints_and_plays_the_same_again(seed: int) -> None:
    draw = random.Random(seed)
    signs = list(TUNE)
    for _ in range(draw.randint(1, 8)):
        at = draw.randrange(len(signs))
        signs[at : at + draw.randint(0, 2)] = [draw.choice(SIGNS + CHUNKS)][: draw.randint(0, 1)]
    check("".join(signs))
