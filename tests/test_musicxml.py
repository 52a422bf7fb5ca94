"""MusicXML: what scores mean, what is written, and what is refused."""

import random
import subprocess
import sys
import warnings
import zipfile
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from musicgen.errors import FormatError, FormatWarning
from musicgen.formats import midi, musicxml
from musicgen.formats.musicxml import container
from musicgen.formats.musicxml.repeats import order_of_play
from musicgen.formats.musicxml.score import Signs
from musicgen.music import KeySignature, Music, Note, Tempo, TimeSignature, Track

HEAD = (
    '<?xml version="1.0"?>\n<score-partwise version="4.0"><part-list><score-part id="P1">'
    "<part-name>A</part-name>{}</score-part></part-list>"
)
FOUR_FOUR = "<time><beats>4</beats><beat-type>4</beat-type></time>"
NOTTINGHAM = Path(__file__).parents[2] / "shared" / "data" / "nottingham" / "MIDI"


def score(*measures, instrument=""):
    content = "".join(f"<measure>{measure}</measure>\n" for measure in measures)
    return HEAD.format(instrument) + f'<part id="P1">{content}</part></score-partwise>'


def attributes(more="", divisions=1):
    return f"<attributes><divisions>{divisions}</divisions>{more}</attributes>"


def note(step="C", octave=4, duration=1, more="", before="", alter=0, loudness=""):
    return (
        f"<note{loudness}>{before}<pitch><step>{step}</step><alter>{alter}</alter>"
        f"<octave>{octave}</octave></pitch><duration>{duration}</duration>{more}</note>"
    )


def tie(*kinds):
    return "".join(f'<tie type="{kind}"/>' for kind in kinds)


@pytest.fixture
def read(tmp_path):
    """Read a text or bytes, warnings of repairs being errors."""

    def read(content, **options):
        path = tmp_path / "score.xml"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return musicxml.read(path, **options)[0]

    return read


def rounded(music):
    """Notes of all tracks as onset, pitch and duration in quarter notes."""
    return [
        (Fraction(n.time, music.resolution), n.pitch, Fraction(n.duration, music.resolution))
        for track in music.tracks
        for n in track.notes
    ]


def onsets(music):
    return [(float(onset), pitch) for onset, pitch, _ in rounded(music)]


# Reading ------------------------------------------------------------------------------------------


def test_notes_chords_rests_backup_and_forward(read):
    music = read(
        score(
            attributes(FOUR_FOUR, 2)
            + note("C", duration=2)
            + note("E", duration=2, before="<chord/>")
            + "<note><rest/><duration>2</duration></note>"
            + note("F", duration=4, alter=1)
            + "<backup><duration>8</duration></backup><forward><duration>3</duration></forward>"
            + note("B", 2, 5, alter=-1)
        )
    )
    assert rounded(music) == [
        (0, 60, 1),
        (0, 64, 1),
        (Fraction(3, 2), 46, Fraction(5, 2)),
        (2, 66, 2),
    ]
    assert music.time_signatures == [TimeSignature(0, 4, 4)]
    assert music.tracks[0].name == "A"


def test_ties_join_over_bar_lines_and_within_chords(read):
    music = read(
        score(
            attributes(FOUR_FOUR)
            + note("C", duration=4, more=tie("start"))
            + note("E", duration=4, before="<chord/>"),
            note("C", duration=4, more=tie("stop", "start")),
            note("C", duration=1, more=tie("stop")) + note("C", duration=3),
        )
    )
    assert rounded(music) == [(0, 60, 9), (0, 64, 4), (9, 60, 3)]


def test_a_tie_joins_its_own_voice_first(read):
    music = read(
        score(
            attributes(FOUR_FOUR)
            + note(duration=2, more="<voice>1</voice>" + tie("start"))
            + note(duration=2, more="<voice>1</voice>")
            + "<backup><duration>4</duration></backup>"
            + note(duration=2, more="<voice>2</voice>" + tie("start"))
            + note(duration=1, more="<voice>2</voice>" + tie("stop"))
        )
    )
    assert rounded(music) == [(0, 60, 2), (0, 60, 3), (2, 60, 2)]


@pytest.mark.parametrize(("divisions", "resolution"), [(3, 480), (5, 480), (7, 3360), (768, 3840)])
def test_times_are_exact(read, divisions, resolution):
    music = read(score(attributes(FOUR_FOUR, divisions) + note() + note()))
    assert music.resolution == resolution
    assert rounded(music)[1][0] == Fraction(1, divisions)


def test_times_beyond_the_finest_resolution_are_rounded(read):
    with pytest.warns(FormatWarning, match="rounded to ticks"):
        music = read(score(attributes(FOUR_FOUR, 999_983) + note(duration=999_983) + note()))
    assert music.resolution == 10080
    assert rounded(music)[0] == (0, 60, 1)


def test_sounding_pitch_and_key_of_a_transposing_part(read):
    clarinet = "<key><fifths>2</fifths></key><transpose><chromatic>-2</chromatic></transpose>"
    piccolo = "<transpose><chromatic>0</chromatic><octave-change>1</octave-change></transpose>"
    music = read(score(attributes(clarinet) + note("D") + attributes(piccolo) + note("D")))
    assert [pitch for _, pitch in onsets(music)] == [60, 74]
    assert music.key_signatures == [KeySignature(0, 0, "major")]


def test_grace_and_cue_notes_are_left_out_and_counted(read):
    grace = note().replace("<duration>1</duration>", "").replace("<note>", "<note><grace/>")
    with pytest.warns(FormatWarning) as caught:
        music = read(score(attributes() + grace + note("D", before="<cue/>") + note("E")))
    assert onsets(music) == [(1.0, 64)]
    assert [str(warning.message).split("xml: ")[1] for warning in caught] == [
        "grace notes left out: 1",
        "cue notes left out: 1",
    ]


def test_percussion(read):
    drums = (
        '<midi-instrument id="I1"><midi-unpitched>37</midi-unpitched></midi-instrument>'
        '<midi-instrument id="I2"><midi-unpitched>43</midi-unpitched></midi-instrument>'
    )
    hit = '<note><unpitched/><duration>1</duration><instrument id="{}"/></note>'
    music = read(score(attributes() + hit.format("I2") + hit.format("I1"), instrument=drums))
    assert music.tracks[0].is_drum
    assert onsets(music) == [(0.0, 42), (1.0, 36)]


def test_program(read):
    flute = '<midi-instrument id="I"><midi-program>74</midi-program></midi-instrument>'
    assert read(score(instrument=flute)).tracks == [Track(73, name="A")]


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        ("<beats>6</beats><beat-type>8</beat-type>", (6, 8)),
        ("<beats>3+2</beats><beat-type>8</beat-type>", (5, 8)),
        (
            "<beats>3</beats><beat-type>8</beat-type><beats>1</beats><beat-type>4</beat-type>",
            (5, 8),
        ),
    ],
)
def test_metre(read, time, expected):
    music = read(score(attributes(f"<time>{time}</time>", 2) + note(duration=expected[0])))
    assert music.time_signatures[0] == (0, *expected)


def test_no_metre(read):
    music = read(score(attributes("<time><senza-misura/></time>") + note(duration=7), note()))
    assert music.time_signatures == []
    assert onsets(music)[1][0] == 7


def test_bar_lines_stay_where_they_are(read):
    bar = note(duration=4)
    repeat = '<barline location="right"><repeat direction="backward"/></barline>'
    music = read(score(attributes(FOUR_FOUR) + note(), bar, note(duration=3) + repeat, bar))
    # Pickup, bar, the short bar and the pickup again as one, bar, short bar; then the last.
    assert music.time_signatures == [
        TimeSignature(0, 1, 4),
        TimeSignature(480, 4, 4),
        TimeSignature(480 * 13, 3, 4),
        TimeSignature(480 * 16, 4, 4),
    ]


def test_a_rest_of_a_whole_measure_fills_no_more_than_it(read):
    three = "<time><beats>3</beats><beat-type>4</beat-type></time>"
    rest = '<note><rest measure="yes"/><duration>4</duration></note>'
    assert onsets(read(score(attributes(three) + rest, note()))) == [(3.0, 60)]


def test_changes_of_key_within_a_measure(read):
    keys = [f"<key><fifths>{fifths}</fifths><mode>minor</mode></key>" for fifths in (1, -2)]
    music = read(score(attributes(keys[0]) + note() + attributes(keys[1]) + note()))
    assert music.key_signatures == [KeySignature(0, 1, "minor"), KeySignature(480, -2, "minor")]


MARK = (
    "<direction><direction-type><metronome><beat-unit>{}</beat-unit>{}<per-minute>{}</per-minute>"
    "</metronome></direction-type>{}</direction>"
)


@pytest.mark.parametrize(
    ("mark", "qpm"),
    [
        (MARK.format("quarter", "", "100", ""), 100.0),
        (MARK.format("quarter", "<beat-unit-dot/>", "c. 60", ""), 90.0),
        (MARK.format("eighth", "", "99.5", ""), 49.75),
        (MARK.format("half", "", "60", '<sound tempo="111.25"/>'), 111.25),
        ('<sound tempo="72"/>', 72.0),
    ],
)
def test_tempo(read, mark, qpm):
    assert read(score(attributes() + note() + mark + note())).tempos == [Tempo(480, qpm)]


def test_tempo_with_an_offset(read):
    mark = '<direction><offset sound="yes">2</offset><sound tempo="60"/></direction>'
    assert read(score(attributes() + mark + note(duration=4))).tempos == [Tempo(960, 60.0)]


def test_loudness(read):
    forte = "<direction><direction-type><dynamics><f/></dynamics></direction-type></direction>"
    music = read(
        score(
            attributes()
            + note()
            + forte
            + note()
            + note(loudness=' dynamics="50"')
            + '<direction><sound dynamics="100"/></direction>'
            + note()
        )
    )
    assert [n.velocity for n in music.tracks[0].notes] == [80, 96, 45, 90]


# Repeats: each letter is a measure that plays the pitch of that name ------------------------------

BARLINE = "<barline>{}</barline>"
SIGNS = {
    "|:": BARLINE.format('<repeat direction="forward"/>'),
    ":|": BARLINE.format('<repeat direction="backward"/>'),
    ":|3": BARLINE.format('<repeat direction="backward" times="3"/>'),
    "[1": BARLINE.format('<ending number="1" type="start"/>'),
    "[1,2": BARLINE.format('<ending number="1, 2" type="start"/>'),
    "[2": BARLINE.format('<ending number="2" type="start"/>'),
    "[3": BARLINE.format('<ending number="3" type="start"/>'),
    "]": BARLINE.format('<ending number="1" type="stop"/>'),
    "segno": "<direction><direction-type><segno/></direction-type></direction>",
    "coda": '<direction><sound coda="1"/></direction>',
    "to-coda": '<direction><sound tocoda="1"/></direction>',
    "DC": '<direction><sound dacapo="yes"/></direction>',
    "DS": '<sound dalsegno="1"/>',
    "fine": '<direction><sound fine="yes"/></direction>',
}


@pytest.mark.parametrize(
    ("written", "played"),
    [
        ("A B :| / C", "ABABC"),
        ("A / |: B :|3 / C", "ABBBC"),
        ("A :| / B :|", "AABB"),
        ("|: A / [1 B ] :| / [2 C ] / D", "ABACD"),
        ("|: A / [1 B / C :| / [2 D :| / E", "ABCADE"),
        ("A / [1,2 B ] :| / [3 C ] / D", "ABABACD"),
        ("|: A / [1 B :| / [2 C ] / |: D / [1 E :| / [2 F ]", "ABACDEDF"),
        ("A fine / B DC", "ABA"),
        ("A / segno B to-coda / C DS / coda D", "ABCBD"),
        ("A / |: B / [1 C :| / [2 D ] fine / E DC", "ABCBDEABD"),
        ("A :| DC / B", "AAAB"),
        ("A to-coda / B DS", "AB"),
        ("|: A / B", "AB"),
        ("|: A / [1 B ] :| / [2 C ] DC fine", "ABACAC"),
    ],
)
def test_repeats(read, written, played):
    measures = []
    for words in written.split(" / "):
        starts = [w for w in words.split() if w in ("|:", "segno", "coda") or w.startswith("[")]
        notes = [note(w) for w in words.split() if w in "ABCDEFG"]
        ends = [w for w in words.split() if w in SIGNS and w not in starts]
        measures.append("".join([*(SIGNS[w] for w in starts), *notes, *(SIGNS[w] for w in ends)]))
    names = {69: "A", 71: "B", 60: "C", 62: "D", 64: "E", 65: "F"}
    letters = [names[pitch] for _, pitch in onsets(read(score(*measures)))]
    assert "".join(letters) == played
    page = [names[pitch] for _, pitch in onsets(read(score(*measures), unfold=False))]
    assert page == [word for word in written.split() if word in "ABCDEF"]


def test_one_ending_of_many_measures():
    assert order_of_play([Signs(ending=(1,))] * 50_000) == list(range(50_000))


# Files --------------------------------------------------------------------------------------------


def test_ordered_by_time(read):
    measure = '<measure><part id="P1">{}</part><part id="P2">{}</part></measure>'
    music = read(
        "<score-timewise><part-list/>"
        + measure.format(attributes() + note("C"), attributes(divisions=2) + note("E", duration=2))
        + measure.format(note("D"), note("F", duration=2))
        + "</score-timewise>"
    )
    assert [[n.pitch for n in track.notes] for track in music.tracks] == [[60, 62], [64, 65]]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "latin-1"])
def test_character_sets(read, encoding):
    text = score(attributes() + note()).replace("<part-name>A", "<part-name>Flûte")
    declared = "utf-16" if "16" in encoding else encoding.removesuffix("-sig")
    data = text.replace('"1.0"', f'"1.0" encoding="{declared}"').encode(encoding)
    data = b"\xfe\xff" + data if encoding == "utf-16-be" else data
    assert read(data).tracks[0].name == "Flûte"
    assert musicxml.sniff(data[:4096])


def test_the_usual_document_type_is_passed_over(read):
    doctype = '<!DOCTYPE score-partwise PUBLIC "-//X" "http://localhost:1/partwise.dtd">'
    text = score(attributes() + note()).replace("?>", f"?>\n<!-- by hand -->\n{doctype}", 1)
    assert onsets(read("\n " + text)) == [(0.0, 60)]


def archive(*members, method=zipfile.ZIP_DEFLATED):
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w", method) as packed:
        for name, content in members:
            packed.writestr(name, content)
    return stream.getvalue()


def container_of(name):
    return (
        "META-INF/container.xml",
        f'<container><rootfiles><rootfile full-path="{name}"/></rootfiles></container>',
    )


def test_the_content_of_an_archive_counts_and_not_its_name(read):
    text = score(attributes() + note())
    data = archive(container_of("../../x/s.xml"), ("a.xml", "<a/>"), ("../../x/s.xml", text))
    assert onsets(read(data)) == [(0.0, 60)]
    assert musicxml.sniff(data[:4096])


def test_an_archive_without_a_container(read):
    with pytest.warns(FormatWarning, match="read its only score"):
        assert onsets(read(archive(("s.xml", score(attributes() + note()))))) == [(0.0, 60)]


def test_sniff():
    assert not musicxml.sniff(b"<html><body>score-partwise</body></html>")
    assert not musicxml.sniff(archive(("[Content_Types].xml", "<a/>"), ("word/a.xml", "<a/>")))
    assert not musicxml.sniff(
        archive(("mimetype", "application/epub+zip"), container_of("a"), method=zipfile.ZIP_STORED)
    )
    assert musicxml.sniff(archive(("s.xml", "<a/>"), container_of("s.xml")))


def test_nothing_heavy_is_loaded():
    code = (
        "import sys; from musicgen.formats import musicxml; musicxml.sniff(b'<');"
        "print([m for m in ('music21', 'numpy', 'mido') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


LAUGHS = (
    '<?xml version="1.0"?>\n<!DOCTYPE a [\n <!ENTITY b "ha">\n <!ENTITY c "&b;&b;">]>\n<a>&c;</a>'
)
FETCH = '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>\n<a>&b;</a>'
PARAMETER = '<!DOCTYPE a [<!ENTITY % b SYSTEM "http://localhost:1/b"> %b;]>\n<a/>'


MANY_PARTS = (
    "<score-partwise>" + "<part/>" * 1001 + f"<part>{'<measure/>' * 2000}</part></score-partwise>"
)
PRIMES = score(*(attributes(divisions=n) + note() for n in (97, 89, 83, 79, 73, 71, 67, 61)))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (LAUGHS, r"score.xml:3:\d+: the document declares the entity 'b'"),
        (FETCH, r"score.xml:1:\d+: the document declares the entity 'b'"),
        (PARAMETER, r"score.xml:1:\d+: the document declares the entity 'b'"),
        (score(attributes() + note())[:200], r"score.xml:\d+:\d+: not well-formed XML"),
        ("<html/>", "expected <score-partwise>"),
        ("<a>" * 200, "elements deep"),
        ('<?xml version="1.0" encoding="no-such"?><a/>', "not well-formed XML|character set"),
        (score(attributes(divisions=0)), r"score.xml:2:\d+: found 0 divisions"),
        (score(attributes(divisions="1e9")), "found '1e9' in <divisions>, expected a number"),
        (score(attributes(divisions="9" * 99)), "expected a number"),
        (score(attributes() + note(duration=10**9)), "found a duration of 1e"),
        (score(attributes() + note(duration=-1)), "found a duration of -1"),
        (score(attributes() + note("H")), "found the pitch 'H'"),
        (score(attributes() + note(octave="x")), "expected a number"),
        (score(*[note()] * 2000, "<barline><repeat times='99'/></barline>"), "unfold to more"),
        (MANY_PARTS, "more than 2,000,000 measures"),
        (PRIMES, "times are finer than"),
        (archive(container_of("s.xml")), "0 members look like a score"),
        (archive(("s.xml", b" " * 2**21)), "unpacks from .* to more than"),
        (archive(*[(f"{n}", "") for n in range(1001)]), "has 1001 members"),
        (archive(("s.xml", "<a/>"), method=zipfile.ZIP_LZMA), "packed by method 14"),
        (archive(("s.xml", "<a/>"))[:-9], "damaged"),
    ],
)
def test_what_is_refused(read, content, message):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FormatWarning)
        with pytest.raises(FormatError, match=message):
            read(content)


def test_files_larger_than_any_score(read, monkeypatch):
    monkeypatch.setattr(container, "MAX_BYTES", 100)
    with pytest.raises(FormatError, match="larger than"):
        read(score(note()))


def test_huge_numbers_that_mean_nothing_are_ignored(read):
    metre = "<time><beats>9999999</beats><beat-type>4</beat-type></time>"
    key = "<key><fifths>9999999</fifths></key>"
    with pytest.warns(FormatWarning, match="ignored"):
        music = read(score(attributes(key + metre + "<staves>99999999</staves>") + note()))
    assert (music.time_signatures, music.key_signatures) == ([], [])
    with pytest.warns(FormatWarning, match="outside the range of MIDI"):
        assert read(score(attributes() + note(octave=99999999))).tracks[0].notes == []


# Writing ------------------------------------------------------------------------------------------


@pytest.fixture
def written(tmp_path):
    """Write a piece; return the parsed document and the piece read again."""

    def write(music, **options):
        path = tmp_path / "written.musicxml"
        musicxml.write(music, path, **options)
        root = ET.fromstring(path.read_bytes())
        check_measures(root)
        return root, musicxml.read(path)[0]

    return write


def check_measures(root):
    """In every measure each voice has the length of the measure, and ties and tuplets close."""
    for part in root.iter("part"):
        divisions, bar = 0, Fraction(0)
        tied = set()
        for measure in part.iter("measure"):
            if measure.find("attributes/divisions") is not None:
                divisions = int(measure.findtext("attributes/divisions"))
            if measure.find("attributes/time") is not None:
                beats = int(measure.findtext("attributes/time/beats"))
                bar = Fraction(4 * beats, int(measure.findtext("attributes/time/beat-type")))
            lengths, open_tuplets = {}, set()
            for each in measure.iter("note"):
                voice = each.findtext("voice")
                duration = int(each.findtext("duration"))
                assert duration > 0
                if each.find("chord") is None:
                    lengths[voice] = lengths.get(voice, 0) + duration
                kind = each.findtext("type")
                if kind is not None:
                    assert notated(each) == Fraction(duration, divisions)
                for tuplet in each.iter("tuplet"):
                    if tuplet.get("type") == "start":
                        open_tuplets.add(voice)
                    else:
                        open_tuplets.remove(voice)
                if each.find("pitch") is not None:
                    place = (voice, *(element.text for element in each.find("pitch")))
                    kinds = {element.get("type") for element in each.iter("tie")}
                    assert ("stop" in kinds) == (place in tied)
                    tied = tied - {place} | ({place} if "start" in kinds else set())
            assert not open_tuplets
            assert len(set(lengths.values())) == 1
            length = Fraction(next(iter(lengths.values())), divisions)
            assert length <= bar
        assert not tied


NAMES = [
    "1024th",
    "512th",
    "256th",
    "128th",
    "64th",
    "32nd",
    "16th",
    "eighth",
    "quarter",
    "half",
    "whole",
    "breve",
]


def notated(element):
    value = Fraction(2 ** NAMES.index(element.findtext("type")), 256)
    value *= Fraction(3, 2) ** len(element.findall("dot"))
    if element.find("time-modification") is not None:
        value *= int(element.findtext("time-modification/normal-notes"))
        value /= int(element.findtext("time-modification/actual-notes"))
    return value


def printed(root, part=0):
    """What is printed of a part, one word a note or rest."""
    words = []
    for each in root.findall("part")[part].iter("note"):
        name = "r" if each.find("rest") is not None else each.findtext("pitch/step")
        dots = "." * len(each.findall("dot"))
        modified = each.findtext("time-modification/actual-notes") or ""
        tie = "~" * any(t.get("type") == "start" for t in each.iter("tie"))
        words.append(f"{name}{each.findtext('type') or ''}{dots}{modified}{tie}")
    return " ".join(words)


def quarters(*notes, **more):
    """Make a piece of (onset, pitch, duration) in quarter notes, 1680 ticks each."""
    ticks = [Note(int(on * 1680), pitch, int(length * 1680), 80) for on, pitch, length in notes]
    return Music(1680, tracks=[Track(notes=ticks)], **more)


THIRD = Fraction(1, 3)


@pytest.mark.parametrize(
    ("metre", "notes", "expected"),
    [
        ((4, 4), [(0, 60, 4)], "Cwhole"),
        ((4, 4), [(3, 60, 3)], "rhalf rquarter Cquarter~ Chalf rhalf"),
        ((4, 4), [(0.5, 60, 1)], "reighth Cquarter reighth rhalf"),
        ((4, 4), [(1.5, 60, 1)], "rquarter reighth Ceighth~ Ceighth reighth rquarter"),
        ((3, 4), [(0, 60, 3)], "Chalf."),
        ((6, 8), [(0, 60, 1.5), (1.5, 62, 1.5)], "Cquarter. Dquarter."),
        ((6, 8), [(0.5, 60, 2)], "reighth Cquarter~ Cquarter reighth"),
        ((6, 8), [(0, 60, 1 / 2)], "Ceighth rquarter rquarter."),
        (
            (2, 4),
            [(THIRD * n, 60 + n, THIRD) for n in range(3)],
            "Ceighth3 Ceighth3 Deighth3 rquarter",
        ),
        (
            (2, 4),
            [(0, 60, 2 * THIRD), (2 * THIRD, 62, 1)],
            "Cquarter3 Deighth3~ Dquarter3 reighth3",
        ),
        (
            (2, 4),
            [(2 * THIRD * n, 60, 2 * THIRD) for n in range(3)],
            "Cquarter3 Cquarter3 Cquarter3",
        ),
        (
            (1, 4),
            [(Fraction(n, 5), 60, Fraction(1, 5)) for n in range(5)],
            " ".join(["C16th5"] * 5),
        ),
        (
            (1, 4),
            [(Fraction(n, 7), 60, Fraction(1, 7)) for n in range(7)],
            " ".join(["C16th7"] * 7),
        ),
        (
            (1, 4),
            [(0, 60, 0.5), *((Fraction(n + 3, 6), 60, Fraction(1, 6)) for n in range(3))],
            "Ceighth C16th3 C16th3 C16th3",
        ),
        (
            (3, 8),
            [(Fraction(n, 6), 60, Fraction(1, 6)) for n in range(3)],
            "C16th3 C16th3 C16th3 rquarter",
        ),
    ],
)
def test_note_values(written, metre, notes, expected):
    root, again = written(quarters(*notes, time_signatures=[TimeSignature(0, *metre)]))
    assert printed(root) == expected
    assert rounded(again) == [(Fraction(o), p, Fraction(d)) for o, p, d in notes]


def test_chords_and_voices(written):
    root, again = written(quarters((0, 60, 1), (0, 64, 1), (0, 67, 4), (1, 62, 3), (0, 67, 4)))
    chord = [each.findtext("voice") for each in root.iter("note") if each.find("chord") is not None]
    assert chord == ["3"]
    voices = {each.findtext("voice") for each in root.iter("note") if each.find("rest") is None}
    assert voices == {"1", "2", "3"}
    assert [pitch for _, pitch, _ in rounded(again)] == [60, 64, 67, 67, 62]


def test_more_than_four_voices_take_another_staff(written):
    music = quarters(*((0, 60 + n, 1 + n / 4) for n in range(6)))
    root, again = written(music)
    assert root.findtext(".//staves") == "2"
    assert len(again.tracks) == 1
    assert rounded(again) == rounded(music)


def test_a_piano_has_two_staves(written):
    root, _ = written(quarters((0, 40, 1), (0, 76, 1)))
    assert [clef.findtext("sign") for clef in root.iter("clef")] == ["G", "F"]
    assert [each.findtext("staff") for each in root.iter("note") if each.find("pitch")] == [
        "1",
        "2",
    ]


@pytest.mark.parametrize(
    ("pitches", "sign", "octave"),
    [([60, 72], "G", None), ([48, 60], "F", None), ([90, 96], "G", "1"), ([24, 33], "F", "-1")],
)
def test_clefs(written, pitches, sign, octave):
    root, _ = written(quarters(*((n, pitch, 1) for n, pitch in enumerate(pitches))))
    assert root.findtext(".//clef/sign") == sign
    assert root.findtext(".//clef/clef-octave-change") == octave


def test_beams(written):
    root, _ = written(quarters((0, 60, 0.5), (0.5, 60, 0.25), (0.75, 60, 0.25), (1, 60, 0.5)))
    beams = [[beam.text for beam in each.iter("beam")] for each in root.iter("note")]
    assert beams[:4] == [["begin"], ["continue", "begin"], ["end", "end"], []]


def test_accidentals_last_for_the_measure(written):
    keys = [KeySignature(0, 1)]
    pitches = [66, 65, 65, 66, 66, 65]
    root, _ = written(quarters(*((n, p, 1) for n, p in enumerate(pitches)), key_signatures=keys))
    signs = [each.findtext("accidental") for each in root.iter("note") if each.find("pitch")]
    assert signs == [None, "natural", None, "sharp", None, "natural"]


def test_a_key_within_a_measure_counts_from_there(written):
    keys = [KeySignature(0, 1), KeySignature(1680 * 2, 0)]
    root, _ = written(quarters((0, 66, 1), (3, 66, 1), key_signatures=keys))
    signs = [each.findtext("accidental") for each in root.iter("note") if each.find("pitch")]
    assert signs == [None, "sharp"]


def test_chromatic_notes_are_spelled_by_where_they_lead(written):
    names = printed(written(quarters(*((n, p, 1) for n, p in enumerate((67, 66, 67, 70, 71)))))[0])
    assert names.startswith("Gquarter Fquarter Gquarter Aquarter Bquarter")


def test_a_tied_note_keeps_its_name_in_a_new_key(written):
    keys = [KeySignature(0, 5), KeySignature(1680 * 2, -5)]
    root, _ = written(quarters((0, 66, 4), (4, 66, 1), key_signatures=keys))
    assert printed(root).startswith("Fwhole Gquarter")
    root, _ = written(quarters((0, 66, 8), key_signatures=keys))
    assert printed(root) == "Fwhole~ Fwhole"


def test_a_pickup_is_a_short_first_measure(written):
    metres = [TimeSignature(0, 1, 4), TimeSignature(1680, 3, 4)]
    music = quarters((0, 60, 1), (1, 62, 3), time_signatures=metres)
    root, again = written(music)
    assert [m.get("number") for m in root.iter("measure")] == ["0", "1"]
    assert root.find(".//measure").get("implicit") == "yes"
    assert [beats.text for beats in root.iter("beats")] == ["3"]
    assert again.time_signatures == [TimeSignature(0, 1, 4), TimeSignature(480, 3, 4)]


@pytest.mark.parametrize("at", [Fraction(33, 32), Fraction(35, 24), Fraction(5, 2)])
def test_a_metre_may_cut_a_tuplet(written, at):
    metres = [TimeSignature(0, 8, 8), TimeSignature(int(at * 1680), 3, 4)]
    notes = [(2 * THIRD * n, 60, 2 * THIRD) for n in range(9)]
    _, again = written(quarters(*notes, time_signatures=metres))
    assert len(again.tracks[0].notes) == 9


def test_the_grid_is_a_choice(written):
    played = quarters((0.02, 60, 0.9), (1.36, 62, 0.3), (1.64, 64, 0.36))
    sixteenths = [(0, 60, 1), (1.25, 62, 0.5), (1.75, 64, 0.25)]
    triplets = [(0, 60, 1), (1 + THIRD, 62, THIRD), (1 + 2 * THIRD, 64, THIRD)]
    assert rounded(written(played, grid="1/16")[1]) == sixteenths
    assert rounded(written(played, grid="1/16+1/8t")[1]) == triplets
    with pytest.raises(FormatError, match="'1/16 and triplets' is not a grid"):
        written(played, grid="1/16 and triplets")


def test_packed_files_hold_no_date(tmp_path):
    musicxml.write(quarters((0, 60, 1)), tmp_path / "a.MXL")
    with zipfile.ZipFile(tmp_path / "a.MXL") as packed:
        assert packed.namelist() == ["mimetype", "META-INF/container.xml", "score.musicxml"]
        assert {member.date_time for member in packed.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert rounded(musicxml.read(tmp_path / "a.MXL")[0]) == [(0, 60, 1)]


def test_names_are_escaped(written):
    music = Music(title='A <b> & "c"\x00', tracks=[Track(name="]]>\n\ud800 x")])
    _, again = written(music)
    assert (again.title, again.tracks[0].name) == ('A <b> & "c"?', "]]> ? x")


@pytest.mark.parametrize(
    ("music", "message"),
    [
        (Music(0), "0 ticks a quarter"),
        (Music(tracks=[Track(128)]), "program 128"),
        (Music(tracks=[Track(notes=[Note(0, 128, 1)])]), "pitch to 127"),
        (Music(tracks=[Track(notes=[Note(-1, 60, 1)])]), "a time from 0"),
        (Music(tempos=[Tempo(0, 0.0)]), "no tempo of 0.0"),
        (Music(tempos=[Tempo(-1, 60.0)]), "a time from 0"),
        (Music(time_signatures=[TimeSignature(0, 4, 3)]), "no time signature 4/3"),
        (Music(key_signatures=[KeySignature(0, 8)]), "no key signature of 8"),
        (
            Music(tracks=[Track(notes=[Note(0, 60, 60 * n) for n in range(1, 200)])]),
            "notes of one track overlap",
        ),
        (Music(tracks=[Track(notes=[Note(10**12, 60, 1)])]), "more than 50,000"),
    ],
)
def test_what_cannot_be_written(tmp_path, music, message):
    with pytest.raises(FormatError, match=message):
        musicxml.write(music, tmp_path / "a.musicxml")
    assert list(tmp_path.iterdir()) == []


# Round trips --------------------------------------------------------------------------------------

STEPS = st.sampled_from(
    [Fraction(1, 32), Fraction(1, 8), Fraction(1, 3), Fraction(1, 10), Fraction(1, 7)]
)


@st.composite
def grid_notes(draw):
    """Notes whose onset and end lie on steps that notation has signs for."""
    on, off = draw(STEPS), draw(STEPS)
    onset = draw(st.integers(0, 12)) + on * draw(st.integers(0, on.denominator - 1))
    end = draw(st.integers(0, 14)) + off * draw(st.integers(0, off.denominator - 1))
    onset, end = min(onset, end), max(onset, end)
    if onset // 1 == end // 1:
        end = onset + 1  # no note has signs of two kinds of tuplet in one beat
    resolution = 3360
    return Note(
        int(onset * resolution),
        draw(st.integers(0, 127)),
        int((end - onset) * resolution),
        draw(st.integers(1, 127)),
    )


METRES = st.sampled_from([(4, 4), (3, 4), (6, 8), (5, 8), (2, 2), (12, 8), (7, 4)])


@st.composite
def pieces(draw):
    tracks = [
        Track(
            draw(st.integers(0, 127)),
            draw(st.booleans()),
            draw(st.sampled_from(["", "Oboe", "Tuba & Co"])),
            sorted(draw(st.lists(grid_notes(), max_size=12))),
        )
        for _ in range(draw(st.integers(1, 2)))
    ]
    numerator, denominator = draw(METRES)
    metres = [TimeSignature(0, numerator, denominator)]
    bar = 4 * 3360 * numerator // denominator
    following = draw(METRES)
    if following != metres[0][1:] and draw(st.booleans()):
        metres.append(TimeSignature(2 * bar, *following))
    tempos = {
        beat: Tempo(beat * 840, draw(st.floats(10, 400)))
        for beat in draw(st.sets(st.integers(0, 50), max_size=3))
    }
    keys = [KeySignature(0, draw(st.integers(-7, 7)), draw(st.sampled_from(["major", "dorian"])))]
    if draw(st.booleans()):
        keys.append(KeySignature(draw(st.integers(1, 40)) * 840, keys[0].fifths, "minor"))
    return Music(3360, [tempos[b] for b in sorted(tempos)], metres, keys, tracks, "A title")


def scaled(music, resolution):
    """The same piece at a multiple of its resolution."""
    factor = resolution // music.resolution
    return Music(
        resolution,
        [Tempo(t.time * factor, round(t.qpm, 9)) for t in music.tempos],
        [m._replace(time=m.time * factor) for m in music.time_signatures],
        [k._replace(time=k.time * factor) for k in music.key_signatures],
        [
            Track(
                t.program,
                t.is_drum,
                t.name,
                [n._replace(time=n.time * factor, duration=n.duration * factor) for n in t.notes],
            )
            for t in music.tracks
        ],
        music.title,
    )


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(pieces())
def test_what_lies_on_the_grid_comes_back_equal(written, music):
    _, again = written(music)
    assert scaled(again, 3360) == scaled(music, 3360)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(
        st.builds(
            Note,
            st.integers(0, 3000),
            st.integers(0, 127),
            st.integers(1, 999),
            st.integers(1, 127),
        )
    )
)
def test_what_lies_off_the_grid_is_rounded_once(written, notes):
    music = Music(101, tracks=[Track(notes=sorted(notes))])
    _, once = written(music)
    _, twice = written(once)
    assert once == twice
    moved = [
        abs(Fraction(note.time, 101) - Fraction(end.time, once.resolution))
        for note, end in zip(sorted(notes), sorted(once.tracks[0].notes), strict=True)
    ]
    assert max(moved, default=0) <= Fraction(1, 12)


@pytest.mark.skipif(not NOTTINGHAM.is_dir(), reason="../shared/data is absent")
@pytest.mark.parametrize("number", range(8))
def test_real_tunes_come_back_equal(written, number):
    files = sorted(NOTTINGHAM.glob("*.mid"))
    music = midi.read(files[number * len(files) // 8])[0]
    _, again = written(music)
    assert rounded(again) == rounded(music)


# Damage -------------------------------------------------------------------------------------------


def damaged(data, draw):
    """Flip bits, cut, splice or repeat."""
    data = bytearray(data)
    for _ in range(draw.randint(1, 4)):
        at = draw.randrange(len(data))
        match draw.randrange(5):
            case 0:
                data[at] ^= 1 << draw.randrange(8)
            case 1:
                del data[at : at + draw.randint(1, 60)]
            case 2:
                start = draw.randrange(len(data))
                data[at:at] = data[start : start + draw.randint(1, 300)]
            case 3:
                data[at : at + 1] = draw.choice([b"9", b"99999999", b"-", b"0", b"<", b"&x;"])
            case 4 if draw.random() < 0.2:
                del data[at:]
        data = data or bytearray(b"<")
    return bytes(data)


def sources(tmp_path):
    tracks = [
        Track(n, n == 2, f"Part {n}", [Note(i * 160, 50 + i % 20, 160 + i, 70) for i in range(24)])
        for n in range(3)
    ]
    music = Music(480, [Tempo(0, 90.0)], [TimeSignature(0, 3, 4)], [KeySignature(0, 2)], tracks)
    for ending in ("musicxml", "mxl"):
        musicxml.write(music, tmp_path / f"source.{ending}")
        yield (tmp_path / f"source.{ending}").read_bytes()
    repeated = score(
        attributes(FOUR_FOUR) + SIGNS["|:"] + note(duration=4),
        SIGNS["[1"] + MARK.format("quarter", "", "100", "") + note(duration=4) + SIGNS[":|"],
        SIGNS["[2"] + note(duration=4, more=tie("start")) + SIGNS["DC"],
    )
    yield repeated.encode()


def test_damage_raises_nothing_else(tmp_path):
    draw = random.Random(0)
    path = tmp_path / "damaged.xml"
    outcomes = set()
    for source in sources(tmp_path):
        for _ in range(250):
            path.write_bytes(damaged(source, draw))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", FormatWarning)
                try:
                    musicxml.read(path)
                    outcomes.add("read")
                except FormatError as error:
                    outcomes.add("refused" if error.path == path else "refused without a path")
    assert outcomes == {"read", "refused"}
