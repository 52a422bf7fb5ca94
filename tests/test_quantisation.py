"""Quantising: points of named grids, and how far notes move."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musicgen.errors import FormatError
from musicgen.music import KeySignature, Music, Note, Tempo, TimeSignature, Track
from musicgen.notation.quantisation import GRIDS, USUAL, find_grid, quantise, shift

STEPS = {
    "1/4": [Fraction(1)],
    "1/16": [Fraction(1, 4)],
    "1/8t": [Fraction(1, 3)],
    "1/12": [Fraction(1, 3)],
    "1/16+1/8t": [Fraction(1, 4), Fraction(1, 3)],
    "1/16 + 1/20": [Fraction(1, 4), Fraction(1, 5)],
    "1/2": [Fraction(2)],
    6: [Fraction(1, 6)],
}
"""Grids and their steps in quarter notes."""


def piece(*notes: Note, resolution: int = 480) -> Music:
    return Music(resolution, tracks=[Track(notes=sorted(notes))])


def quarters(music: Music) -> list[tuple[Fraction, Fraction]]:
    return [
        (Fraction(note.time, music.resolution), Fraction(note.end, music.resolution))
        for note in music.tracks[0].notes
    ]


def distance(time: Fraction, step: Fraction) -> Fraction:
    return min(time % step, -time % step)


@pytest.mark.parametrize("grid", STEPS)
@given(
    time=st.integers(0, 10_000),
    duration=st.integers(1, 2_000),
    resolution=st.sampled_from([96, 480, 1000]),
)
def test_to_the_nearest_point(grid: str | int, time: int, duration: int, resolution: int) -> None:
    before = piece(Note(time, 60, duration), resolution=resolution)
    ((onset, end),) = quarters(quantise(before, grid))
    ((time_before, end_before),) = quarters(before)
    assert end > onset
    for was, now in ((time_before, onset), (end_before, end)):
        assert any(now % step == 0 for step in STEPS[grid])
        nearest = min(distance(was, step) for step in STEPS[grid])
        # Only the end of a note that would have no length may lie farther away.
        assert abs(now - was) == nearest or (was == end_before and now > was)


@pytest.mark.parametrize("grid", GRIDS)
@given(notes=st.lists(st.tuples(st.integers(0, 5000), st.integers(1, 999)), min_size=1))
def test_twice_is_once(grid: str, notes: list[tuple[int, int]]) -> None:
    once = quantise(piece(*(Note(time, 60, length) for time, length in notes)), grid)
    assert quantise(once, grid) == once
    assert shift(once, grid).moved == 0
    assert len(once.tracks[0].notes) == len(notes)


def test_half_way_goes_up() -> None:
    assert quantise(piece(Note(60, 60, 480)), "1/16").tracks[0].notes == [Note(1, 60, 4)]


def test_the_coarser_grid_at_a_draw() -> None:
    # 7/24 of a quarter note lies between 1/4 and 1/3.
    assert quantise(piece(Note(140, 60, 480)), "1/16+1/8t").tracks[0].notes[0].time == 4


def test_no_note_vanishes() -> None:
    exact = quantise(piece(Note(0, 60, 1), Note(10, 60, 1), Note(300, 62, 1)), "1/8")
    assert exact.tracks[0].notes == [Note(0, 60, 1), Note(0, 60, 1), Note(1, 62, 1)]


def test_notes_keep_what_is_not_time() -> None:
    before = Music(480, tracks=[Track(9, True, "Kit", [Note(3, 36, 100, 99)])], title="Solo")
    exact = quantise(before, "1/16")
    assert exact.title == "Solo"
    assert exact.tracks == [Track(9, True, "Kit", [Note(0, 36, 1, 99)])]
    assert before.tracks[0].notes == [Note(3, 36, 100, 99)]


def test_changes_move_along() -> None:
    before = piece(Note(0, 60, 9600))
    before.tempos = [Tempo(5, 100.0), Tempo(470, 90.0), Tempo(485, 80.0)]
    before.time_signatures = [TimeSignature(2, 3, 4)]
    before.key_signatures = [KeySignature(955, 2)]
    exact = quantise(before, "1/8")
    assert exact.resolution == 2
    assert exact.tempos == [Tempo(0, 100.0), Tempo(2, 80.0)]
    assert exact.time_signatures == [TimeSignature(0, 3, 4)]
    assert exact.key_signatures == [KeySignature(4, 2)]


def test_long_pieces_do_not_drift() -> None:
    far = 10**15 + 1
    assert quantise(piece(Note(far * 480, 60, 480)), 3).tracks[0].notes == [Note(far * 3, 60, 3)]


def test_shift() -> None:
    found = shift(piece(Note(0, 60, 480), Note(528, 62, 480), Note(960, 64, 240)), 1)
    assert found == (3, 2, pytest.approx((0.1 + 0.5) / 3), 0.5)
    assert shift(Music(), 1) == (0, 0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("durations", "grid"),
    [
        ([480, 240], "1/8"),
        ([120, 360], "1/16"),
        ([160, 160, 160, 120], "1/16+1/8t"),
        ([80, 80, 80, 60], "1/32+1/16t"),
        ([30, 30, 450], "1/64+1/32t"),
        ([96, 96, 96], "1/32+1/16t+1/20+1/28"),
        ([69, 68, 69, 68, 69], "1/32+1/16t+1/20+1/28"),
        ([487, 231, 491, 73, 333, 217], USUAL),
    ],
)
def test_find_grid(durations: list[int], grid: str) -> None:
    ends = [sum(durations[: at + 1]) for at in range(len(durations))]
    notes = [Note(end - length, 60, length) for end, length in zip(ends, durations, strict=True)]
    assert find_grid(piece(*notes)) == grid


def test_short_notes_do_not_hide_the_grid() -> None:
    assert find_grid(piece(*(Note(240 * at, 60, 201 + at) for at in range(9)))) == "1/8"


@pytest.mark.parametrize(
    "grid", ["", "1", "1/0", "2/8", "1/16+", "1/8x", "eighth", "1/257", "1/9999", 0, -4, 65]
)
def test_no_grid(grid: str | int) -> None:
    with pytest.raises(FormatError, match="is not a grid") as caught:
        quantise(Music(), grid)
    assert "1/16+1/8t" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("music", "message"),
    [
        (Music(0), "the resolution is 0"),
        (piece(Note(-1, 60, 480)), "an event at tick -1"),
        (Music(tempos=[Tempo(-7, 120.0)]), "an event at tick -7"),
    ],
)
def test_impossible_times(music: Music, message: str) -> None:
    for check in (quantise, shift):
        with pytest.raises(FormatError, match=message):
            check(music, "1/16")
    with pytest.raises(FormatError, match=message):
        find_grid(music) if music.tracks else quantise(music, 4)


def test_lengths_below_one_tick_are_mended() -> None:
    assert quantise(piece(Note(480, 60, 0), Note(960, 60, -480)), 1).tracks[0].notes == [
        Note(1, 60, 1), Note(2, 60, 1),
    ]  # fmt: skip
