"""What a strict reader refuses, and how a lenient one repairs it."""

import pytest

from musicgen.errors import FormatError
from musicgen.formats import abc
from musicgen.music import Tune

HEAD = "X:1\nL:1/4\nK:C\n"

# name: (body, column of the problem, part of the message, the repaired text)
REFUSED = {
    "unknown character": ("A=|B", 2, "'='", "A|B"),
    "digit": ("AB 7c", 4, "'7'", "AB c"),
    "unclosed chord": ("AB[CE|", 3, "never closed", "AB[CE]|"),
    "chord without start": ("AB]|", 3, "without '['", "AB|"),
    "empty chord": ("A[ ]B", 2, "without notes", "AB"),
    "unclosed slur": ("A(BC|", 3, "never closed", "ABC|"),
    "slur without start": ("AB)C|", 3, "without '('", "ABC|"),
    "slur around nothing": ("A()B", 3, "no note", "AB"),
    "unclosed quotation": ('A"BC|', 2, "means nothing", "ABC|"),
    "unclosed grace notes": ("A{BC|", 2, "means nothing", "ABC|"),
    "grace notes before nothing": ("AB{c}", 1, "no note follows", "AB"),
    "unclosed decoration": ("A!trillB", 2, "means nothing", None),
    "zero length": ("A0B", 1, "length", "B"),
    "length over three": ("A/3B", 1, "power of two", "A/3B"),
    "endless length": ("A" + "9" * 50, 1, "length", None),
    "repeat never closed": ("A|:B|", 2, "never closed", "A||B|"),
    "double repeat never closed": ("|:A::B|", 4, "never closed", "|:A:|B|"),
    "repeat opened twice": ("|:A|:B:|", 4, "without ':|'", "|:A::B:|"),
    "ending after no bar line": ("|:A[1B:|2c|]", 4, "must follow a bar", "|:A|1B:|2c|]"),
    "ending without the first": ("|:A|2B:|", 4, "ending 1 is due", "|:A|B:|"),
    "ending that does not end": ("|:A|1B|2c|]", 7, "no ':|'", "|:A|1B:|2c|]"),
    "ending too high": ("|:A|1B:|99c|]", 9, "ending", None),
    "tie to another pitch": ("A-B", 1, "a tie to no note", "AB"),
    "tie to nothing": ("AB-", 2, "a tie to no note", "AB"),
    "tie of a rest": ("Az-A", 3, "follow a note", "AzA"),
    "tuplet not filled": ("(3AB", 3, "1 missing", "(3::2AB"),
    "tuplet in a tuplet": ("(3A(3BcdAB", 4, "within a tuplet", "(3::1A(3BcdAB"),
    "tuplet of one": ("(1A", 1, "not a tuplet", "A"),
    "broken rhythm of unequal notes": ("A2>B", 3, "unequal", "A2B"),
    "broken rhythm into a tuplet": ("A>(3Bcd", 2, "unequal", "A(3Bcd"),
    "quarter tone": ("A^/cB", 2, "between the semitones", "AcB"),
    "lengths apart": ("A 2 B /2 z 3", 1, "apart", "A2 B/ z3"),
    "broken rhythm at the end": ("A>", 2, "no note follows", "A"),
    "broken rhythm at the start": (">A", 1, "must follow", "A"),
    "broken rhythm both ways": ("A><B", 2, "not a broken rhythm", "AB"),
    "pitch too high": ("c''''''", 1, "outside 0 to 127", None),
    "chord over three": ("[C/3E]2", 1, "power of two", "[C2/3E2]"),
    "rest over three": ("z2/3A", 1, "power of two", "z2/3A"),
    "tie of a layer that ends": ("C&E-|C", 3, "a tie to no note", "C&E|C"),
    "tie of a layer past the end": ("C&E-", 3, "a tie to no note", "C&E"),
    "no bar line": ("AB:c", 3, "no bar line", "ABc"),
    "no notes": ("z|", 1, "no notes", "z|"),
    "impossible key": ("A[K:Q]B", 5, "'Q'", "AB"),
    "impossible meter": ("A[M:4/5]B", 5, "not a metre", "AB"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_strict_refuses_and_lenient_repairs(name: str, tmp_path) -> None:
    body, column, message, repaired = REFUSED[name]
    tune = Tune(HEAD + body, tmp_path / "a.abc", 11)
    with pytest.raises(FormatError) as caught:
        abc.parse(tune, strict=True)
    assert message in caught.value.message
    assert (caught.value.path, caught.value.line, caught.value.column) == (tune.path, 14, column)
    score = abc.parse(tune)
    problem = next(problem for problem in score.problems if not problem.mild)
    assert (problem.line, problem.column, problem.message) == (14, column, caught.value.message)
    if repaired is not None:
        assert abc.print_score(score) == HEAD + repaired


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("X:1\nT:t", 2, "K: line is missing"),
        ("X:1\nnonsense\nK:C\nA", 2, "expected a field"),
        ("X:1\nM:3/0\nK:C\nA", 2, "not a metre"),
        ("X:1\nL:1/3\nK:C\nA", 2, "not a unit note length"),
        ("X:1\nL:1/0\nK:C\nA", 2, "not a unit note length"),
        ("X:1\nQ:fast\nK:C\nA", 2, "not a tempo"),
        ("X:1\nK:Xyz\nA", 2, "not a key"),
        ("X:1\nK:Cxyz\nA", 2, "not a mode"),
        ("X:1\nK:G#\nA", 2, "more than seven"),
        ("X:1\n[K:G]\nA", 2, "in brackets"),
        ("X:1\nU:A=!trill!\nK:C\nA", 2, "does not define a symbol"),
        ("X:1\nm:A\nK:C\nA", 2, "not a macro"),
        ("X:1\nQ:1/3=100\nK:C\nA", 2, "not the length of a beat"),
    ],
)
def test_header(text: str, line: int, message: str) -> None:
    with pytest.raises(FormatError, match=message) as caught:
        abc.parse(Tune(text), strict=True)
    assert caught.value.line == line
    assert caught.value.hint
    assert abc.parse(Tune(text)).problems


@pytest.mark.parametrize(
    ("value", "expected"),
    [("Bn", "B"), ("bm", "Bm"), ("G#", "C"), ("Q", "C"), ("Dmixm", "Dmix")],
)
def test_a_key_is_repaired(value: str, expected: str) -> None:
    score = abc.parse(Tune(f"X:1\nK:{value}\nA"))
    assert abc.print_score(score) == f"X:1\nK:{expected}\nA"


def test_words_within_the_header_are_passed_over() -> None:
    score = abc.parse(Tune("X:1\nT:a\nfound in a book\nM:3/4\nK:D\nA"))
    assert abc.print_score(score) == "X:1\nT:a\nM:3/4\nK:D\nA"


def test_lines_are_those_of_the_file() -> None:
    text = "M:3/4\nR:waltz\n\nX:1\nT:a\nK:C\nA\nB]\n"
    with pytest.raises(FormatError) as caught:
        abc.parse(abc.split(text)[0], strict=True)
    assert (caught.value.line, caught.value.column) == (8, 2)
    assert text.split("\n")[caught.value.line - 1] == "B]"


@pytest.mark.parametrize(
    "text",
    [
        "X:1\nK:C\n" + "A" * 300_000,
        "X:1\nK:C\n" + "|:" + "A" * 150_000 + "|1,2,3,4,5,6,7,8:|9A|]",
    ],
)
def test_a_tune_beyond_all_bounds_is_refused(text: str) -> None:
    with pytest.raises(FormatError) as caught:
        abc.perform(abc.parse(Tune(text)))
    assert caught.value.hint


@pytest.mark.parametrize(
    "body",
    [
        "Z999999999",
        "(9:1:99999ABC",
        "A99999999",
        "A/99999999",
        "A" + "/" * 100,
        "[1-99999A",
        "c" + "'" * 5000,
        "{" + "c" * 5000 + "}A",
        "m:n=nnnnnnnnnn\nABC",
        "m:A=AAAAAAAAAAAAAAAAAAAAAAAA\n" + "A" * 5000,
    ],
)
@pytest.mark.parametrize("head", ["", "P:((((A9)9)9)9\n", "P:" + "(" * 500 + "A\n", "P:A999999\n"])
def test_great_numbers_stay_harmless(head: str, body: str) -> None:
    score = abc.parse(Tune(f"X:1\n{head}K:C\nP:A\n{body}"))
    assert sum(len(voice.notes) for voice in abc.perform(score).voices) < 100_000
    assert len(abc.print_score(score)) < 500_000


@pytest.mark.parametrize(
    "body",
    [
        "A:|B:|",
        "A|1B:|2c|]",
        '"0"Av(dB)H|',
        "ABCDEFG|A|",
        "A>.B c>d",
        "|:A-:|",
        "|:A-|1A:|2B|]",
        "|!A:: c ::",
        "+CEG+",
        "({de})f",
        "(A(BC)D)",
        "A2-(3ABc",
        "kAUBVc",
    ],
)
def test_strict_accepts_what_is_custom(body: str) -> None:
    assert abc.parse(Tune(HEAD + body), strict=True).body


def test_a_history_may_go_on_over_lines() -> None:
    score = abc.parse(Tune("X:1\nH:told\nand retold\nK:C\nA"), strict=True)
    assert score.first("H").startswith("told")


def test_the_list_of_problems_stays_short() -> None:
    assert len(abc.parse(Tune(HEAD + "A" + ")" * 5000)).problems) == 1000


@pytest.mark.parametrize("sign", [*"A[](){}\"!|:1^ -><&\\%~+,'", "|:A", "[A:", '"a"', "{a}", "|1A"])
def test_a_long_text_of_one_sign_is_read_played_and_printed(sign: str) -> None:
    score = abc.parse(Tune(HEAD + sign * (30_000 // len(sign))))
    abc.perform(score)
    text = abc.print_score(score)
    assert abc.print_score(abc.parse(Tune(text))) == text


def test_a_field_that_is_no_longer_valid_when_it_goes_on_stays_as_it_was() -> None:
    score = abc.parse(Tune("X:1\nT:One\n+:title\nM:C\n+:1/8\nL:1/4\nK:G\nGAB|"))
    assert (score.first("T"), score.first("M")) == ("One title", "C")
    assert [(p.line, p.message) for p in score.problems] == [(5, "'C 1/8' is not a metre")]
    abc.perform(score)


def test_a_symbol_with_a_name_that_no_decoration_has() -> None:
    score = abc.parse(Tune("X:1\nU:k=!two words!\nK:G\nkGAB|"))
    assert "does not define a symbol" in score.problems[0].message
    assert abc.print_score(abc.parse(Tune(abc.print_score(score)))) == abc.print_score(score)
