"""Scores as voices step by step: nothing is lost, and samples are well-formed."""

import json
from copy import copy
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from score_cases import CHANGES, HELD, PIECES, REPEATED, RESTS, UPBEAT, line, scores, two_voices

from musicgen.encodings.grid import on_grid
from musicgen.encodings.measures import bar_steps, measures
from musicgen.encodings.score_grid import ScoreGrid
from musicgen.errors import EncodingError
from musicgen.music import Music, Note, Tempo, TimeSignature, Track


def texts(encoding, symbols):
    return " ".join(encoding.text(symbol) for symbol in symbols)


@pytest.mark.parametrize("piece", PIECES.values(), ids=PIECES)
def test_pieces_come_back(piece):
    encoding = ScoreGrid.fit(PIECES.values())
    assert encoding.decode(encoding.encode(piece)) == piece


@given(scores())
def test_any_score_comes_back(piece):
    encoding = ScoreGrid.fit([piece])
    assert encoding.decode(encoding.encode(piece)) == piece


def test_an_upbeat_is_a_short_first_bar():
    encoding = ScoreGrid.fit([UPBEAT], steps_per_quarter=1)
    assert texts(encoding, encoding.encode(UPBEAT)) == (
        "3/4 C minor 90 qpm | G4 rest | C5 C3 hold hold hold hold | fermata B4 G2 hold hold end"
    )


def test_changes_stand_before_the_step_from_which_they_hold():
    encoding = ScoreGrid.fit([CHANGES], steps_per_quarter=1)
    said = texts(encoding, encoding.encode(CHANGES))
    assert said.startswith("4/4 unsaid 90 qpm | fermata C5 C3 C5 hold C5 C3 fermata C5 hold ")
    assert " 3/4 G major | C5 C3 E dorian 60 qpm C5 hold C5 C3 | C5 " in said
    assert " 2/4 | C5 C3 6/8 | C5 hold 90 qpm C5 C3 fermata C5 hold end" in said


def test_the_state_makes_the_encoding_again():
    encoding = ScoreGrid.fit(PIECES.values(), steps_per_quarter=12)
    again = ScoreGrid.from_state(json.loads(json.dumps(encoding.state())))
    assert again.size == encoding.size
    np.testing.assert_array_equal(again.encode(CHANGES), encoding.encode(CHANGES))
    assert again.decode(again.encode(CHANGES)) == CHANGES


def test_the_number_of_voices_is_that_of_most_pieces():
    solo = Music(tracks=[Track(notes=line((60, 480)))], title="Alone")
    drums = Track(is_drum=True, notes=line((36, 480)))
    with_drums = Music(tracks=[*HELD.tracks, drums, Track(name="empty")])
    encoding = ScoreGrid.fit([solo, HELD, with_drums])
    assert encoding.voices == [("Soprano", 52), ("Bass", 52)]
    assert encoding.decode(encoding.encode(with_drums)).tracks == HELD.tracks
    with pytest.raises(EncodingError, match="Alone has 1 voices; expected 2"):
        encoding.encode(solo)


@pytest.mark.parametrize("pieces", [[], [Music()], [Music(tracks=[Track(is_drum=True)])]])
def test_pieces_without_voices_are_refused(pieces):
    with pytest.raises(EncodingError, match="no training piece has notes"):
        ScoreGrid.fit(pieces)


def test_of_notes_together_the_highest_stays_and_the_next_ends_it():
    notes = [*line(*[(60, 480)] * 10), Note(480, 64, 480)]
    notes[0] = Note(0, 60, 720)
    encoding = ScoreGrid.fit([Music(tracks=[Track(notes=sorted(notes))])])
    (track,) = encoding.decode(encoding.encode(Music(tracks=[Track(notes=sorted(notes))]))).tracks
    assert track.notes[:2] == [(0, 60, 480, 64), (480, 64, 480, 64)]


def test_chords_are_refused():
    chords = Music(tracks=[Track(name="Piano", notes=[Note(0, 60, 480), Note(0, 64, 480)])])
    with pytest.raises(EncodingError, match=r"track 'Piano' has chords: 1 of its 2 notes .*chords"):
        ScoreGrid.fit([chords]).encode(chords)


@pytest.mark.parametrize(
    ("piece", "message"),
    [
        (RESTS, r"4/4 is in no training piece; there are: 2/4"),
        (
            two_voices(line((73, 480)), line((48, 480))),
            r"pitch 73; the training pieces have 48 to 72",
        ),
        (UPBEAT, "3/4"),
    ],
)
def test_what_training_lacks_is_refused_by_name(piece, message):
    with pytest.raises(EncodingError, match=message):
        ScoreGrid.fit([REPEATED]).encode_primer(piece)


def test_a_bar_of_half_a_step_is_refused():
    odd = Music(time_signatures=[TimeSignature(0, 5, 16)], tracks=HELD.tracks)
    encoding = ScoreGrid.fit([odd, HELD], steps_per_quarter=2)
    assert encoding.marks.metres == [None, (4, 4)]
    with pytest.raises(EncodingError, match="5/16 is no whole number of steps at 2 steps"):
        encoding.encode(odd)


def test_a_tempo_of_nothing_is_refused():
    odd = Music(tempos=[Tempo(0, 0.0)], tracks=HELD.tracks)
    encoding = ScoreGrid.fit([odd, UPBEAT])
    with pytest.raises(EncodingError, match=r"a tempo of 0\.0 quarter notes"):
        encoding.encode(odd)


@pytest.mark.parametrize("steps", [0, -4, 7])
def test_impossible_grids_are_refused(steps):
    with pytest.raises(EncodingError, match="divisor of 480"):
        ScoreGrid.fit([HELD], steps_per_quarter=steps)


def test_of_many_tempos_the_nearest_is_kept():
    pieces = [
        two_voices(line((60, 480)), line((50, 480)), tempos=[Tempo(0, 40.0 + n)])
        for n in range(100)
    ]
    encoding = ScoreGrid.fit(pieces)
    assert len(encoding.marks.tempos) == 1 + 32
    for piece in pieces:
        assert encoding.decode(encoding.encode(piece)).tempos[0].qpm == pytest.approx(
            piece.tempos[0].qpm, rel=0.04
        )


def test_symbols_in_disorder_still_make_a_piece():
    encoding = ScoreGrid.fit(PIECES.values())
    rng = np.random.default_rng(0)
    for _ in range(50):
        encoding.decode(rng.integers(1, encoding.size, 200))


def walk(encoding, constraint, rng, end=0.2, most=3000):
    """Draw at random among what is allowed."""
    symbols = []
    while len(symbols) < most:
        mask = constraint.allowed()
        assert mask.shape == (encoding.size,)
        assert mask.any(), texts(encoding, symbols)
        if mask[0] and (mask.sum() == 1 or rng.random() < end):
            return np.array([*symbols, 0], np.int32)
        symbols.append(rng.choice(np.flatnonzero(mask[1:]) + 1))
        constraint.advance(symbols[-1])
    raise AssertionError("no end")


@pytest.mark.parametrize("seed", range(40))
def test_samples_are_well_formed(seed):
    encoding = ScoreGrid.fit([HELD, UPBEAT, CHANGES])
    symbols = walk(encoding, encoding.constraint(), np.random.default_rng(seed))
    piece = encoding.decode(symbols)
    assert encoding.decode(encoding.encode(piece)) == piece
    lengths = measure_lengths(piece)
    metres = {bar_steps(metre, 4) for metre in encoding.marks.metres}
    assert set(lengths[1:-1]) <= metres
    assert lengths[0] in metres or lengths[0] < max(metres)


def measure_lengths(piece):
    starts = [*(found := measures(on_grid(piece, 4))).starts, found.end]
    return [end - start for start, end in pairwise(starts)]


@given(st.integers(0, 2**32), st.sampled_from(["3/4", "6/8"]), st.integers(1, 5))
def test_samples_keep_to_conditions(seed, metre, bars):
    encoding = ScoreGrid.fit([UPBEAT, CHANGES], steps_per_quarter=2)
    constraint = encoding.constraint(metre=metre, key="Gm", bars=bars)
    symbols = walk(encoding, constraint, np.random.default_rng(seed))
    said = texts(encoding, symbols)
    assert said.startswith(f"{metre} G minor ")
    assert said.count("/") == 1
    assert said.count("minor") == 1
    assert "dorian" not in said
    lengths = [len(part) for part in _bars(encoding, symbols)]
    full = {"3/4": 6, "6/8": 6}[metre]
    upbeat = lengths.pop(0) if lengths[0] < full else 0
    assert upbeat in (0, 2)
    assert len(lengths) == bars
    assert set(lengths[:-1]) <= {full}
    assert lengths[-1] in (full, full - upbeat)


def _bars(encoding, symbols):
    """Split what is no mark at bar lines, and give the steps of each bar."""
    found = []
    for symbol in symbols[3:-1]:
        if encoding.text(symbol) == "|":
            found.append([])
        elif symbol >= encoding.marks.size:
            found[-1].append(symbol)
    return [bar[:: len(encoding.voices)] for bar in found]


def test_a_training_piece_is_allowed_symbol_by_symbol():
    encoding = ScoreGrid.fit([HELD, REPEATED, RESTS, UPBEAT])
    for piece in (HELD, REPEATED, RESTS, UPBEAT):
        constraint = encoding.constraint()
        for symbol in encoding.encode(piece):
            assert constraint.allowed()[symbol]
            constraint.advance(symbol)


def test_copies_of_a_constraint_go_their_own_ways():
    encoding = ScoreGrid.fit([HELD, UPBEAT])
    one = encoding.constraint(title="Any")
    for symbol in encoding.encode(HELD)[:5]:
        one.advance(symbol)
    other = copy(one)
    expected = one.allowed()
    for symbol in encoding.encode(HELD)[5:30]:
        other.advance(symbol)
    np.testing.assert_array_equal(one.allowed(), expected)


def test_a_primer_goes_on_where_it_ends():
    encoding = ScoreGrid.fit([HELD, UPBEAT])
    constraint = encoding.constraint(bars=4)
    primer = encoding.encode_primer(HELD)
    for symbol in primer:
        constraint.advance(symbol)
    symbols = walk(encoding, constraint, np.random.default_rng(0))
    piece = encoding.decode([*primer, *symbols])
    assert piece.tracks[0].notes[:2] == HELD.tracks[0].notes[:2]
    music = on_grid(piece, 4)
    assert measures(music).starts == [0, 16, 32, 48][: len(measures(music).starts)]


@pytest.mark.parametrize(
    ("conditions", "message"),
    [
        ({"metre": "7/8"}, r"7/8 is in no training piece; there are: 3/4, 4/4"),
        ({"metre": "waltz"}, "waltz"),
        ({"key": "Dphr"}, r"phrygian, is in no training piece; .* minor"),
        ({"key": "H"}, "H"),
        ({"bars": 0}, "asked for 0 bars"),
    ],
)
def test_conditions_that_the_vocabulary_lacks_are_refused(conditions, message):
    encoding = ScoreGrid.fit([HELD, UPBEAT])
    with pytest.raises(EncodingError, match=message):
        encoding.constraint(**conditions)


def test_a_primer_with_all_bars_asked_for_ends_with_its_bar():
    encoding = ScoreGrid.fit([HELD])
    constraint = encoding.constraint(bars=1)
    for symbol in encoding.encode_primer(HELD):
        constraint.advance(symbol)
    assert np.flatnonzero(constraint.allowed()).tolist() == [0]


def test_a_primer_in_another_metre_is_refused():
    encoding = ScoreGrid.fit([HELD, UPBEAT])
    constraint = encoding.constraint(metre="3/4")
    with pytest.raises(EncodingError, match="the primer is in 4/4, the sample is to be in 3/4"):
        constraint.advance(encoding.encode(HELD)[0])
