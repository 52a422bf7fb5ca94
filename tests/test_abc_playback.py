"""What each sign of ABC sounds like: one tiny case a feature."""

from fractions import Fraction

import pytest

from musicgen.formats import abc
from musicgen.music import Tune

HEAD = "X:1\nT:t\nM:4/4\nL:1/4\n"


def sounding(body: str, head: str = HEAD, key: str = "C") -> str:
    """Write each note as ``onset:pitch:duration`` in quarter notes."""
    score = abc.parse(Tune(f"{head}K:{key}\n{body}"))
    return " ".join(
        f"{note.onset}:{note.pitch}:{note.duration}"
        for voice in abc.perform(score).voices
        for note in voice.notes
    )


def pitches(body: str, key: str = "C") -> list[int]:
    score = abc.parse(Tune(f"{HEAD}K:{key}\n{body}"))
    return [note.pitch for voice in abc.perform(score).voices for note in voice.notes]


CASES = {
    "octaves": ("C,Cc c'", "0:48:1 1:60:1 2:72:1 3:84:1"),
    "lengths": ("A2A/A//A3/2A/4", "0:69:2 2:69:1/2 5/2:69:1/4 11/4:69:3/2 17/4:69:1/4"),
    "accidentals": ("^F=F_B^^C__D", "0:66:1 1:65:1 2:70:1 3:62:1 4:60:1"),
    "accidental until the bar line": ("^FFf|F", "0:66:1 1:66:1 2:78:1 3:65:1"),
    "broken rhythm": ("A>B c<d", "0:69:3/2 3/2:71:1/2 2:72:1/2 5/2:74:3/2"),
    "doubly broken rhythm": ("A>>B", "0:69:7/4 7/4:71:1/4"),
    "broken rhythm of unequal notes": ("A2>B", "0:69:3 3:71:1/2"),
    "broken rhythm over a slur": ("(AB>)c", "0:69:1 1:71:3/2 5/2:72:1/2"),
    "triplet": ("(3ABc", "0:69:2/3 2/3:71:2/3 4/3:72:2/3"),
    "tuplet with all numbers": ("(3:2:2A2B", "0:69:4/3 4/3:71:2/3"),
    "tuplet of a tuplet sign only": ("(2AB(4ABcd", "0:69:3/2 3/2:71:3/2 3:69:3/4 15/4:71:3/4 "
                                     "9/2:72:3/4 21/4:74:3/4"),
    "tie": ("A-A", "0:69:2"),
    "tie over a bar line": ("A-|A", "0:69:2"),
    "tie keeps the accidental": ("_B-|BB", "0:70:2 2:71:1"),
    "tie of a chord": ("[CE]-[CE]", "0:60:2 0:64:2"),
    "tie of one note of a chord": ("[C-E][CE]", "0:60:2 0:64:1 1:64:1"),
    "slur": ("(AB)", "0:69:1 1:71:1"),
    "rests": ("AzBx2c", "0:69:1 2:71:1 5:72:1"),
    "rest of bars": ("Z2A", "8:69:1"),
    "chord": ("[CEG]2c", "0:60:2 0:64:2 0:67:2 2:72:1"),
    "chord with inner lengths": ("[C2E2]/c", "0:60:1 0:64:1 1:72:1"),
    "unequal chord": ("[C2E]c", "0:60:2 0:64:1 2:72:1"),
    "grace notes take no time": ("{gf}A{/g}B", "0:69:1 1:71:1"),
    "chord symbols": ('"Am"A"^slow"B', "0:69:1 1:71:1"),
    "decorations": (".A~BuTc!trill!d+trill+e", "0:69:1 1:71:1 2:72:1 3:74:1 4:76:1"),
    "signs without sound": ("A`B yA$B", "0:69:1 1:71:1 2:69:1 3:71:1"),
    "comment": ("A % B\nc", "0:69:1 1:72:1"),
    "continued line": ("A\\\nB", "0:69:1 1:71:1"),
    "inline fields": ("F[K:G]F[L:1/8]F", "0:65:1 1:66:1 2:66:1/2"),
    "field lines": ("F\nK:G\nF\nL:1/8\nF", "0:65:1 1:66:1 2:66:1/2"),
    "overlay": ("AB&cd|e", "0:69:1 0:72:1 1:71:1 1:74:1 2:76:1"),
    "repeat": ("|:A:|B", "0:69:1 1:69:1 2:71:1"),
    "repeat without a start": ("A:|B", "0:69:1 1:69:1 2:71:1"),
    "second repeat without a start": ("A:|B:|", "0:69:1 1:69:1 2:71:1 3:71:1"),
    "repeat from a double bar": ("A:|B||c:|", "0:69:1 1:69:1 2:71:1 3:72:1 4:72:1"),
    "double repeat": ("|:A::B:|", "0:69:1 1:69:1 2:71:1 3:71:1"),
    "double repeat in other words": ("|:A:|:B:||", "0:69:1 1:69:1 2:71:1 3:71:1"),
    "endings": ("|:A|1B:|2c|]", "0:69:1 1:71:1 2:69:1 3:72:1"),
    "endings in brackets": ("|:A[|][1B:|[2c|]", "0:69:1 1:71:1 2:69:1 3:72:1"),
    "last ending closed by a repeat": ("|:A|1B:|2c:|d", "0:69:1 1:71:1 2:69:1 3:72:1 4:74:1"),
    "endings of several turns": ("|:A|1,3B:|2c:|4d|]", "0:69:1 1:71:1 2:69:1 3:72:1 4:69:1 "
                                 "5:71:1 6:69:1 7:74:1"),
    "ending of a range": ("|:A|1-2B:|3c|]", "0:69:1 1:71:1 2:69:1 3:71:1 4:69:1 5:72:1"),
    "bar lines in the wild": ("A:[|]|]B[|]:|", "0:69:1 1:69:1 2:71:1 3:71:1"),
    "pickup": ("A|Bcde|", "0:69:1 1:71:1 2:72:1 3:74:1 4:76:1"),
    "an uneven bar": ("A|Bcdef|", "0:69:1 1:71:1 2:72:1 3:74:1 4:76:1 5:77:1"),
    "voices": ("V:1\nAB\nV:2\nCD", "0:69:1 1:71:1 0:60:1 1:62:1"),
    "inline voices": ("[V:1]A|[V:2]C|\n[V:1]B|[V:2]D|", "0:69:1 1:71:1 0:60:1 1:62:1"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_feature(name: str) -> None:
    body, expected = CASES[name]
    assert sounding(body) == expected


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("C", "CDEFGAB"),
        ("D", "C^DEF^GAB"),
        ("Bb", "CDE_FGAB_"),
        ("Am", "CDEFGAB"),
        ("EM", "CDEF^GAB"),
        ("A Major", "C^DEF^G^AB"),
        ("Ddor", "CDEFGAB"),
        ("E phrygian", "CDEFGAB"),
        ("Flyd", "CDEFGAB"),
        ("Gmix", "CDEFGAB"),
        ("A Aeolian", "CDEFGAB"),
        ("Bloc", "CDEFGAB"),
        ("D exp ^c", "C^DEFGAB"),
        ("G ^f _b", "CDEF^GAB_"),
        ("Gm =b", "CDE_FGAB"),
        ("none", "CDEFGAB"),
        ("HP", "C^DEF^GAB"),
        ("G clef=bass", "CDEF^GAB"),
    ],
)
def test_key(key: str, expected: str) -> None:
    names = {60: "C", 61: "C^", 62: "D", 63: "E_", 64: "E", 65: "F", 66: "F^", 67: "G", 68: "G^"}
    names |= {69: "A", 70: "B_", 71: "B"}
    assert "".join(names[pitch] for pitch in pitches("CDEFGAB", key)) == expected


@pytest.mark.parametrize(
    ("meter", "length"),
    [
        ("4/4", "1/8"),
        ("2/4", "1/16"),
        ("3/4", "1/8"),
        ("6/8", "1/8"),
        ("C|", "1/8"),
        ("none", "1/8"),
    ],
)
def test_default_length_follows_the_meter(meter: str, length: str) -> None:
    assert sounding("A", f"X:1\nM:{meter}\n") == f"0:69:{Fraction(length) * 4}"


def test_a_tuplet_of_five_follows_the_meter() -> None:
    assert sounding("(5AAAAA", "X:1\nM:4/4\nL:1/4\n").endswith(":2/5")
    assert sounding("(5AAAAA", "X:1\nM:6/8\nL:1/4\n").endswith(":3/5")


def test_parts_are_played_in_the_order_of_the_header() -> None:
    head = "X:1\nL:1/4\nP:ABA\n"
    assert sounding("P:A\nA:|\nP:B\nB|", head) == "0:69:1 1:69:1 2:71:1 3:69:1 4:69:1"
    assert sounding("P:A\nA|\nP:B\nB|", "X:1\nL:1/4\nP:AC\n") == "0:69:1 1:71:1"


def test_voices_have_names_and_programs() -> None:
    tune = Tune('X:1\nV:1 name="Fiddle"\nK:C\nV:1\n%%MIDI program 40\nA\nV:2\nC\n')
    voices = abc.perform(abc.parse(tune)).voices
    assert [(voice.name, voice.program) for voice in voices] == [("Fiddle", 40), ("2", 0)]


def test_a_repeat_goes_back_to_the_key_it_started_in() -> None:
    performance = abc.perform(abc.parse(Tune("X:1\nL:1/4\nK:C\n|:F|[K:G]F:|")))
    assert [(onset, key.fifths) for onset, key in performance.keys] == [
        (0, 0), (1, 1), (2, 0), (3, 1),
    ]  # fmt: skip
    assert [note.pitch for note in performance.voices[0].notes] == [65, 66, 65, 66]
