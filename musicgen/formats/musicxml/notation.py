"""One voice in one measure: chords and rests cut into note values, tuplets and beams."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from musicgen.formats.musicxml.grid import SHORTEST, TUPLETS, UNITS, Bar
from musicgen.formats.musicxml.values import Value, beat, split

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from musicgen.formats.musicxml.voices import Chord

__all__ = ["PLAIN", "Piece", "write_voice"]

# How many notes of a tuplet take the time of how many plain ones.
PLAIN = {3: 2, 5: 4, 7: 4}


@dataclass(slots=True)
class Piece:
    """A note, chord or rest as it is printed.

    Attributes
    ----------
    start, end
        Units since the start of the piece.
    chord
        What sounds; None for a rest.
    value
        Its note value; None for a rest that fills the measure.
    tuplet
        How many notes of its tuplet take the time of the next power of two below; 1 outside.
    bracket
        ``start``, ``stop`` or both, where a tuplet begins and ends.
    beams
        What each of its beams does, the longest beam first.
    """

    start: int
    end: int
    chord: Chord | None
    value: Value | None
    tuplet: int = 1
    bracket: tuple[str, ...] = ()
    beams: list[str] = field(default_factory=list)


def write_voice(chords: Sequence[Chord], bar: Bar) -> list[Piece]:
    """Write the chords of a voice that sound in a measure, and the rests that fill it.

    Parameters
    ----------
    chords
        One after the other; they may begin before the measure and end after it.
    bar
        The measure.
    """
    if not chords:
        return [Piece(bar.start, bar.end, None, None)]
    events = list(_filled(chords, bar))
    pieces: list[Piece] = []
    tuplets = list(_tuplets([start for start, _, _ in events], bar))
    for start, end, chord in events:
        at = start
        while at < end:
            span = next((span for span in tuplets if span[0] <= at < span[1]), None)
            if span is None:
                following = min((begin for begin, _, _ in tuplets if begin > at), default=end)
                stop = min(end, following)
                pieces += _plain(at, stop, chord, bar)
            else:
                stop = min(end, span[1])
                pieces += _in_tuplet(at, stop, chord, span)
            at = stop
    for begin, stop, _ in tuplets:
        inside = [piece for piece in pieces if begin <= piece.start < stop]
        inside[0].bracket += ("start",)
        inside[-1].bracket += ("stop",)
    _beam(pieces, bar)
    return pieces


def _filled(chords: Sequence[Chord], bar: Bar) -> Iterator[tuple[int, int, Chord | None]]:
    at = bar.start
    for chord in chords:
        start, end = max(chord.start, bar.start), min(chord.end, bar.end)
        if start > at:
            yield at, start, None
        yield start, end, chord
        at = end
    if at < bar.end:
        yield at, bar.end, None


def _tuplets(starts: list[int], bar: Bar) -> Iterator[tuple[int, int, int]]:
    """Find the tuplets between the given times: start, end, and how many notes they have."""
    covered = bar.start
    for time in starts:
        if time < covered or (time - bar.start) % SHORTEST == 0:
            continue
        begin, length, count = _tuplet_around(time, starts, covered, bar)
        covered = min(begin + length, bar.end)
        yield begin, covered, count


def _tuplet_around(time: int, starts: list[int], covered: int, bar: Bar) -> tuple[int, int, int]:
    """Find start, length and kind of the tuplet to which a time off the plain grid belongs."""

    def inside(length: int) -> tuple[int, list[int]]:
        begin = time - (time - bar.start) % length
        return begin, [at - begin for at in starts if begin <= at < begin + length]

    if bar.metre[1] <= 4:
        for length in (4 * UNITS, 2 * UNITS):
            # Triplets of half or quarter notes, if nothing else stands in their way.
            begin, offsets = inside(length)
            is_free = begin >= covered and begin + length <= bar.end
            if is_free and not any(offset * 3 % length for offset in offsets):
                return begin, length, 3
        begin, offsets = inside(UNITS)
        if UNITS // 2 in offsets and begin + UNITS <= bar.end:
            begin, offsets = inside(UNITS // 2)
            if not any(offset % TUPLETS[3] for offset in offsets):
                return begin, UNITS // 2, 3
    begin, offsets = inside(bar.span)
    count = next(
        count
        for count, step in TUPLETS.items()
        if count > 1 and not any(offset % step for offset in offsets)
    )
    return begin, bar.span, count


def _plain(start: int, end: int, chord: Chord | None, bar: Bar) -> Iterator[Piece]:
    origin = bar.start
    if bar.is_pickup:
        # It ends where a bar does.
        origin = bar.end - 4 * UNITS * bar.metre[0] // bar.metre[1]
    places = (start - origin) // SHORTEST, (end - origin) // SHORTEST
    for value in split(*places, bar.metre, is_rest=chord is None):
        stop = start + value.size * SHORTEST
        yield Piece(start, stop, chord, value)
        start = stop


def _in_tuplet(
    start: int, end: int, chord: Chord | None, span: tuple[int, int, int]
) -> Iterator[Piece]:
    origin, _, count = span
    plain = PLAIN[count]
    places = [(time - origin) * count // plain // SHORTEST for time in (start, end)]
    for value in split(*places, None, is_rest=chord is None):
        stop = start + value.size * SHORTEST * plain // count
        yield Piece(start, stop, chord, value, count)
        start = stop


def _beam(pieces: Sequence[Piece], bar: Bar) -> None:
    """Join flagged notes within a beat by beams."""
    length = beat(bar.metre) * SHORTEST
    group: list[Piece] = []
    place = -1
    for piece in pieces:
        flags = piece.value.flags if piece.value is not None and piece.chord is not None else 0
        here = (piece.start - (bar.end if bar.is_pickup else bar.start)) // length
        if not flags or here != place:
            _join(group)
            group = []
        if flags:
            group.append(piece)
        place = here
    _join(group)


def _join(group: Sequence[Piece]) -> None:
    flags = [piece.value.flags for piece in group if piece.value is not None]
    if len(group) < 2:
        return
    for at, piece in enumerate(group):
        for level in range(1, flags[at] + 1):
            before = at > 0 and flags[at - 1] >= level
            after = at + 1 < len(group) and flags[at + 1] >= level
            if before or after:
                beam = "continue" if before and after else "end" if before else "begin"
            else:
                beam = "backward hook" if at else "forward hook"
            piece.beams.append(beam)
