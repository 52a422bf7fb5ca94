"""Statistics of pieces against their definitions, and how sets of pieces compare."""

import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import gaussian_kde, norm

from musicgen.convert import convert, transpose
from musicgen.evaluation.comparison import compare, compare_histograms, describe_set
from musicgen.evaluation.melody import interval_histogram, melodies, ngram_repetition
from musicgen.evaluation.notes import note_arrays, union
from musicgen.evaluation.overlap import histogram_overlap, overlapping_area
from musicgen.evaluation.pitch import (
    n_pitch_classes_used,
    pitch_class_entropy,
    pitch_entropy,
    pitch_range,
    polyphony,
    polyphony_rate,
    scale_consistency,
)
from musicgen.evaluation.rhythm import (
    duration_histogram,
    empty_beat_rate,
    empty_measure_rate,
    groove_consistency,
    mean_duration,
    notes_per_beat,
    notes_per_second,
)
from musicgen.evaluation.statistics import HISTOGRAMS, STATISTICS, describe, histograms
from musicgen.formats import abc, midi
from musicgen.music import Music, Note, Tempo, TimeSignature, Track

STARTER = Path(__file__).parents[1] / "corpora" / "starter"
DATA = Path(__file__).parents[2] / "shared" / "data"

NOTES = st.builds(Note, st.integers(0, 60), st.integers(55, 70), st.integers(1, 12), st.just(64))
TRACKS = st.builds(
    Track, st.just(0), st.booleans(), st.just(""), st.lists(NOTES, max_size=12).map(sorted)
)
PIECES = st.lists(TRACKS, max_size=3).map(lambda tracks: Music(4, tracks=tracks))


def piece(*notes, resolution=4, **fields):
    return Music(resolution, tracks=[Track(notes=[Note(*note) for note in notes])], **fields)


def line(pitches, duration=4, **fields):
    return piece(
        *((duration * place, pitch, duration) for place, pitch in enumerate(pitches)), **fields
    )


def pitched(music):
    return [note for track in music.tracks if not track.is_drum for note in track.notes]


def roll(music):
    """Tell of every tick which pitches sound."""
    sounding = np.zeros((music.end, 128), bool)
    for note in pitched(music):
        sounding[note.time : note.end, note.pitch] = True
    return sounding


def same(found, expected):
    return found == pytest.approx(expected, nan_ok=True, abs=1e-12)


@given(PIECES)
def test_pitch_statistics_follow_their_definitions(music):
    counts = np.bincount([note.pitch for note in pitched(music)], minlength=128)
    found = describe(music)
    used = np.flatnonzero(counts)
    assert found["n_pitches_used"] == len(used)
    assert found["n_pitch_classes_used"] == len(set(used % 12))
    if not len(used):
        assert found["pitch_range"] == 0
        assert math.isnan(found["scale_consistency"])
        assert math.isnan(found["pitch_entropy"])
        return
    assert found["pitch_range"] == used[-1] - used[0]
    p = counts[used] / counts.sum()
    assert same(found["pitch_entropy"], -(p * np.log2(p)).sum())
    shares = [
        sum(counts[pitch] for pitch in used if (pitch - root) % 12 in scale) / counts.sum()
        for root in range(12)
        for scale in ({0, 2, 4, 5, 7, 9, 11}, {0, 2, 3, 5, 7, 8, 10})
    ]
    assert same(found["scale_consistency"], max(shares))


@given(PIECES)
def test_polyphony_follows_the_piano_roll(music):
    counts = roll(music).sum(axis=1)
    some = counts[counts > 0]
    assert same(polyphony(music), some.mean() if len(some) else math.nan)
    for threshold in (0, 1, 2):
        expected = (counts > threshold).mean() if music.end else math.nan
        assert same(polyphony_rate(music, threshold), expected)


@given(PIECES)
def test_empty_rates_follow_the_ticks(music):
    sounds = np.zeros(-(-music.end // 48) * 48, bool)
    for track in music.tracks:
        for note in track.notes:
            sounds[note.time : note.end] = True
    beats = sounds[: -(-music.end // 4) * 4].reshape(-1, 4).any(axis=1)
    assert same(empty_beat_rate(music), 1 - beats.mean() if len(beats) else math.nan)
    music.time_signatures.append(TimeSignature(0, 3, 4))
    bars = sounds[: -(-music.end // 12) * 12].reshape(-1, 12).any(axis=1)
    assert same(empty_measure_rate(music), 1 - bars.mean() if len(bars) else math.nan)


@given(PIECES)
def test_groove_follows_the_onsets(music):
    music.time_signatures.append(TimeSignature(0, 3, 4))
    starts = np.zeros(-(-music.end // 12) * 12, bool)
    for track in music.tracks:
        for note in track.notes:
            starts[note.time] = True
    bars = starts.reshape(-1, 12)
    expected = 1 - (bars[1:] != bars[:-1]).mean() if len(bars) > 1 else math.nan
    assert same(groove_consistency(music, 4), expected)


@given(PIECES)
def test_twice_the_resolution_changes_nothing(music):
    finer = Music(
        8,
        tracks=[
            Track(
                is_drum=track.is_drum,
                notes=[Note(2 * n.time, n.pitch, 2 * n.duration) for n in track.notes],
            )
            for track in music.tracks
        ],
    )
    assert same(describe(finer), describe(music))
    assert histograms(finer) == histograms(music)


@given(PIECES.filter(pitched), st.integers(-5, 5))
def test_transposition_moves_pitch_classes_only(music, semitones):
    moved = transpose(music, semitones)
    assert same(describe(moved), describe(music))
    before, after = histograms(music), histograms(moved)
    assert before["intervals"] == after["intervals"]
    assert after["pitch_classes"] == Counter(
        (pitch + semitones) % 12 for pitch in before["pitch_classes"].elements()
    )


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 5)), max_size=10))
def test_union_covers_the_same(spans):
    starts, lengths = np.array(spans, np.int64).reshape(-1, 2).T
    covered = {tick for start, length in spans for tick in range(start, start + length)}
    from_, to = union(starts, starts + lengths)
    assert (to - from_).sum() == len(covered)
    assert (from_[1:] > to[:-1]).all()


@pytest.mark.parametrize("music", [Music(), Music(tracks=[Track()])])
def test_a_piece_without_notes(music):
    found = describe(music)
    counted = {"pitch_range", "n_pitches_used", "n_pitch_classes_used"}
    assert {name for name, value in found.items() if not math.isnan(value)} == counted
    assert not any(histograms(music).values())


def test_one_note():
    found = describe(piece((0, 60, 4)))
    undefined = {"groove_consistency", "ngram_repetition"}
    assert {name for name, value in found.items() if math.isnan(value)} == undefined
    assert found["polyphony"] == found["scale_consistency"] == found["mean_duration"] == 1
    assert found["notes_per_second"] == 2  # 120 quarter notes a minute where none is said
    assert found["pitch_entropy"] == found["empty_measure_rate"] == 0


def test_drums_have_rhythm_and_no_pitch():
    drums = Track(is_drum=True, notes=[Note(0, 36, 2), Note(8, 36, 2)])
    alone, both = Music(4, tracks=[drums]), Music(4, tracks=[drums, *line([60, 64]).tracks])
    assert pitch_range(alone) == n_pitch_classes_used(alone) == 0
    assert all(map(math.isnan, (polyphony(alone), mean_duration(alone))))
    assert (pitch_range(both), mean_duration(both), polyphony(both)) == (4, 1.0, 1.0)
    assert empty_beat_rate(alone) == pytest.approx(1 / 3)
    assert empty_beat_rate(both) == 0
    assert notes_per_beat(both) == 4 / (10 / 4)
    assert polyphony_rate(alone) == 0  # there is time, and no pitch in it
    assert len(note_arrays(both).onsets) == 2


def test_density_counts_the_time_of_every_tempo():
    music = line([60, 62, 64, 65], tempos=[Tempo(0, 60.0), Tempo(8, 120.0)])
    assert notes_per_second(music) == pytest.approx(4 / 3)
    assert notes_per_beat(music) == 1


def test_measures_follow_changes_of_metre():
    # Bars of 3, 3, 2, 2 and 2 quarter notes; the second and the fourth are empty.
    metres = [TimeSignature(0, 3, 4), TimeSignature(24, 2, 4)]
    music = piece((0, 60, 12), (24, 60, 8), (40, 60, 8), time_signatures=metres)
    assert empty_measure_rate(music) == pytest.approx(2 / 5)
    # 3|3: one onset in 12 steps differs; 3|2: not compared; 2|2 twice: one in 8.
    assert groove_consistency(music, 4) == pytest.approx(1 - (1 / 12 + 1 / 8 + 1 / 8) / 3)


def test_an_upbeat_that_is_said_is_a_measure_of_its_own():
    metres = [TimeSignature(0, 1, 4), TimeSignature(4, 3, 4)]
    music = piece((0, 60, 4), (4, 60, 12), (28, 60, 8), time_signatures=metres)
    assert empty_measure_rate(music) == pytest.approx(1 / 4)
    assert groove_consistency(music, 4) == pytest.approx(1 - 1 / 12)


def test_onsets_are_rounded_to_the_grid_before_they_are_compared():
    exact = [(0, 60, 400), (1920, 60, 400), (3840, 60, 400)]
    played = [(3, 60, 400), (1915, 60, 400), (3845, 60, 400)]
    assert groove_consistency(piece(*exact, resolution=480)) == 1
    assert groove_consistency(piece(*played, resolution=480)) == 1
    assert groove_consistency(piece(*played, resolution=480), 480) < 1


def test_bars_that_are_no_whole_ticks_are_not_defined():
    music = line([60, 62, 64], duration=1, resolution=1, time_signatures=[TimeSignature(0, 3, 8)])
    assert math.isnan(empty_measure_rate(music))
    assert math.isnan(groove_consistency(music))
    assert empty_beat_rate(music) == 0


def test_scale_and_class_statistics_of_a_chromatic_scale():
    music = line(range(60, 72))
    assert scale_consistency(music) == pytest.approx(7 / 12)
    assert pitch_class_entropy(music) == pytest.approx(math.log2(12))


def test_the_skyline_is_the_highest_of_each_onset():
    tune, bass = line([72, 74, 76, 77]).tracks[0], line([48, 55], duration=8).tracks[0]
    music = Music(4, tracks=[tune, bass, Track()])
    assert [note.pitch for note in melodies(music)[0]] == [72, 74, 76, 77]
    assert interval_histogram(music) == Counter({2: 2, 1: 1})
    assert interval_histogram(music, per_track=True) == Counter({2: 2, 1: 1, 7: 1})


def test_repetition_counts_what_the_melody_had_before():
    motif = [60, 62, 64, 65, 67]
    assert ngram_repetition(line(motif)) == 0
    assert math.isnan(ngram_repetition(line(motif[:-1])))
    # Transposed, and the four runs in between are new.
    sequence = line([*motif, *(pitch + 3 for pitch in motif)])
    assert ngram_repetition(sequence) == pytest.approx(1 / 6)
    assert ngram_repetition(line([60] * 20)) == pytest.approx(15 / 16)
    two = Music(4, tracks=[*line(motif).tracks, *line(motif).tracks])
    assert ngram_repetition(two, per_track=True) == 0


def test_durations_are_rounded_to_twelfths():
    music = piece((1, 60, 239), (480, 60, 161), (960, 60, 2), resolution=480)
    assert duration_histogram(music) == Counter({0.5: 1, 4 / 12: 1, 1 / 12: 1})


def test_every_statistic_is_said_what_it_is():
    for entry in [*STATISTICS.values(), *HISTOGRAMS.values()]:
        assert entry.meaning
        assert entry.unit
        assert "\n" not in entry.meaning


SETS = st.lists(st.floats(-50, 50) | st.integers(0, 12), min_size=1, max_size=30)


@given(SETS, SETS)
def test_an_overlap_is_a_symmetric_share(first, second):
    found = overlapping_area(first, second)
    assert 0 <= found <= 1
    assert found == pytest.approx(overlapping_area(second, first), abs=1e-9)
    assert overlapping_area(first, first) == 1


@pytest.mark.parametrize("distance", [0.0, 1.0, 2.0])
def test_overlap_of_two_normal_densities(distance):
    quantiles = norm.ppf((np.arange(4000) + 0.5) / 4000)
    found = overlapping_area(quantiles, quantiles + distance)
    # The bandwidth widens both a little.
    width = math.sqrt(1 + 4000**-0.4)
    assert found == pytest.approx(2 * norm.cdf(-distance / 2 / width), abs=2e-3)


def test_overlap_is_about_that_of_scipy():
    random = np.random.default_rng(0)
    first, second = random.normal(size=300), random.normal(0.5, 1.2, 300)
    grid = np.linspace(-8, 9, 4001)
    least = np.minimum(gaussian_kde(first)(grid), gaussian_kde(second)(grid))
    expected = least.sum() * (grid[1] - grid[0])
    assert overlapping_area(first, second) == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize(("size", "usual"), [(50, 0.90), (200, 0.93), (1000, 0.96)])
def test_small_sets_from_one_source_do_not_reach_one(size, usual):
    draws = np.random.default_rng(0).normal(size=(100, 2, size))
    found = np.median([overlapping_area(*pair) for pair in draws])
    assert found == pytest.approx(usual, abs=0.01)


def test_constant_sets_overlap_wholly_or_not_at_all():
    assert overlapping_area([7] * 50, [7] * 20) == 1
    assert overlapping_area([0.0], [0.0]) == 1
    assert overlapping_area([0.1 + 0.2] * 5, [0.3] * 5) == 1  # equal but for rounding
    assert overlapping_area([7] * 50, [8] * 50) == 0
    assert overlapping_area([7], [8]) == 0


def test_a_constant_set_overlaps_with_what_varies_about_it():
    assert overlapping_area([7] * 50, [7] * 49 + [8]) == pytest.approx(0.98, abs=0.01)
    assert 0.1 < overlapping_area([0] * 100, np.linspace(-1, 1, 100)) < 0.6
    assert overlapping_area([0] * 100, np.linspace(10, 11, 100)) < 1e-3


def test_one_value_far_away_changes_little():
    values = np.linspace(0, 1, 200)
    assert overlapping_area(values, [*values[1:], 1e6]) == pytest.approx(0.995, abs=1e-3)


def test_undefined_values_are_left_out():
    assert overlapping_area([1, 2, math.nan], [1, 2]) == 1
    assert math.isnan(overlapping_area([math.nan], [1, 2]))
    assert math.isnan(overlapping_area([], [1]))
    assert math.isnan(histogram_overlap({}, {1: 2}))


@given(*[st.dictionaries(st.integers(0, 8), st.integers(1, 9), min_size=1)] * 2)
def test_histogram_overlap_is_one_less_total_variation(first, second):
    p, q = (
        np.array([counts.get(value, 0) for value in range(9)]) / sum(counts.values())
        for counts in (first, second)
    )
    assert histogram_overlap(first, second) == pytest.approx(1 - abs(p - q).sum() / 2)


def test_three_sets_side_by_side():
    random = np.random.default_rng(0)
    walks = [line(60 + np.cumsum(random.integers(-2, 3, 40))) for _ in range(60)]
    leaps = [line(random.integers(40, 90, 40)) for _ in range(30)]
    sets = {
        "training": describe_set(walks[:30]),
        "held-out": describe_set(walks[30:]),
        "samples": describe_set([*leaps, Music()]),
    }
    found = compare(sets, "held-out")
    assert list(found) == list(STATISTICS)
    row = found["pitch_entropy"]
    assert row["held-out"].overlap == 1
    assert row["samples"].overlap < 0.2 < 0.7 < row["training"].overlap
    assert (row["training"].pieces, row["samples"].pieces) == (30, 30)  # silence has no entropy
    assert found["pitch_range"]["samples"].pieces == 31
    values = [pitch_entropy(music) for music in leaps]
    assert row["samples"].mean == pytest.approx(np.mean(values))
    assert row["samples"].deviation == pytest.approx(np.std(values, ddof=1))
    shares = compare_histograms(sets, "held-out")["intervals"]
    assert shares["samples"] < 0.3 < 0.9 < shares["training"]


def test_sets_of_no_pieces_and_of_one():
    sets = {"held-out": describe_set([line([60, 62])]), "samples": describe_set([])}
    found = compare(sets, "held-out")["mean_duration"]
    assert (found["held-out"].mean, found["held-out"].overlap) == (1.0, 1.0)
    assert math.isnan(found["held-out"].deviation)
    assert found["samples"].pieces == 0
    assert math.isnan(found["samples"].mean)
    assert math.isnan(found["samples"].overlap)


@pytest.mark.parametrize("function", [compare, compare_histograms])
def test_a_reference_that_is_missing_is_named(function):
    with pytest.raises(ValueError, match="no set is called 'held-out'; there are: samples"):
        function({"samples": describe_set([])}, "held-out")


def starter():
    return [convert(abc.read(file)[0], Music) for file in sorted(STARTER.glob("*.abc"))]


def test_tunes_are_in_a_scale_and_repeat_themselves():
    rows = [describe(music) for music in starter()]
    assert len(rows) > 25
    assert np.median([row["scale_consistency"] for row in rows]) > 0.97
    assert np.median([row["ngram_repetition"] for row in rows]) > 0.3
    assert all(0 < row["ngram_repetition"] < 0.9 for row in rows)
    assert all(row["empty_measure_rate"] == 0 for row in rows)
    assert all(row["polyphony"] == 1 for row in rows)


@pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is absent")
def test_real_files_have_every_statistic():
    files = sorted((DATA / "report_jigs_midi").glob("*.mid"))[::20]
    for file in [*files, DATA / "mozart_piano_midi" / "mz_331_1.mid"]:
        found = describe(midi.read(file)[0])
        assert not any(map(math.isnan, found.values())), file
        assert found["pitch_class_entropy"] <= math.log2(12)
        assert all(
            0 <= found[name] <= 1 for name, entry in STATISTICS.items() if entry.unit == "share"
        )


@pytest.mark.filterwarnings("ignore")
def test_figures_are_those_of_muspy():
    muspy = pytest.importorskip("muspy", reason="muspy is not installed")
    for music in starter():
        # MusPy lets a note fill the beat and the measure that begin where it ends.
        theirs, shorter = (
            muspy.Music(
                resolution=480,
                tracks=[
                    muspy.Track(
                        notes=[
                            muspy.Note(note.time, note.pitch, note.duration - cut)
                            for note in track.notes
                        ]
                    )
                    for track in music.tracks
                ],
            )
            for cut in (0, 1)
        )
        found = describe(music)
        for name in STATISTICS.keys() & set(dir(muspy)):
            if name not in {"empty_beat_rate", "empty_measure_rate", "groove_consistency"}:
                assert found[name] == pytest.approx(getattr(muspy, name)(theirs)), music.title
        assert found["empty_beat_rate"] == pytest.approx(muspy.empty_beat_rate(shorter))
        if len(music.time_signatures) == 1:
            _, numerator, denominator = music.time_signatures[0]
            bar = 4 * 480 * numerator // denominator
            assert found["empty_measure_rate"] == pytest.approx(
                muspy.empty_measure_rate(shorter, bar)
            )
            assert groove_consistency(music, 480) == pytest.approx(
                muspy.groove_consistency(shorter, bar)
            )
