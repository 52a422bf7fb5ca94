"""Which tokens or characters of ABC tell which note."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from musicgen.encodings.alignment import NO_BAR, AlignedBar, AlignedNote, Alignment, beat_number
from musicgen.encodings.base import Symbols
from musicgen.encodings.grid import RESOLUTION
from musicgen.encodings.tokeniser import sort_of
from musicgen.formats.abc import Score
from musicgen.formats.abc.interpretation import UNIT, interpret
from musicgen.formats.abc.lexer import LENGTH, NOTE
from musicgen.formats.abc.score import Bar, Field, Overlay, Sound
from musicgen.formats.abc.spelling import note_text, read_note
from musicgen.formats.abc.transposing import Interval
from musicgen.music import Note, Tune
from musicgen.notation.metre import Metre, beat

__all__ = ["align_characters", "align_tokens", "moved_label"]

VELOCITY = 64
COMMON = Metre(4, 4)

_NOTE = re.compile(NOTE)
_CHORD = re.compile(r"\[[^\]|]*\]" + LENGTH)
_BROKEN = re.compile(r"[ \t]*[<>]+")
_BAR_LINE = re.compile(r":*\|[|:\]]*(?:\d[\d,-]*)?|::")


class _Head(NamedTuple):
    """A note as it is written, a rest (whose pitch is −1), or one of the notes of a chord."""

    sound: Sound
    note: Note
    bar: int
    beat: float


def align_tokens(
    score: Score,
    texts: Sequence[str],
    symbols: Symbols,
    labels: Sequence[str],
    tune: Tune,
    semitones: int,
) -> Alignment:
    """Find the notes among tokens.

    A note has its pitch and its length. The length of a chord goes to the last of its notes; grace
    notes, tuplets, ties and signs are of the bar alone.

    Parameters
    ----------
    score
        In normal form, sounds in their place in the file.
    texts
        The tokens of that.
    symbols
        Those of the tokens, and the boundary.
    labels
        What each symbol says.
    tune
        That the score was made of.
    semitones
        From the score to the tune.
    """
    # A normal form says nothing of the length that it counts in.
    unit = Field(0, 0, "L", str(UNIT))
    heads, bars = _heads(replace(score, header=[unit, *score.header]))
    steps: list[list[int]] = [[] for _ in heads]
    step_bars = np.full(len(symbols), NO_BAR)
    bar = heads[0].bar if heads else 0
    at, in_grace, before = -1, False, ""
    for step, text in enumerate(texts):
        if text.endswith("\n"):
            continue
        step_bars[step] = bar
        sort = sort_of(text)
        if text.startswith("{") or text == "}":
            in_grace = text != "}"
        elif not in_grace and (sort == "pitch" or text == "z"):
            at += 1
            steps[at].append(step)
        elif sort == "length" and not in_grace and before in ("pitch", "]"):
            steps[at].append(step)
        elif sort in ("bar", "[V:") and at + 1 < len(heads):
            bar = heads[at + 1].bar
            step_bars[step] = bar if sort == "[V:" else step_bars[step]
        before = sort or text
    source = _Source(tune)
    notes = []
    for head, own in zip(heads, steps, strict=True):
        if head.sound.notes:
            text = source.text(head.sound) or labels[symbols[own[0]]]
            note = head.note._replace(pitch=head.note.pitch + semitones)
            notes.append(_aligned(head._replace(note=note), tuple(own), text))
    return Alignment(symbols, step_bars, bars, notes, labels)


def align_characters(
    score: Score, symbols: Symbols, labels: Sequence[str], tune: Tune
) -> Alignment:
    """Find the notes among the characters of a tune.

    A note has its accidental, letter, octave, length and broken rhythm. The length of a chord goes
    to the last of its notes; what stands before and between notes is of the bar alone.

    Parameters
    ----------
    score
        The parsed tune.
    symbols
        One for each character, and the boundary.
    labels
        What each symbol says.
    tune
        That it is.
    """
    heads, bars = _heads(score)
    source = _Source(tune)
    starts = [source.index(head.sound) for head in heads]
    step_bars = np.full(len(symbols), NO_BAR)
    body = source.body
    for (start, head), (after, later) in pairwise(zip(starts, heads, strict=True)):
        if head.bar != later.bar:
            line = _BAR_LINE.search(tune.text, start, after)
            end = line.end() if line else after
            step_bars[body:end] = head.bar
            body = end
    if heads:
        step_bars[body:-1] = heads[-1].bar
    notes = []
    places: dict[int, Iterator[tuple[int, int]]] = {}
    for start, head in zip(starts, heads, strict=True):
        if not head.sound.notes:
            continue
        spans = places.setdefault(start, source.spans(start))
        first, end = next(spans, (0, 0))
        if end:
            steps = tuple(range(first, end))
            written = _NOTE.match(tune.text, first)
            notes.append(_aligned(head, steps, written[0] if written else ""))
    return Alignment(symbols, step_bars, bars, notes, labels)


def moved_label(text: str, interval: Interval) -> str:
    """Say what a token of a moved tune says, in the key of the tune.

    Parameters
    ----------
    text
        The token.
    interval
        From the moved tune back.

    Examples
    --------
    >>> moved_label("=e", Interval(2, 2)), moved_label("3/2", Interval(2, 2))
    ('^f', 'length 3/2')
    """
    sort = sort_of(text)
    if sort == "length":
        return f"length {text}"
    if sort == "pitch":
        try:
            note = interval.note(read_note(text))
        except ValueError:
            return text
        return note_text(note, Fraction(1))
    return text.strip()


def _aligned(head: _Head, steps: tuple[int, ...], text: str) -> AlignedNote:
    sound = head.sound
    return AlignedNote(head.note, head.bar, head.beat, text, steps, (), sound.line, sound.column)


def _heads(score: Score) -> tuple[list[_Head], list[AlignedBar]]:
    """Return the notes and rests in the order of the text, and the bars; repeats are not played."""
    found: dict[int, list[_Head]] = {}
    bars: list[AlignedBar] = []
    upbeat = 0
    for part in interpret(score):
        now = start = reach = Fraction(0)
        bar, is_empty = 0, True
        for event in part.events:
            element = event.element
            if isinstance(element, Sound):
                if bar == len(bars):
                    bars.append(AlignedBar(bar + 1, _ticks(now), element.line, element.column))
                metre = event.meter or COMMON
                duration = element.length * event.scale
                place = beat_number(now - start, 4 * beat(metre))
                found[id(element)] = [
                    _Head(element, _note(now, pitch, duration), bar, place)
                    for pitch in event.pitches or (-1,)
                ]
                now, is_empty = now + duration, False
            elif isinstance(element, Bar) and not is_empty:
                now = max(now, reach)
                if not bar and event.meter and now < 4 * event.meter.bar:
                    upbeat = 1
                start, bar, is_empty = now, bar + 1, True
            elif isinstance(element, Overlay):
                now, reach = start, max(now, reach)
    heads = [head for element in score.body for head in found.get(id(element), [])]
    return heads, [bar._replace(number=bar.number - upbeat) for bar in bars]


def _note(now: Fraction, pitch: int, duration: Fraction) -> Note:
    time = _ticks(now)
    return Note(time, pitch, max(_ticks(now + duration) - time, 1), VELOCITY)


def _ticks(quarters: Fraction) -> int:
    return round(quarters * RESOLUTION)


class _Source:
    """The text of a tune, by place in its file."""

    def __init__(self, tune: Tune) -> None:
        self._text, self._line = tune.text, tune.line
        self._starts = [0, *(match.end() for match in re.finditer("\n", tune.text))]
        key = re.search(r"^K:.*\n?", tune.text, re.MULTILINE)
        self.body = key.end() if key else 0

    def index(self, sound: Sound) -> int:
        """Return where in the text a sound stands."""
        return self._starts[sound.line - self._line] + sound.column - 1

    def text(self, sound: Sound) -> str:
        """Return how a single note is written; empty where something else stands there."""
        match = _NOTE.match(self._text, self.index(sound))
        return match[0] if match else ""

    def spans(self, index: int) -> Iterator[tuple[int, int]]:
        """Give where the notes of the sound at an index start and end."""
        single, chord = _NOTE.match(self._text, index), _CHORD.match(self._text, index)
        whole = single or chord
        if whole is None:
            return
        broken = _BROKEN.match(self._text, whole.end())
        end = broken.end() if broken else whole.end()
        notes = [match.span() for match in _NOTE.finditer(self._text, index, whole.end())]
        yield from notes[:-1]
        yield notes[-1][0], end
