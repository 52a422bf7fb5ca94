r"""Whether the bars of a score add up to their metre."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from musicgen.formats.abc import parts
from musicgen.formats.abc.interpretation import interpret
from musicgen.formats.abc.score import Bar, Overlay, Sound
from musicgen.formats.abc.unfolding import unfold

if TYPE_CHECKING:
    from collections.abc import Iterator

    from musicgen.formats.abc.events import Event, Part
    from musicgen.formats.abc.score import Score

__all__ = ["UnevenBar", "uneven_bars"]

NOTHING = Fraction(0)


class UnevenBar(NamedTuple):
    """A bar that is shorter or longer than the metre says.

    Attributes
    ----------
    line, column
        Place in the file of its first sound.
    found, expected
        Its length and the metre's, in whole notes.
    """

    line: int
    column: int
    found: Fraction
    expected: Fraction


def uneven_bars(score: Score) -> list[UnevenBar]:
    r"""Find the bars that do not add up, in every voice.

    What stands between two bar lines adds up when it is as long as the metre says. A bar may also
    be split by any bar line but a plain ``|``: by a double one, the start or the end of a repeat,
    or that of a variant ending. Its pieces then make one whole bar in the order in which they are
    played, so that what stands before ``:|`` is completed by the start of the repeat when the
    player goes back, and by what follows when the player goes on. A tune may start with a part of a
    bar, its pickup; its last bar is then whole, or as much shorter as the pickup is long.

    Ties, tuplets and broken rhythm count as they sound; grace notes take no time; the layers of a
    bar with overlays must all be as long as it. Where the metre is ``M:none``, or is not told,
    everything adds up.

    Parameters
    ----------
    score
        The parsed tune.

    Returns
    -------
    list of UnevenBar
        In the order of the text; a bar that is played more than once is listed once.

    Examples
    --------
    >>> from musicgen.formats.abc import parse
    >>> from musicgen.music import Tune
    >>> uneven_bars(parse(Tune("X:1\nM:3/4\nL:1/4\nK:D\n|:A|d2f|afd|e2:|")))
    []
    >>> [bar] = uneven_bars(parse(Tune("X:1\nM:3/4\nL:1/4\nK:D\n|:A|d2f|af|e2:|")))
    >>> bar.line, bar.column, str(bar.found), str(bar.expected)
    (5, 9, '1/2', '3/4')
    """
    found: dict[tuple[int, int], UnevenBar] = {}
    order = parts.order(score)
    for part in interpret(score):
        for bar in _uneven(list(_played(part, order))):
            found.setdefault((bar.line, bar.column), bar)
    return sorted(found.values())


def _played(part: Part, order: list[str]) -> Iterator[Event]:
    """Give the events of a voice as they are played."""
    sections = [part.events]
    if order:
        labelled = parts.split(part.events, [event.element for event in part.events])
        sections = [labelled.get(label, []) for label in ["", *order]]
    for events in sections:
        bars = [event.element if isinstance(event.element, Bar) else None for event in events]
        yield from unfold(events, bars)


class _Piece:
    """What stands between two bar lines.

    Attributes
    ----------
    first
        Its first sound; None while there is none.
    whole
        Length of the bar that the metre asks for; 0 where it asks for none.
    layers
        Length of each layer.
    """

    def __init__(self) -> None:
        self.first: Sound | None = None
        self.whole = NOTHING
        self.layers = [NOTHING]

    def add(self, sound: Sound, event: Event) -> None:
        """Take a sound."""
        if self.first is None:
            self.first = sound
            self.whole = event.meter.bar if event.meter is not None else NOTHING
        # A rest of many bars is one bar, written once.
        length = Fraction(1) if sound.rest == "Z" else sound.length
        self.layers[-1] += length * event.scale / 4


def _uneven(events: list[Event]) -> Iterator[UnevenBar]:
    piece, last = _Piece(), None
    # How much of the bar has been played that the piece belongs to; None before the tune starts.
    before: Fraction | None = None
    pickup = NOTHING
    end = max(at for at, event in enumerate(events) if isinstance(event.element, Sound))
    for at, event in enumerate(events):
        element = event.element
        if isinstance(element, Sound):
            piece.add(element, event)
        elif isinstance(element, Overlay):
            piece.layers.append(NOTHING)
        if piece.first is None or not (isinstance(element, Bar) or at + 1 == len(events)):
            continue
        length = max(piece.layers)
        if before is None and length < piece.whole:
            pickup, before = length, NOTHING
        else:
            splits = at >= end or (isinstance(element, Bar) and _splits(element))
            before, uneven = _after(piece, before or NOTHING, splits=splits)
            if uneven is not None:
                yield uneven
        piece, last = _Piece(), piece
    if before and last is not None and before + pickup != last.whole:
        yield _bar(last, before)


def _splits(bar: Bar) -> bool:
    return bar.kind != "|" or bool(bar.ending)


def _after(piece: _Piece, before: Fraction, *, splits: bool) -> tuple[Fraction, UnevenBar | None]:
    """Find how much of a bar has been played after a piece, and whether it is uneven."""
    total = before + max(piece.layers)
    if not piece.whole:
        return NOTHING, None
    if min(piece.layers) == max(piece.layers):
        if total == piece.whole:
            return NOTHING, None
        if splits and total < piece.whole:
            return total, None
    return NOTHING, _bar(piece, total)


def _bar(piece: _Piece, found: Fraction) -> UnevenBar:
    assert piece.first is not None
    return UnevenBar(piece.first.line, piece.first.column, found, piece.whole)
