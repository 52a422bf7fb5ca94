"""What a sample has in common with a piece of the corpus, on two staves."""

from __future__ import annotations

from fractions import Fraction

from musicgen.evaluation import Match, Place
from musicgen.evaluation.figures import track_melodies
from musicgen.music import Music, Note, TimeSignature, Track
from musicgen.workflows.evaluation_result import Example

__all__ = ["copied_example", "copied_run", "describe_place"]

COMMON_TIME = TimeSignature(0, 4, 4)


def copied_example(name: str, file: str, sample: Music, source: Music, match: Match) -> Example:
    """Return a copied run to look at and to listen to.

    Parameters
    ----------
    name
        What the sample is called.
    file
        Where the source was read.
    sample, source, match
        As `copied_run` takes them.
    """
    title = f"{match.source.title} ({file})" if match.source.title else file
    plural = "s" * (abs(match.semitones) != 1)
    moved = f" (moved by {match.semitones:+} semitone{plural})" if match.semitones else ""
    return Example(
        f"{name}, from {describe_place(match.sample)}: {match.length} notes in a row that also "
        f"stand in {title}, from {describe_place(match.source)}{moved}",
        copied_run(sample, source, match),
        "musicxml",
    )


def describe_place(place: Place) -> str:
    """Say where a run starts: the bar, the voice where there are several, and which of its lines.

    Examples
    --------
    >>> describe_place(Place("", 2, 1, 8, "Alto")), describe_place(Place("", 1, 1, 0))
    ('bar 8, Alto', 'upbeat')
    """
    words = [f"bar {place.bar}" if place.bar else "upbeat", place.voice]
    if place.line == "lowest":
        words.append("lowest line")
    return ", ".join(filter(None, words))


def copied_run(sample: Music, source: Music, match: Match) -> Music:
    """Return what a sample copies, up to the end of the bar, and what its source has below that.

    The source is moved to the sample's key, and its run begins where that of the sample does; what
    stands before is left out, and what stands after shows where the two part.

    Parameters
    ----------
    sample, source
        The pieces, as they were compared.
    match
        What they have in common.

    Returns
    -------
    Music
        A track called ``sample`` and one called ``source``, with the metre, key and tempo of the
        sample.

    Examples
    --------
    >>> from musicgen.evaluation import NoveltyIndex
    >>> def tune(*pitches):
    ...     return Music(1, tracks=[Track(notes=[Note(t, p, 1) for t, p in enumerate(pitches)])])
    >>> sample, source = tune(50, 60, 50, 61, 60, 62, 64, 59), tune(72, 74, 76, 77)
    >>> match = NoveltyIndex([source]).look_up(sample).match
    >>> for track in copied_run(sample, source, match).tracks:
    ...     print(track.name, [(note.time, note.pitch) for note in track.notes])
    sample [(0, 60), (1, 62), (2, 64), (3, 59)]
    source [(0, 60), (1, 62), (2, 64), (3, 65)]
    """
    onset, last = _run(sample, match.sample, match.length)
    start, _ = _bar(sample, onset)
    _, end = _bar(sample, last)
    there, _ = _run(source, match.source, match.length)
    scale = Fraction(sample.resolution, source.resolution)
    moved = [
        note._replace(
            time=onset + round((note.time - there) * scale),
            pitch=note.pitch + match.semitones,
            duration=max(round(note.duration * scale), 1),
        )
        for note in source.tracks[match.source.track - 1].notes
    ]
    return Music(
        sample.resolution,
        [tempo._replace(time=0) for tempo in sample.tempos if tempo.time <= onset][-1:],
        _from(sample.time_signatures, start, end),
        [key._replace(time=0) for key in sample.key_signatures if key.time <= onset][-1:],
        [
            Track(name=name, notes=_cut(notes, start, onset, end))
            for name, notes in {
                "sample": sample.tracks[match.sample.track - 1].notes,
                "source": moved,
            }.items()
        ],
    )


def _run(music: Music, place: Place, length: int) -> tuple[int, int]:
    """Return the onsets of the first and last note of a run."""
    melody = next(
        each
        for each in track_melodies(music)
        if (each.track, each.line) == (place.track, place.line)
    )
    return int(melody.onsets[place.note - 1]), int(melody.onsets[place.note + length - 2])


def _bar(music: Music, time: int) -> tuple[int, int]:
    """Return where the bar that a time lies in begins and ends."""
    earlier = [metre for metre in music.time_signatures if metre.time <= time]
    metre = max(earlier, default=COMMON_TIME)
    length = max(4 * music.resolution * metre.numerator // metre.denominator, 1)
    start = time - (time - metre.time) % length
    later = [other.time for other in music.time_signatures if other.time > time]
    return start, min([start + length, *later])


def _from(metres: list[TimeSignature], start: int, end: int) -> list[TimeSignature]:
    return [
        metre._replace(time=max(metre.time - start, 0))
        for metre in [
            *[metre for metre in metres if metre.time <= start][-1:],
            *[metre for metre in metres if start < metre.time < end],
        ]
    ]


def _cut(notes: list[Note], start: int, onset: int, end: int) -> list[Note]:
    """Return what begins from an onset to an end, its times counted from the start."""
    return [
        note._replace(time=note.time - start, duration=min(note.duration, end - note.time))
        for note in sorted(notes)
        if onset <= note.time < end and 0 <= note.pitch <= 127
    ]
