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
    "broken rhythm of unequal notes": ("A2>B", "0:69:2 2:71:1"),
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
    "tie from a layer to the same layer": ("C-&E-|C&E|", "0:60:2 0:64:2"),
    "tie from the first layer": ("C4-&E2G2|C4|", "0:60:8 0:64:2 2:67:2"),
    "tie keeps the accidental in its layer": ("_B-&_A|B|", "0:68:1 0:70:2"),
    "tie back to the start of a repeat": ("|:AB|A-:|c", "0:69:1 1:71:1 2:69:2 4:71:1 "
                                          "5:69:1 6:72:1"),
    "tie into both endings": ("|:A-|1A:|2A|]", "0:69:2 2:69:2"),
    "slur": ("(AB)", "0:69:1 1:71:1"),
    "lengths over three": ("C2/3D2/3E2/3F2|", "0:60:2/3 2/3:62:2/3 4/3:64:2/3 2:65:2"),
    "chord with lengths over three": ("[CE]2/3c", "0:60:2/3 0:64:2/3 2/3:72:1"),
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
    "a metre leaves the unit": ("A4|[M:2/4]A2|", "0:69:4 4:69:2"),
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
    "section after an ending": ("|:A|1B:|2c||d:|", "0:69:1 1:71:1 2:69:1 3:72:1 4:74:1 5:74:1"),
    "a short third ending": ("|:A|1B|c:|2d|e:|3f:|", "0:69:1 1:71:1 2:72:1 3:69:1 4:74:1 5:76:1 "
                             "6:69:1 7:77:1"),
    "section after endings of one length": ("|:A|1B:|2c|d|e:|", "0:69:1 1:71:1 2:69:1 3:72:1 "
                                            "4:74:1 5:76:1 6:74:1 7:76:1"),
    "section at the label of a part": ("|:A|1B:|2c|de|\nP:B\nf:|", "0:69:1 1:71:1 2:69:1 3:72:1 "
                                       "4:74:1 5:76:1 6:77:1 7:77:1"),
    "ending after a double bar": ("|:A||1B:|2c|]", "0:69:1 1:71:1 2:69:1 3:72:1"),
    "repeat that starts at the end": ("A|B|:|", "0:69:1 1:71:1"),
    "repeat sign in two lines": ("A||\n:B:|", "0:69:1 1:71:1 2:71:1"),
    "chords between plus signs": ("+CE+G+C2 E+", "0:60:1 0:64:1 1:67:1 2:60:2 2:64:1"),
    "loud between plus signs": ("+ff+A", "0:69:1"),
    "a sign that ends a line": ("AB!\ncd|!", "0:69:1 1:71:1 2:72:1 3:74:1"),
    "a macro": ("m:~A2=A{B}G\n~A2c", "0:69:1 1:67:1 2:72:1"),
    "a macro for any note": ("m:~n=nm/o/\n~c~A", "0:72:1 1:71:1/2 3/2:74:1/2 2:69:1 3:67:1/2 "
                             "7/2:71:1/2"),
    "octave": ("[K:C octave=-1]A[K:D]F", "0:57:1 1:54:1"),
    "transposing voice": ("[V:1 transpose=-2]AB", "0:67:1 1:69:1"),
    "clef an octave lower": ("[K:C clef=treble-8]A[K:C treble]A", "0:57:1 1:69:1"),
    "a clef leaves the key": ("[K:D]F|[K:bass]F|[K:clef=treble-8]F|", "0:66:1 1:66:1 2:54:1"),
    "a clef leaves the accidentals": ("^F[K:alto]F", "0:66:1 1:66:1"),
    "octave without a key": ("[K:D]F[K:octave=-1]F", "0:66:1 1:54:1"),
    "no key": ("[K:D]F[K:]F[K:D]F[K:none]F", "0:66:1 1:65:1 2:66:1 3:65:1"),
    "clefs": ("[K:C bass middle=d]A", "0:69:1"),
    "transposing directive": ("%%MIDI transpose 3\nA", "0:72:1"),
    "accidentals in their octave": ("[I:propagate-accidentals octave]^Ff|F",
                                    "0:66:1 1:77:1 2:65:1"),
    "accidentals of one note": ("[I:propagate-accidentals not]^FF", "0:66:1 1:65:1"),
    "text between directives": ("A\n%%begintext\nBAD\n%%endtext\nB", "0:69:1 1:71:1"),
    "overlay after a repeat": ("|:AB&cd:|e", "0:69:1 0:72:1 1:71:1 1:74:1 2:69:1 2:72:1 3:71:1 "
                               "3:74:1 4:76:1"),
    "endings of several turns": ("|:A|1,3B:|2c:|4d|]", "0:69:1 1:71:1 2:69:1 3:72:1 4:69:1 "
                                 "5:71:1 6:69:1 7:74:1"),
    "endings that alternate": ("|:A|1,3B:|2,4c:|d", "0:69:1 1:71:1 2:69:1 3:72:1 4:69:1 5:71:1 "
                               "6:69:1 7:72:1 8:74:1"),
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
        ("Gmix=f", "CDEFGAB"),
        ("^f", "CDEF^GAB"),
        ("bass", "CDEFGAB"),
        ("", "CDEFGAB"),
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


@pytest.mark.parametrize("change", ["[M:2/4]", "\nM:2/4\n"])
def test_a_meter_within_the_tune_leaves_the_default_length(change: str) -> None:
    assert sounding(f"C4D4|{change}C4", "X:1\nM:4/4\n") == "0:60:2 2:62:2 4:60:2"
    assert sounding(f"{change}C4", "X:1\nM:4/4\n") == "0:60:2"


@pytest.mark.parametrize("length", ["1", "1/1", "1/2", "1/256", "1/512"])
def test_unit_note_lengths(length: str) -> None:
    score = abc.parse(Tune(f"X:1\nL:{length}\nK:C\nA"), strict=True)
    assert abc.perform(score).voices[0].notes[0].duration == 4 * Fraction(length)


def test_a_tuplet_of_five_follows_the_meter() -> None:
    assert sounding("(5AAAAA", "X:1\nM:4/4\nL:1/4\n").endswith(":2/5")
    assert sounding("(5AAAAA", "X:1\nM:6/8\nL:1/4\n").endswith(":3/5")


def test_parts_are_played_in_the_order_of_the_header() -> None:
    head = "X:1\nL:1/4\nP:ABA\n"
    assert sounding("P:A\nA:|\nP:B\nB|", head) == "0:69:1 1:69:1 2:71:1 3:69:1 4:69:1"
    assert sounding("P:A\nA|\nP:B\nB|", "X:1\nL:1/4\nP:AC\n") == "0:69:1 1:71:1"


@pytest.mark.parametrize(
    ("order", "played"),
    [("AB", "AB"), ("(AB)2A", "ABABA"), ("A2.(BA3)2", "AABAAABAAA"), ("((A)2B)2", "AABAAB")],
)
def test_orders_of_parts(order: str, played: str) -> None:
    tune = Tune(f"X:1\nP:{order}\nK:C\nP:A\nA|\nP:B\nB|")
    notes = abc.perform(abc.parse(tune)).voices[0].notes
    assert "".join("AB"[note.pitch == 71] for note in notes) == played


def test_parts_start_in_all_voices_at_once() -> None:
    tune = "X:1\nL:1/4\nP:AB\nK:C\nP:B\n[V:1]c|\n[V:2]e|\nP:A\n[V:1]AB|\n[V:2]C|"
    voices = abc.perform(abc.parse(Tune(tune))).voices
    assert [[(note.onset, note.pitch) for note in voice.notes] for voice in voices] == [
        [(0, 69), (1, 71), (2, 72)],
        [(0, 60), (2, 76)],
    ]


@pytest.mark.parametrize(
    ("tempo", "qpm"),
    [
        ("1/4=100", 100),
        ('"Allegro" 1/4=120', 120),
        ('3/8=60 "gently"', 90),
        ("120", 60),
        ("C=120", 60),
        ("C3=40", 60),
        ("1/4 1/8=60", 90),
        ("1/4 = 90", 90),
    ],
)
def test_tempo(tempo: str, qpm: float) -> None:
    performance = abc.perform(abc.parse(Tune(f"X:1\nL:1/8\nQ:{tempo}\nK:C\nA"), strict=True))
    assert performance.tempos == [(0, qpm)]


@pytest.mark.parametrize("tempo", ["120", "C=120"])
def test_an_old_tempo_counts_the_unit_that_comes_after_it(tempo: str) -> None:
    for fields, qpm in ("M:4/4\nQ:{}\nL:1/4\n", 120), ("Q:{}\nM:2/4\n", 30):
        tune = Tune(f"X:1\n{fields.format(tempo)}K:C\nA")
        assert abc.perform(abc.parse(tune)).tempos == [(0, qpm)]


def test_words_alone_are_no_tempo() -> None:
    assert abc.perform(abc.parse(Tune('X:1\nQ:"Slow"\nK:C\nA'), strict=True)).tempos == []


def test_repeats_may_be_left_as_written() -> None:
    score = abc.parse(Tune("X:1\nL:1/4\nP:BA\nK:C\nP:A\n|:A|1B:|2c|]\nP:B\nd|"))
    notes = abc.perform(score, repeats=False).voices[0].notes
    assert [note.pitch for note in notes] == [69, 71, 72, 74]
    assert len(abc.perform(score).voices[0].notes) == 5


def test_drums() -> None:
    score = abc.parse(Tune("X:1\nK:C\nV:1\nA\nV:2\n%%MIDI channel 10\nC"))
    assert [voice.is_drum for voice in abc.perform(score).voices] == [False, True]


def test_an_overlay_does_not_delay_what_changes() -> None:
    score = abc.parse(Tune("X:1\nL:1/4\nK:C\nAB&cd|[K:G]e"))
    assert [time for time, _ in abc.perform(score).keys] == [0, 2]


def accompaniment(body: str, meter: str) -> list[tuple[float, int]]:
    tune = Tune(f"X:1\nM:{meter}\nL:1/4\nK:C\n{body}")
    voice = abc.perform(abc.parse(tune), accompaniment=True).voices[-1]
    assert voice.is_accompaniment
    return [(float(note.onset), note.pitch) for note in voice.notes]


def test_chord_symbols_are_played_in_the_manner_of_the_metre() -> None:
    assert accompaniment('"C"c4|', "4/4") == [
        (0, 36), (1, 48), (1, 52), (1, 55), (2, 36), (3, 48), (3, 52), (3, 55),
    ]  # fmt: skip
    assert accompaniment('"Am"c3|', "6/8") == [
        (0, 45), (1, 57), (1, 60), (1, 64), (1.5, 45), (2.5, 57), (2.5, 60), (2.5, 64),
    ]  # fmt: skip


def test_the_bars_of_a_repeat_are_accompanied_each() -> None:
    notes = accompaniment('|:"C"c2:|', "2/4")
    assert notes == [(time + at, pitch) for at in (0, 2) for time, pitch in
                     [(0, 36), (1, 48), (1, 52), (1, 55)]]  # fmt: skip


def test_a_chord_holds_until_the_next() -> None:
    notes = accompaniment('"^pick-up"G|"C"c2|c"G7/B"c|"N.C."c2|', "2/4")
    assert notes == [
        (1, 36), (2, 48), (2, 52), (2, 55),
        (3, 36), (4, 55), (4, 59), (4, 62), (4, 65),
    ]  # fmt: skip


def test_without_chord_symbols_there_is_no_accompaniment() -> None:
    performance = abc.perform(abc.parse(Tune('X:1\nK:C\n"Fine"A')), accompaniment=True)
    assert len(performance.voices) == 1


def test_voices_have_names_and_programs() -> None:
    tune = Tune('X:1\nV:1 name="Fiddle"\nK:C\nV:1\n%%MIDI program 40\nA\nV:2\nC\n')
    voices = abc.perform(abc.parse(tune)).voices
    assert [(voice.name, voice.program) for voice in voices] == [("Fiddle", 40), ("2", 0)]


def instruments(body: str) -> list[tuple[int, bool, list[tuple[int, int, int]]]]:
    voices = abc.perform(abc.parse(Tune(f"{HEAD}K:C\n{body}"))).voices
    return [(voice.program, voice.is_drum, [*map(tuple, voice.notes)]) for voice in voices]


def test_an_instrument_plays_from_where_it_is_named() -> None:
    assert instruments("C\n%%MIDI program 40\nD-\n%%MIDI channel 10\nD|E") == [
        (0, False, [(0, 60, 1)]),
        (40, False, [(1, 62, 2)]),
        (40, True, [(3, 64, 1)]),
    ]


def test_an_instrument_that_comes_back_is_one_voice() -> None:
    assert instruments("|:C\n%%MIDI program 40\nD:|") == [
        (0, False, [(0, 60, 1), (2, 60, 1)]),
        (40, False, [(1, 62, 1), (3, 62, 1)]),
    ]


@pytest.mark.parametrize("body", ["C|", "C|\nV:1\nC|", "V:\nC|", "C|\nV:\nC|"])
def test_the_only_voice_of_the_header_is_the_one_without_a_name(body: str) -> None:
    voices = abc.perform(abc.parse(Tune(f"X:1\nV:1 transpose=-12\nK:C\n{body}"))).voices
    assert [{note.pitch for note in voice.notes} for voice in voices] == [{48}]


def test_music_before_several_voices_is_of_none() -> None:
    tune = Tune("X:1\nV:1 transpose=-12\nV:2\nK:C\nC|")
    assert abc.perform(abc.parse(tune)).voices[0].notes[0].pitch == 60


def test_a_repeat_goes_back_to_the_key_it_started_in() -> None:
    performance = abc.perform(abc.parse(Tune("X:1\nL:1/4\nK:C\n|:F|[K:G]F:|")))
    assert [(onset, key.fifths) for onset, key in performance.keys] == [
        (0, 0), (1, 1), (2, 0), (3, 1),
    ]  # fmt: skip
    assert [note.pitch for note in performance.voices[0].notes] == [65, 66, 65, 66]
