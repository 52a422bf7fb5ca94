"""Novelty: what of a sample stands in a corpus, beside a search without index."""

import random
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musicgen.convert import transpose, tune_to_music
from musicgen.errors import CorpusError
from musicgen.evaluation.copying import measure_copying
from musicgen.evaluation.figures import track_melodies
from musicgen.evaluation.novelty import NGRAM_LENGTHS, Ngrams, NoveltyIndex, Place
from musicgen.evaluation.suffix_array import BORDER, SuffixArray
from musicgen.music import Music, Note, TimeSignature, Track, Tune

BOTH = pytest.mark.parametrize("rhythm", [False, True])


def track(pitches, gaps=None, ticks=240):
    """Notes from tick 0 on, each so many times `ticks` after the one before."""
    time, notes = 0, []
    for pitch, gap in zip(pitches, gaps or [1] * len(pitches), strict=True):
        notes.append(Note(time, pitch, ticks))
        time += gap * ticks
    return Track(notes=notes)


def piece(pitches, gaps=None, title="", ticks=240):
    metres = [TimeSignature(0, 4, 4)]
    return Music(480, time_signatures=metres, tracks=[track(pitches, gaps, ticks)], title=title)


# Few pitches and gaps, so that much is alike.
MELODY = st.lists(st.tuples(st.integers(60, 62), st.integers(1, 2)), max_size=14)
PIECE = st.lists(MELODY, max_size=2)


def music(melodies, ticks=240):
    tracks = [track(*zip(*melody, strict=True), ticks) for melody in melodies if melody]
    return Music(480, tracks=tracks)


def are_same(one, other, rhythm):
    intervals = [[b[0] - a[0] for a, b in pairwise(run)] for run in (one, other)]
    gaps = [[gap for _, gap in run[:-1]] for run in (one, other)]
    ratios = [[Fraction(b, a) for a, b in pairwise(row)] for row in gaps]
    return intervals[0] == intervals[1] and (not rhythm or ratios[0] == ratios[1])


def brute_force(corpus, sample, n, rhythm):
    """Return where n-grams of a sample stand: place there and first place in the corpus, or None.

    A place is track, note and, before them, the piece.
    """
    melodies = [melody for melody in sample if melody]
    return [
        (
            (0, number + 1, start + 1),
            next(
                (
                    (owner, other + 1, at + 1)
                    for owner, one in enumerate(corpus)
                    for other, source in enumerate(melody for melody in one if melody)
                    for at in range(len(source) - n + 1)
                    if are_same(melody[start : start + n], source[at : at + n], rhythm)
                ),
                None,
            ),
        )
        for number, melody in enumerate(melodies)
        for start in range(len(melody) - n + 1)
    ]


@given(st.lists(PIECE, max_size=3), PIECE, st.booleans(), st.integers(-60, 60))
def test_the_index_finds_what_a_search_of_everything_finds(corpus, sample, rhythm, semitones):
    index = NoveltyIndex(map(music, corpus), rhythm=rhythm)
    # Elsewhere in pitch, and slower.
    moved = [[(pitch + semitones, gap) for pitch, gap in melody] for melody in sample]
    found = index.look_up(music(moved, 720))
    match, shares = found.match, found.shares
    expected = {
        n: [place is not None for _, place in brute_force(corpus, sample, n, rhythm)]
        for n in NGRAM_LENGTHS
    }
    assert shares == {n: sum(seen) / len(seen) for n, seen in expected.items() if seen}
    for n in range(14, 2, -1):
        places = [pair for pair in brute_force(corpus, sample, n, rhythm) if pair[1] is not None]
        if places:
            there, source = places[0]
            assert match.length == n
            assert (0, match.sample.track, match.sample.note) == there
            assert (match.piece, match.source.track, match.source.note) == source
            return
    assert match is None


@given(
    st.lists(st.lists(st.integers(1, 3), max_size=12), max_size=4),
    st.lists(st.integers(1, 4), min_size=1, max_size=12),
)
def test_a_suffix_array_searches_as_text_is_searched(sequences, pattern):
    symbols = [symbol for sequence in sequences for symbol in (*sequence, BORDER)]
    array = SuffixArray(np.array(symbols, np.int64))
    text, run = bytes(symbols), bytes(pattern)
    expected = [
        max(n for n in range(len(run) - start + 1) if run[start : start + n] in text)
        for start in range(len(run))
    ]
    assert array.prefixes(np.array(pattern)).tolist() == expected
    place = text.find(run)
    assert array.find(np.array(pattern)) == (None if place < 0 else place)


def test_symbols_of_more_than_a_byte_are_told_apart():
    array = SuffixArray(np.array([256, 1, 2**20, 2, BORDER]))
    assert array.prefixes(np.array([1, 2**20, 2, 256, 2, 2**32 - 1])).tolist() == [3, 2, 1, 1, 1, 0]


def tunes():
    rng = random.Random(1)
    return [[rng.choice(range(60, 80)) for _ in range(64)] for _ in range(30)]


@BOTH
def test_a_planted_copy_is_found(rhythm):
    corpus = tunes()
    rng = random.Random(2)
    other = [rng.choice(range(50, 90)) for _ in range(40)]
    planted = [pitch + 5 for pitch in corpus[17][26:46]]
    sample = piece([*other[:20], *planted, *other[20:]], title="sample")
    index = NoveltyIndex(
        (piece(pitches, title=f"tune {number}") for number, pitches in enumerate(corpus)),
        rhythm=rhythm,
    )
    match = index.look_up(sample).match
    assert match == (20, 17, Place("tune 17", 1, 27, 4), Place("sample", 1, 21, 3), 5)
    shares = index.look_up(sample).shares
    assert shares[16] == 5 / 45
    assert shares[24] == 0.0


def test_rhythm_is_compared_where_asked_for():
    pitches = tunes()[0][:32]
    gaps = [1, 1, 2, 3] * 8
    index = NoveltyIndex([piece(pitches, gaps)], rhythm=True)
    assert index.look_up(piece(pitches, gaps, ticks=80)).match.length == 32
    changed = [*gaps[:20], 5, *gaps[21:]]
    assert index.look_up(piece(pitches, changed)).match.length == 21
    assert NoveltyIndex([piece(pitches, gaps)]).look_up(piece(pitches, changed)).match.length == 32


def test_ratios_that_are_nearly_the_same_differ():
    index = NoveltyIndex([piece([60, 62, 64], [2**26 - 1, 2**26 - 2, 1], ticks=1)], rhythm=True)
    assert index.look_up(piece([60, 62, 64], [2**26 - 2, 2**26 - 3, 1], ticks=1)).match is None


def test_wide_intervals_are_told_apart():
    assert NoveltyIndex([piece([0, 0, 127])]).look_up(piece([126, 127, 0])).match is None


def test_a_run_crosses_no_border_of_pieces_or_tracks():
    whole = piece([60, 62, 64, 67, 69, 71])
    halves = [60, 62, 64], [67, 69, 71]
    assert NoveltyIndex(map(piece, halves)).look_up(whole).match.length == 3
    tracks = Music(tracks=[track(half) for half in halves])
    assert NoveltyIndex([tracks]).look_up(whole).match.length == 3
    assert NoveltyIndex([whole]).look_up(tracks).match.length == 3
    assert NoveltyIndex([whole]).look_up(whole).match.length == 6


def test_long_runs_of_one_note():
    index = NoveltyIndex([piece([60] * 100), piece([60] * 300), piece([60] * 300)])
    match = index.look_up(piece([50] * 500)).match
    assert (match.length, match.piece, match.source.note, match.semitones) == (300, 1, 1, -10)
    assert index.look_up(piece([50] * 500)).shares == dict.fromkeys(NGRAM_LENGTHS, 1.0)


# A phrase, and other voices that go with its soprano or bass.
SOPRANO = [72, 74, 76, 77, 79, 76, 74, 72, 79, 81, 79, 77, 76, 74, 76, 74, 72]
ALTO = [67, 67, 67, 69, 71, 67, 65, 64, 67, 69, 67, 69, 67, 67, 68, 65, 64]
BASS = [48, 47, 48, 45, 43, 48, 41, 45, 52, 53, 48, 50, 52, 43, 40, 43, 48]
OTHER_ALTO = [64, 65, 69, 65, 67, 69, 67, 64, 67, 65, 64, 62, 64, 67, 69, 65, 64]
OTHER_BASS = [45, 50, 52, 53, 47, 45, 43, 48, 52, 53, 55, 57, 48, 47, 45, 41, 40]
# In eighths: the lower voices move while the soprano holds, and hold while it moves.
HELD, MOVING = [2, 1, 1, 2, 2] * 3 + [2, 2], [1, 2, 1, 1, 3] * 3 + [1, 2]


def voice(pitches, gaps, semitones=0):
    notes, time = [], 0
    for pitch, gap in zip(pitches, gaps, strict=True):
        notes.append(Note(240 * time, pitch + semitones, 240 * gap))
        time += gap
    return notes


def in_tracks(*voices):
    return Music(480, tracks=[Track(notes=notes) for notes in voices])


def in_one_track(*voices):
    return Music(480, tracks=[Track(notes=sorted(note for notes in voices for note in notes))])


@BOTH
@pytest.mark.parametrize("layout", [in_tracks, in_one_track])
@pytest.mark.parametrize("other_layout", [in_tracks, in_one_track])
def test_an_outer_voice_is_found_among_others(layout, other_layout, rhythm):
    source = layout(voice(SOPRANO, HELD), voice(ALTO, MOVING), voice(BASS, MOVING))
    others = voice(OTHER_ALTO, MOVING, 3), voice(OTHER_BASS, MOVING, 3)
    index = NoveltyIndex([source], rhythm=rhythm)
    match = index.look_up(other_layout(voice(SOPRANO, HELD, 3), *others)).match
    assert (match.length, match.source.note, match.sample.note, match.semitones) == (17, 1, 1, 3)
    assert (match.source.track, match.source.line) == (1, "highest")
    others = voice(SOPRANO[::-1], HELD), voice(OTHER_ALTO, MOVING)
    match = index.look_up(other_layout(*others, voice(BASS, MOVING))).match
    assert (match.length, match.source.note, match.sample.note, match.semitones) == (17, 1, 1, 0)
    merged = layout is in_one_track
    assert (match.source.track, match.source.line) == ((1, "lowest") if merged else (3, "highest"))


def test_inner_voices_are_found_in_tracks_of_their_own_alone():
    voices = voice(SOPRANO, HELD), voice(ALTO, MOVING), voice(BASS, MOVING)
    alto = Music(480, tracks=[Track(notes=voices[1])])
    assert NoveltyIndex([in_tracks(*voices)]).look_up(alto).match.length == 17
    assert NoveltyIndex([in_one_track(*voices)]).look_up(alto).match.length < 12


def test_a_single_voice_is_one_line_however_it_is_played():
    for length in (1, 240, 319):  # short, joined, and over the next note
        notes = [note._replace(duration=length) for note in track(SOPRANO).notes]
        (melody,) = track_melodies(Music(480, tracks=[Track(notes=notes)]))
        assert melody.pitches.tolist() == SOPRANO


SECOND_ENDING = "X:1\nT:Ends\nM:4/4\nL:1/8\nK:C\n|:CEDF GABc|1 dcBA G4:|2 edcd e2c2|]\n"


def test_a_copy_through_a_second_ending_is_found_in_what_is_played():
    through = tune_to_music(Tune("X:1\nM:4/4\nL:1/8\nK:C\nCEDF GABc|edcd e2c2|]\n"))
    source = Tune(SECOND_ENDING)
    match = NoveltyIndex([tune_to_music(source)]).look_up(through).match
    # The third bar that is played, though it is written first.
    assert (match.length, match.source.bar) == (14, 3)
    assert NoveltyIndex([tune_to_music(source, repeats=False)]).look_up(through).match.length == 8


def test_drums_are_left_out():
    pitches = [60, 62, 64, 67, 69]
    drums = Music(tracks=[Track(is_drum=True, notes=track(pitches).notes)])
    both = Music(tracks=[*drums.tracks, track(pitches)])
    assert NoveltyIndex([drums]).look_up(piece(pitches)).match is None
    assert NoveltyIndex([piece(pitches)]).look_up(drums).match is None
    assert NoveltyIndex([both]).look_up(piece(pitches)).match.source.track == 2


@BOTH
@pytest.mark.parametrize("pitches", [[], [60], [60, 62]])
def test_pieces_of_less_than_three_notes_share_nothing(pitches, rhythm):
    tune = [60, 62, 64, 65, 67, 69]
    index = NoveltyIndex([piece(pitches), piece(tune), Music()], rhythm=rhythm)
    assert index.look_up(piece(pitches)).match is None
    assert index.look_up(piece(pitches)).shares == {}
    assert index.look_up(piece(tune)).match.piece == 1
    assert NoveltyIndex([piece(pitches)], rhythm=rhythm).look_up(piece(tune)).match is None
    assert NoveltyIndex([], rhythm=rhythm).look_up(piece(tune)).shares == {4: 0.0}


def bar_of(note, metres, resolution=480):
    """Return the bar of a note (counted from 1) of 25 quarter notes, made known by its pitches."""
    pitches = [60 + number * number % 29 for number in range(25)]
    source = Music(resolution, time_signatures=metres, tracks=[track(pitches, ticks=resolution)])
    match = NoveltyIndex([source]).look_up(piece(pitches[note - 1 :])).match
    assert match.source.note == note
    return match.source.bar


def test_bars_are_counted():
    assert bar_of(1, []) == 1
    assert bar_of(9, []) == 3
    assert bar_of(9, [TimeSignature(0, 6, 8)]) == 3
    assert bar_of(13, [TimeSignature(0, 4, 4), TimeSignature(4 * 480, 3, 4)]) == 4
    upbeat = [TimeSignature(0, 1, 4), TimeSignature(480, 3, 4)]
    assert [bar_of(note, upbeat) for note in (1, 2, 4, 5)] == [0, 1, 1, 2]
    # A bar of a tick and a half.
    assert [bar_of(note, [TimeSignature(0, 3, 8)], 1) for note in (1, 2, 3, 4)] == [1, 1, 2, 3]


def test_titles_may_be_given():
    pitches = [60, 62, 64, 67, 69]
    pieces = [piece([60, 61, 62, 63], title="own"), piece(pitches, title="own")]
    assert NoveltyIndex(pieces).look_up(piece(pitches)).match.source.title == "own"
    index = NoveltyIndex(pieces, ["a.mid", "b.mid"])
    assert index.look_up(piece(pitches)).match.source.title == "b.mid"
    assert pieces[1].title == "own"
    with pytest.raises(CorpusError, match="found 3 titles for 2 pieces, expected one each"):
        NoveltyIndex(pieces, "abc")


def test_a_tune_in_another_key_is_found_as_a_whole():
    tune = Tune("X:1\nT:Rise\nM:6/8\nL:1/8\nK:D\nDEF GAB|c2d efg|a3 fed|cBA G3|AFD E2D|]\n")
    other = Tune("X:1\nT:Fall\nM:6/8\nL:1/8\nK:C\ngfe dcB|A2G FED|C6|]\n")
    index = NoveltyIndex(map(tune_to_music, (other, tune)), rhythm=True)
    match = index.look_up(tune_to_music(transpose(tune, -5))).match
    assert match == (24, 1, Place("Rise", 1, 1, 1), Place("Rise", 1, 1, 1), -5)
    assert set(index.look_up(tune_to_music(transpose(tune, -5))).shares.values()) == {1.0}


def test_shares_are_those_of_all_ngrams_together():
    corpus = tunes()[0]
    short, long = piece([60, 60, 61, 63, 66, 60]), piece([*corpus[:30], 1])
    found = measure_copying(NoveltyIndex([piece(corpus)]), [short, long])
    assert found.ngrams[4] == Ngrams(27, 3 + 28, 2)
    assert found.shares[4] == 27 / 31
    assert found.ngrams[24] == Ngrams(7, 8, 1)
    assert 32 not in found.shares
