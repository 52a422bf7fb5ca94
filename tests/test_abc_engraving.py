"""Tunes as engraved: what the MEI says, one tiny case a feature."""

import importlib.util
import random
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from musicgen.errors import FormatError
from musicgen.formats import abc
from musicgen.formats.abc.engraving import to_mei
from musicgen.music import Tune

HEAD = "X:1\nT:t\nM:4/4\nL:1/4\n"
STARTER = Path(__file__).parent.parent / "corpora" / "starter"

NEEDS_VEROVIO = pytest.mark.skipif(
    importlib.util.find_spec("verovio") is None, reason="verovio is not installed"
)


def mei(text: str) -> ET.Element:
    """Engrave, and leave out the namespace."""
    root = ET.fromstring(to_mei(abc.parse(Tune(text))))
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    return root


def engraved(body: str, head: str = HEAD, key: str = "C") -> ET.Element:
    return mei(f"{head}K:{key}\n{body}")


def attributes(root: ET.Element, tag: str, *names: str) -> list[str]:
    """Write the named attributes of every element of a kind, a dash for what is absent."""
    return [" ".join(e.get(name, "-") for name in names) for e in root.iter(tag)]


def outline(element: ET.Element) -> str:
    """Write the layers as tags in brackets; notes as their letters."""
    names = {"note": element.get("pname", "")}
    name = names.get(element.tag, element.tag)
    inner = " ".join(outline(child) for child in element)
    return f"{name}({inner})" if inner else name


def layers(root: ET.Element) -> list[str]:
    return [" ".join(map(outline, layer)) for layer in root.iter("layer")]


LENGTHS = {
    "plain": ("A4 A2 A A/ A//", ["1 -", "2 -", "4 -", "8 -", "16 -"]),
    "dotted": ("A3 A3/ A7/", ["2 1", "4 1", "2 2"]),
    "breve": ("A8", ["breve -"]),
    "tied to the beat": ("A5/ A3/", ["2 -", "8 -", "4 1"]),
    "tied off the beat": ("A3/ A5/", ["4 1", "8 -", "2 -"]),
    "tuplets as written": ("(3AAA (3A/A/A/", ["4 -"] * 3 + ["8 -"] * 3),
    "broken rhythm": ("A>A A<<A", ["4 1", "8 -", "16 -", "4 2"]),
}


@pytest.mark.parametrize("case", LENGTHS)
def test_lengths(case: str) -> None:
    body, expected = LENGTHS[case]
    assert attributes(engraved(body), "note", "dur", "dots") == expected


def test_compound_beats_cut_a_length_at_the_dotted_beat() -> None:
    root = engraved("A5 B", "X:1\nM:6/8\nL:1/8\n")
    assert attributes(root, "note", "dur", "dots", "tie") == ["4 1 i", "4 - t", "8 - -"]


PITCHES = {
    "octaves": ("C, C c c'", "C", ["c 3 - -", "c 4 - -", "c 5 - -", "c 6 - -"]),
    "key": ("F ^F =F F", "G", ["f 4 - s", "f 4 s -", "f 4 n -", "f 4 - -"]),
    "double": ("^^F __B B", "C", ["f 4 x -", "b 4 ff -", "b 4 - ff"]),
    "until the bar line": ("_B B|B", "C", ["b 4 f -", "b 4 - f", "b 4 - -"]),
    "over a tie": ("_B-|B", "C", ["b 4 f -", "b 4 - f"]),
    "clef an octave lower": ("c", "C clef=treble-8", ["c 4 - -"]),
    "octave": ("c", "C octave=-1", ["c 4 - -"]),
}


@pytest.mark.parametrize("case", PITCHES)
def test_pitches(case: str) -> None:
    body, key, expected = PITCHES[case]
    root = engraved(body, key=key)
    assert attributes(root, "note", "pname", "oct", "accid", "accid.ges") == expected


def test_a_transposing_voice_is_engraved_as_written() -> None:
    root = engraved("c ^c", key="C transpose=-2")
    assert attributes(root, "note", "pname", "oct", "accid") == ["c 5 -", "c 5 s"]
    assert attributes(root, "staffDef", "trans.semi") == ["-2"]


TIES = {
    "one": ("A-A", ["i", "t"]),
    "over a bar line": ("A-|A", ["i", "t"]),
    "two": ("A-A-A", ["i", "m", "t"]),
    "in a chord": ("[CE]-[CE]", ["i", "i", "t", "t"]),
    "of one note of a chord": ("[C-E][CE]", ["i", "-", "t", "-"]),
    "back to the start of a repeat": ("|:A B c A-:|B", ["-"] * 5),
    "back from the end": ("|:A B c A-:|", ["-"] * 4),
    "of a unison": ("[CC]5/", ["i", "i", "t", "t"]),
}


@pytest.mark.parametrize("case", TIES)
def test_ties(case: str) -> None:
    body, expected = TIES[case]
    assert attributes(engraved(body), "note", "tie") == expected


STRUCTURES = {
    "beams": ("AB cd e f", "beam(a b) beam(c d) e f"),
    "no beam of quarters": ("A2B2", "a b"),
    "beam around a quarter": ("ABc2de", "beam(a b) c beam(d e)"),
    "beam ends at a rest": ("ABzcd", "beam(a b) rest beam(c d)"),
    "tuplet": ("(3ABc d2", "tuplet(beam(a b c)) d"),
    "tuplet in a beam": ("(3ABcde", "beam(tuplet(a b c) d e)"),
    "tuplet parts a beam": ("AB(3cde2f2", "beam(a b) tuplet(beam(c d) e) f"),
    "tuplet ends in a beam": ("(3A2Bcde", "tuplet(a beam(b c)) beam(d e)"),
    "grace notes": ("{g}A {/g}AB", "graceGrp(g) a beam(graceGrp(g) a b)"),
    "grace notes on a beam": ("{gf}A2", "graceGrp(beam(g f)) a"),
    "chord": ("[CEG]2 [CE]", "chord(c e g) chord(c e)"),
    "rests": ("z2 x2 A4", "rest space a"),
    "articulations": (".A Lva", "a(artic) a(artic artic)"),
    "change within": ("A2[K:G]B2[M:2/4]c2[K:clef=bass]d2", "a keySig b meterSig c clef d"),
}


@pytest.mark.parametrize("case", STRUCTURES)
def test_structure_of_a_measure(case: str) -> None:
    body, expected = STRUCTURES[case]
    assert layers(engraved(body, "X:1\nM:4/4\nL:1/8\n")) == [expected]


def test_a_tuplet_over_a_bar_line_is_two() -> None:
    root = engraved("A3 (3Bc|d e4")
    assert layers(root) == ["a tuplet(b c)", "tuplet(d) e"]
    assert attributes(root, "tuplet", "num", "numbase") == ["3 2", "3 2"]


def test_tuplets_follow_the_metre() -> None:
    root = engraved("(5ABcde", "X:1\nM:6/8\nL:1/8\n")
    assert attributes(root, "tuplet", "num", "numbase") == ["5 3"]


BARS = {
    "single": ("A4|B4|", ["- single", "- single"]),
    "repeat": ("|:A4:|", ["rptstart rptend"]),
    "two repeats": ("|:A4::B4:|", ["rptstart rptend", "rptstart rptend"]),
    "double and end": ("A4||B4|]", ["- dbl", "- end"]),
    "at a line's start": ("A4|\n|:B4:|", ["- single", "rptstart rptend"]),
    "two at once": ("A4|| |B4|]", ["- dbl", "- end"]),
    "open end": ("A4|B4", ["- single", "- -"]),
}


@pytest.mark.parametrize("case", BARS)
def test_bar_lines(case: str) -> None:
    body, expected = BARS[case]
    assert attributes(engraved(body), "measure", "left", "right") == expected


def test_endings_hold_their_measures() -> None:
    root = engraved("|:A4|1 B4|c4:|2 d4|e4||f4|]")
    section = root.find(".//section")
    assert section is not None
    assert [element.tag for element in section] == ["measure", "ending", "ending", "measure"]
    assert attributes(root, "ending", "n") == ["1", "2"]
    assert [len(ending) for ending in root.iter("ending")] == [2, 2]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("A|B4|c4", ["0 false", "1 -", "2 -"]),
        ("B4|c4", ["1 -", "2 -"]),
        ("A|B3:|c|d4|", ["0 false", "1 false", "1 false", "2 -"]),
        ("B5|c3|d4", ["1 false", "2 false", "3 -"]),
        ("Z3|c4|", ["1 -", "4 -"]),
    ],
)
def test_measures_are_counted(body: str, expected: list[str]) -> None:
    assert attributes(engraved(body), "measure", "n", "metcon") == expected


KEYS = {
    "D": "2s",
    "Ador": "1s",
    "Bb": "2f",
    "C": "0",
    "HP": "0",
    "Hp": "2s",
    "none": "0",
    "D ^c": "2s",
}


@pytest.mark.parametrize("key", KEYS)
def test_key_signatures(key: str) -> None:
    assert attributes(engraved("A", key=key), "keySig", "sig") == [KEYS[key]]


def test_accidentals_of_a_key() -> None:
    root = engraved("A", key="D =c _b")
    assert attributes(root, "keyAccid", "pname", "accid") == ["f s", "c n", "b f"]


METRES = {
    "3/4": "3 4 - -",
    "C": "4 4 common -",
    "C|": "2 2 cut -",
    "2+3/8": "2+3 8 - -",
    "none": "- - - false",
}


@pytest.mark.parametrize("metre", METRES)
def test_time_signatures(metre: str) -> None:
    root = engraved("A", f"X:1\nM:{metre}\n")
    assert attributes(root, "meterSig", "count", "unit", "sym", "visible") == [METRES[metre]]


CLEFS = {
    "clef=bass": "F 4 - -",
    "bass": "F 4 - -",
    "alto": "C 3 - -",
    "clef=tenor": "C 4 - -",
    "treble+8": "G 2 8 above",
    "clef=perc": "perc 3 - -",
    "": "G 2 - -",
}


@pytest.mark.parametrize("clef", CLEFS)
def test_clefs(clef: str) -> None:
    root = engraved("A", key=f"Am {clef}")
    assert attributes(root, "clef", "shape", "line", "dis", "dis.place") == [CLEFS[clef]]


def test_changes_between_measures_are_definitions() -> None:
    root = engraved("A4|[K:G][M:3/4]B3|\nK:F\nA3|[K:F]A3|")
    changes = list(root.iter("scoreDef"))[1:]
    assert [[element.tag for element in change.iter("staffDef")] for change in changes] == [
        ["staffDef"],
        ["staffDef"],
    ]
    assert [[e.tag for e in change[0][0]] for change in changes] == [
        ["keySig", "meterSig"],
        ["keySig"],
    ]
    assert layers(root) == ["a", "b", "a", "a"]


SIGNS = {
    "chord symbol": ('"Am7/G"A', "harm", "Am7/G"),
    "text above": ('"^slowly"A', "dir", "slowly"),
    "text below": ('"_slowly"A', "dir", "slowly"),
    "dynamics": ("!mf!A", "dynam", "mf"),
    "finger": ("!3!A", "fing", "3"),
    "trill": ("TA", "trill", None),
    "roll": ("~A", "turn", None),
    "mordent": ("MA", "mordent", None),
    "fermata": ("HA", "fermata", None),
    "segno on a bar line": ("B4|S|A4", "repeatMark", None),
    "words": ("!D.C.alfine!A", "dir", "D.C. al fine"),
}


@pytest.mark.parametrize("case", SIGNS)
def test_signs_point_at_their_note(case: str) -> None:
    body, tag, text = SIGNS[case]
    root = engraved(body)
    (sign,) = root.iter(tag)
    (note,) = (note for note in root.iter("note") if note.get("pname") == "a")
    assert sign.text == text
    assert sign.get("startid") == "#" + note.get("{http://www.w3.org/XML/1998/namespace}id", "")


def test_signs_on_the_last_bar_line_stay_with_the_last_note() -> None:
    root = engraved('A4|B4"^D.C."|]')
    assert attributes(root, "dir", "startid") == ["#s1e2"]


def test_signs_on_the_first_bar_line_stand_once() -> None:
    root = engraved("S|:A4|B4:|")
    assert attributes(root, "repeatMark", "startid") == ["#s1e1"]


def test_a_sign_that_ends_a_measure_stays_in_it() -> None:
    root = engraved("A4|B4!fine!|c4|]")
    assert attributes(root, "repeatMark", "func", "startid") == ["fine #s1e2"]


SLURS = {
    "one": ("(AB)", ["#s1e1 #s1e2"]),
    "over a bar line": ("(A4|B)", ["#s1e1 #s1e2"]),
    "nested": ("(A(BC)D)", ["#s1e1 #s1e4", "#s1e2 #s1e3"]),
    "meeting": ("(AB(C)D)", ["#s1e1 #s1e3", "#s1e3 #s1e4"]),
}


@pytest.mark.parametrize("case", SLURS)
def test_slurs(case: str) -> None:
    body, expected = SLURS[case]
    assert sorted(attributes(engraved(body), "slur", "startid", "endid")) == expected


def test_wedges() -> None:
    root = engraved("!<(!A B !<)!c !>(!d !>)!!<(!e")
    assert attributes(root, "hairpin", "form", "startid", "endid") == [
        "cres #s1e1 #s1e3",
        "dim #s1e4 #s1e5",
    ]


@pytest.mark.parametrize(
    ("value", "expected", "text"),
    [
        ("1/4=120", "120 4 - 120", "♩ = 120"),
        ("3/8=60", "60 4 1 90", "♩. = 60"),
        ("1/2=60", "120 4 - 120", "♩ = 120"),
        ('"Allegro" 1/4=120', "120 4 - 120", "Allegro ♩ = 120"),
        ('"Allegro"', "- - - -", "Allegro"),
        ("120", "120 4 - 120", "♩ = 120"),
    ],
)
def test_tempo(value: str, expected: str, text: str) -> None:
    root = engraved("A", f"X:1\nL:1/4\nQ:{value}\n")
    assert attributes(root, "tempo", "mm", "mm.unit", "mm.dots", "midi.bpm") == [expected]
    assert [tempo.text for tempo in root.iter("tempo")] == [text]


def test_labels_of_parts_but_not_their_order() -> None:
    root = engraved("P:A\nA4|\nP:B\nB4|", HEAD + "P:AB\n")
    assert [rend.text for reh in root.iter("reh") for rend in reh] == ["A", "B"]


def test_rests_of_whole_bars() -> None:
    root = engraved("A4|z4|Z|Z3|z3|x4|")
    assert layers(root) == ["a", "mRest", "mRest", "multiRest", "rest", "mSpace"]


def test_signs_of_a_long_rest_stand_once() -> None:
    root = engraved('[V:1]"Am"Z3|A4|[V:2]A4|B4|c4|d4|')
    assert layers(root)[::2] == ["mRest", "mRest", "mRest", "a"]
    assert attributes(root, "harm", "startid") == ["#s1e1"]


def test_overlays_are_layers() -> None:
    root = engraved("A2 B2 & c4 & x2 d2|e4|")
    assert layers(root) == ["a b", "c", "space d", "e"]
    assert attributes(root, "layer", "n") == ["1", "2", "3", "1"]


def test_voices_are_staves_of_as_many_measures() -> None:
    head = HEAD + 'V:1 clef=treble name="Flute"\nV:2 clef=bass\n'
    root = engraved("[V:1]A4|B4|c4|\n[V:2]Z|D4|", head)
    assert [label.text for label in root.iter("label")] == ["Flute"]
    assert layers(root) == ["a", "mRest", "b", "d", "c", "mRest"]
    assert attributes(root, "clef", "shape") == ["G", "F"]


def test_lyrics() -> None:
    root = engraved("A B c d|e f|\nw: Hal-le lu~ja * \\-men|a_\nw: two|one\n")
    sung = [
        (note.get("pname"), verse.get("n"), syl.text, syl.get("wordpos"), syl.get("con"))
        for note in root.iter("note")
        for verse in note
        for syl in verse
    ]
    assert sung == [
        ("a", "1", "Hal", "i", "d"),
        ("a", "2", "two", None, None),
        ("b", "1", "le", "t", None),
        ("c", "1", "lu ja", None, None),
        ("e", "1", "-men", None, None),
        ("e", "2", "one", None, None),
    ]


def test_lines_of_the_text_are_systems() -> None:
    root = engraved("A4|B4|\nc4|\\\nd4|\ne4|")
    section = root.find(".//section")
    assert section is not None
    assert [element.tag[0] for element in section] == list("mmsmmsm")


def test_head() -> None:
    root = mei("X:1\nT:Caf\\'e & <co>\nT:Second\nC:Anna\nR:reel\nK:C\nA\n")
    assert [title.text for title in root.iter("title")] == ["Café & <co>", "Second"]
    assert [composer.text for composer in root.iter("composer")] == ["Anna"]
    assert [rend.text for rend in root.findall(".//pgHead//rend") if rend.text] == [
        "Café & <co>",
        "Second",
        "reel",
        "Anna",
    ]


def test_text_that_xml_cannot_hold_is_left_out() -> None:
    assert [title.text for title in mei("X:1\nT:A\x0cB\x1b\nK:C\nA\n").iter("title")] == ["AB"]


def test_a_tune_without_notes_has_no_measures() -> None:
    assert not list(mei("X:1\nK:C\n").iter("measure"))


def test_a_score_without_bounds_is_refused() -> None:
    score = abc.parse(Tune("X:1\nK:C\n[V:1]A|" + "Z99|" * 1500 + "[V:2]A|[V:3]A|"))
    with pytest.raises(FormatError, match="measures"):
        to_mei(score)


def test_slips_in_tunes_raise_nothing() -> None:
    draw = random.Random(2)
    texts = [path.read_text() for path in sorted(STARTER.glob("*.abc"))]
    signs = "".join(texts) + '|:[]{}()&"!~^_=zxZ12345/<>-'
    for text in texts * 4:
        letters = list(text)
        for _ in range(draw.randint(1, 12)):
            at = draw.randrange(len(letters))
            letters[at : at + draw.randint(0, 2)] = draw.choice(signs) * draw.randint(0, 2)
        ET.fromstring(to_mei(abc.parse(Tune("".join(letters)))))


@NEEDS_VEROVIO
@pytest.mark.parametrize("path", sorted(STARTER.glob("*.abc")), ids=lambda path: path.stem)
def test_verovio_takes_the_starter_tunes(path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    import verovio

    verovio.enableLog(verovio.LOG_WARNING)
    (tune,) = abc.read(path)
    toolkit = verovio.toolkit()
    assert toolkit.loadData(to_mei(abc.parse(tune)))
    assert "<svg" in toolkit.renderToSVG(1)
    assert capfd.readouterr().err == ""
