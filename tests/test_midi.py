"""The MIDI format: files byte by byte, real files, and round trips."""

import csv
import struct
import subprocess
import sys
import warnings
from pathlib import Path

import mido
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from musicgen.errors import FormatError, FormatWarning
from musicgen.formats import midi
from musicgen.music import KeySignature, Music, Note, Tempo, TimeSignature, Track

CASES = Path(__file__).parents[1].parent / "shared" / "data" / "midi_cases"

END = "00 FF 2F 00"
IN_FOLDER = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60
)


def file_bytes(*tracks, layout=1, division=96, declared=None):
    """Put tracks, written in hex, into a file."""
    declared = len(tracks) if declared is None else declared
    data = b"MThd" + struct.pack(">IHHH", 6, layout, declared, division)
    for track in map(bytes.fromhex, tracks):
        data += b"MTrk" + struct.pack(">I", len(track)) + track
    return data


@pytest.fixture
def read(tmp_path):
    def read_bytes(data):
        path = tmp_path / "a.mid"
        path.write_bytes(data)
        return midi.read(path)

    return read_bytes


@pytest.fixture
def again(tmp_path):
    def write_and_read(music):
        midi.write(music, tmp_path / "again.mid")
        return midi.read(tmp_path / "again.mid")[0]

    return write_and_read


# Reading ------------------------------------------------------------------------------------------


def test_format_0_splits_channels_and_knows_drums(read):
    (music,) = read(
        file_bytes(
            "00 FF 03 03 54 77 6F"  # track name "Two"
            "00 C3 28"  # channel 4: program 40
            "00 93 3C 50"  # channel 4: C4 on
            "00 99 24 64"  # channel 10: bass drum on
            "60 83 3C 00"  # 96 ticks on: C4 off
            "00 89 24 00" + END,
            layout=0,
        )
    )
    assert music.title == ""
    assert music.tracks == [
        Track(40, name="Two", notes=[Note(0, 60, 96, 0x50)]),
        Track(0, is_drum=True, name="Two", notes=[Note(0, 36, 96, 0x64)]),
    ]


def test_running_status_and_note_on_without_velocity(read):
    (music,) = read(
        file_bytes(
            "00 90 3C 40"
            "60 3C 00"  # running status: velocity 0 stops C4
            "00 3E 40"
            "00 FF 06 01 41"  # a marker does not end the running status
            "60 3E 00" + END
        )
    )
    assert music.tracks[0].notes == [Note(0, 60, 96), Note(96, 62, 96)]


def test_time_passes_before_every_event(read):
    (music,) = read(
        file_bytes(
            "10 FF 4B 01 00"  # a meta event that nobody knows, after 16 ticks
            "10 F0 02 7E F7"  # a system exclusive one
            "10 B0 07 64"  # a volume
            "10 90 3C 40 60 80 3C 00" + END
        )
    )
    assert music.tracks[0].notes == [Note(64, 60, 96)]


def test_tempo_metre_and_key_count_in_any_track(read):
    (music,) = read(
        file_bytes(
            "00 FF 03 01 41 00 FF 58 04 06 03 18 08" + END,  # title "A", 6/8
            "00 FF 59 02 FE 01"  # two flats, minor
            "00 90 3C 40"
            "30 FF 51 03 0F 42 40"  # after 48 ticks 60 quarters a minute
            "30 80 3C 00" + END,
            "00 FF 58 04 03 02 18 08"  # 3/4 at the same tick: the first track conducts
            "00 FF 51 03 07 A1 20" + END,  # 120 quarters a minute
        )
    )
    assert music.title == "A"
    assert music.tempos == [Tempo(0, 120.0), Tempo(48, 60.0)]
    assert music.time_signatures == [TimeSignature(0, 6, 8)]
    assert music.key_signatures == [KeySignature(0, -2, "minor")]
    assert music.seconds == pytest.approx(0.25 + 0.5)


def test_overlapping_notes_end_in_the_order_of_their_onsets(read):
    (music,) = read(file_bytes("00 90 3C 40 30 90 3C 50 30 80 3C 00 30 80 3C 00" + END))
    assert music.tracks[0].notes == [Note(0, 60, 96, 0x40), Note(48, 60, 96, 0x50)]


def test_a_program_counts_from_the_first_note_and_for_the_channel(read):
    (music,) = read(
        file_bytes(
            "00 C0 07 00 C1 09" + END,
            "00 90 3C 40 10 80 3C 00 00 C0 08 00 90 3C 40 10 80 3C 00" + END,
            "00 91 3C 40 10 81 3C 00" + END,
        )
    )
    assert [track.program for track in music.tracks] == [7, 9]


def test_notes_have_at_least_one_tick_and_stray_ends_are_nothing(read):
    (music,) = read(file_bytes("00 80 3C 00 00 90 3C 40 00 80 3C 00 00 80 3C 00" + END))
    assert music.tracks[0].notes == [Note(0, 60, 1)]


def test_hanging_notes_end_with_their_track(read):
    with pytest.warns(FormatWarning, match="without an end, stopped with their track: 2"):
        (music,) = read(file_bytes("00 90 3C 40 10 3E 40 50 FF 2F 00"))
    assert music.tracks[0].notes == [Note(0, 60, 96), Note(16, 62, 80)]


def test_events_after_the_end_of_track_are_not_there(read):
    (music,) = read(file_bytes("00 90 3C 40 60 80 3C 00" + END + "00 90 3E 40"))
    assert len(music.tracks[0].notes) == 1


def test_type_2_gives_a_piece_a_track(read):
    track = "00 FF 51 03 07 A1 20 00 90 3C 40 60 80 3C 00" + END
    pieces = read(file_bytes(track, track, layout=2))
    assert len(pieces) == 2
    assert pieces[0] == pieces[1]
    assert pieces[0].tempos == [Tempo(0, 120.0)]


def test_riff_is_unwrapped(read):
    plain = file_bytes("00 90 3C 40 60 80 3C 00" + END)
    info = b"DISP" + struct.pack("<I", 3) + b"abc\0"  # odd sizes are padded
    body = b"RMID" + info + b"data" + struct.pack("<I", len(plain)) + plain
    wrapped = b"RIFF" + struct.pack("<I", len(body)) + body
    assert midi.sniff(wrapped)
    assert read(wrapped) == read(plain)


def test_names_are_utf_8_or_else_latin_1(read):
    note = "00 90 3C 40 60 80 3C 00" + END
    (music,) = read(
        file_bytes("00 FF 03 02 C3 A9" + END, "00 FF 03 01 E9" + note)  # é in either
    )
    assert (music.title, music.tracks[0].name) == ("é", "é")


def test_unknown_chunks_are_skipped(read):
    plain = file_bytes("00 90 3C 40 60 80 3C 00" + END)
    assert read(plain[:14] + b"XFIH\0\0\0\2ab" + plain[14:] + b"tail") == read(plain)


@pytest.mark.parametrize(
    ("event", "warning"),
    [
        ("FF 59 02 0B 00", "impossible key signature, bytes 0b 00"),
        ("FF 59 00", "impossible key signature"),
        ("FF 58 04 00 02 18 08", "impossible time signature"),
        ("FF 58 04 04 FF 18 08", "impossible time signature"),
        ("FF 51 03 00 00 00", "tempo of 0"),
    ],
)
def test_impossible_changes_are_ignored_with_a_warning(read, event, warning):
    with pytest.warns(FormatWarning, match=warning):
        (music,) = read(file_bytes(f"00 {event} 00 90 3C 40 60 80 3C 00 {END}"))
    assert music == Music(96, tracks=[Track(notes=[Note(0, 60, 96)])])


def test_data_bytes_are_clipped(read):
    (music,) = read(file_bytes("00 90 3C FF 60 80 3C 00" + END))
    assert music.tracks[0].notes == [Note(0, 60, 96, 127)]


def test_fewer_tracks_than_announced(read):
    with pytest.warns(FormatWarning, match="announces 3 tracks, found 1"):
        read(file_bytes(END, declared=3))


@pytest.mark.parametrize(
    ("data", "message", "offset"),
    [
        (b"", "not a MIDI file", 0),
        (b"X:1\nT:a\n", "found b'X:1", 0),
        (b"RIFF\4\0\0\0RMID", "not a MIDI file", 12),
        (b"MThd\0\0\0\6\0\1", "truncated", 10),
        (file_bytes(declared=2), "truncated: the header announces 2 tracks", 14),
        (file_bytes("00 90 3C 40" + END)[:-3], "truncated: the track at byte 22", 27),
        (file_bytes("00 90 3C"), "in the middle of an event", 25),
        (file_bytes("00 FF 03 20 41"), "in the middle of an event", 27),
        (file_bytes("00 3C 40"), "found 0x3c, expected a status byte", 23),
        (file_bytes("FF FF FF FF 7F 90 3C 40"), "more than 4 bytes", 22),
        (file_bytes(END, division=0), "0 ticks", None),
        (file_bytes(END, division=0xE728), "SMPTE", None),
    ],
)
def test_damaged_files_say_what_and_where(read, tmp_path, data, message, offset):
    with pytest.raises(FormatError, match=message) as caught:
        read(data)
    assert caught.value.path == tmp_path / "a.mid"
    assert caught.value.offset == offset


@IN_FOLDER
@given(
    st.one_of(
        st.binary(max_size=64),
        st.binary(max_size=64).map(lambda tail: file_bytes(END)[:14] + tail),
        st.lists(st.binary(max_size=48).map(bytes.hex), max_size=3).map(lambda t: file_bytes(*t)),
    )
)
def test_no_bytes_raise_anything_but_format_error(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "random.mid"
    path.write_bytes(data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FormatWarning)
        try:
            pieces = midi.read(path)
        except FormatError:
            return
    assert all(isinstance(piece, Music) for piece in pieces)


# Writing ------------------------------------------------------------------------------------------


@st.composite
def tracks(draw):
    """Draw a track that MIDI can say: of one pitch, what starts first ends first."""
    notes = []
    for pitch in draw(st.sets(st.integers(0, 127), min_size=1, max_size=4)):
        times = st.lists(st.integers(0, 2000), min_size=1, max_size=5)
        onsets = sorted(draw(times))
        ends = sorted(onset + draw(st.integers(1, 2000)) for onset in onsets)
        notes += [
            Note(onset, pitch, end - onset, draw(st.integers(1, 127)))
            for onset, end in zip(onsets, ends, strict=True)
        ]
    program, is_drum, name = st.integers(0, 127), st.booleans(), st.text(max_size=5)
    return Track(draw(program), draw(is_drum), draw(name), sorted(notes))


def changes(*values):
    return st.lists(st.tuples(st.integers(0, 5000), *values), unique_by=lambda change: change[0])


@st.composite
def pieces(draw):
    tempos = draw(changes(st.integers(1, 2**24 - 1)))
    metres = draw(changes(st.integers(1, 255), st.sampled_from([1, 2, 4, 8, 16, 128])))
    keys = draw(changes(st.integers(-7, 7), st.sampled_from(["major", "minor"])))
    return Music(
        480,
        sorted(Tempo(time, 60e6 / microseconds) for time, microseconds in tempos),
        sorted(TimeSignature(*metre) for metre in metres),
        sorted(KeySignature(*key) for key in keys),
        draw(st.lists(tracks(), max_size=20)),
        draw(st.text(max_size=8)),
    )


@IN_FOLDER
@given(pieces())
def test_a_piece_comes_back_as_it_was(tmp_path_factory, music):
    path = tmp_path_factory.getbasetemp() / "piece.mid"
    midi.write(music, path)
    assert midi.read(path) == [music]


def test_mido_reads_what_is_written(tmp_path):
    notes = [Note(0, 60, 480), Note(480, 60, 480), Note(480, 64, 240)]
    music = Music(480, [Tempo(0, 90.0)], title="Ré", tracks=[Track(5, notes=notes)] * 17)
    midi.write(music, tmp_path / "a.mid")
    file = mido.MidiFile(tmp_path / "a.mid", charset="utf-8")
    assert (file.type, file.ticks_per_beat, len(file.tracks)) == (1, 480, 18)
    assert file.tracks[0].name == "Ré"
    assert sum(message.time for message in file.tracks[0]) == music.end
    channels = [track[0].channel for track in file.tracks[1:]]
    assert channels == [*range(9), *range(10, 16), 0, 1]
    for track in file.tracks[1:]:
        assert track[-1].type == "end_of_track"
        sounding = set()
        for message in track:
            if message.type == "note_on":
                assert message.note not in sounding, "a repeated note starts before it ended"
                sounding.add(message.note)
            elif message.type == "note_off":
                sounding.remove(message.note)
        assert not sounding


def test_times_are_scaled_to_the_nearest_tick(again):
    close = [Note(n, 60, 1) for n in range(5000)]
    music = again(Music(1000, [Tempo(500, 60.0)], tracks=[Track(notes=close)]))
    assert music.resolution == 480
    assert music.tempos == [Tempo(240, 60.0)]
    assert music.tracks[0].notes[-1].time == 2400
    assert min(note.duration for note in music.tracks[0].notes) == 1


def test_other_modes_keep_their_signature(again):
    assert again(Music(key_signatures=[KeySignature(0, -1, "dorian")])).key_signatures == [
        KeySignature(0, -1, "major")
    ]


def test_a_title_that_utf_8_cannot_say_is_still_written(again):
    assert again(Music(title="a\udc80b")).title == "a?b"


@pytest.mark.parametrize(
    ("music", "message"),
    [
        (Music(time_signatures=[TimeSignature(0, 4, 3)]), "no time signature 4/3"),
        (Music(time_signatures=[TimeSignature(0, 256, 4)]), "no time signature 256/4"),
        (Music(key_signatures=[KeySignature(0, 8)]), "no key signature of 8 fifths"),
        (Music(tempos=[Tempo(0, 3.0)]), "no tempo of 3.0"),
        (Music(tempos=[Tempo(0, 0.0)]), "no tempo of 0.0"),
        (Music(tempos=[Tempo(0, float("inf"))]), "no tempo of inf"),
        (Music(tempos=[Tempo(-1, 60.0)]), "ticks between events"),
        (Music(tracks=[Track(notes=[Note(2**28, 60, 1)])]), "ticks between events"),
        (Music(tracks=[Track(notes=[Note(0, 128, 1)])]), "a pitch to 127"),
        (Music(tracks=[Track(notes=[Note(0, 60, 1, 0)])]), "a velocity from 1"),
        (Music(tracks=[Track(128)]), "program 128"),
    ],
)
def test_what_midi_cannot_say_leaves_the_old_file(tmp_path, music, message):
    path = tmp_path / "a.mid"
    path.write_bytes(b"old")
    with pytest.raises(FormatError, match=message) as caught:
        midi.write(music, path)
    assert caught.value.path == path
    assert path.read_bytes() == b"old"


def test_import_is_light():
    code = "import sys, musicgen.formats.midi; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    heavy = {"music21", "numpy", "matplotlib", "musicgen.engine", "musicgen.formats.abc"}
    assert not heavy & set(loaded.stdout.split())


# Real files ---------------------------------------------------------------------------------------


def cases():
    if not CASES.is_dir():
        return [pytest.param(None, marks=pytest.mark.skip(reason="no shared/data/midi_cases here"))]
    with (CASES / "CASES.tsv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t"))
    return [pytest.param(row, id=row["file"]) for row in rows]


@pytest.mark.filterwarnings("ignore::musicgen.errors.FormatWarning")
@pytest.mark.parametrize("case", cases())
def test_real_files(case, tmp_path):
    path = CASES / case["file"]
    try:
        music = midi.read(path)
    except FormatError:
        assert not case["file"].startswith("valid/")
        return
    notes = sum(len(track.notes) for piece in music for track in piece.tracks)
    if case["file"].startswith(("valid/", "handmade/")):
        assert notes == int(case["note_ons"])
    for piece in music:
        midi.write(piece, tmp_path / "a.mid")
        first = midi.read(tmp_path / "a.mid")
        midi.write(first[0], tmp_path / "b.mid")
        assert midi.read(tmp_path / "b.mid") == first
