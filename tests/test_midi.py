"""The MIDI format: files byte by byte, real files, and round trips."""

import os
import random
import re
import struct
import subprocess
import sys
import tracemalloc
import warnings
from pathlib import Path

import mido
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from musicgen.errors import FormatError, FormatWarning
from musicgen.formats import midi
from musicgen.music import KeySignature, Music, Note, Tempo, TimeSignature, Track

END = "00 FF 2F 00"
NOTE = "00 90 3C 40 60 80 3C 00"
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
def repaired(read):
    """Read bytes; return the one piece, and what the warnings say."""

    def read_bytes(data):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            (music,) = read(data)
        assert {warning.category for warning in caught} <= {FormatWarning}
        return music, [str(warning.message).split("a.mid: ")[1] for warning in caught]

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


def test_system_exclusive_messages_in_parts_and_escapes(read):
    (music,) = read(
        file_bytes(
            "00 90 3C 40"
            "10 F0 03 43 12 00"  # a message that goes on
            "10 F7 03 43 90 3E"  # goes on, with what looks like a note
            "10 F7 02 43 F7"  # and ends
            "10 F7 02 F3 01"  # an escape: a song is selected
            "10 FF 7F 03 00 00 41"  # for one sequencer
            "10 3C 00" + END  # running status all the same
        )
    )
    assert music.tracks[0].notes == [Note(0, 60, 96)]


def test_tempo_metre_and_key_count_in_any_track(read):
    (music,) = read(
        file_bytes(
            "00 FF 03 01 41 00 FF 58 04 04 02 18 08" + END,  # title "A", 4/4
            "00 FF 59 02 FE 01"  # two flats, minor
            "00 90 3C 40"
            "30 FF 51 03 0F 42 40"  # after 48 ticks 60 quarters a minute
            "30 80 3C 00" + END,
            "00 FF 58 04 06 03 18 08"  # 6/8 at the same tick: the last one holds
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


def test_a_program_counts_for_the_channel_in_later_tracks_too(read):
    note = "00 90 3C 40 10 80 3C 00"
    (music,) = read(
        file_bytes(
            "00 C0 07 00 C1 09" + END,
            note + END,
            note.replace("90", "91").replace("80", "81") + END,
        )
    )
    assert [track.program for track in music.tracks] == [7, 9]


def test_a_change_of_program_starts_a_new_track(read):
    (music,) = read(
        file_bytes(
            "00 90 3C 40"
            "10 C0 08"  # the note that sounds keeps its program
            "00 90 3C 40 10 80 3C 00 10 80 3C 00"
            "00 C0 00 00 90 3E 40 10 80 3E 00" + END,
        )
    )
    assert music.tracks == [
        Track(0, notes=[Note(0, 60, 32), Note(48, 62, 16)]),
        Track(8, notes=[Note(16, 60, 32)]),
    ]


def test_notes_have_at_least_one_tick_and_stray_ends_are_nothing(read):
    (music,) = read(file_bytes("00 80 3C 00 00 90 3C 40 00 80 3C 00 00 80 3C 00" + END))
    assert music.tracks[0].notes == [Note(0, 60, 1)]


def test_hanging_notes_end_with_their_track(read):
    with pytest.warns(FormatWarning, match=r"byte 22: a note without an end.* \(2 times\)"):
        (music,) = read(file_bytes("00 90 3C 40 10 3E 40 50 FF 2F 00"))
    assert music.tracks[0].notes == [Note(0, 60, 96), Note(16, 62, 80)]


def test_events_after_the_end_of_track_are_not_there(read):
    with pytest.warns(FormatWarning, match="byte 34: something after the end of a track"):
        (music,) = read(file_bytes(NOTE + END + "00 90 3E 40"))
    assert len(music.tracks[0].notes) == 1


def test_type_2_gives_a_piece_a_track(read):
    track = "00 FF 51 03 07 A1 20 00 90 3C 40 60 80 3C 00" + END
    pieces = read(file_bytes(track, track, layout=2))
    assert len(pieces) == 2
    assert pieces[0] == pieces[1]
    assert pieces[0].tempos == [Tempo(0, 120.0)]


def test_riff_is_unwrapped(read):
    plain = file_bytes(NOTE + END)
    info = b"DISP" + struct.pack("<I", 3) + b"abc\0"  # odd sizes are padded
    body = b"RMID" + info + b"data" + struct.pack("<I", len(plain)) + plain
    wrapped = b"RIFF" + struct.pack("<I", len(body)) + body
    assert midi.sniff(wrapped)
    assert read(wrapped) == read(plain)


def test_names_are_utf_8_or_else_latin_1(read):
    note = NOTE + END
    (music,) = read(
        file_bytes("00 FF 03 02 C3 A9" + END, "00 FF 03 01 E9" + note)  # é in either
    )
    assert (music.title, music.tracks[0].name) == ("é", "é")


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        (b"Prelude\0", "Prelude"),
        (b"Prelude\0\0\0", "Prelude"),
        (b"\x1b[2JPre\x07lude\x7f", "[2JPrelude"),
        (b"in\tC\nmajor", "in C major"),
        (b"Pr\xe9\x85lude", "Prélude"),
        (" Zwölf\u0085 ".encode(), " Zwölf "),
        (b"\0", ""),
    ],
)
def test_names_have_no_control_characters(read, again, written, read_as):
    name = f"00 FF 03 {len(written):02x} {written.hex()}"
    (music,) = read(file_bytes(name + END, name + NOTE + END))
    assert (music.title, music.tracks[0].name) == (read_as, read_as)
    assert again(music) == music
    raw = Music(title=written.decode("latin-1"))
    assert again(raw).title.isprintable()


def test_unknown_chunks_are_skipped(read):
    plain = file_bytes(NOTE + END)
    assert read(plain[:14] + b"XFIH\0\0\0\2ab" + plain[14:] + b"tail\0\0\0\0") == read(plain)


@pytest.mark.parametrize(
    ("event", "warning"),
    [
        ("FF 59 02 0B 00", "byte 22: ignored an impossible key signature: bytes 0b 00"),
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
    with pytest.warns(FormatWarning, match="byte 22: a data byte above 127, clipped: bytes 3c ff"):
        (music,) = read(file_bytes("00 90 3C FF 60 80 3C 00" + END))
    assert music.tracks[0].notes == [Note(0, 60, 96, 127)]


def test_a_kind_of_fault_is_told_once(repaired):
    faults = "00 FF 59 02 0B 00" * 1000 + "00 FF 51 03 00 00 00"
    assert repaired(file_bytes(faults + NOTE + END))[1] == [
        "byte 22: ignored an impossible key signature: bytes 0b 00 (1000 times)",
        "byte 6022: ignored a tempo of 0 microseconds a quarter note",
    ]


@pytest.mark.parametrize(
    ("division", "resolution", "qpm", "seconds"),
    [
        (0xE728, 1000, 60.0, 0.096),  # 25 frames of 40 ticks: a tick is a millisecond
        (0xE804, 96, 60.0, 1.0),
        (0xE350, 2400, 60e6 / 1_001_000, 0.04004),  # 29 stands for 30,000/1,001 frames
        (0xE2FF, 7650, 60.0, 96 / 7650),
    ],
)
def test_smpte_time_is_seconds(read, again, division, resolution, qpm, seconds):
    (music,) = read(file_bytes(NOTE + END, division=division))
    assert music == Music(resolution, [Tempo(0, qpm)], tracks=[Track(notes=[Note(0, 60, 96)])])
    assert music.seconds == pytest.approx(seconds)
    assert again(music) == music


def test_smpte_time_knows_no_tempo_and_no_metre(read):
    with pytest.warns(FormatWarning, match="byte 12: ignored tempos and metres"):
        (music,) = read(file_bytes("00 FF 51 03 07 A1 20" + NOTE + END, division=0xE728))
    assert music.tempos == [Tempo(0, 60.0)]


@pytest.mark.parametrize("layout", [1, 3, 29697])
def test_unknown_types_are_type_1(repaired, layout):
    music, texts = repaired(file_bytes(NOTE + END, NOTE + END, layout=layout))
    assert len(music.tracks) == 2
    assert len(texts) == (layout != 1)


# Damaged files ------------------------------------------------------------------------------------

PLAIN = file_bytes(NOTE + END)
MUSIC = Music(96, tracks=[Track(notes=[Note(0, 60, 96)])])


@pytest.mark.parametrize(
    ("data", "warning"),
    [
        (PLAIN + b"tail", "byte 34: something else after the last track"),
        (PLAIN + PLAIN[:14], "byte 34: a second file in the file, ignored"),
        (file_bytes(NOTE + END, layout=0, declared=7), "announces 7 tracks, found 1"),
        (file_bytes(NOTE + END, declared=0), "announces 0 tracks, found 1"),
        (file_bytes(NOTE + END, END, layout=0), "several tracks in a file of type 0"),
        (PLAIN[:18] + b"\0\0\0\x10" + PLAIN[22:], "byte 34: truncated: the track should have 16"),
        (PLAIN[:18] + b"\xff\xff\xff\xff" + PLAIN[22:], "have 4294967295 bytes, .* after 12"),
        (PLAIN[:-4], "byte 30: truncated"),
        (PLAIN[:-1], "byte 30: a track ends in the middle of an event"),
        (file_bytes(NOTE), "byte 30: a track without an end-of-track event"),
        (file_bytes(NOTE + "00 90 3C"), "byte 30: a track ends in the middle of an event"),
        (file_bytes(NOTE + "00 FF 03 20 41"), "byte 30: a track ends in the middle of an event"),
        (file_bytes("00 FF 01 00 00 3C 40", NOTE + END), "byte 27: .* 0x3c, expected a status"),
        (file_bytes(NOTE + "FF FF FF FF 7F 90 3C 40"), "byte 30: .* of more than 4 bytes"),
        (file_bytes("FF FF FF 7F 90 3C 40", NOTE + END), "byte 22: .* too late to be true"),
        (file_bytes(NOTE + "00 F4" + END), "byte 30: a system message"),
        (PLAIN[:7] + b"\x08" + PLAIN[8:14] + b"??" + PLAIN[14:], "byte 4: .* 8 bytes, expected 6"),
        (PLAIN[:7] + b"\x08" + PLAIN[8:], "byte 4: .* 8 bytes, expected 6"),
        (PLAIN[:7] + b"\x04" + PLAIN[8:], "byte 4: .* 4 bytes, expected 6"),
        (PLAIN[:4] + b"\xff" + PLAIN[5:], "byte 4: .* 4278190086 bytes, expected 6"),
        (PLAIN[:14] + b"\0" + PLAIN[14:], "byte 14: no chunk, skipped to the next track"),
        (PLAIN[:14] + b"junk\x7f\0\0\0" + PLAIN[14:], "byte 14: no chunk, .* b'junk'"),
        (b"\0" * 128 + PLAIN, "byte 0: something else before the header, skipped: 128 bytes"),
        (b"RIFF\x2a\0\0\0RMIDdate\x22\0\0\0" + PLAIN, "before the header, skipped: 20 bytes"),
    ],
)
def test_what_can_be_told_is_kept(repaired, data, warning):
    music, texts = repaired(data)
    assert music == MUSIC
    assert any(re.search(warning, text) for text in texts), texts


def test_a_track_ends_where_the_next_begins(read):
    data = file_bytes(NOTE + END, NOTE + END)
    with pytest.warns(FormatWarning, match="byte 14: a track is shorter than it says: 99 bytes"):
        (music,) = read(data[:21] + b"\x63" + data[22:])
    assert len(music.tracks) == 2


@pytest.mark.parametrize("padded", [True, False])
def test_riff_chunks_of_odd_size(read, padded):
    odd = b"LIST" + struct.pack("<I", 3) + b"abc" + b"\0" * padded
    body = b"RMID" + odd + b"data" + struct.pack("<I", len(PLAIN)) + PLAIN + odd
    assert read(b"RIFF" + struct.pack("<I", len(body)) + body) == [MUSIC]


@pytest.mark.parametrize(
    ("data", "message", "offset"),
    [
        (b"", "not a MIDI file", 0),
        (b"X:1\nT:a\n", "found b'X:1", 0),
        (b"RIFF\4\0\0\0RMID", "not a MIDI file", 0),
        (b"\0" + PLAIN + PLAIN, "not a MIDI file", 0),  # which of the two?
        (b"MThd\0\0\0\6\0\1", "truncated", 10),
        (file_bytes(declared=2), "no track is there, the header announces 2", 14),
        (file_bytes(END, declared=2), "announces 2 tracks, found 1", 10),
        (file_bytes(END)[:-3], "truncated: the track should have 4 bytes", 23),
        (file_bytes("00 90 3C"), r"in the middle of an event \(no note is left", 22),
        (file_bytes("00 3C 40"), "found 0x3c, expected a status byte", 23),
        (file_bytes("FF FF FF FF 7F 90 3C 40"), "more than 4 bytes", 22),
        (file_bytes("FF FF FF 7F 90 3C 40" + END), "too late to be true: tick 268435455", 22),
        (file_bytes(END, division=0), "0 ticks", 12),
        (file_bytes(END, division=0xFFFF), "found 1 SMPTE frames a second", 12),
        (file_bytes(END, division=0xE700), "of 0 ticks", 12),
        (b"MThd" + bytes(2**25), "larger than 32 MiB", None),
    ],
    ids=range(16),
)
def test_where_nothing_is_left_errors_say_what_and_where(read, tmp_path, data, message, offset):
    with pytest.raises(FormatError, match=message) as caught:
        read(data)
    assert caught.value.path == tmp_path / "a.mid"
    assert caught.value.offset == offset


@pytest.mark.skipif(not Path("/dev/zero").is_char_device(), reason="no /dev/zero here")
def test_a_file_without_end_is_refused(peak):
    with pytest.raises(FormatError, match="larger than 32 MiB"):
        midi.read(Path("/dev/zero"))
    assert peak() < 2**27


@pytest.mark.skipif(not Path("/dev/fd").is_dir(), reason="no /dev/fd here")
def test_a_pipe_is_read():
    source, sink = os.pipe()
    with os.fdopen(sink, "wb") as stream:
        stream.write(PLAIN)
    try:
        assert midi.read(Path(f"/dev/fd/{source}")) == [MUSIC]
    finally:
        os.close(source)


def test_time_is_bounded(repaired):
    late = "FF FF FF 7F B0 07 40"  # a volume after 2²⁸ − 1 ticks
    music, texts = repaired(file_bytes("00 90 3C 40" + late * 1000 + "00 80 3C 00" + END))
    assert music == Music(96, tracks=[Track(notes=[Note(0, 60, 1)])])
    assert "byte 26: the rest of a track is too late to be true: tick 268435455" in texts


@pytest.mark.parametrize("before", ["82 FF FF 7E", "82 FF FF 7F", "83 80 80 00", "83 80 80 01"])
def test_the_last_possible_notes_come_back(repaired, again, before):
    # The second note ends, or would end, 1 tick before to 2 ticks after the last tick.
    notes = f"00 90 3C 40 01 80 3C 00 {before} 90 3E 40 00 80 3E 00"
    music, _ = repaired(file_bytes(notes + END))
    assert music.end <= 96 * 2**16
    assert again(music) == music


@pytest.fixture
def peak():
    """Tell how many bytes were in use at most, so far in the test."""
    tracemalloc.start()
    yield lambda: tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()


@pytest.mark.parametrize(
    ("event", "bytes_a_byte"),
    [
        ("00 3C 40", 200),  # a note that never ends
        ("00 FF 59 00", 10),
        ("01 FF 51 03 01 00 00", 200),
        ("00 F6", 10),
    ],
)
def test_many_small_events_take_bounded_memory(repaired, peak, event, bytes_a_byte):
    track = NOTE + "00 90 3C 40" + event * 20_000
    _, texts = repaired(file_bytes(track + END))
    assert len(texts) <= 2
    assert peak() < bytes_a_byte * len(bytes.fromhex(track))


@pytest.mark.parametrize(
    "data",
    [
        PLAIN[:18] + b"\xff\xff\xff\xff" + PLAIN[22:],
        file_bytes(NOTE + "00 FF 01 FF FF FF 7F"),
        file_bytes(NOTE + "00 F0 FF FF FF 7F"),
        file_bytes(NOTE + END, declared=65_535),
        PLAIN[:4] + b"\xff\xff\xff\xff" + PLAIN[8:],
    ],
    ids=range(5),
)
def test_lengths_that_lie_allocate_nothing(repaired, peak, data):
    music, _ = repaired(data)
    assert music == MUSIC
    assert peak() < 100_000


SAMPLES = [
    Music(96, [Tempo(0, 99.0)], [TimeSignature(0, 6, 8)], [KeySignature(0, 3)], [track, drums])
    for track in (
        Track(40, name="Geige", notes=[Note(24 * n, 60 + n, 24) for n in range(9)]),
        Track(0, notes=[Note(7 * n, 60, 20) for n in range(30)]),
    )
    for drums in (Track(0, is_drum=True, notes=[Note(48 * n, 36, 1) for n in range(5)]), Track())
]


def slip(data, draw):
    """Flip bits, cut, repeat and drop bytes here and there."""
    data = bytearray(data)
    for _ in range(draw.randint(1, 5)):
        at, size = draw.randrange(len(data)), draw.randint(1, 12)
        match draw.randrange(6):
            case 0 | 1:
                data[at] ^= 1 << draw.randrange(8)
            case 2:
                data[at] = draw.choice([0, 0x7F, 0x80, 0xFF])
            case 3:
                data[at:at] = data[draw.randrange(len(data)) :][:size]
            case 4:
                del data[at : at + size]
            case 5 if at > 30:
                del data[at:]
    return bytes(data)


@pytest.mark.parametrize("seed", range(300))
def test_slips_in_files_raise_nothing_else(tmp_path, seed):
    draw = random.Random(seed)
    path = tmp_path / "a.mid"
    midi.write(draw.choice(SAMPLES), path)
    data = slip(path.read_bytes(), draw)
    path.write_bytes(data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FormatWarning)
        try:
            pieces = midi.read(path)
        except FormatError:
            return
        for music in pieces:
            midi.write(music, path)
            assert midi.read(path) == [music]


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


def names(longest):
    """Draw names that MIDI keeps: without control characters."""
    return st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=longest)


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
    program, is_drum, name = st.integers(0, 127), st.booleans(), names(5)
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
        draw(names(8)),
    )


@IN_FOLDER
@given(pieces())
def test_a_piece_comes_back_as_it_was(tmp_path_factory, music):
    path = tmp_path_factory.getbasetemp() / "piece.mid"
    midi.write(music, path)
    assert midi.read(path) == [music]


def port(track):
    return next((message.port for message in track if message.type == "midi_port"), 0)


def test_mido_reads_what_is_written(tmp_path):
    notes = [Note(0, 60, 480), Note(480, 60, 480), Note(480, 64, 240)]
    music = Music(480, [Tempo(0, 90.0)], title="Ré", tracks=[Track(5, notes=notes)] * 17)
    midi.write(music, tmp_path / "a.mid")
    file = mido.MidiFile(tmp_path / "a.mid", charset="utf-8")
    assert (file.type, file.ticks_per_beat, len(file.tracks)) == (1, 480, 18)
    assert file.tracks[0].name == "Ré"
    assert sum(message.time for message in file.tracks[0]) == music.end
    channels = [track[-2].channel for track in file.tracks[1:]]
    assert channels == [*range(9), *range(10, 16), 0, 1]
    assert [port(track) for track in file.tracks[1:]] == [0] * 15 + [1] * 2
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


def test_paths_may_be_text(tmp_path):
    path = str(tmp_path / "a.mid")
    midi.write(MUSIC, path)
    assert midi.read(path) == [MUSIC]
    with pytest.raises(FormatError) as caught:
        midi.write(Music(0), path)
    assert caught.value.path == Path(path)


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_tempos_at_one_tick_the_later_in_the_list_holds(again, order):
    tempos = [Tempo(0, 60.0), Tempo(0, 120.0)][::order]
    music = Music(480, tempos, tracks=[Track(notes=[Note(0, 60, 480)])])
    assert music.seconds == 60 / tempos[1].qpm
    assert again(music).tempos == tempos[1:]
    assert again(music).seconds == music.seconds


def test_length_counts_tempos_by_time():
    notes = [Note(0, 60, 960)]
    tempos = [Tempo(480, 120.0), Tempo(0, 60.0)]
    assert Music(480, tempos, tracks=[Track(notes=notes)]).seconds == 1.5


@pytest.mark.parametrize("qpm", [0.0, -1.0, float("nan")])
def test_an_impossible_tempo_has_no_length(qpm):
    with pytest.raises(FormatError, match=f"a tempo of {qpm} quarter notes a minute"):
        _ = Music(480, [Tempo(0, qpm)], tracks=[Track(notes=[Note(0, 60, 1)])]).seconds


@pytest.mark.parametrize("resolution", [1, 24, 30, 220, 24576, 32767])
def test_the_resolution_is_kept(again, resolution):
    music = Music(resolution, [Tempo(7, 60.0)], tracks=[Track(notes=[Note(5, 60, 1)])])
    assert again(music) == music


def test_finer_times_are_scaled_to_the_nearest_tick(again):
    close = [Note(n, 60, 1) for n in range(5000)]
    music = again(Music(1_000_000, [Tempo(500_000, 60.0)], tracks=[Track(notes=close)]))
    assert music.resolution == 30_240
    assert music.tempos == [Tempo(15_120, 60.0)]
    assert music.tracks[0].notes[-1].time == 151
    assert {note.duration for note in music.tracks[0].notes} == {1}


@pytest.mark.parametrize(("qpm", "held"), [(1e-320, 3.5763), (3.0, 3.5763), (1e9, 60_000_000)])
def test_extreme_tempos_become_the_nearest(again, qpm, held):
    with pytest.warns(FormatWarning, match="a tempo outside 3.58 to 60,000,000"):
        music = again(Music(tempos=[Tempo(0, qpm)]))
    assert music.tempos == [Tempo(0, pytest.approx(held, rel=1e-4))]


def test_long_and_foreign_names(again):
    names = ["x" * 100_000, "Скрипка", "尺八", "🎻"]
    music = Music(title="Ω" * 1000, tracks=[Track(0, False, n, [Note(0, 60, 1)]) for n in names])
    assert again(music) == music


def test_more_tracks_than_channels(again):
    tracks = [Track(n % 128, n % 7 == 0, str(n), [Note(n, 60, 9)]) for n in range(300)]
    assert again(Music(tracks=tracks)) == Music(tracks=tracks)


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
        (Music(tempos=[Tempo(0, 0.0)]), "no tempo of 0.0"),
        (Music(tempos=[Tempo(0, float("inf"))]), "no tempo of inf"),
        (Music(tempos=[Tempo(0, float("nan"))]), "no tempo of nan"),
        (Music(tempos=[Tempo(-1, 60.0)]), "at tick -1, expected 0 to 31457280"),
        (Music(tracks=[Track(notes=[Note(2**28, 60, 1)])]), "at tick 268435457, expected 0 to"),
        (Music(0), "found 0 ticks a quarter note"),
        (Music(tracks=[Track()] * 65_535), "at most 65534"),
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
