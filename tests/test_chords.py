"""Chords note by note: nothing is lost, and samples are well-formed."""

import json
from copy import copy

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from score_cases import CHANGES, HELD, PIECES, REPEATED, UPBEAT, line, scores

from musicgen.encodings.chords import Chords
from musicgen.errors import EncodingError
from musicgen.music import Music, Note, Track


def texts(encoding, symbols):
    return " ".join(encoding.text(symbol) for symbol in symbols)


def in_one_part(piece):
    """Join the tracks of a piece, as decoding gives it."""
    notes = sorted(note for track in piece.tracks for note in track.notes)
    return Music(
        piece.resolution,
        piece.tempos,
        piece.time_signatures,
        piece.key_signatures,
        [Track(piece.tracks[0].program, notes=notes)],
        fermatas=piece.fermatas,
    )


@pytest.mark.parametrize("steps", [4, 12])
@pytest.mark.parametrize("piece", PIECES.values(), ids=PIECES)
def test_pieces_come_back(piece, steps):
    encoding = Chords.fit(PIECES.values(), steps_per_quarter=steps)
    assert encoding.decode(encoding.encode(piece)) == in_one_part(piece)


@given(scores())
def test_any_score_comes_back(piece):
    # An octave between the voices: no pitch sounds twice at once.
    piece.tracks[1].notes = [note._replace(pitch=note.pitch - 40) for note in piece.tracks[1].notes]
    encoding = Chords.fit([piece])
    assert encoding.decode(encoding.encode(piece)) == in_one_part(piece)


def test_notes_ascend_within_a_step():
    encoding = Chords.fit([UPBEAT], steps_per_quarter=1)
    assert texts(encoding, encoding.encode(UPBEAT)) == (
        "3/4 C minor 90 qpm | G4 next | C3 C5 next (C3) (C5) next (C3) (C5) next "
        "| fermata G2 B4 next (G2) (B4) next end"
    )


def test_repeated_notes_start_again():
    encoding = Chords.fit([REPEATED], steps_per_quarter=2)
    assert "| C3 C5 next (C3) C5 next C3 C5 next" in texts(encoding, encoding.encode(REPEATED))


def test_a_pitch_that_starts_again_ends_the_one_before():
    notes = [Note(0, 60, 960), Note(480, 60, 960), Note(480, 60, 480)]
    piece = Music(tracks=[Track(notes=notes[:1]), Track(notes=notes[1:])])
    encoding = Chords.fit([piece])
    (track,) = encoding.decode(encoding.encode(piece)).tracks
    assert track.notes == [(0, 60, 480, 64), (480, 60, 960, 64)]


def test_drums_are_left_out():
    drums = Track(is_drum=True, notes=line((36, 4800)))
    piece = Music(tracks=[drums, *HELD.tracks])
    encoding = Chords.fit([piece])
    assert encoding.pitches == range(48, 75)
    assert encoding.decode(encoding.encode(piece)).tracks == in_one_part(HELD).tracks


def test_the_state_makes_the_encoding_again():
    encoding = Chords.fit(PIECES.values(), steps_per_quarter=12)
    again = Chords.from_state(json.loads(json.dumps(encoding.state())))
    assert again.size == encoding.size
    np.testing.assert_array_equal(again.encode(CHANGES), encoding.encode(CHANGES))
    assert again.decode(again.encode(CHANGES)) == in_one_part(CHANGES)


def test_a_pitch_that_training_lacks_is_refused():
    with pytest.raises(EncodingError, match="pitch 40; the training pieces have 48 to 74"):
        Chords.fit([HELD]).encode(Music(tracks=[Track(notes=line((40, 1)))]))
    with pytest.raises(EncodingError, match="pitch 80; the training pieces have 48 to 74"):
        Chords.fit([HELD]).encode(Music(tracks=[Track(notes=line((80, 1)))]))


def test_symbols_in_disorder_still_make_a_piece():
    encoding = Chords.fit(PIECES.values())
    rng = np.random.default_rng(0)
    for _ in range(50):
        music = encoding.decode(rng.integers(1, encoding.size, 200))
        assert all(note.duration > 0 for note in music.tracks[0].notes)
        assert music.tracks[0].notes == sorted(music.tracks[0].notes)


def test_a_piece_without_notes_is_its_end_alone():
    encoding = Chords.fit([HELD])
    assert encoding.encode(Music()).tolist() == [0]
    assert encoding.decode([0]) == Music(tracks=[Track(52)])


def test_what_goes_on_without_having_sounded_starts():
    encoding = Chords.fit([HELD], steps_per_quarter=1)
    onset = encoding.encode(HELD)[4]
    (track,) = encoding.decode([onset + 1, encoding.next, onset + 1]).tracks
    assert track.notes == [(0, 48, 960, 64)]


@given(st.integers(0, 2**32), st.sampled_from(["3/4", "6/8", None]), st.integers(1, 5))
def test_samples_are_well_formed(seed, metre, bars):
    encoding = Chords.fit([UPBEAT, CHANGES], steps_per_quarter=2)
    constraint = encoding.constraint(metre=metre, bars=bars)
    rng = np.random.default_rng(seed)
    symbols = []
    while not symbols or symbols[-1] != 0:
        mask = constraint.allowed()
        assert mask.any()
        # Or else a step would have some dozen notes.
        if mask[encoding.next] and rng.random() < 0.4:
            symbols.append(encoding.next)
        else:
            symbols.append(rng.choice(np.flatnonzero(mask)))
        constraint.advance(symbols[-1])
    piece = encoding.decode(symbols)
    assert encoding.decode(encoding.encode(piece)).tracks == piece.tracks
    said = texts(encoding, symbols)
    assert metre is None or said.count("/") == 1
    assert said.count("|") in (bars, bars + 1)
    lowest, sounded, now = -1, set(), set()
    for symbol in symbols:
        number, goes_on = divmod(symbol - encoding.first_pitch, 2)
        if symbol == encoding.next:
            lowest, sounded, now = -1, now, set()
        elif symbol > encoding.next:
            assert number > lowest
            assert not goes_on or number in sounded
            lowest = number
            now.add(number)


def test_copies_of_a_constraint_go_their_own_ways():
    encoding = Chords.fit([HELD])
    one = encoding.constraint(title="Any")
    symbols = encoding.encode(HELD)
    for symbol in symbols[:5]:
        one.advance(symbol)
    other = copy(one)
    expected = one.allowed()
    for symbol in symbols[5:30]:
        other.advance(symbol)
    np.testing.assert_array_equal(one.allowed(), expected)


def test_a_training_piece_is_allowed_symbol_by_symbol():
    encoding = Chords.fit(PIECES.values())
    for name in ("held", "repeated", "rests", "upbeat"):
        constraint = encoding.constraint()
        for symbol in encoding.encode(PIECES[name]):
            assert constraint.allowed()[symbol]
            constraint.advance(symbol)
