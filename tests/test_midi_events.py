"""Pieces as events: what is written, what is kept, and what may follow what."""

import json
from copy import copy
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musicgen.encodings.midi_events import MidiEvents
from musicgen.encodings.timeline import tempo, timeline
from musicgen.errors import EncodingError
from musicgen.formats import midi
from musicgen.music import KeySignature, Music, Note, Tempo, TimeSignature, Track

DATA = Path(__file__).parents[2] / "shared" / "data"
SHARED = pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is absent")

STEP = 40  # ticks, at 12 steps a quarter

PIECE = Music(
    480,
    [Tempo(0, 120.0), Tempo(960, 126.0)],
    [TimeSignature(0, 3, 4)],
    [KeySignature(0, -3, "minor")],
    [
        Track(0, notes=[Note(0, 60, 480, 80), Note(0, 64, 480, 80), Note(960, 62, 240, 90)]),
        Track(33, notes=[Note(0, 36, 4800, 90)]),
        Track(0, True, notes=[Note(960, 38, 40, 90)]),
    ],
)


def texts(encoding, symbols):
    return [
        " ".join([family, *map(str, value if isinstance(value, tuple) else [value])])
        for family, value in (encoding.events[symbol] for symbol in symbols)
    ]


def test_events_of_a_step_come_in_order():
    encoding = MidiEvents.fit([PIECE])
    assert texts(encoding, encoding.encode(PIECE)) == [
        "metre 3 4", "key -3 minor", "tempo 0",
        "program False 0", "velocity 80", "pitch 60", "duration 12", "pitch 64", "duration 12",
        "program False 33", "velocity 90", "pitch 36", "duration 48", "duration 48", "duration 24",
        "shift 24", "tempo 1",
        "program False 0", "pitch 62", "duration 6",
        "program True 0", "pitch 38", "duration 1",
        "boundary None",
    ]  # fmt: skip
    assert encoding.decode(encoding.encode(PIECE)) == PIECE


def test_equal_pieces_give_equal_symbols():
    encoding = MidiEvents.fit([PIECE])
    one, bass, drums = PIECE.tracks

    def coarser(track, places):
        notes = [
            Note(time // 20, pitch, duration // 20, velocity)
            for time, pitch, duration, velocity in (track.notes[i] for i in places)
        ]
        return Track(track.program, track.is_drum, "name", notes)

    other = Music(
        24,
        [Tempo(0, 120.0), Tempo(12, 120.0), Tempo(48, 126.0)],
        [TimeSignature(0, 2, 4), TimeSignature(0, 3, 4), TimeSignature(48, 3, 4)],
        PIECE.key_signatures,
        [coarser(drums, [0]), coarser(one, [2]), coarser(bass, [0]), coarser(one, [1, 0])],
        "title",
    )
    np.testing.assert_array_equal(encoding.encode(other), encoding.encode(PIECE))


def test_state_is_json():
    encoding = MidiEvents.fit([PIECE], steps_per_quarter=24, velocity_bins=3)
    again = MidiEvents.from_state(json.loads(json.dumps(encoding.state())))
    assert again.events == encoding.events
    assert again.size == encoding.size == len(encoding.events)
    np.testing.assert_array_equal(again.encode(PIECE), encoding.encode(PIECE))


def line(*notes, **rest):
    return Music(480, tracks=[Track(notes=[Note(*note) for note in notes], **rest)])


def test_what_training_lacks_becomes_the_nearest():
    encoding = MidiEvents.fit([PIECE])
    strange = Music(
        480,
        [Tempo(0, 60.0)],
        [TimeSignature(0, 6, 8)],
        [KeySignature(0, 4, "dorian")],
        [Track(7, notes=[Note(0, 99, 600, 1)]), Track(38, notes=[Note(0, 20, 5, 127)])],
    )
    assert texts(encoding, encoding.encode(strange)) == [
        "metre 3 4", "key 4 minor", "tempo 0",
        "program False 0", "velocity 80", "pitch 99", "duration 12",
        "program False 33", "velocity 90", "pitch 20", "duration 1", "boundary None",
    ]  # fmt: skip


def test_times_that_shifts_miss_do_not_delay_what_follows():
    encoding = MidiEvents.fit([line((0, 60, 240), (480, 60, 240))])  # a shift of 12 alone
    piece = line(*((280 * i, 60 + i, 240) for i in range(25)))
    again = encoding.decode(encoding.encode(piece)).tracks[0].notes
    assert [note.pitch for note in again] == [note.pitch for note in piece.tracks[0].notes]
    assert all(
        abs(a.time - b.time) <= 240 for a, b in zip(again, piece.tracks[0].notes, strict=True)
    )


def test_drums_that_training_lacks_are_left_out():
    encoding = MidiEvents.fit([line((0, 60, 240))])
    drums = line((0, 35, 240), is_drum=True)
    assert encoding.encode(drums).tolist() == [0]
    with pytest.raises(EncodingError, match="what the model knows: instruments"):
        encoding.encode_primer(drums)
    assert encoding.encode_primer(line((0, 61, 240))).size == 4


@pytest.mark.parametrize(
    "choice",
    [
        {"steps_per_quarter": 0},
        {"steps_per_quarter": 7},
        {"velocity_bins": 0},
        {"velocity_bins": 128},
    ],
)
def test_impossible_choices(choice):
    with pytest.raises(EncodingError, match="expected"):
        MidiEvents.fit([PIECE], **choice)


def test_impossible_pieces():
    with pytest.raises(EncodingError, match="no notes"):
        MidiEvents.fit([Music()])
    with pytest.raises(EncodingError, match=r"tempo of 0.*more than 0"):
        MidiEvents.fit([Music(480, [Tempo(0, 0.0)], tracks=PIECE.tracks)])


def test_decoding_mends_what_no_piece_holds():
    encoding = MidiEvents.fit([PIECE])
    number = {text: i for i, text in enumerate(texts(encoding, range(encoding.size)))}

    def notes(*said):
        music = encoding.decode([number[text] for text in said])
        return [(t.program, tuple(note)) for t in music.tracks for note in t.notes]

    assert notes("pitch 60", "pitch 61") == [(0, (0, 60, 480, 64)), (0, (0, 61, 480, 64))]
    assert notes("duration 6", "shift 24", "duration 6", "pitch 60", "duration 1", "pitch 61") == [
        (0, (960, 60, 40, 64)),
        (0, (960, 61, 40, 64)),
    ]
    assert notes("pitch 60", "duration 6", "pitch 60", "duration 12", "shift 24") == [
        (0, (0, 60, 480, 64))
    ]
    assert encoding.decode([0, number["pitch 60"]]).tracks == []


@st.composite
def pieces(draw):
    """Pieces on the grid as they are decoded: nothing twice, everything in order."""

    def changes(values):
        found = draw(st.dictionaries(st.integers(0, 200), values, max_size=4))
        times = sorted(found)
        return [
            (time * STEP, found[time])
            for i, time in enumerate(times)
            if i == 0 or found[time] != found[times[i - 1]]
        ]

    onset = st.tuples(st.integers(0, 200), st.integers(0, 127))
    sound = st.tuples(st.integers(1, 150), st.sampled_from([20, 64, 100]))
    parts = draw(
        st.dictionaries(
            st.tuples(st.booleans(), st.integers(0, 127)),
            st.dictionaries(onset, sound, min_size=1, max_size=12),
            min_size=1,
            max_size=3,
        )
    )
    return Music(
        480,
        [Tempo(time, tempo(number)) for time, number in changes(st.integers(-20, 20))],
        [
            TimeSignature(time, *metre)
            for time, metre in changes(st.sampled_from([(2, 4), (4, 4), (6, 8), (7, 16)]))
        ],
        [
            KeySignature(time, *key)
            for time, key in changes(
                st.tuples(st.integers(-7, 7), st.sampled_from(["major", "dorian"]))
            )
        ],
        [
            Track(program, is_drum, notes=[
                Note(time * STEP, pitch, duration * STEP, velocity)
                for (time, pitch), (duration, velocity) in sorted(part.items())
            ])
            for (is_drum, program), part in sorted(parts.items())
        ],
    )  # fmt: skip


def allowed_throughout(encoding, symbols):
    grammar = encoding.constraint()
    for symbol in symbols:
        if not grammar.allowed()[symbol]:
            return False
        grammar.advance(symbol)
    return True


@given(st.lists(pieces(), min_size=1, max_size=3))
def test_pieces_on_the_grid_come_back_identical(corpus):
    encoding = MidiEvents.fit(iter(corpus))
    for piece in corpus:
        symbols = encoding.encode(piece)
        assert symbols.dtype == np.int32
        assert encoding.decode(symbols) == piece
        assert allowed_throughout(encoding, symbols.tolist())


@given(pieces(), pieces())
def test_strange_pieces_are_written_by_the_rules(known, strange):
    encoding = MidiEvents.fit([known])
    symbols = encoding.encode(strange)
    assert allowed_throughout(encoding, symbols.tolist())
    again = encoding.decode(symbols)
    np.testing.assert_array_equal(encoding.encode(again), symbols)


@given(pieces(), st.data())
def test_any_symbols_make_a_piece(known, data):
    encoding = MidiEvents.fit([known])
    symbols = data.draw(st.lists(st.integers(0, encoding.size - 1), max_size=60))
    again = encoding.decode(np.array(symbols, np.int32))
    assert allowed_throughout(encoding, encoding.encode(again).tolist())


@settings(max_examples=30)
@given(pieces(), st.integers(0, 2**32))
def test_what_the_grammar_allows_needs_no_mending(known, seed):
    encoding, rng = MidiEvents.fit([known]), np.random.default_rng(seed)
    grammar, symbols = encoding.constraint(), []
    while len(symbols) < 150 or symbols[-1] != 0:
        allowed = np.flatnonzero(grammar.allowed())
        assert allowed.size
        if allowed[0] == 0:
            allowed = allowed[:1] if len(symbols) > 150 else allowed[1:]
        # One family as likely as another: pitches are many.
        families = sorted({encoding.events[symbol][0] for symbol in allowed})
        family = families[rng.integers(len(families))]
        symbol = int(rng.choice([s for s in allowed if encoding.events[s][0] == family]))
        symbols.append(symbol)
        grammar.advance(symbol)
    assert encoding.encode(encoding.decode(symbols)).tolist() == symbols


def test_copies_of_a_grammar_go_their_own_way():
    encoding = MidiEvents.fit([PIECE])
    one = encoding.constraint()
    symbols = encoding.encode(PIECE).tolist()
    for symbol in symbols[:6]:
        one.advance(symbol)
    other = copy(one)
    before = one.allowed()
    for symbol in symbols[6:9]:
        other.advance(symbol)
    np.testing.assert_array_equal(one.allowed(), before)
    assert (other.allowed() != before).any()
    np.testing.assert_array_equal(
        encoding.constraint().allowed(), MidiEvents.fit([PIECE]).constraint().allowed()
    )


def test_conditions_are_refused():
    encoding = MidiEvents.fit([PIECE])
    for name, value in (("key", "G"), ("metre", "3/4"), ("bars", 8)):
        with pytest.raises(EncodingError, match=f"events cannot be asked for a {name.rstrip('s')}"):
            encoding.constraint(**{name: value})
    assert encoding.constraint(title="Any").allowed().any()


@SHARED
@pytest.mark.parametrize("folder", ["nottingham", "report_jigs_midi", "mozart_piano_midi"])
@pytest.mark.parametrize("steps_per_quarter", [12, 24])
def test_real_files_come_back_as_they_lie_on_the_grid(folder, steps_per_quarter):
    files = sorted((DATA / folder).rglob("*.mid"))
    corpus = [piece for file in files[:: len(files) // 6] for piece in midi.read(file)]
    encoding = MidiEvents.fit(corpus, steps_per_quarter=steps_per_quarter, velocity_bins=127)
    for piece in corpus:
        again = encoding.decode(encoding.encode(piece))
        assert timeline(again, steps_per_quarter) == timeline(piece, steps_per_quarter)
