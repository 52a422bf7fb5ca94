"""The piano rolls: what they keep, what they lose, and what they make of odd frames."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musicgen.encodings import boundary_frame
from musicgen.encodings.controls import TEMPOS, Controls
from musicgen.encodings.piano_roll import PianoRoll
from musicgen.encodings.velocity_roll import VelocityRoll
from musicgen.errors import EncodingError
from musicgen.formats import midi
from musicgen.music import KeySignature, Music, Note, Tempo, TimeSignature, Track

ROLLS = pytest.mark.parametrize("roll", [PianoRoll, VelocityRoll], ids=lambda roll: roll.name)

DATA = Path(__file__).parents[2] / "shared" / "data"
SHARED = pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is absent")

Q = 480
SONG = [Note(i * Q, pitch, Q) for i, pitch in enumerate([60, 62, 64, 65, 67, 69, 71, 72])]


def piece(notes=SONG, tempos=(), metres=(), **others):
    return Music(Q, list(tempos), list(metres), [], [Track(notes=list(notes))], **others)


PIECES = {
    "scale": piece(),
    "says all": piece(tempos=[Tempo(0, 120.0)], metres=[TimeSignature(0, 4, 4)]),
    "6/8": piece(metres=[TimeSignature(0, 6, 8)]),
    "3/4": piece(metres=[TimeSignature(0, 3, 4)]),
    "2/2": piece(metres=[TimeSignature(0, 2, 2)]),
    "pickup": piece(metres=[TimeSignature(0, 1, 4), TimeSignature(Q, 3, 4)]),
    "pickup of an eighth": piece(
        [Note(0, 59, Q // 2), *(n._replace(time=n.time + Q // 2) for n in SONG)],
        metres=[TimeSignature(0, 1, 8), TimeSignature(Q // 2, 6, 8)],
    ),
    "changes of metre": piece(
        metres=[TimeSignature(0, 2, 4), TimeSignature(2 * Q, 3, 4), TimeSignature(5 * Q, 6, 8)]
    ),
    "a last bar of its own": piece(metres=[TimeSignature(0, 6, 4), TimeSignature(6 * Q, 2, 4)]),
    "changes of tempo": piece(tempos=[Tempo(0, 60.0), Tempo(3 * Q, 144.0), Tempo(5 * Q, 60.0)]),
    "says it late": piece(
        tempos=[Tempo(2 * Q, 96.0)], metres=[TimeSignature(Q, 3, 4), TimeSignature(7 * Q, 5, 8)]
    ),
    "held across bars": piece(
        [Note(0, 60, 9 * Q), Note(Q, 64, 4 * Q)], metres=[TimeSignature(0, 3, 4)]
    ),
    "empty bars": piece([Note(8 * Q, 60, Q), Note(20 * Q, 62, Q)], metres=[TimeSignature(0, 2, 4)]),
    "chords": piece([Note(t * Q, p, Q) for t in (0, 2) for p in (48, 60, 64, 67)]),
    "all pitches": piece([Note(p * Q, p, Q) for p in range(128)]),
}
REPEATED = piece([Note(0, 60, Q), Note(Q, 60, Q // 2), Note(Q + Q // 2, 60, Q)])


@ROLLS
@pytest.mark.parametrize("name", PIECES)
@pytest.mark.parametrize("steps", [4, 12, 24])
def test_what_lies_on_the_grid_comes_back(roll, name, steps):
    encoding = roll.fit(PIECES.values(), steps_per_quarter=steps)
    frames = encoding.encode(PIECES[name])
    assert encoding.decode(frames) == PIECES[name]
    np.testing.assert_array_equal(frames[-1], boundary_frame(encoding.size))
    assert not frames[:-1, 0].any()
    assert frames.shape[1] == encoding.size
    assert frames.min() >= 0
    assert frames.max() <= 1


@ROLLS
def test_the_state_makes_the_encoding_again(roll):
    encoding = roll.fit(PIECES.values(), steps_per_quarter=12)
    again = roll.from_state(json.loads(json.dumps(encoding.state())))
    for music in PIECES.values():
        np.testing.assert_array_equal(again.encode(music), encoding.encode(music))
        assert again.decode(again.encode(music)) == music
    assert (again.size, again.notes) == (encoding.size, encoding.notes)


def test_repeated_notes_are_kept_apart_by_onsets_alone():
    binary, loud = PianoRoll.fit([REPEATED]), VelocityRoll.fit([REPEATED])
    assert binary.decode(binary.encode(REPEATED)) == REPEATED
    (track,) = loud.decode(loud.encode(REPEATED)).tracks
    assert track.notes == [Note(0, 60, 5 * Q // 2)]


def test_velocities_are_kept_by_the_velocity_roll_alone():
    music = piece([Note(i * Q, 60 + i, Q, velocity) for i, velocity in enumerate((127, 20, 16))])
    binary, loud = PianoRoll.fit([music]), VelocityRoll.fit([music])
    assert loud.decode(loud.encode(music)) == music
    (track,) = binary.decode(binary.encode(music)).tracks
    assert [note.velocity for note in track.notes] == [20, 20, 20]


def test_the_threshold_says_what_sounds():
    music = piece([Note(0, 60, Q, 14), Note(0, 64, Q, 15), Note(0, 67, Q, 16)])
    encoding = VelocityRoll.fit([music])
    frames = encoding.encode(music)

    def velocities(*threshold):
        (track,) = encoding.decode(frames, *threshold).tracks
        return [note.velocity for note in track.notes]

    assert velocities() == [15, 16]
    assert velocities(16 / 127) == [16]
    assert velocities(0.0) == [14, 15, 16]


def test_two_tracks_become_one_and_drums_go():
    tracks = [
        Track(40, name="violin", notes=[Note(0, 72, 2 * Q, 100), Note(2 * Q, 74, Q)]),
        Track(is_drum=True, notes=[Note(0, 35, 9 * Q)]),
        Track(32, name="bass", notes=[Note(0, 48, 3 * Q), Note(Q, 72, 2 * Q, 30)]),
    ]
    music = Music(Q, [], [], [KeySignature(0, 1)], tracks, "title")
    binary, loud = PianoRoll.fit([music]), VelocityRoll.fit([music])
    assert binary.decode(binary.encode(music)) == piece(
        [Note(0, 48, 3 * Q), Note(0, 72, Q), Note(Q, 72, 2 * Q), Note(2 * Q, 74, Q)]
    )
    assert loud.decode(loud.encode(music)) == piece(
        [Note(0, 48, 3 * Q), Note(0, 72, 3 * Q, 100), Note(2 * Q, 74, Q)]
    )


def test_pitches_out_of_range_go_to_the_nearest_octave():
    encoding = PianoRoll.fit([piece([Note(0, 60, Q), Note(0, 65, Q)])])
    assert (encoding.lowest, encoding.highest) == (48, 77)
    frames = encoding.encode(piece([Note(i * Q, p, Q) for i, p in enumerate((47, 0, 78, 127))]))
    (track,) = encoding.decode(frames).tracks
    assert [note.pitch for note in track.notes] == [59, 48, 66, 67]


def test_tempos_go_to_the_nearest_mark_by_ratio():
    music = piece(
        [Note(0, 60, 20 * Q)],
        tempos=[Tempo(i * Q, qpm) for i, qpm in enumerate((1.0, 101.9, 101.7, 116.0, 999.0))],
    )
    encoding = VelocityRoll.fit([music])
    assert [qpm for _, qpm in encoding.decode(encoding.encode(music)).tempos] == [
        40, 108, 96, 120, 240,
    ]  # fmt: skip


def test_a_metre_that_breaks_off_leaves_a_short_bar():
    music = piece(metres=[TimeSignature(0, 4, 4), TimeSignature(6 * Q, 2, 4)])
    encoding = PianoRoll.fit([music])
    once = encoding.decode(encoding.encode(music))
    assert once.time_signatures == [
        TimeSignature(0, 4, 4),
        TimeSignature(4 * Q, 2, 4),
    ]
    assert encoding.decode(encoding.encode(once)) == once


def test_denominators_that_training_lacks():
    encoding = PianoRoll.fit([piece(metres=[TimeSignature(0, 3, 4)])])
    music = piece(metres=[TimeSignature(0, 6, 8), TimeSignature(3 * Q, 2, 2)])
    music.time_signatures += [TimeSignature(7 * Q, 3, 16)]
    assert encoding.decode(encoding.encode(music)).time_signatures == [
        TimeSignature(0, 3, 4),
        TimeSignature(3 * Q, 4, 4),
        TimeSignature(7 * Q, 3, 16),
    ]


def test_bars_that_are_no_whole_number_of_steps_do_not_drift():
    music = piece([Note(0, 60, 30 * Q)], metres=[TimeSignature(0, 5, 32)])
    controls = Controls(4, [32])
    frames = controls.encode(Music(4, [], music.time_signatures), 100)
    lines = np.flatnonzero(frames[:, controls.metre.stop - 1])
    np.testing.assert_array_equal(lines, np.floor(np.arange(40) * 2.5 + 0.5))


@pytest.mark.parametrize(
    ("metre", "levels"),
    [
        ((6, 8), [3, 0, 1, 0, 1, 0, 2, 0, 1, 0, 1, 0]),
        ((3, 4), [3, 0, 1, 0, 2, 0, 1, 0, 2, 0, 1, 0]),
        ((9, 16), [3, 0, 1, 2, 1, 0, 2, 0, 1]),
    ],
)
def test_eighths_and_beats_are_told(metre, levels):
    controls = Controls(4, [])
    frames = controls.encode(Music(4, [], [TimeSignature(0, *metre)]), 2 * len(levels))
    assert frames[:, controls.metre].sum(axis=1).tolist() == levels * 2
    assert (np.diff(frames[:, controls.metre].astype(int)) <= 0).all()


@ROLLS
def test_a_primer_lacks_the_boundary(roll):
    encoding = roll.fit(PIECES.values())
    for music in PIECES.values():
        frames = encoding.encode(music)
        np.testing.assert_array_equal(encoding.encode_primer(music), frames[:-1])
    frames = encoding.encode_primer(PIECES["6/8"])
    assert encoding.decode(frames) == PIECES["6/8"]


@ROLLS
def test_what_follows_the_boundary_does_not_count(roll):
    encoding = roll.fit(PIECES.values())
    frames = encoding.encode(PIECES["6/8"])
    more = np.concatenate([frames, encoding.encode(PIECES["chords"])])
    assert encoding.decode(more) == PIECES["6/8"]
    assert encoding.decode(frames[-1:]) == piece([])


@ROLLS
def test_a_bar_that_is_cut_off_has_the_metre_of_the_others(roll):
    encoding = roll.fit(PIECES.values())
    frames = encoding.encode(PIECES["3/4"])[:18]
    assert encoding.decode(frames).time_signatures == [TimeSignature(0, 3, 4)]


def test_a_note_that_goes_on_without_a_start_starts():
    encoding = PianoRoll.fit([piece([Note(0, 60, Q)])])
    sustains = slice(encoding.notes.start + 25, encoding.notes.stop)
    frames = np.zeros((4, encoding.size))
    frames[1:3, sustains][:, 60 - encoding.lowest] = 0.5
    (track,) = encoding.decode(frames).tracks
    assert track.notes == [Note(Q // 4, 60, Q // 2)]


def test_bar_lines_where_no_metre_puts_them_are_passed_over():
    controls = Controls(12, [4, 8])
    frames = np.zeros((97, controls.size))
    frames[[0, 36, 49, 72], controls.metre.start : controls.metre.start + 3] = 1
    _, metres = controls.decode(frames[:96], ended=True)
    assert metres == [TimeSignature(0, 3, 4), TimeSignature(72, 2, 4)]


def test_a_stretch_too_long_for_a_bar_is_none():
    controls = Controls(4, [4])
    frames = np.zeros((420, controls.size))
    frames[[0, 404, 412], controls.metre] = 1
    assert controls.decode(frames, ended=True)[1] == [TimeSignature(404, 2, 4)]


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), st.floats(0.02, 0.98))
def test_any_frames_make_a_piece(seed, share):
    rng = np.random.default_rng(seed)
    for encoding in (PianoRoll.fit([REPEATED]), VelocityRoll.fit([REPEATED])):
        frames = rng.random((30, encoding.size)) < share
        frames[:, 0] = False
        frames = frames * rng.uniform(0.4, 2, frames.shape)
        music = encoding.decode(frames)
        assert encoding.decode(encoding.encode(music)).time_signatures == music.time_signatures
        assert all(1 <= note.velocity <= 127 for note in music.tracks[0].notes)
        assert all(tempo.qpm in TEMPOS for tempo in music.tempos)


@st.composite
def musics(draw):
    """Pieces that lie on a grid of sixteenths, metres on their bar lines."""
    metres, time = [], 0
    for _ in range(draw(st.integers(0, 4))):
        choices = [(2, 4), (3, 4), (4, 4), (6, 8), (1, 8), (5, 16), (3, 2)]
        metre = draw(st.sampled_from([c for c in choices if not metres or c != metres[-1][1:]]))
        metres.append(TimeSignature(time, *metre))
        time += draw(st.integers(1, 3)) * 16 * metre[0] // metre[1]
    tempos, before = [], None
    for at in sorted(draw(st.sets(st.integers(0, time + 10), max_size=4))):
        before = draw(st.sampled_from([qpm for qpm in TEMPOS if qpm != before]))
        tempos.append(Tempo(at, float(before)))
    notes = []
    for pitch in draw(st.sets(st.integers(0, 127), min_size=1, max_size=5)):
        start = 0
        for gap, duration in draw(
            st.lists(st.tuples(st.integers(0, 9), st.integers(1, 40)), min_size=1, max_size=6)
        ):
            notes.append(Note(start + gap, pitch, duration, 80))
            start = notes[-1].end
    # The last note ends where no change is left to come.
    notes.append(Note(0, 64, time + 11, 80))
    alone = [n for n in notes if n.pitch != 64 or n is notes[-1]]
    return Music(4, tempos, metres, [], [Track(notes=sorted(alone))])


def at_480(music):
    return Music(
        Q,
        [Tempo(120 * time, qpm) for time, qpm in music.tempos],
        [TimeSignature(120 * time, *metre) for time, *metre in music.time_signatures],
        [],
        [
            Track(notes=[Note(120 * t, p, 120 * d, v) for t, p, d, v in track.notes])
            for track in music.tracks
        ],
    )


@given(st.lists(musics(), min_size=1, max_size=3), st.sampled_from([4, 8, 12, 24]))
def test_any_pieces_on_the_grid_come_back(pieces, steps):
    encoding = PianoRoll.fit(pieces, steps_per_quarter=steps)
    for music in pieces:
        assert encoding.decode(encoding.encode(music)) == at_480(music)


@given(st.lists(musics(), min_size=1, max_size=3), st.sampled_from([4, 12]))
def test_a_second_trip_through_velocities_changes_nothing(pieces, steps):
    encoding = VelocityRoll.fit(pieces, steps_per_quarter=steps)
    for music in pieces:
        once = encoding.decode(encoding.encode(music))
        assert encoding.decode(encoding.encode(once)) == once
        assert once.time_signatures == at_480(music).time_signatures
        assert once.tempos == at_480(music).tempos
        assert once.end == at_480(music).end


@ROLLS
@pytest.mark.parametrize("steps", [0, -4, 7, 481])
def test_a_grid_that_ticks_cannot_hold_is_refused(roll, steps):
    with pytest.raises(EncodingError, match=f"steps_per_quarter is {steps}; expected a divisor"):
        roll.fit(PIECES.values(), steps_per_quarter=steps)


@ROLLS
def test_what_makes_no_frames_is_refused(roll):
    encoding = roll.fit(PIECES.values())
    drums = Music(tracks=[Track(is_drum=True, notes=[Note(0, 35, 9)])])
    for music, what in [
        (Music(), "no notes but drums"),
        (drums, "no notes but drums"),
        (piece(tempos=[Tempo(0, 0.0)]), "a tempo of 0.0"),
        (piece(metres=[TimeSignature(0, 0, 4)]), "a metre of 0/4"),
        (piece(metres=[TimeSignature(0, 4, 0)]), "a metre of 4/0"),
        (piece(metres=[TimeSignature(0, 1, 2**99)]), "shorter than a step"),
        (piece(metres=[TimeSignature(0, 256, 4)]), "expected up to 255 beats"),
        (piece([Note(0, 60, 2**40)]), "more than 1,000,000"),
    ]:
        with pytest.raises(EncodingError, match=what):
            encoding.encode(music)


@ROLLS
def test_what_is_no_array_of_frames_is_refused(roll):
    encoding = roll.fit(PIECES.values())
    for shape in [(3,), (3, encoding.size + 1), (2, 3, encoding.size)]:
        with pytest.raises(EncodingError, match=rf"expected frames \(T, {encoding.size}\)"):
            encoding.decode(np.zeros(shape))


def test_pieces_without_notes_give_no_range():
    with pytest.raises(EncodingError, match="no notes but drums"):
        PianoRoll.fit([Music()])


def on_time(before, after, tolerance=1 / 48):
    """Count the notes that start in both within a share of a quarter note."""
    kept = 0
    for pitch in range(128):
        times = [
            sorted(
                note.time / music.resolution
                for track in music.tracks
                for note in track.notes
                if note.pitch == pitch
            )
            for music in (before, after)
        ]
        at = 0
        for time in times[0]:
            while at < len(times[1]) and times[1][at] < time - tolerance:
                at += 1
            if at < len(times[1]) and times[1][at] <= time + tolerance:
                kept += 1
                at += 1
    return kept


@SHARED
@pytest.mark.filterwarnings("ignore::musicgen.errors.FormatWarning")
@pytest.mark.parametrize(
    ("folder", "steps", "share"),
    [
        ("nottingham/MIDI", 4, 0.98),
        ("nottingham/MIDI", 12, 0.999),
        ("mozart_piano_midi", 4, 0.88),
        ("mozart_piano_midi", 24, 0.99),
    ],
)
def test_most_notes_of_real_pieces_start_where_they_did(folder, steps, share):
    files = sorted((DATA / folder).rglob("*.mid"))
    pieces = [music for file in files[:: len(files) // 3] for music in midi.read(file)]
    encoding = PianoRoll.fit(pieces, steps_per_quarter=steps)
    total = sum(len(track.notes) for music in pieces for track in music.tracks)
    kept = 0
    for music in pieces:
        found = encoding.decode(encoding.encode(music))
        assert encoding.decode(encoding.encode(found)) == found
        kept += on_time(music, found)
    assert kept / total >= share
