"""Pieces that encodings of scores must give back."""

from hypothesis import strategies as st

from musicgen.music import KeySignature, Music, Note, Tempo, TimeSignature, Track

QUARTER = 480
EIGHTH = 240


def line(*notes):
    """Make notes of (pitch, length in ticks) one after the other; pitch None rests."""
    found, time = [], 0
    for pitch, length in notes:
        if pitch is not None:
            found.append(Note(time, pitch, length))
        time += length
    return found


def two_voices(upper, lower, **said):
    tracks = [Track(52, name="Soprano", notes=upper), Track(52, name="Bass", notes=lower)]
    return Music(tracks=tracks, **said)


HELD = two_voices(
    line((72, 3 * QUARTER), (74, 4 * QUARTER), (72, QUARTER)),
    line((48, 8 * QUARTER)),
    time_signatures=[TimeSignature(0, 4, 4)],
)
REPEATED = two_voices(
    line(*[(72, EIGHTH)] * 8),
    line(*[(48, QUARTER)] * 4),
    time_signatures=[TimeSignature(0, 2, 4)],
)
RESTS = two_voices(
    line((None, QUARTER), (72, QUARTER), (None, 5 * QUARTER), (71, QUARTER)),
    line((48, EIGHTH), (None, 12 * EIGHTH), (43, EIGHTH)),
    time_signatures=[TimeSignature(0, 4, 4)],
)
UPBEAT = two_voices(
    line((67, QUARTER), (72, 3 * QUARTER), (71, 2 * QUARTER)),
    line((None, QUARTER), (48, 3 * QUARTER), (43, 2 * QUARTER)),
    tempos=[Tempo(0, 90.0)],
    time_signatures=[TimeSignature(0, 1, 4), TimeSignature(QUARTER, 3, 4)],
    key_signatures=[KeySignature(0, -3, "minor")],
    fermatas=[4 * QUARTER],
)
CHANGES = two_voices(
    line(*[(72, QUARTER)] * 14),
    line(*[(48, 2 * QUARTER)] * 7),
    tempos=[Tempo(0, 90.0), Tempo(5 * QUARTER, 60.0), Tempo(12 * QUARTER, 90.0)],
    time_signatures=[
        TimeSignature(0, 4, 4),
        TimeSignature(4 * QUARTER, 3, 4),
        TimeSignature(10 * QUARTER, 2, 4),
        TimeSignature(11 * QUARTER, 6, 8),
    ],
    key_signatures=[KeySignature(4 * QUARTER, 1), KeySignature(5 * QUARTER, 2, "dorian")],
    fermatas=[0, 3 * QUARTER, 13 * QUARTER],
)
UNSAID = two_voices(line((72, QUARTER)), line((48, QUARTER)))

PIECES = {
    "held": HELD,
    "repeated": REPEATED,
    "rests": RESTS,
    "upbeat": UPBEAT,
    "changes": CHANGES,
    "unsaid": UNSAID,
}


@st.composite
def scores(draw):
    """Draw a piece in two voices on a grid of sixteenths."""
    sixteenth = 120
    pitches = st.none() | st.integers(40, 80)
    voices = [
        line(
            *draw(st.lists(st.tuples(pitches, st.integers(1, 9).map(sixteenth.__mul__)))),
            (60, sixteenth),
        )
        for _ in range(2)
    ]
    end = max(notes[-1].end for notes in voices) // sixteenth
    times = st.sets(st.integers(0, end - 1), max_size=3).map(sorted)
    metre = st.sampled_from([(4, 4), (3, 4), (6, 8), (2, 2), (1, 4), (3, 8), (5, 16), (1, 16)])
    key = st.tuples(st.integers(-7, 7), st.sampled_from(["major", "minor"]))
    qpm = st.sampled_from([60.0, 72.5, 120.0])
    return two_voices(
        *voices,
        tempos=[Tempo(time * sixteenth, draw(qpm)) for time in draw(times)],
        time_signatures=[TimeSignature(time * sixteenth, *draw(metre)) for time in draw(times)],
        key_signatures=[KeySignature(time * sixteenth, *draw(key)) for time in draw(times)],
        fermatas=[time * sixteenth for time in draw(times)],
    )
